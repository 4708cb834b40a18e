"""The right rows are heard, at their liveliest, and equally loud."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import Any

import av
import numpy as np
import pytest

from sepcli.evaluation.report import listening
from sepcli.evaluation.report.listening import AudioOf, chosen, excerpts
from sepcli.evaluation.report.spectrogram import pictures
from sepcli.evaluation.results import Row
from sepcli.evaluation.scene import Array

RATE = 48_000


def scored(*values: float, system: str = "estimate") -> list[Row]:
    return [Row(f"i{n}", "s", system, "s", {}, (), {"sdri": v}) for n, v in enumerate(values)]


def places(summary: dict[str, Any], rows: list[Row]) -> list[tuple[str, float]]:
    return [(place, row.scores["sdri"]) for place, row in chosen(summary, rows)]


def tone(hertz: float = 997.0, seconds: float = 3.0, rate: int = RATE) -> Array:
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)[None]


def test_the_worst_middle_and_best_are_chosen(summary: dict[str, Any]) -> None:
    rows = scored(*[float((7 * n) % 21) for n in range(20)], math.nan, math.inf)
    others = scored(-99.0, system="mixture")
    values = sorted(row.scores["sdri"] for row in rows if not math.isnan(row.scores["sdri"]))
    picked = places(summary, rows + others)
    assert [place for place, _ in picked] == ["worst"] * 3 + ["middle"] * 3 + ["best"] * 3
    assert [value for _, value in picked] == values[:3] + values[9:12] + values[:-4:-1]


def test_where_less_is_better_the_greatest_is_worst(summary: dict[str, Any]) -> None:
    lower = {"columns": {"sdri": {"unit": "dB", "higher_is_better": False}}}
    picked = places(summary | lower, scored(*map(float, range(9))))
    assert picked[0] == ("worst", 8.0)
    assert picked[-3] == ("best", 0.0)


@pytest.mark.parametrize("count", range(10))
def test_no_row_is_heard_twice(count: int, summary: dict[str, Any]) -> None:
    picked = places(summary, scored(*map(float, range(count))))
    assert sorted(value for _, value in picked) == list(map(float, range(count)))


def test_a_row_without_sound_says_why(summary: dict[str, Any], audio_of: AudioOf) -> None:
    row = Row("mixtures/011", "dog bark", "estimate", "dog bark", {}, (), {"sdri": 1.0})
    lost = replace(row, item="mixtures/000", estimate="cat")
    gone, unknown = excerpts(summary, [row, replace(lost, scores={"sdri": 2.0})], audio_of)
    assert gone.problem == "cannot read mixtures/011"
    assert unknown.problem == "no audio of dog bark or of cat"
    assert gone.clips == unknown.clips == ()


def test_an_excerpt_has_three_equally_loud_clips(
    summary: dict[str, Any], few_rows: list[Row], audio_of: AudioOf
) -> None:
    (excerpt,) = excerpts(summary, few_rows[:1], audio_of)
    assert [clip.name for clip in excerpt.clips] == ["mixture", "reference", "estimate"]
    assert (excerpt.start, excerpt.seconds, excerpt.top) == (0.0, 5.0, 20_000)
    heard = [listening.loudness_of(decoded(clip.audio), RATE) for clip in excerpt.clips]
    assert np.ptp(heard) < 0.3  # LU; Opus changes a little
    assert len({round(clip.gain, 2) for clip in excerpt.clips}) > 1


def test_the_liveliest_ten_seconds_are_found() -> None:
    wave = np.concatenate([0.1 * tone(seconds=7), tone(seconds=12), 0.1 * tone(seconds=4)], axis=1)
    assert listening.liveliest(wave, RATE) in (7 * RATE, 8 * RATE, 9 * RATE)
    assert listening.liveliest(tone(seconds=3), RATE) == 0
    assert listening.liveliest(np.zeros((1, 20 * RATE)), RATE) == 0


def test_a_full_scale_tone_is_lowered_to_the_target() -> None:
    """BS.1770: a sine of 997 Hz at full scale in one channel reads -3.01 LUFS."""
    assert listening.loudness_of(tone(), RATE) == pytest.approx(-3.01, abs=0.05)
    (gain,) = listening.matching_gains([tone()], RATE)
    assert gain == pytest.approx(-23 + 3.01, abs=0.05)


def test_sounds_are_matched_without_clipping() -> None:
    click = np.zeros((1, 3 * RATE))
    click[0, ::4800] = 0.9  # a high crest: at the target, it would clip
    waves = [tone(), click]
    gains = listening.matching_gains(waves, RATE)
    matched = [wave * 10 ** (gain / 20) for wave, gain in zip(waves, gains, strict=True)]
    levels = [listening.loudness_of(wave, RATE) for wave in matched]
    assert levels[0] == pytest.approx(levels[1], abs=0.01)
    assert max(float(np.abs(wave).max()) for wave in matched) == pytest.approx(1.0)
    assert levels[0] < listening.TARGET


def test_silence_is_left_alone_and_near_silence_stays_quieter() -> None:
    silent, faint = listening.matching_gains([np.zeros((2, RATE)), 1e-3 * tone()], RATE)
    assert silent == 0.0
    assert faint == listening.MOST_GAIN


def test_a_sound_shorter_than_a_block_has_a_loudness() -> None:
    assert listening.loudness_of(tone(seconds=0.1), RATE) == pytest.approx(-3.01, abs=0.3)


def decoded(audio: bytes) -> Array:
    with av.open(io.BytesIO(audio)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1).astype(np.float64)


@pytest.mark.parametrize(("channels", "kept"), [(1, 1), (2, 2), (3, 1)])
def test_opus_keeps_length_level_and_channels(channels: int, kept: int) -> None:
    wave = np.repeat(0.5 * tone(440.0, 2.0, 44_100), channels, axis=0)
    audio = listening.opus(wave, 44_100)
    assert audio == listening.opus(wave, 44_100)
    back = decoded(audio)
    assert back.shape[0] == kept
    assert back.shape[1] == pytest.approx(2 * RATE, abs=RATE // 20)  # whole frames of 20 ms
    middle = back[:, RATE // 2 : RATE]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / math.sqrt(2), rel=0.05)


def test_the_clips_of_a_page_stay_below_14_mb() -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 480_000))
    (picture,) = pictures([noise], RATE)
    clips = 3 * 3 * listening.EACH
    as_text = 4 / 3 * clips * (len(listening.opus(noise, RATE)) + len(picture))
    assert as_text < 14e6


def test_two_channels_stay_apart() -> None:
    wave = np.concatenate([0.5 * tone(), 0.05 * tone()])
    left, right = decoded(listening.opus(wave, RATE))
    assert np.std(left) / np.std(right) == pytest.approx(10, rel=0.1)
