"""Faults are put into good estimates, and found with their size; poor estimates are no fault."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import lfilter

from sepcli.evaluation.check import (
    FULL_SCALE,
    Estimate,
    Finding,
    check_item,
    clipped_samples,
    level_of_rest,
)
from sepcli.evaluation.datasets.base import Example

CLIPS = Path(__file__).parents[1] / "data/esc10"
RATE = 8000
STEMS = ("vocals", "drums", "bass")


def example_of(waves: np.ndarray, rate: int = RATE) -> Example:
    """From (stems, channels, samples)."""
    return Example(rate, waves.sum(axis=0), dict(zip(STEMS, waves, strict=False)))


def coloured(seed: int, seconds: float = 8.0, channels: int = 2, pole: float = 0.9) -> np.ndarray:
    """Stems of low-pass noise that comes and goes, as sounds do, RMS 0.05."""
    rng = np.random.default_rng(seed)
    samples = round(seconds * RATE)
    noise = lfilter([1], [1, -pole], rng.standard_normal((3, channels, samples)))
    swell = np.abs(np.sin(np.arange(samples) / RATE * rng.uniform(0.5, 3, (3, 1, 1)) * math.pi))
    waves = noise * swell
    return 0.05 * waves / np.sqrt(np.square(waves).mean(axis=(1, 2), keepdims=True))


@pytest.fixture
def example() -> Example:
    return example_of(coloured(0))


@pytest.fixture
def good(example: Example) -> dict[str, np.ndarray]:
    """Estimates of 20 dB."""
    rng = np.random.default_rng(1)
    return {
        stem: wave + 0.1 * 0.05 * rng.standard_normal(wave.shape)
        for stem, wave in example.references.items()
    }


def check(
    example: Example, waves: dict[str, np.ndarray], rate: int | None = None, ordered: bool = True
) -> list[Finding]:
    estimates = {stem: Estimate(rate or example.rate, wave) for stem, wave in waves.items()}
    found = check_item("song", example, estimates, ordered)
    assert all(each.item == "song" and each.remedy for each in found)
    return found


def only(found: list[Finding]) -> Finding:
    assert len(found) == 1, found
    return found[0]


def delayed(wave: np.ndarray, delay: int) -> np.ndarray:
    return np.roll(np.pad(wave, ((0, 0), (0, abs(delay)))), delay, axis=1)[:, : wave.shape[1]]


def test_good_estimates(example: Example, good: dict[str, np.ndarray]) -> None:
    assert check(example, good) == []
    assert check(example, dict(example.references)) == []


@given(
    seed=st.integers(0, 10**6),
    level=st.floats(-10, 30),
    pole=st.sampled_from([0.0, 0.9, 0.98]),
    kind=st.sampled_from(["noise", "bleed", "lost"]),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_poor_estimates_are_no_fault(seed: int, level: float, pole: float, kind: str) -> None:
    """SI-SDR of -10 to 30 dB: noise is added, other stems leak in, or parts are masked away.

    Stems leak in until estimates are no better than the mixture.
    """
    waves = coloured(seed, 3.0, 1, pole)
    example, strength = example_of(waves), 10 ** (-level / 20)
    noise = coloured(seed + 1, 3.0, 1, pole)
    estimates = {
        "noise": waves + strength * noise,
        "bleed": waves + min(1, strength / math.sqrt(2)) * (waves.sum(axis=0) - waves),
        "lost": (waves + strength * noise) / (1 + strength**2),  # as a Wiener filter leaves it
    }[kind]
    found = check(example, dict(zip(STEMS, estimates, strict=True)))
    # estimates that are little better than mixtures do add up to more than one mixture
    assert [f for f in found if not f.message.startswith("the stems' sum")] == []
    if level >= 0:
        assert found == []


def test_recordings_are_no_fault() -> None:
    clips = [soundfile.read(path, always_2d=True) for path in sorted(CLIPS.rglob("*.ogg"))[:3]]
    samples = min(len(wave) for wave, _ in clips)
    waves = np.stack([wave[:samples].T / np.abs(wave).max() / 4 for wave, _ in clips])
    example = example_of(waves, clips[0][1])
    leaking = {stem: 0.7 * w + 0.3 * example.mixture for stem, w in example.references.items()}
    assert check(example, leaking) == []


@pytest.mark.parametrize("delay", [1, 37, -160, 4000])
def test_delays(example: Example, good: dict[str, np.ndarray], delay: int) -> None:
    good["drums"] = delayed(good["drums"], delay)
    found = only([f for f in check(example, good) if f.stem == "drums"])
    side = "late" if delay > 0 else "early"
    amount = f"{abs(delay)} samples ({abs(delay) / 8:.2f} ms) {side}"
    assert found.message.startswith(amount)
    assert found.severity == "error"


def test_a_delay_that_costs_little_is_a_warning() -> None:
    example = example_of(coloured(3, pole=0.98))
    rng = np.random.default_rng(0)
    late = {
        stem: delayed(wave + 0.33 * 0.05 * rng.standard_normal(wave.shape), 1)
        for stem, wave in example.references.items()
    }
    found = check(example, late)
    assert [(f.stem, f.severity) for f in found] == [(stem, "warning") for stem in STEMS]
    assert all(f.message.startswith("1 samples (0.12 ms) late, ") for f in found)


def test_delays_in_long_files() -> None:
    waves = coloured(5, seconds=90, channels=1)
    example = example_of(waves)
    late = {stem: delayed(wave, 123) for stem, wave in example.references.items()}
    found = check(example, late)
    assert [f.message[:15] for f in found if f.stem] == ["123 samples (15"] * 3


@pytest.mark.parametrize("gain", [-12.3, -6.1, -2.5, 1.7, 9.4])
def test_levels(example: Example, good: dict[str, np.ndarray], gain: float) -> None:
    good["bass"] = good["bass"] * 10 ** (gain / 20)
    found = only([f for f in check(example, good) if f.stem == "bass"])
    assert float(found.message.split()[1]) == pytest.approx(gain, abs=0.1)
    assert found.severity == ("error" if abs(gain) > 6 else "warning")


def test_polarity(example: Example, good: dict[str, np.ndarray]) -> None:
    good["vocals"] = -good["vocals"]
    found = only([f for f in check(example, good) if f.stem])
    assert (found.stem, found.severity) == ("vocals", "error")
    assert "correlation -1.00" in found.message
    assert found.remedy == "multiply the estimate by -1"


def test_polarity_of_poor_and_late_estimates(example: Example) -> None:
    rng = np.random.default_rng(2)
    wave = example.references["vocals"]
    poor = -wave + 0.1 * rng.standard_normal(wave.shape)  # -6 dB
    waves = {**example.references, "vocals": poor}
    assert "turned over" in only([f for f in check(example, waves) if f.stem]).message
    waves["vocals"] = delayed(-wave, 50)
    late, turned = (f for f in check(example, waves) if f.stem)
    assert late.message.startswith("50 samples")
    assert "correlation -1.00" in turned.message


def test_swapped_stems(example: Example, good: dict[str, np.ndarray]) -> None:
    swapped = {"vocals": good["drums"], "drums": good["vocals"], "bass": good["bass"]}
    found = only(check(example, swapped))
    assert found.stem == ""
    assert "drums sounds like vocals, vocals sounds like drums" in found.message
    assert check(example, swapped, ordered=False) == []
    around = {"vocals": good["drums"], "drums": good["bass"], "bass": good["vocals"]}
    assert "bass sounds like vocals, vocals sounds like drums, drums sounds like bass" in (
        only(check(example, around)).message
    )


def test_estimates_that_resemble_nothing_are_not_swapped(example: Example) -> None:
    noise = {stem: wave * 0.5 for stem, wave in zip(STEMS, coloured(9), strict=True)}
    assert check(example, noise) == []


def test_silence(example: Example, good: dict[str, np.ndarray]) -> None:
    good["bass"] = np.zeros_like(good["bass"])
    found = only(check(example, good))
    assert (found.stem, found.severity) == ("bass", "error")
    assert "silent" in found.message
    waves = np.stack(list(example.references.values()))
    waves[2] = 0
    assert check(example_of(waves), good) == []  # nothing to find, nothing found
    loud = {**good, "bass": waves[0] * 0.1}
    assert check(example_of(waves), loud) == []


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_values_that_are_none(example: Example, good: dict[str, np.ndarray], value: float) -> None:
    good["drums"][1, 5:8] = value
    found = only(check(example, good))
    assert (found.stem, found.severity) == ("drums", "error")
    assert found.message == "3 values are NaN or infinite"


@pytest.mark.parametrize(
    ("off", "severity", "message"),
    [
        (0, None, ""),
        (1, "warning", "1 samples longer"),
        (-800, "warning", "800 samples shorter"),
        (801, "error", "801 samples longer"),
        (-801, "error", "801 samples shorter"),
    ],
)
def test_lengths(
    example: Example, good: dict[str, np.ndarray], off: int, severity: str | None, message: str
) -> None:
    wave = good["bass"]
    good["bass"] = np.pad(wave, ((0, 0), (0, off))) if off > 0 else wave[:, : wave.shape[1] + off]
    found = check(example, good)
    if severity is None:
        assert found == []
    else:
        assert only(found).severity == severity
        assert only(found).message == f"{message} than the mixture"


def test_rates_and_channels(example: Example, good: dict[str, np.ndarray]) -> None:
    found = check(example, good, rate=16_000)
    assert [(f.stem, f.severity) for f in found] == [(stem, "error") for stem in STEMS]
    assert found[0].message == "16000 Hz, the mixture 8000 Hz"
    good["drums"] = good["drums"][:1]
    assert only(check(example, good)).message == "1 channels, the mixture 2"


def test_names(example: Example, good: dict[str, np.ndarray]) -> None:
    good["piano"] = good.pop("bass")
    missing, extra = check(example, good)
    assert (missing.stem, missing.severity, missing.message) == ("bass", "error", "no estimate")
    assert (extra.stem, extra.severity) == ("piano", "warning")
    assert extra.remedy == "its stems: vocals, drums, bass"


def test_clipping(example: Example, good: dict[str, np.ndarray]) -> None:
    loud = example_of(coloured(0) * 8)
    waves = {stem: 8 * wave for stem, wave in good.items()}
    assert check(loud, waves) == []  # floating point above full scale is not clipped
    waves["vocals"] = np.clip(waves["vocals"], -1, FULL_SCALE)
    flat = clipped_samples(waves["vocals"])
    found = only(check(loud, waves))
    assert (found.stem, found.severity) == ("vocals", "warning")
    assert found.message.startswith(f"clipped: {flat} samples ({flat / 128_000:.2%})")


def test_clipped_samples_are_in_runs() -> None:
    assert clipped_samples(np.array([[0, 1, 1, 1, 0, -1, -1, -1, -1, 0]])) == 7
    assert clipped_samples(np.array([[1, 1, 0, 1.0, 1], [1, 1, 0, 0, 0]])) == 0
    assert clipped_samples(np.array([[1, 1, FULL_SCALE], [0.999, 0.999, 0.999]])) == 3
    assert clipped_samples(np.array([[1.5, 1.5, 1.5, 1, -1, 1]])) == 0


def test_parts_out_of_place(example: Example, good: dict[str, np.ndarray]) -> None:
    wave = good["drums"]
    good["drums"] = np.concatenate([wave[:, :40_000], delayed(wave[:, 40_000:], 441)], axis=1)
    found = only([f for f in check(example, good) if f.stem])
    assert (found.stem, found.severity) == ("drums", "error")
    assert found.message == "parts are out of place: +441 samples at 5.0 s"


def test_many_parts_out_of_place() -> None:
    example = example_of(coloured(6, seconds=40, channels=1))
    waves = dict(example.references)
    wave = waves["bass"]
    for part in range(4, 8):
        here = slice(part * 40_000, (part + 1) * 40_000)
        wave = np.concatenate(
            [wave[:, : here.start], delayed(wave[:, here], 20 * part), wave[:, here.stop :]], axis=1
        )
    found = only([f for f in check(example, {**waves, "bass": wave}) if f.stem])
    assert "+80 samples at 20.0 s, +100 samples at 25.0 s" in found.message
    assert found.message.endswith(", and 1 more")


def test_the_sum_of_the_stems(example: Example, good: dict[str, np.ndarray]) -> None:
    mixtures = dict.fromkeys(STEMS, example.mixture)
    found = only(check(example, mixtures))
    assert (found.stem, found.severity) == ("", "warning")
    assert "by +6.0 dB" in found.message  # three times the mixture is twice too much
    partial = Example(RATE, example.mixture, {"vocals": example.references["vocals"]})
    assert check(partial, {"vocals": good["vocals"]}) == []


def test_level_of_rest() -> None:
    mixture = np.array([[1.0, -1, 1, -1]])
    assert level_of_rest(mixture, [0.9 * mixture]) == pytest.approx(-20)
    assert level_of_rest(mixture, [mixture / 2, mixture / 2]) == -math.inf
    assert level_of_rest(0 * mixture, [mixture]) == math.inf
