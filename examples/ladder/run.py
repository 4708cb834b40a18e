"""The ladder: one network, one budget, and less and less to learn from.

    SEPCLI_DATA=path/to/data python examples/ladder/run.py [--jobs 2] [--fold4] [--page]

Trains the CLAP of clap.yaml, then every cell of cells.yaml with the network of separator.yaml,
scores each on sounds of packages that no training has seen (and, with --fold4, on ESC-10's test
fold, once, in the end), and writes docs/ladder.md. What is finished is not done again, and what
was stopped goes on: run the same command as often as it takes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml
from report import write_page  # beside this file

HERE = Path(__file__).parent
CELLS = HERE / "cells.yaml"
SETS = ("package-disjoint", "demo")  # the second is ESC-10's fold 4


@dataclass(frozen=True)
class Cell:
    """One training of the ladder.

    Attributes:
        regime: what it learns from.
        sources: single sounds in a training mixture.
        seed: of everything random.
        overrides: of separator.yaml.
    """

    regime: str
    sources: int
    seed: int
    overrides: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of its folder."""
        return f"{self.regime}.{self.sources}-sources.seed-{self.seed}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("runs/ladder"))
    parser.add_argument("--jobs", type=int, default=2, help="cells at a time, a thread each")
    parser.add_argument("--steps", type=int, help="other than separator.yaml's")
    parser.add_argument("--fold4", action="store_true", help="score on ESC-10's test fold, too")
    parser.add_argument("--page", action="store_true", help="only write it, of what is finished")
    given = parser.parse_args()
    if "SEPCLI_DATA" not in os.environ:
        sys.exit("set SEPCLI_DATA to the folder of esc10/, sounds/ and synthetic/")
    sets = SETS if given.fold4 else SETS[:1]
    if not given.page:
        climb(given, sets)
    cells = read_cells()
    done = [cell for cell in cells if scored(given.out / cell.name, sets)]
    if not done:
        sys.exit("no cell is finished: run it without --page first")
    missing = [cell.name for cell in cells if cell not in done]
    print(write_page(given.out, [(c.regime, c.sources, c.name) for c in done], sets, missing))


def climb(given: argparse.Namespace, sets: Sequence[str]) -> None:
    """Train and score all cells."""
    train(HERE / "clap.yaml", given.out / "clap", [])

    def work(cell: Cell) -> None:
        folder = given.out / cell.name
        steps = [] if given.steps is None else [f"steps={given.steps}"]
        clap = f"clap={(given.out / 'clap').resolve()}"
        train(HERE / "separator.yaml", folder, [clap, *steps, *changes(cell)])
        for dataset in sets:
            score(cell, folder, dataset)

    with ThreadPoolExecutor(given.jobs) as pool:
        list(pool.map(work, read_cells()))


def scored(folder: Path, sets: Sequence[str]) -> bool:
    """Whether a cell has all its scores."""
    return all((folder / f"eval-{name}" / "summary.json").exists() for name in sets)


def read_cells() -> list[Cell]:
    """All cells; first seeds first, so that an early page has something of each."""
    table = yaml.safe_load(CELLS.read_text(encoding="utf-8"))
    cells = [
        Cell(regime, sources, seed, tuple(row["overrides"]))
        for regime, row in table.items()
        for sources, seeds in row["seeds"].items()
        for seed in seeds
    ]
    return sorted(cells, key=lambda cell: (cell.seed, cell.sources))


def changes(cell: Cell) -> list[str]:
    """A cell's overrides of separator.yaml."""
    return [*cell.overrides, f"mixing.sources={{{cell.sources}: 1.0}}", f"seed={cell.seed}"]


def train(config: Path, folder: Path, overrides: list[str]) -> None:
    """Train, or go on, unless the run is finished."""
    words = [word for text in overrides for word in ("-o", text)]
    sepcli("train", str(config), "--out", str(folder), "--resume", *words)


def score(cell: Cell, folder: Path, dataset: str) -> None:
    """Score a cell's model by the paper's protocol, unless that is done."""
    report = folder / f"eval-{dataset}"
    protocol = "av/mir-eval-sources" + ("-any-order" if cell.regime == "mixit" else "")
    if not scored(folder, [dataset]):
        options = ["--protocol", protocol, "--no-references", "--jobs", "1", "--resume"]
        named = ["--dataset", dataset, "--model", str(folder), "--report", str(report)]
        sepcli("eval", *named, *options)


def sepcli(*words: str) -> None:
    """Run a command of sepcli's, quietly.

    Raises:
        SystemExit: if it fails, with what it said.
    """
    command = [sys.executable, "-m", "sepcli", *words, "--progress", "none"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(f"{done.returncode} {' '.join(words)}", flush=True)
    if done.returncode:
        sys.exit(done.stderr)


if __name__ == "__main__":
    main()
