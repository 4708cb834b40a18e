"""The ladder's cells: every config is valid, no clip is on both sides, and the page adds up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from sepcli.evaluation.results import SYSTEM, Row, to_line
from sepcli.training.config import ClapConfig, SeparatorConfig
from sepcli.training.corpora.clip import VALIDATION_PERCENT, package_split, percentile
from sepcli.training.corpora.packaged import read_table
from sepcli.training.corpora.readers.esc import VALIDATION_PERCENT as ESC_VALIDATION
from sepcli.training.load_config import load_config

LADDER = Path(__file__).parents[2] / "examples/ladder"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(LADDER)
    monkeypatch.setenv("SEPCLI_DATA", "data")
    import run

    yield run
    for name in ("run", "report"):
        sys.modules.pop(name, None)


def origins(name: str) -> set[str]:
    lines = (LADDER / f"origins_{name}.txt").read_text().splitlines()
    return {line for line in lines if not line.startswith("#")}


def test_every_cell_is_a_valid_config(run: ModuleType) -> None:
    cells = run.read_cells()
    assert len({cell.name for cell in cells}) == len(cells) > 15
    for cell in cells:
        config = load_config(LADDER / "separator.yaml", run.changes(cell))
        assert isinstance(config, SeparatorConfig)
        assert config.seed == cell.seed
        assert config.mixing.sources == {cell.sources: 1.0}
    assert isinstance(load_config(LADDER / "clap.yaml"), ClapConfig)


def validates(origin: str) -> bool:
    """Whether an origin may be one of a validation clip, in the corpus that it can be of."""
    if origin.isdigit():  # a recording of ESC-10
        return percentile(origin) < ESC_VALIDATION
    # A package, or a synthesised file, of which every tenth validates.
    return package_split(origin) == "validation" or percentile(origin) < VALIDATION_PERCENT


def test_the_clap_hears_nothing_that_the_ladder_mixes() -> None:
    shared = origins("clap") & origins("mixtures")
    assert shared  # both validate
    assert [origin for origin in sorted(shared) if not validates(origin)] == []


def test_no_test_package_is_in_the_lists() -> None:
    packages = {row.package for row in read_table()}
    tested = {package for package in packages if package_split(package) == "test"}
    assert len(tested) > 5
    assert tested & (origins("clap") | origins("mixtures")) == set()


def test_means_over_seeds_and_differences(run: ModuleType, tmp_path: Path) -> None:
    import report

    def write(cell: str, shift: float) -> None:
        folder = tmp_path / cell / "eval-demo"
        folder.mkdir(parents=True)
        rng = np.random.default_rng(0)
        rows = [
            Row(f"item{i}", "a", SYSTEM, "a", {}, (), {"sdr_v3": x + shift, "si_sdri": x})
            for i, x in enumerate(rng.standard_normal(30))
        ]
        (folder / "rows.jsonl").write_text("".join(to_line(row) + "\n" for row in rows))

    for name, shift in (("one.0", 1.0), ("one.1", 2.0), ("base", 0.0)):
        write(name, shift)
    cells = [("weak", 2, "one.0"), ("weak", 2, "one.1"), ("mix-and-separate", 2, "base")]
    steps = report.read_steps(tmp_path, cells, "demo")
    weak, base = steps["weak", 2], steps["mix-and-separate", 2]
    assert (weak.seeds, base.seeds) == (2, 1)
    gain = report.difference(weak, base, "sdr_v3")
    assert gain.point == pytest.approx(1.5)
    assert gain.low == pytest.approx(1.5)  # every row gained as much
    table = report.section("demo", steps)
    assert "| weak (2) less mix-and-separate (2) | 1.50 [1.50, 1.50] | 0.00 [0.00, 0.00] |" in table
    report.plot({"demo": steps}, tmp_path / "ladder.png")
    assert (tmp_path / "ladder.png").read_bytes().startswith(b"\x89PNG")


def test_a_cell_counts_when_it_has_all_scores(run: ModuleType, tmp_path: Path) -> None:
    for name in run.SETS:
        assert not run.scored(tmp_path, run.SETS)
        (tmp_path / f"eval-{name}").mkdir()
        assert not run.scored(tmp_path, [name])
        (tmp_path / f"eval-{name}/summary.json").write_text("{}")
    assert run.scored(tmp_path, run.SETS)
