"""What to listen to: the worst, middle and best rows, cut to a few seconds and equally loud.

A louder sound is heard as a better one, so the clips of a row are brought to one loudness
(ITU-R BS.1770-4, integrated over the clip, by pyloudnorm) before they are compared.
"""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np
import pyloudnorm
import soxr

from sepcli.errors import SepcliError
from sepcli.evaluation.datasets.base import Example
from sepcli.evaluation.report.spectrogram import highest, pictures
from sepcli.evaluation.report.wording import Summary
from sepcli.evaluation.results import SYSTEM, Row
from sepcli.evaluation.scene import Array

AudioOf = Callable[[str], tuple[Example, Mapping[str, Array]]]
"""Name of an item -> its audio, and its estimates by name, each (channels, samples)."""

EACH = 3  # rows from either end and the middle
SECONDS = 10.0
TARGET = -23.0  # LUFS, EBU R 128
MOST_GAIN = 30.0  # dB; what is far quieter than the rest should be heard to be so
SHORTEST = 0.4  # seconds, the block of BS.1770-4
OPUS_RATE = 48_000  # Hz, the rate at which Opus works
BITS = 80_000  # per second and channel, where trained listeners hear no difference


@dataclass(frozen=True)
class Clip:
    """A sound of a row.

    Attributes:
        name: mixture, reference or estimate.
        audio: an Opus stream in WebM.
        picture: its spectrogram, a PNG file.
        gain: that was applied, dB.
    """

    name: str
    audio: bytes
    picture: bytes
    gain: float


@dataclass(frozen=True)
class Excerpt:
    """A row to listen to.

    Attributes:
        place: worst, middle or best.
        row: its figures.
        start: of the excerpt in the item, seconds.
        seconds: its length.
        top: the highest frequency of its pictures, Hz.
        clips: mixture, reference and estimate; none if the audio could not be had.
        problem: why it could not.
    """

    place: str
    row: Row
    start: float = 0.0
    seconds: float = 0.0
    top: float = 0.0
    clips: tuple[Clip, ...] = field(default=())
    problem: str = ""


def excerpts(summary: Summary, rows: Sequence[Row], audio_of: AudioOf) -> list[Excerpt]:
    """The rows worth hearing, with their clips; one without audio says why."""
    return [_excerpt(place, row, audio_of) for place, row in chosen(summary, rows)]


def chosen(summary: Summary, rows: Sequence[Row], each: int = EACH) -> list[tuple[str, Row]]:
    """Rows of the evaluated system by its primary figure, none twice.

    Rows without a figure are left out; a perfect row (infinite) is the best there can be.
    Of few rows, the ends come before the middle.
    """
    primary = summary["protocol"]["primary"]
    sign = -1 if summary["columns"][primary]["higher_is_better"] is False else 1
    scored = [
        row
        for row in rows
        if row.system == SYSTEM and not math.isnan(row.scores.get(primary, math.nan))
    ]
    scored.sort(key=lambda row: (sign * row.scores[primary], row.item, row.stem))
    ends = min(each, (len(scored) + 1) // 2)
    worst, best = scored[:ends], scored[max(ends, len(scored) - ends) :]
    rest = scored[len(worst) : len(scored) - len(best)]
    skipped = max(0, (len(rest) - each) // 2)
    return [
        *(("worst", row) for row in worst),
        *(("middle", row) for row in rest[skipped : skipped + each]),
        *(("best", row) for row in reversed(best)),
    ]


def _excerpt(place: str, row: Row, audio_of: AudioOf) -> Excerpt:
    try:
        example, estimates = audio_of(row.item)
    except SepcliError as error:
        return Excerpt(place, row, problem=str(error))
    if row.stem not in example.references or row.estimate not in estimates:
        return Excerpt(place, row, problem=f"no audio of {row.stem} or of {row.estimate}")
    waves = {
        "mixture": example.mixture,
        "reference": example.references[row.stem],
        "estimate": estimates[row.estimate],
    }
    start = liveliest(waves["reference"], example.rate)
    samples = round(SECONDS * example.rate)
    cut = {name: wave[:, start : start + samples] for name, wave in waves.items()}
    return Excerpt(
        place,
        row,
        start / example.rate,
        cut["mixture"].shape[1] / example.rate,
        highest(example.rate),
        _clips(cut, example.rate),
    )


def liveliest(wave: Array, rate: int) -> int:
    """First sample of the `SECONDS` with the greatest energy, in whole seconds."""
    energy = np.concatenate([[0.0], np.cumsum(np.sum(wave**2, axis=0))])
    length = round(SECONDS * rate)
    starts = np.arange(0, max(1, wave.shape[1] - length + 1), rate)
    ends = np.minimum(starts + length, wave.shape[1])
    return int(starts[np.argmax(energy[ends] - energy[starts])])


def _clips(waves: Mapping[str, Array], rate: int) -> tuple[Clip, ...]:
    gains = matching_gains(list(waves.values()), rate)
    matched = [wave * 10 ** (g / 20) for wave, g in zip(waves.values(), gains, strict=True)]
    return tuple(
        Clip(name, opus(wave, rate), picture, gain)
        for name, wave, picture, gain in zip(
            waves, matched, pictures(matched, rate), gains, strict=True
        )
    )


def matching_gains(waves: Sequence[Array], rate: int) -> list[float]:
    """Gains, in dB, that make sounds equally loud without clipping any.

    All are brought to `TARGET`, or below it by what the tallest peak would exceed full scale.
    A silent sound keeps its level, and none is raised by more than `MOST_GAIN`.
    """
    loudness = [loudness_of(wave, rate) for wave in waves]
    gains = [min(TARGET - level, MOST_GAIN) if math.isfinite(level) else 0.0 for level in loudness]
    peaks = [
        20 * math.log10(peak) + gain
        for wave, gain in zip(waves, gains, strict=True)
        if (peak := float(np.abs(wave).max(initial=0)))
    ]
    excess = max([0.0, *peaks])
    return [gain - excess for gain in gains]


def loudness_of(wave: Array, rate: int) -> float:
    """Integrated loudness of (channels, samples), LUFS; minus infinity for silence.

    A sound shorter than one block of the standard is repeated to fill it.
    """
    missing = math.ceil(SHORTEST * rate / max(1, wave.shape[1]))
    repeated = np.tile(wave, missing) if missing > 1 else wave
    with np.errstate(divide="ignore"):
        return float(pyloudnorm.Meter(rate).integrated_loudness(repeated[:5].T))


def opus(wave: Array, rate: int) -> bytes:
    """(channels, samples) as Opus in WebM, which all browsers play; always the same bytes.

    More than two channels are mixed to one.
    """
    kept = wave if len(wave) <= 2 else wave.mean(axis=0, keepdims=True)
    samples = soxr.resample(kept.T, rate, OPUS_RATE).T.astype(np.float32).clip(-1, 1)
    layout = "mono" if len(kept) == 1 else "stereo"
    file = io.BytesIO()
    # Without bitexact the muxer would write random identifiers.
    with av.open(file, "w", format="webm", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream("libopus", rate=OPUS_RATE, layout=layout)
        stream.bit_rate = BITS * len(kept)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples), "fltp", layout)
        frame.sample_rate, frame.time_base, frame.pts = OPUS_RATE, Fraction(1, OPUS_RATE), 0
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return file.getvalue()
