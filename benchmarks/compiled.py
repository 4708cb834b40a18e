"""What `--compile` gains with the default model on a CPU, and what it costs first.

    python benchmarks/compiled.py [--write]

Windows of 10 s of stereo noise at 44.1 kHz, one query, all cores. `first` is the first window of a
process with nothing in torch's cache, `again` that of another process that finds it there. After
both, windows with and without it take turns, and the medians of RUNS are compared. `pays after`
is the audio after which the time is won back, if all windows are of one length.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE / "results/compiled.json"
RATE, SECONDS = 44_100, 10
RUNS = 15


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", action="store_true", help="of this process alone")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one_process()))
        return
    with tempfile.TemporaryDirectory() as cache:
        first, again = (another(cache) for _ in range(2))
    gain = again["plain"] - again["compiled"]
    figures = {
        "machine": f"{os.cpu_count()} cores, {time.strftime('%Y-%m-%d')}",
        "first_seconds": round(first["first"], 1),
        "again_seconds": round(again["first"], 1),
        "plain_seconds": round(again["plain"], 4),
        "compiled_seconds": round(again["compiled"], 4),
        "times_faster": round(again["plain"] / again["compiled"], 2),
        "pays_after_minutes": round(again["first"] / gain * SECONDS / 60) if gain > 0 else None,
    }
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        RESULT.write_text(text + "\n")


def another(cache: str) -> dict[str, float]:
    """Figures of a new process."""
    environment = {**os.environ, "TORCHINDUCTOR_CACHE_DIR": cache}
    words = [sys.executable, __file__, "--one"]
    said = subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(said.stdout.splitlines()[-1])


def one_process() -> dict[str, float]:
    """Seconds of the first window, and of later ones with and without translation."""
    import torch

    from sepcli.registry.load import load, load_encoder
    from sepcli.registry.store import Registry
    from sepcli.separation.compiled import Compiled

    model = Registry().find(None)
    network, queries = load(model).network, load_encoder(model).embed_texts(["dog barking"])
    compiled = Compiled(network)
    mixture = 0.1 * torch.randn(1, 2, SECONDS * RATE, generator=torch.Generator().manual_seed(0))

    def took(translated: bool) -> float:
        start = time.perf_counter()
        (compiled if translated else network)(mixture, queries, RATE)
        return time.perf_counter() - start

    with torch.inference_mode():
        took(False)
        first = took(True)
        turns = [(took(False), took(True)) for _ in range(RUNS)]
    plain, fast = (statistics.median(times) for times in zip(*turns, strict=True))
    return {"first": first, "plain": plain, "compiled": fast}


if __name__ == "__main__":
    main()
