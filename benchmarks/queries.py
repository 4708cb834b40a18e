"""What several queries in one pass cost against one, and against as many passes.

    python -m benchmarks.queries [--model NAME] [--write]

Half a minute of the example mixture, tiled, 44.1 kHz stereo, 16 bit, with 1, 2, 4 and 8 queries.
`network`: windows through the network on one core; what only hears the mixture runs once.
`whole`: `sepcli separate` in this process, from the file to all stems under their own names.
CPU milliseconds of one thread for a second of audio, the best of several runs, in turn.
--write puts them into benchmarks/results/queries.json.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from benchmarks.front_end import separated
from benchmarks.speed import RATE, tile
from sepcli.audio.reader import blocks, probe
from sepcli.audio.windows import Window, cut
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry
from sepcli.separation.engine import layout_for, question_for
from sepcli.separation.options import SeparateOptions
from sepcli.separation.runner import Runner

HERE = Path(__file__).parent
SECONDS = 30
RUNS = 3
WORDS = ("dog barking", "rain", "speech", "wind", "a car", "music", "a bird", "footsteps")
COUNTS = (1, 2, 4, 8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder) / "mix.wav", load(Registry().find(given.model)))
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results/queries.json").write_text(text + "\n")


def measure(path: Path, loaded: LoadedModel) -> dict[str, object]:
    """All figures."""
    tile(path, SECONDS)
    windows = list(cut(blocks(probe(path)), layout_for(loaded, SeparateOptions(()), RATE)))
    network = [answered(windows, loaded, WORDS[:count]) for count in COUNTS]
    whole = [separated(path, loaded, WORDS[:count]) for count in COUNTS]
    return {
        "model": loaded.model.name,
        "fingerprint": loaded.fingerprint,
        "seconds": SECONDS,
        "network": rows(network),
        "whole": rows(whole),
    }


def rows(calls: list[Callable[[], object]]) -> list[dict[str, float]]:
    """Cost with every number of queries."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(RUNS):
        for call, taken in zip(calls, times, strict=True):
            start = time.process_time()
            call()
            taken.append(time.process_time() - start)
    best = [1000 * min(taken) / SECONDS for taken in times]
    return [
        {
            "queries": count,
            "milliseconds": round(took, 2),
            "against_one": round(took / best[0], 2),
            "against_as_many_passes": round(took / best[0] / count, 2),
        }
        for count, took in zip(COUNTS, best, strict=True)
    ]


def answered(
    windows: list[Window], loaded: LoadedModel, words: tuple[str, ...]
) -> Callable[[], object]:
    """A run of all windows through the network."""
    runner = Runner(loaded.network, SeparateOptions((), device="cpu"), notify=print)
    question = question_for(loaded, loaded.encoder.embed_texts(words))

    def run() -> None:
        for window in windows:
            runner.answer([window.wave], question, RATE)

    run()
    return run


if __name__ == "__main__":
    main()
