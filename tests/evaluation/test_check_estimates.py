"""Estimates looked at before they are scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import UsageError
from sepcli.evaluation.check_estimates import check_estimates
from sepcli.evaluation.options import EvalOptions

RATE = 8000


@pytest.fixture
def tree() -> EvalOptions:
    """Two items; estimates of a little noise."""
    rng = np.random.default_rng(3)
    for item in ("one", "two"):
        stems = {"a": 0.1 * rng.standard_normal(2 * RATE), "b": 0.1 * rng.standard_normal(2 * RATE)}
        for stem, wave in stems.items():
            for folder, noise in (("refs", 0.0), ("est", 0.02)):
                path = Path(folder, item, f"{stem}.wav")
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, wave + noise * rng.standard_normal(len(wave)), RATE)
    return EvalOptions(refs=Path("refs"), estimates=Path("est"))


def test_honest_estimates_have_no_errors(tree: EvalOptions) -> None:
    assert [found for found in check_estimates(tree) if found.severity == "error"] == []


def test_a_delay_is_found_in_its_item_and_stem(tree: EvalOptions) -> None:
    wave, _ = soundfile.read("est/two/b.wav")
    soundfile.write("est/two/b.wav", np.roll(wave, 100), RATE)
    [found] = [found for found in check_estimates(tree) if found.severity == "error"]
    assert (found.item, found.stem) == ("two", "b")
    assert "100 samples" in found.message


def test_what_cannot_be_read_is_a_finding_and_the_others_are_looked_at(tree: EvalOptions) -> None:
    Path("est/one/a.wav").unlink()
    wave, _ = soundfile.read("est/two/a.wav")
    soundfile.write("est/two/a.wav", wave, 2 * RATE)
    errors = [found for found in check_estimates(tree) if found.severity == "error"]
    assert [found.item for found in errors] == ["one", "two"]
    assert "no estimate of a" in errors[0].message
    assert "16000" in errors[1].message


def test_there_must_be_estimates() -> None:
    with pytest.raises(UsageError, match="no estimates to check"):
        list(check_estimates(EvalOptions(refs=Path("refs"))))
