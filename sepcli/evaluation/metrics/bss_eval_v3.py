"""BSS Eval v3: one filter of 512 taps is forgiven, and errors are told apart.

An estimate e of source j is projected on the delays of its own reference, P_j e, and on those of
all references, P e. What the first does not reach is interference up to the second, and
artifacts beyond.

    sources (Vincent et al., 2006, "Performance measurement in blind audio source separation"):
        SDR = |P_j e|^2 / |e - P_j e|^2,   SIR = |P_j e|^2 / |P e - P_j e|^2,
        SAR = |P e|^2 / |e - P e|^2

    images (Vincent et al., 2012, "The Signal Separation Evaluation Campaign (2007-2010)";
    all channels of an image together, each filtered into each):
        SDR = |s|^2 / |s - e|^2,   ISR = |s|^2 / |P_j e - s|^2,   SIR and SAR as above

The delays of one reference are among the delays of all, so P_j P = P_j and every difference is
one of energies: |P e - P_j e|^2 = |P e|^2 - |P_j e|^2. And s_j is among its own delays, so
|P_j e - s_j|^2 = |P_j (e - s_j)|^2. Projected energies need no filter, see `projection`.

Which estimate belongs to which reference may be left open; then the permutation with the best
mean SIR counts, found by the Hungarian method (Kuhn, 1955) in place of trying all.

It is blind to any filter of 512 taps: a lowpass at 1 kHz, a gain and a delay of 500 samples cost
a source nothing, at 8 kHz four times as many milliseconds of it as at 32 kHz. Images lose SDR and
ISR by them, not SIR and SAR. With one source there is no interference, and SIR is infinite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from sepcli.errors import ItemError
from sepcli.evaluation.metrics.correlations import correlations
from sepcli.evaluation.metrics.framing import (
    error_energies,
    frame_energies,
    frames,
    ratios_db,
    resolved,
    undefined,
)
from sepcli.evaluation.metrics.projection import TAPS, Projection
from sepcli.evaluation.metrics.validation import validate as validate_scene
from sepcli.evaluation.metrics.validation import validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal

WHOLE = [slice(None)]  # the item as one frame
SIR_LIMIT_DB = 300.0  # stands for infinity, which no assignment can add up

Permutation = NDArray[np.intp]


@dataclass(frozen=True)
class SourceScores:
    """Figures in dB of every reference, and which estimate was held to be its.

    Attributes:
        sdr, sir, sar: (stems,), or (stems, frames).
        permutation: index of the estimate, of the same shape.
    """

    sdr: Array
    sir: Array
    sar: Array
    permutation: Permutation


@dataclass(frozen=True)
class ImageScores(SourceScores):
    """The same, of images.

    Attributes:
        isr: of the shape of the others.
    """

    isr: Array


AnyScores = TypeVar("AnyScores", SourceScores, ImageScores)


def validate(scene: Scene) -> None:
    """Refuse a scene that `bss_eval_sources` cannot score.

    Raises:
        ItemError: if it has several channels; and see `validation.validate`.
    """
    validate_scene(scene)
    if scene.mixture.shape[0] > 1:
        raise ItemError(
            f"BSS Eval of sources is for mono, and this has {scene.mixture.shape[0]} channels",
            "choose a mono protocol, or the metrics bss_images_v3 or bss_v4",
        )


@dataclass(frozen=True)
class Energies:
    """Projected energies of every estimate (columns) on every reference (rows).

    Args:
        references: (stems, channels, samples).
        estimates: the same shape.
    """

    references: Array
    estimates: Array

    @cached_property
    def channels(self) -> int:
        """Of each stem."""
        return int(self.references.shape[1])

    @cached_property
    def lagged(self) -> Array:
        """Correlations of the references' channels with theirs, then with the estimates'."""
        left = [channel for stem in self.references for channel in stem]
        right = [channel for stem in self.estimates for channel in stem]
        return correlations(left, left + right, TAPS)

    @cached_property
    def own(self) -> list[Projection]:
        """The P_j."""
        rows = range(0, self._among.shape[0], self.channels)
        return [Projection(self._among[i : i + self.channels, i : i + self.channels]) for i in rows]

    @cached_property
    def target(self) -> Array:
        """|P_j e|^2, (stems, stems)."""
        crosses = self._cross.reshape(-1, self.channels, *self._cross.shape[1:])
        pairs = zip(self.own, crosses, strict=True)
        return np.array([self._of_stems(own.energies(cross)) for own, cross in pairs])

    @cached_property
    def total(self) -> Array:
        """|P e|^2, (stems,); with one reference, what reaches it is all there is."""
        one = len(self.own) == 1
        projection = self.own[0] if one else Projection(self._among)
        return self._of_stems(projection.energies(self._cross))

    @cached_property
    def estimate(self) -> Array:
        """|e|^2, (stems,)."""
        energies: Array = frame_energies(self.estimates, WHOLE)[:, 0]
        return energies

    def spatial(self, permutation: Permutation) -> Array:
        """|P_j e - s_j|^2 of each reference and its estimate, (stems,)."""
        by_stem = self.lagged.reshape(len(self.own), self.channels, -1, self.channels, TAPS)
        at = range(len(self.own))
        differences = [by_stem[j, :, len(at) + permutation[j]] - by_stem[j, :, j] for j in at]
        pairs = zip(self.own, differences, strict=True)
        return np.array([own.energies(difference).sum() for own, difference in pairs])

    @property
    def _among(self) -> Array:
        return self.lagged[:, : len(self.lagged)]

    @property
    def _cross(self) -> Array:
        return self.lagged[:, len(self.lagged) :]

    def _of_stems(self, channels: Array) -> Array:
        stems: Array = channels.reshape(-1, self.channels).sum(axis=1)
        return stems


def bss_eval_sources(
    references: Signal, estimates: Signal, permute: bool = True, compat: Compat = "sepcli"
) -> SourceScores:
    """SDR, SIR and SAR of mono sources.

    NaN where a source is silent; infinite beyond what `framing.resolved` says.

    Args:
        references: (stems, samples).
        estimates: the same shape.
        permute: whether to look for the best permutation.
        compat: "museval" for its treatment of silence, and for figures beyond resolution.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(references, estimates)
    energies = Energies(s[:, None], e[:, None])
    permutation, sir = paired_sir(energies, permute)
    estimate, total = energies.estimate[permutation], energies.total[permutation]
    target = chosen(energies.target, permutation)
    unknown = undefined(s[:, None], e[permutation, None], WHOLE, compat)[:, 0]
    ratios = ratios_db(target, estimate - target), sir, ratios_db(total, estimate - total)
    sdr, sir, sar = (np.where(unknown, np.nan, resolved(ratio, compat)) for ratio in ratios)
    return SourceScores(sdr, sir, sar, permutation)


