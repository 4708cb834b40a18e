"""Provokes faults, and counts what comes of them.

    python -m benchmarks.soak [ROW ...] [--quick] [--write]

Everything is real but the network, which multiplies: files, decoders, processes, signals, disks
(small ones of their own, where root may mount them) and limits of memory. Random moments and
bytes come from fixed seeds. Ends with 1 if a row is not as it must be. Linux only.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.soak import disk, hostile, inputs, kills, memory, pairs, signals, workers
from benchmarks.soak.row import Observed, Row

RESULTS = Path(__file__).parents[1] / "results/soak.json"
SHOWN = 20  # faults of a row that are printed
ROWS = {
    "kills": Row(
        "kill -9 at random moments of a batch, then the same command again",
        "0 stems lost, 0 half files, 0 finished work redone",
        kills.provoke,
    ),
    "workers": Row(
        "one worker of four killed", "the others finish its share; exit code 0", workers.provoke
    ),
    "inputs": Row(
        "mutated inputs",
        "0 tracebacks, 0 hangs, 0 silent wrongs; each one clear line",
        inputs.provoke,
    ),
    "disk": Row(
        "disk full, read-only folder, path too long, input deleted midway",
        "right code, remedy, nothing half-written",
        disk.provoke,
    ),
    "memory": Row("out of memory", "back-off, then code 4", memory.provoke),
    "pairs": Row(
        "two batches writing to the same folder", "no corruption; the second is told", pairs.provoke
    ),
    "hostile": Row(
        "hostile text and files",
        "nothing outside the output folder, nothing executed, nothing fetched",
        hostile.provoke,
    ),
    "signals": Row(
        "SIGTERM, SIGINT once and twice, clock set back", "clean stop, resumable", signals.provoke
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    parser.add_argument("--quick", action="store_true", help="fewer trials")
    parser.add_argument("--write", action="store_true", help="keep the figures of these rows")
    given = parser.parse_args()
    if unknown := set(given.rows) - ROWS.keys():
        parser.error(f"no row {', '.join(sorted(unknown))}; there are {', '.join(ROWS)}")
    began, good = time.monotonic(), True
    for name in given.rows or ROWS:
        started = time.monotonic()
        seen = observed(ROWS[name], given.quick)
        print_row(ROWS[name], seen)
        good &= seen.good
        if given.write and not given.quick:
            write(name, seen, time.monotonic() - started)
    minutes = (time.monotonic() - began) / 60
    print(f"\n{minutes:.1f} minutes, {'all as required' if good else 'NOT AS REQUIRED'}")
    sys.exit(0 if good else 1)


def observed(row: Row, quick: bool) -> Observed:
    """Provoke a fault in a folder of its own, with a home of its own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEPCLI_HOME"] = str(Path(folder) / "home")
        place = Path(folder) / "work"
        place.mkdir()
        return row.provoke(place, quick)


def print_row(row: Row, seen: Observed) -> None:
    """A line of the table, and what went wrong."""
    print(f"| {row.fault} | {row.must} | {words(seen)} | {'yes' if seen.good else 'NO'} |")
    for fault in seen.faults[:SHOWN]:
        print(f"    {fault:.500}")
    sys.stdout.flush()


def words(seen: Observed) -> str:
    """What was tried, and what was counted."""
    tried = ", ".join(f"{count} {name}" for name, count in seen.trials.items())
    return f"{tried}: " + ", ".join(f"{count} {name}" for name, count in seen.counts.items())


def write(name: str, seen: Observed, seconds: float) -> None:
    """Put the figures of a row in the place of its earlier ones."""
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    figures = {
        "fault": ROWS[name].fault,
        "must": ROWS[name].must,
        "observed": words(seen),
        "as_required": seen.good,
        "date": datetime.now(UTC).date().isoformat(),
        "minutes": round(seconds / 60, 1),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}",
        "trials": seen.trials,
        "counts": seen.counts,
        **seen.figures,
    }
    rows = {**kept, name: figures}
    ordered = {row: rows[row] for row in ROWS if row in rows}
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n")


if __name__ == "__main__":
    main()
