"""Writes docs/reliability.md: what is promised, how it is tried, and the last figures.

python -m benchmarks.soak.page
"""

import json
from pathlib import Path

from benchmarks.report import table

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks/results/soak.json"
PAGE = ROOT / "docs/reliability.md"
HEADS = ("fault", "must", "observed", "as required", "minutes")

HEAD = """# Reliability

What `sepcli separate` promises when something goes wrong, and how that is tried. This page is
written by `python -m benchmarks.soak.page` from the last run of `make soak`.

## What is promised

**A stem with its own name is whole.** Stems are written under a temporary name
(`.sepcli-partial-...`), forced to the disk, and renamed when all of a recording are complete.
A kill leaves at most temporary files, which the next run of the same command replaces.

**What is done stays done.** Stems carry a note of the input, the model and the options that
made them; a plan also keeps a journal beside them. `--skip-existing`, or the same `--plan`,
does again only what is missing, or what other weights or options would change.

**One bad recording stops no other.** It fails with a line that says what is wrong and a line
that says what to do, the rest goes on, and the exit code is 1. Full disks (5) and memory that
is never enough (4) stop a batch, since no further recording would fare better.

**Nothing wrong is done in silence.** What a recording is told of, and when it is refused:

"""

TOLD = (
    (
        "ends before its header says: WAV, RF64, W64, AIFF, MP3",
        "separated as far as it goes, with a warning",
    ),
    (
        "an Ogg without its last page, or with another recording after the first",
        "separated as far as it goes, with a warning",
    ),
    (
        "a header that promises no samples, or fewer than follow",
        "separated, with a warning that says what was taken for sound",
    ),
    ("a header whose sample rate its byte rate contradicts", "separated, with a warning"),
    ("a header that contradicts itself on how long a sample is", "refused"),
    (
        "damage inside: a decoder stumbles, an Ogg's page is broken or missing, a FLAC's "
        "checksum differs",
        "refused",
    ),
    ("NaN or infinite samples, or no samples", "refused"),
    ("more than 64 channels, below 1 kHz, above 768 kHz", "refused"),
    ("no recording at all, whatever its name", "refused"),
)

RULE = """
The rule behind it: where the end is missing, all that comes before it is right, and an hour of an
interview whose recorder lost power is worth separating; so that is a warning, and the exit code
stays 0. Where something inside is missing, what follows may be shifted or wrong; so that is a
failure. The warnings are in the `--report`, for whoever prefers to treat them as failures. A
streamed WAV or FLAC, which leaves its length open, is in order.

MP3, AAC and plain samples have no checksums that decoders verify: bytes that changed inside them,
and still decode, are heard and not told of. Compressed formats may be a tenth of a second shorter
than their headers say, since encoders pad.

**No header is believed more than the file.** Sizes and counts are compared with what is there
before anything is reserved for them; recordings are decoded in blocks of a second.

**Files are data.** FFmpeg may open local files only, and no format that refers to others; YAML is
read as plain data with a limit of size, depth and aliases; checkpoints are read without running
anything in them; manifests, query files and plans are read line by line with a limit of each.
Queries become file names of letters and digits; no query, input, manifest or `--name` leads out
of the output folder.

**Memory gives way in steps.** Batches are halved, then windows, then a GPU is left for the CPU;
if even a short window is too much, the exit code is 4.

**Signals end cleanly.** SIGINT (130) and SIGTERM (143) remove what is half-written and say that the
same command can go on. A second signal does not disturb that, a third ends at once. Durations come
from a clock that nobody sets.

**Two batches do not meet in one folder.** The second is told who is there (exit code 5), unless
both do different shards of the same plan. Locks end with their process, whatever killed it.

## How it is tried

`make soak` runs the real program on real files, with a network that only multiplies, so that
every stem can be compared with what it must be. Disks that fill up or are read-only are small
ones of their own (mounting them needs root; without it that is left out, and said), memory is
limited by the system and, apart from that, refused by the network; processes are killed with
`kill -9` at random moments; inputs are a real recording in eight formats, changed from fixed
seeds in the ways that are counted below. `make soak ROWS="kills --quick"` runs one row with fewer
trials; the rows are `kills`, `workers`, `inputs`, `disk`, `memory`, `pairs`, `hostile` and
`signals`. The command ends with 1 if a row is not as it must be. Each kind of fault also has a
small test that runs with all others.

## Last figures

"""


def main() -> None:
    PAGE.write_text(page(json.loads(RESULTS.read_text())), encoding="utf-8")


def page(rows: dict) -> str:
    """The whole page."""
    lines = [
        (
            row["fault"],
            row["must"],
            row["observed"],
            "yes" if row["as_required"] else "**no**",
            row["minutes"],
        )
        for row in rows.values()
    ]
    machines = sorted({f"{row['date']}, {row['machine']}" for row in rows.values()})
    return (
        HEAD
        + table(("the recording", "what becomes of it"), list(TOLD))
        + RULE
        + f"{'; '.join(machines)}.\n\n"
        + table(HEADS, lines)
        + "\nThe mutated inputs, by what was done to them:\n\n"
        + table(("mutation", "files"), list(rows["inputs"]["kinds"].items()))
    )


if __name__ == "__main__":
    main()