def bss_eval_images(
    references: Signal, estimates: Signal, permute: bool = True, compat: Compat = "sepcli"
) -> ImageScores:
    """SDR, ISR, SIR and SAR of source images, channels together.

    Args:
        references: (stems, channels, samples).
        estimates: the same shape.
        permute: see `bss_eval_sources`.
        compat: see `bss_eval_sources`. The SDR needs no projection and is always exact.

    Raises:
        ItemError: see `validate_pair`.
    """
    s, e = validate_pair(references, estimates)
    energies = Energies(s, e)
    permutation, sir = paired_sir(energies, permute)
    estimate, total = energies.estimate[permutation], energies.total[permutation]
    paired = [e[k] for k in permutation]  # not e[permutation], which would copy them
    signal = frame_energies(s, WHOLE)[:, 0]
    unknown = undefined(s, paired, WHOLE, compat)[:, 0]
    ratios = (
        ratios_db(signal, error_energies(s, paired, WHOLE)[:, 0]),
        resolved(sir, compat),
        resolved(ratios_db(total, estimate - total), compat),
        resolved(ratios_db(signal, energies.spatial(permutation)), compat),
    )
    sdr, sir, sar, isr = (np.where(unknown, np.nan, ratio) for ratio in ratios)
    return ImageScores(sdr, sir, sar, permutation, isr)


def paired_sir(energies: Energies, permute: bool) -> tuple[Permutation, Array]:
    """For every reference the index of its estimate, and that one's SIR in dB."""
    target = energies.target
    sir = ratios_db(target, energies.total - target)
    permutation = np.arange(len(sir))
    if permute:
        finite = np.clip(np.nan_to_num(sir, nan=-SIR_LIMIT_DB), -SIR_LIMIT_DB, SIR_LIMIT_DB)
        permutation = linear_sum_assignment(finite, maximize=True)[1]
    return permutation, chosen(sir, permutation)


def chosen(table: Array, permutation: Permutation) -> Array:
    """Of each row the column that was chosen, (stems, stems) -> (stems,)."""
    return table[np.arange(len(table)), permutation]


def framewise(
    score: Callable[[Signal, Signal, bool, Compat], AnyScores],
    references: Signal,
    estimates: Signal,
    window: int,
    hop: int,
    permute: bool = False,
    compat: Compat = "sepcli",
) -> AnyScores:
    """Figures of frames, each with filters and a permutation of its own.

    As in mir_eval, an item with fewer than two whole frames is scored as one, to its end.

    Args:
        score: `bss_eval_sources` or `bss_eval_images`.
        references: as it takes them.
        estimates: the same shape.
        window: length of a frame, samples.
        hop: from one frame's begin to the next one's, samples.
        permute: see `bss_eval_sources`. Without it a permutation cannot change within the item.
        compat: see `bss_eval_sources`.

    Raises:
        ItemError: see `validate_pair`.
        ValueError: if window or hop is not positive.
    """
    spans = frames(references.shape[-1], window, hop)
    if len(spans) < 2:
        spans = WHOLE
    scores = [score(references[..., f], estimates[..., f], permute, compat) for f in spans]
    names = [field.name for field in fields(scores[0])]
    stacked = {name: np.stack([getattr(s, name) for s in scores], axis=1) for name in names}
    return type(scores[0])(**stacked)


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns sdr_v3, sir_v3 and sar_v3 in dB, of mono sources that are paired already.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    scores = bss_eval_sources(scene.references[:, 0], scene.estimates[:, 0], False, compat)
    return {"sdr_v3": scores.sdr, "sir_v3": scores.sir, "sar_v3": scores.sar}


def evaluate_images(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns sdr_images_v3, isr_v3, sir_images_v3 and sar_images_v3 in dB.

    Raises:
        ItemError: see `validation.validate`.
    """
    validate_scene(scene)
    scores = bss_eval_images(scene.references, scene.estimates, False, compat)
    return {
        "sdr_images_v3": scores.sdr,
        "isr_v3": scores.isr,
        "sir_images_v3": scores.sir,
        "sar_images_v3": scores.sar,
    }
