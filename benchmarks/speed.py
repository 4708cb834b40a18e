"""Speed and memory of `sepcli separate` with the default model, as a user meets them.

    python benchmarks/speed.py [--hours 3] [--write]

Every figure is of a whole command, measured from outside: wall time, and the peak resident set
of the process as the kernel counted it. The long recordings are the example mixture, tiled.
Ratios: times real time, and the memory of the long file against that of ten minutes.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from sepcli.registry.load import load
from sepcli.registry.store import Registry

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples/audio/dog_and_rain.flac"
RATE = 44_100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=3.0, help="length of the long recording")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SEPCLI_HOME"] = folder
        figures = measure(Path(folder), given.hours)
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results/speed.json").write_text(text + "\n")


def measure(folder: Path, hours: float) -> dict[str, object]:
    """All figures."""
    python = platform.python_version()
    figures: dict[str, object] = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {python}",
        "help_seconds": round(min(command("--help")[0] for _ in range(5)), 3),
    }
    figures["new_query_milliseconds"] = round(query_milliseconds(), 2)
    tile(folder / "ten_seconds.wav", 10)
    separate(folder, "ten_seconds.wav")  # fills the cache of files
    figures["cold_start_10_s_clip_seconds"] = round(separate(folder, "ten_seconds.wav")[0], 2)
    tile(folder / "ten_minutes.wav", 600)
    seconds, short_rss = separate(folder, "ten_minutes.wav")
    figures["ten_minutes"] = row(600, seconds, short_rss)
    for queries in (2, 4):
        took, _ = separate(folder, "ten_minutes.wav", queries)
        figures[f"ten_minutes_{queries}_queries_against_1"] = round(took / seconds, 2)
    tile(folder / "long.wav", 3600 * hours)
    seconds, rss = separate(folder, "long.wav")
    figures["long"] = {"hours": hours, **row(3600 * hours, seconds, rss)}
    figures["long_memory_against_ten_minutes"] = round(rss / short_rss, 3)
    return figures


def query_milliseconds() -> float:
    """Median time to embed a text never seen before, once the encoder is loaded."""
    encoder = load(Registry().find(None)).encoder
    encoder.embed_texts(["warm up"])
    times = []
    for number in range(200):
        start = time.perf_counter()
        encoder.embed_texts([f"a dog barking number {number}"])
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))


def row(audio: float, took: float, rss: float) -> dict[str, float]:
    """What is told of a recording."""
    return {
        "seconds": round(took, 2),
        "times_real_time": round(audio / took, 1),
        "peak_rss_mb": round(rss / 1e6, 1),
    }


def separate(folder: Path, name: str, queries: int = 1) -> tuple[float, float]:
    """Separate a file; seconds and peak bytes."""
    words = ["dog barking", "rain", "speech", "wind"][:queries]
    asked = [part for word in words for part in ("--query", word)]
    options = ["--overwrite", "--progress", "none", "-o", str(folder / "out")]
    return command("separate", str(folder / name), *asked, *options)


def command(*words: str) -> tuple[float, float]:
    """Run sepcli; seconds and peak bytes of its process."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "sepcli", *words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"sepcli {' '.join(words)} ended with {process.returncode}")
    return took, usage.ru_maxrss * 1024


def tile(path: Path, seconds: float) -> None:
    """The example, over and over, in 16 bit."""
    wave, _ = soundfile.read(EXAMPLE, dtype="int16")
    left = round(seconds * RATE)
    with soundfile.SoundFile(path, "w", RATE, 2, "PCM_16") as file:
        while left:
            part = wave[: min(left, len(wave))]
            file.write(np.ascontiguousarray(part))
            left -= len(part)


if __name__ == "__main__":
    main()
