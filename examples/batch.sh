#!/usr/bin/env bash
# Cleans a folder of field recordings: bash examples/batch.sh [FOLDER] [OUT]
#
# Run it again after an interruption or after adding files: what is done is left alone.
set -euo pipefail
folder=${1:-examples/audio}
out=${2:-separated}

status=0
sepcli separate "$folder" \
    --query "dog barking" --query "rooster crowing" --residual \
    --skip-existing --output "$out" --report "$out/report.json" --progress plain || status=$?

case $status in
    0) echo "all done" ;;
    1) echo "some recordings failed, see $out/report.json" >&2 ;;
    *) echo "nothing more to be done here (exit code $status)" >&2 ;;
esac
exit "$status"
