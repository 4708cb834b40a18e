#!/usr/bin/env bash
# The dog from any recording or video, as a 48 kHz WAV: bash examples/pipe.sh [INPUT] [OUTPUT]
set -euo pipefail
input=${1:-examples/audio/dog_and_rain.flac}
output=${2:-dog.wav}

ffmpeg -v error -i "$input" -vn -ar 48000 -f wav - |
    sepcli separate - --output - --query "dog barking" --progress none > "$output"
