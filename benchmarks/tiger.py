"""TIGER-DnR's speed: the engine against its authors' way of working, on the same weights.

Run it with:

    python benchmarks/tiger.py [--seconds 60] [--blocks 8] [--threads 2] [--write]

The authors hear 12 s every 4 s, one window after another, one net after another over all windows,
pad both ends with 8 s of silence, average what overlaps without fades, and compute layer by layer
(tiger_plain.py). The engine hears 12 s every 10.5 s, cross-fades, and takes channels and windows
together. "Fewer windows" is the engine's share of that: the authors' windows with our network.

Weights are drawn at random: speed does not depend on them, and the difference of the outputs, in dB
relative to the output, says how much context matters to such a network, not how well it separates.
"""

from __future__ import annotations

import argparse
import json
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


def as_authors(network: TigerDnr, wave: Tensor) -> Tensor:
    """(samples,) -> (3, samples), window by window and net after net."""
    before = WINDOW - HOP
    samples = len(wave)
    end = -(samples + before) % HOP + before
    padded = torch.nn.functional.pad(wave, (before, end))
    stems = torch.zeros(len(FILM_NETS), len(padded))
    for row, (name, output) in enumerate(FILM_NETS.items()):
        net = getattr(network, name)
        for start in range(0, len(padded) - WINDOW + 1, HOP):
            window = padded[None, None, start : start + WINDOW]
            stems[row, start : start + WINDOW] += net(window, None, RATE)[0][0, output, 0]
    return stems[:, before : before + samples] * (HOP / WINDOW)


def as_engine(network: TigerDnr, wave: Tensor) -> Tensor:
    """(samples,) -> (3, samples), with the windows of the registry's entry."""
    windows = Registry().find("tiger-dnr").entry.windows
    layout = Layout.of(RATE, windows.length, windows.context, windows.fade, network.grid(RATE))
    joiner, parts = Joiner(layout), []
    for window in cut([wave[:, None].numpy()], layout):
        stems, _ = network(torch.from_numpy(window.wave.T.copy())[None], None, RATE)
        parts.append(joiner.add(window, stems[0].transpose(1, 2).numpy()))
    return torch.from_numpy(np.concatenate(parts, axis=1)[..., 0])


def timed(
    way: Callable[[TigerDnr, Tensor], Tensor], network: TigerDnr, wave: Tensor
) -> tuple[Tensor, float]:
    """What a way gives, and the seconds it takes."""
    began = time.perf_counter()
    with torch.inference_mode():
        stems = way(network, wave)
    return stems, time.perf_counter() - began


def measure(seconds: float, blocks: int) -> dict[str, float]:
    """All ways, one after the other."""
    torch.manual_seed(0)
    network = TigerDnr(num_blocks=blocks).eval()
    wave = 0.1 * torch.randn(round(seconds * RATE))
    with plainly():
        theirs, slow = timed(as_authors, network, wave)
    same, between = timed(as_authors, network, wave)
    ours, fast = timed(as_engine, network, wave)
    return {
        "seconds_of_audio": seconds,
        "blocks": blocks,
        "threads": torch.get_num_threads(),
        "authors_way_s": round(slow, 2),
        "authors_windows_s": round(between, 2),
        "engine_s": round(fast, 2),
        "times_as_fast": round(slow / fast, 2),
        "fewer_windows": round(between / fast, 2),
        "network_difference_db": decibels(same, theirs),
        "difference_db": decibels(ours, theirs),
    }


def decibels(given: Tensor, wanted: Tensor) -> float:
    """The difference of two outputs, relative to the second."""
    return round(20 * float(np.log10((given - wanted).norm() / wanted.norm())), 1)


def main() -> None:
    """Print the figures, and write them where asked."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--blocks", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    text = json.dumps(measure(given.seconds, given.blocks), indent=1)
    print(text)
    if given.write:
        (HERE / "results/tiger.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
