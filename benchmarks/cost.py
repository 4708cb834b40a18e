"""What 1,000 hours of audio cost, from measured rates and prices that you give.

    python benchmarks/cost.py [--core-hour 0.04] [--gpu-hour 2.00] [--gpu-rate 500]

Rates are those of `results/speed.json`: whole commands, one process on all cores of the machine
that it names. Prices are assumptions in any currency. The rate of a GPU is one, too, unless you
measured it: `sepcli separate` says times real time of every recording.
"""

import argparse
import json
from pathlib import Path

HERE = Path(__file__).parent
HOURS = 1000
CORE_HOUR = 0.04  # price of one core for an hour
GPU_HOUR = 2.00  # price of one GPU, with the cores and memory it comes with, for an hour


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core-hour", type=float, default=CORE_HOUR)
    parser.add_argument("--gpu-hour", type=float, default=GPU_HOUR)
    parser.add_argument("--gpu-rate", type=float, help="times real time of a GPU, one query")
    given = parser.parse_args()
    print(page(given.core_hour, given.gpu_hour, given.gpu_rate))


def page(
    core_hour: float = CORE_HOUR, gpu_hour: float = GPU_HOUR, gpu_rate: float | None = None
) -> str:
    """A table, and what a GPU has to do to be cheaper."""
    speed = json.loads((HERE / "results/speed.json").read_text())
    cores, rate = cores_of(speed["machine"]), speed["long"]["times_real_time"]
    factors = {
        1: 1.0,
        2: speed["ten_minutes_2_queries_against_1"],
        4: speed["ten_minutes_4_queries_against_1"],
    }
    lines = [
        f"| queries in one pass | times real time, {cores} cores | core hours | cost |",
        "|---|---|---|---|",
    ]
    for queries, factor in factors.items():
        hours = core_hours(cores, rate / factor)
        cost = hours * core_hour
        lines.append(f"| {queries} | {rate / factor:.1f} | {hours:.0f} | {cost:.2f} |")
    even = gpu_hour * rate / (cores * core_hour)
    text = (
        f"At {core_hour:.2f} for a core hour. For one query, a GPU at {gpu_hour:.2f} an hour is "
        f"cheaper if it does more than {even:.0f}x real time."
    )
    if gpu_rate is not None:
        text += f" At {gpu_rate:g}x, {HOURS} hours cost {HOURS / gpu_rate * gpu_hour:.2f} on it."
    return "\n".join([*lines, "", text])


def cores_of(machine: str) -> int:
    """Cores of a machine as results name it: "x86_64, 2 cores, ..."."""
    return int(machine.split(", ")[1].split()[0])


def core_hours(cores: int, rate: float) -> float:
    """Hours of one core for HOURS of audio."""
    return cores * HOURS / rate


if __name__ == "__main__":
    main()
