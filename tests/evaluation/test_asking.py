"""A model is asked as its protocol says; the fake model's answers are known exactly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.errors import UsageError
from sepcli.evaluation.asking import ModelSystem, leakage
from sepcli.evaluation.datasets.base import Example
from sepcli.evaluation.estimating import Separator
from sepcli.evaluation.protocols import Protocol, find_protocol
from sepcli.registry.load import load
from sepcli.registry.store import read_model_folder
from sepcli.separation.options import SeparateOptions

RATE = 8000
Linear = Callable[..., Path]


@dataclass(frozen=True)
class Words:
    """An item with words; its audio is given by hand."""

    queries: dict[str, str] = field(default_factory=dict)
    name: str = "item"
    stems: tuple[str, ...] = ("a", "b")
    facts: dict[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def read(self) -> Example:
        raise AssertionError


@dataclass(frozen=True)
class Probed(Words):
    """An item of which more can be asked."""

    paraphrases: dict[str, tuple[str, ...]] = field(default_factory=dict)
    absent: str = "a gain of 0.1 with presence 0.2"
    others: dict[str, str] = field(default_factory=dict)
    examples: dict[str, Path] = field(default_factory=dict)


@pytest.fixture
def example() -> Example:
    rng = np.random.default_rng(1)
    a, b = rng.uniform(-0.3, 0.3, (2, 2, 5 * RATE))
    return Example(RATE, a + b, {"a": a, "b": b})


def system(folder: Path) -> ModelSystem:
    loaded = load(read_model_folder(folder))
    return ModelSystem(Separator(loaded, SeparateOptions(())), "linear", loaded.fingerprint)


def protocol(**changes: object) -> Protocol:
    return Protocol(**{**find_protocol("folder/si-sdr").model_dump(), **changes})


def test_words_of_the_item_go_before_the_protocols(linear: Linear, example: Example) -> None:
    item = Words({"a": "a gain of 0.5 with presence 0.75"})
    prompts = {"a": "a gain of 0.9", "b": "a gain of 0.25"}
    made = system(linear()).make(item, example, protocol(prompts=prompts))
    stems = made.systems["estimate"]
    assert list(stems) == ["a", "b"]
    assert stems["a"].shape == example.mixture.shape
    assert np.allclose(stems["a"], 0.5 * example.mixture, atol=1e-6)
    assert np.allclose(stems["b"], 0.25 * example.mixture, atol=1e-6)
    assert made.presence == pytest.approx({"a": 0.75, "b": 1.0})


def test_the_remainder_is_what_the_others_leave(linear: Linear, example: Example) -> None:
    item = Words({"a": "a gain of 0.3"})
    made = system(linear()).make(item, example, protocol(remainder="b"))
    assert np.allclose(made.systems["estimate"]["b"], 0.7 * example.mixture, atol=1e-6)
    assert list(made.systems["estimate"]) == ["a", "b"]
    assert "b" not in made.presence


def test_the_remainder_alone_is_what_all_others_leave(linear: Linear, example: Example) -> None:
    item = Words({"a": "a gain of 0.3"})
    alone = Example(RATE, example.mixture, {"b": example.references["b"]})
    for asked in (protocol(remainder="b"), protocol(remainder="b", stems=("a", "b"))):
        made = system(linear()).make(item, alone, asked)
        assert list(made.systems["estimate"]) == ["b"]
        assert np.allclose(made.systems["estimate"]["b"], 0.7 * example.mixture, atol=1e-6)


def test_a_stem_without_words_stops_the_run(linear: Linear, example: Example) -> None:
    with pytest.raises(UsageError, match="no words to ask for b"):
        system(linear()).make(Words({"a": "a gain of 1"}), example, protocol())


def test_fixed_stems_are_matched_by_name(linear: Linear, example: Example) -> None:
    made = system(linear(stems=["b", "a"])).make(Words(), example, protocol())
    assert np.allclose(made.systems["estimate"]["a"], 0.5 * example.mixture, atol=1e-6)
    with pytest.raises(UsageError, match="gives x, y, but not a, b"):
        system(linear(stems=["x", "y"], name="xy")).make(Words(), example, protocol())


def test_any_names_do_where_a_permutation_decides(linear: Linear, example: Example) -> None:
    asked = protocol(permutation="si_sdr")
    made = system(linear(stems=["x", "y"])).make(Words(), example, asked)
    assert list(made.systems["estimate"]) == ["x", "y"]
    assert np.allclose(made.systems["estimate"]["x"], 0.25 * example.mixture, atol=1e-6)
    # The model may give more than there are: whoever scores them leaves some out.
    alone = replace(example, references={"a": example.references["a"]})
    assert (
        len(system(linear(stems=["x", "y"])).make(Words(), alone, asked).systems["estimate"]) == 2
    )
    with pytest.raises(UsageError, match="gives 1 stems, the item has 2"):
        system(linear(stems=["x"], name="one")).make(Words(), example, asked)


def test_paraphrases_are_systems_of_their_own(linear: Linear, example: Example) -> None:
    item = Probed(
        {"a": "a gain of 0.5", "b": "a gain of 0.25 with presence 0.5"},
        paraphrases={"a": ("gain of 0.1", "gain of 0.2"), "b": ("gain of 0.3", "gain of 0.4")},
        others={"c": "a gain of 0.1 with presence 0.2", "d": "a gain of 1 with presence 0.9"},
    )
    made = system(linear()).make(item, example, protocol(probes="queries"))
    gains = {
        (name, stem): float(
            np.vdot(wave, example.mixture) / np.vdot(example.mixture, example.mixture)
        )
        for name, stems in made.systems.items()
        for stem, wave in stems.items()
    }
    assert gains == pytest.approx(
        {
            ("estimate", "a"): 0.5,
            ("estimate", "b"): 0.25,
            ("paraphrase-1", "a"): 0.1,
            ("paraphrase-1", "b"): 0.3,
            ("paraphrase-2", "a"): 0.2,
            ("paraphrase-2", "b"): 0.4,
        },
        abs=1e-5,
    )
    assert made.presence == pytest.approx({"a": 1.0, "b": 0.5})
    absent = {row.stem: row for row in made.rows if row.system == "absent"}
    assert absent["c"].scores == pytest.approx({"level_db": -20.0, "presence": 0.2}, abs=1e-4)
    assert absent["d"].scores == pytest.approx({"level_db": 0.0, "presence": 0.9}, abs=1e-4)
    assert [absent[label].facts["unlike"] for label in "cd"] == ["True", "False"]
    leaked = [row for row in made.rows if row.system == "leakage"]
    assert {(row.stem, row.estimate) for row in leaked} == {(s, q) for s in "ab" for q in "cd"}


def test_probes_need_a_data_set_that_has_them(linear: Linear, example: Example) -> None:
    item = Words({"a": "a gain of 1", "b": "a gain of 1"})
    with pytest.raises(UsageError, match="no paraphrases"):
        system(linear()).make(item, example, protocol(probes="queries"))


def test_like_asks_with_recordings(linear: Linear, example: Example) -> None:
    """The fake encoder's embedding of a recording is its peak, which becomes the gain."""
    paths = {}
    for stem, peak in (("a", 0.5), ("b", 0.25)):
        paths[stem] = Path(f"{stem}.wav")
        soundfile.write(paths[stem], np.full(RATE, peak), RATE, "FLOAT")
    made = system(linear()).make(Probed(examples=paths), example, protocol(probes="like"))
    assert np.allclose(made.systems["estimate"]["b"], 0.25 * example.mixture, atol=1e-6)


def test_a_rate_the_model_cannot_take_is_resampled_and_keeps_its_length(linear: Linear) -> None:
    rate, samples = 11_025, 30_001
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(samples) / rate)[None]
    answer = system(linear()).separator.ask_texts(tone, rate, ["a gain of 0.5"])
    assert answer.stems.shape == (1, 1, samples)
    middle = slice(2000, -2000)
    assert np.abs(answer.stems[0, :, middle] - 0.5 * tone[:, middle]).max() < 1e-3


def test_leakage_is_the_energy_of_the_scaled_copy() -> None:
    rng = np.random.default_rng(0)
    source, other = np.linalg.qr(rng.standard_normal((500, 2)))[0].T[:, None]
    assert leakage(source, 0.1 * source + 3 * other) == pytest.approx(-20)
    assert leakage(3 * source, 0.3 * source) == pytest.approx(-20)
    assert leakage(source, 0 * source) == float("-inf")
    assert np.isnan(leakage(0 * source, source))
