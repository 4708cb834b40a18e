"""BSS Eval v4 of source images, as museval computes it: one set of filters, figures by frame.

The projections of v3 (see `bss_eval_v3`, images) are found once for the whole item; a frame is
then cut out of references and estimates and the same filters are applied to it (Stöter, Liutkus
and Ito, 2018, "The 2018 Signal Separation Evaluation Campaign"):

    SDR = |s|^2 / |s - e|^2              ISR = |s|^2 / |P_j s - s|^2
    SIR = |P_j s|^2 / |P s - P_j s|^2    SAR = |P s|^2 / |e - P s|^2

where P s is the sum of all references of the frame through the filters of estimate e, and P_j s
the same of reference j alone through its own. Frames are followed by 511 zeros, into which the
filters ring.

No filter is ever run. With r_ik(l) the frame's correlations of references, and h_i the
filters, the energy of a filtered frame is a weighted sum of them,

    |sum_i h_i * s_i|^2 = sum_ik sum_l r_ik(l) f_ik(l),    f_ik(l) = sum_a h_i(a + l) h_k(a),

and lags below 0 repeat those above with i and k swapped. So one pass over the audio finds the
correlations of every frame; their sum (and what frames' borders part) gives the filters; and
the filters give the weights. |e - P s|^2 is |e|^2 - 2 <e, P s> + |P s|^2.

SIR and SAR are blind to any filter of 512 taps, as in v3, and all four to level between frames,
as `csdr` is. Ratios above 100 dB are rounding. Where references have no energy in a band (a
lowpass at 16 kHz, say), nothing holds the filters there, and what a frame's edges spill into that
band comes out amplified: ISR, SIR and SAR of frames then fall by tens of dB, in museval as here,
while those of the whole item do not. `IllConditioned` warns of it. The SDR is not concerned. The
figures of one stem depend on other stems' estimates only where `compat="museval"` lets their
silence take frames away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from sepcli.evaluation.metrics.correlations import Correlator, across, correlations
from sepcli.evaluation.metrics.framing import (
    error_energies,
    frame_energies,
    frames,
    ratios_db,
    resolved,
    undefined,
)
from sepcli.evaluation.metrics.projection import TAPS, Projection
from sepcli.evaluation.metrics.validation import validate, validate_pair
from sepcli.evaluation.scene import Array, Compat, Scene, Scores, Signal


@dataclass(frozen=True)
class FrameScores:
    """Figures in dB, each (stems, frames)."""

    sdr: Array
    isr: Array
    sir: Array
    sar: Array


def bss_eval(
    references: Signal, estimates: Signal, window: int, hop: int, compat: Compat = "sepcli"
) -> FrameScores:
    """SDR, ISR, SIR and SAR of every frame.

    NaN where a signal is silent and infinite beyond resolution, see `framing`. Frames that
    overlap or leave gaps take twice as long as frames end to end.

    Args:
        references: (stems, channels, samples).
        estimates: the same shape, estimate i belonging to reference i.
        window: length of a frame, samples.
        hop: from one frame's begin to the next one's, samples.
        compat: "museval" for its treatment of silence, and for figures beyond resolution.

    Raises:
        ItemError: see `validate_pair`.
        ValueError: if window or hop is not positive.
    """
    s, e = validate_pair(references, estimates)
    spans = frames(s.shape[-1], window, hop)
    signal = frame_energies(s, spans)
    target, interference, spatial, total, cross = projected_energies(s, e, spans)
    artifacts = frame_energies(e, spans) - 2 * cross + total
    unknown = undefined(s, e, spans, compat)
    ratios = (
        ratios_db(signal, error_energies(s, e, spans)),
        resolved(ratios_db(signal, spatial), compat),
        resolved(ratios_db(target, interference), compat),
        resolved(ratios_db(total, artifacts), compat),
    )
    return FrameScores(*(np.where(unknown, np.nan, ratio) for ratio in ratios))


def projected_energies(references: Array, estimates: Array, spans: Sequence[slice]) -> Array:
    """|P_j s|^2, |P s - P_j s|^2, |P_j s - s|^2, |P s|^2 and <e, P s>, (5, stems, frames).

    Args:
        references: (stems, channels, samples).
        estimates: the same shape.
        spans: the frames.
    """
    stems, channels, _ = references.shape
    left = [channel for stem in references for channel in stem]
    right = left + [channel for stem in estimates for channel in stem]
    by_frame, whole = frame_correlations(left, right, spans)
    rows = [slice(start, start + channels) for start in range(0, stems * channels, channels)]
    weights = all_weights(whole, rows)
    energies = by_frame.reshape(len(spans), -1) @ weights.reshape(len(weights), -1).T
    return energies.T.reshape(stems, -1, len(spans)).swapaxes(0, 1)


def frame_correlations(
    left: Sequence[Array], right: Sequence[Array], spans: Sequence[slice]
) -> tuple[Array, Array]:
    """Correlations of every frame, (frames, left, right, taps), and of the whole item."""
    window = spans[0].stop - spans[0].start
    correlate = Correlator(len(left), len(right), window, TAPS)
    by_frame = np.empty((len(spans), len(left), len(right), TAPS))
    for at, span in enumerate(spans):
        by_frame[at] = correlate([x[span] for x in left], [y[span] for y in right])
    if any(a.stop != b.start for a, b in pairwise(spans)):
        return by_frame, correlations(left, right, TAPS)
    whole = by_frame.sum(axis=0) + across(left, right, spans, TAPS)
    rest = slice(spans[-1].stop, None)
    if len(left[0][rest]):
        whole += correlations([x[rest] for x in left], [y[rest] for y in right], TAPS)
    return by_frame, whole


def all_weights(whole: Array, stems: Sequence[slice]) -> Array:
    """What to multiply a frame's correlations with for the energies of `projected_energies`.

    Args:
        whole: correlations of the item, (left, right, taps), right being left and the estimates.
        stems: the channels of each.

    Returns:
        (5 stems, left, right, taps), the five of each stem in a row.
    """
    references = len(whole)
    among, cross = whole[:, :references], whole[:, references:]
    everything = Projection(among).filters(cross)
    weights = np.zeros((len(stems), 5, *whole.shape))
    for of_stem, own in zip(weights, stems, strict=True):
        both = everything[:, own]
        alone = np.zeros_like(both)
        alone[own] = Projection(among[own, own]).filters(cross[own, own])
        changed = alone.copy()
        changed[range(own.start, own.stop), range(len(both[0])), 0] -= 1
        for at, filters in enumerate((alone, both - alone, changed, both)):
            of_stem[at, :, :references] = energy_weights(filters)
        of_stem[4, :, references + own.start : references + own.stop] = both
    return weights.reshape(-1, *whole.shape)


def energy_weights(filters: Array) -> Array:
    """2 f_ik(l), and f_ik(0), of the head of this file, summed over the filters' outputs.

    Args:
        filters: (references, outputs, taps).

    Returns:
        (references, references, taps).
    """
    outputs = filters.swapaxes(0, 1)
    products = sum(correlations([*h], [*h], filters.shape[-1]) for h in outputs)
    weights: Array = 2 * np.swapaxes(products, 0, 1)
    weights[..., 0] /= 2
    return weights


def evaluate(scene: Scene, compat: Compat = "sepcli") -> Scores:
    """Columns sdr_v4, isr_v4, sir_v4 and sar_v4 in dB, of every second.

    Raises:
        ItemError: see `validate`.
    """
    validate(scene)
    scores = bss_eval(scene.references, scene.estimates, scene.rate, scene.rate, compat)
    return {
        "sdr_v4": scores.sdr,
        "isr_v4": scores.isr,
        "sir_v4": scores.sir,
        "sar_v4": scores.sar,
    }
