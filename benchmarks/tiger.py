"""TIGER-DnR's speed: the engine against its authors' way of working, on the same weights.

Run it with:

    python benchmarks/tiger.py [--seconds 16] [--blocks 3] [--threads 1] [--write]

The authors hear 12 s every 4 s, one window after another, one net after another over all windows,
pad both ends with 8 s of silence, average what overlaps without fades, and compute layer by layer
(tiger_plain.py). The engine hears 12 s every 10.5 s, cross-fades, and computes bands and heads
together. The padding weighs more in a short recording than in a film, and so do windows that are
not full: "in a long film" both ways' seconds per window are put in relation to the seconds between
their windows. One window with either network tells how much of it is faster work, and not less of
it. The paper's TIGER-DnR has 3 blocks; with fewer, bands and masks weigh more. Seconds are the
processor's, which other work on the machine does not change.

Weights are drawn at random: speed does not depend on them, and the difference of the outputs, in dB
relative to the output, says how much context matters to such a network, not how well it separates.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from tiger_plain import plainly
from torch import Tensor

from sepcli.audio.windows import Joiner, Layout, cut
from sepcli.nets.tiger import FILM_NETS, TigerDnr
from sepcli.registry.store import Registry

HERE = Path(__file__).parent
RATE = 44_100  # Hz
WINDOW, HOP = 12 * RATE, 4 * RATE  # the authors', in samples

# A network and a recording (samples,) to what it makes of it, and in how many windows.
Way = Callable[[TigerDnr, Tensor], tuple[Tensor, int]]


def as_authors(network: TigerDnr, wave: Tensor) -> tuple[Tensor, int]:
    """(samples,) -> (3, samples), window by window and net after net; and how many windows."""
    before = WINDOW - HOP
    samples = len(wave)
    end = -(samples + before) % HOP + before
    padded = torch.nn.functional.pad(wave, (before, end))
    stems = torch.zeros(len(FILM_NETS), len(padded))
    starts = range(0, len(padded) - WINDOW + 1, HOP)
    for row, (name, output) in enumerate(FILM_NETS.items()):
        net = getattr(network, name)
        for start in starts:
            window = padded[None, None, start : start + WINDOW]
            stems[row, start : start + WINDOW] += net(window, None, RATE)[0][0, output, 0]
    return stems[:, before : before + samples] * (HOP / WINDOW), len(starts)


def as_engine(network: TigerDnr, wave: Tensor) -> tuple[Tensor, int]:
    """(samples,) -> (3, samples), with the windows of the registry's entry; and how many."""
    layout = engine_layout(network)
    joiner, parts = Joiner(layout), []
    for window in cut([wave[:, None].numpy()], layout):
        stems, _ = network(torch.from_numpy(window.wave.T.copy())[None], None, RATE)
        parts.append(joiner.add(window, stems[0].transpose(1, 2).numpy()))
    return torch.from_numpy(np.concatenate(parts, axis=1)[..., 0]), len(parts)


def engine_layout(network: TigerDnr) -> Layout:
    """The engine's windows, in samples."""
    windows = Registry().find("tiger-dnr").entry.windows
    return Layout.of(RATE, windows.length, windows.context, windows.fade, network.grid(RATE))


def one_window(network: TigerDnr, wave: Tensor) -> tuple[Tensor, int]:
    """The first window of (samples,) alone."""
    return network(wave[None, None, :WINDOW], None, RATE)[0], 1


def timed(way: Way, network: TigerDnr, wave: Tensor) -> tuple[Tensor, int, float]:
    """What a way gives, in how many windows, and the processor's seconds."""
    began = time.process_time()
    with torch.inference_mode():
        stems, windows = way(network, wave)
    return stems, windows, time.process_time() - began


def measure(seconds: float, blocks: int) -> dict[str, float]:
    """All ways, one after the other."""
    torch.manual_seed(0)
    network = TigerDnr(num_blocks=blocks).eval()
    wave = 0.1 * torch.randn(round(seconds * RATE))
    together, _, fast_window = timed(one_window, network, wave)
    with plainly():
        apart, _, slow_window = timed(one_window, network, wave)
        theirs, many, slow = timed(as_authors, network, wave)
    ours, few, fast = timed(as_engine, network, wave)
    layout = engine_layout(network)
    return {
        "seconds_of_audio": seconds,
        "blocks": blocks,
        "threads": torch.get_num_threads(),
        "authors_windows": many,
        "authors_s": round(slow, 2),
        "engine_windows": few,
        "engine_s": round(fast, 2),
        "times_as_fast": round(slow / fast, 2),
        "times_as_fast_in_a_long_film": round((slow / many / HOP) / (fast / few / layout.hop), 2),
        "network_times_as_fast": round(slow_window / fast_window, 2),
        "network_difference_db": decibels(together, apart),
        "difference_db": decibels(ours, theirs),
    }


def decibels(given: Tensor, wanted: Tensor) -> float:
    """The difference of two outputs, relative to the second."""
    return round(20 * math.log10((given - wanted).norm() / wanted.norm()), 1)


def main() -> None:
    """Print the figures, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=16.0)
    parser.add_argument("--blocks", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    text = json.dumps(measure(given.seconds, given.blocks), indent=1)
    print(text)
    if given.write:
        (HERE / "results/tiger.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
