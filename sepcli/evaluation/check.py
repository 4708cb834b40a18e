"""Gates before scoring: faults of files that would make a figure mean something else.

A finding is an error if figures would be meaningless, and a warning if they may be meant so. A
poor separation is no fault: every threshold leaves room for estimates that are as much noise as
sound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.optimize import linear_sum_assignment

from sepcli.evaluation import alignment
from sepcli.evaluation.alignment import Correlation, Fit
from sepcli.evaluation.datasets.base import Example
from sepcli.evaluation.datasets.sound import fitted
from sepcli.evaluation.permutation import pairwise_si_sdr
from sepcli.evaluation.scene import Array

Severity = Literal["error", "warning"]

PADDING = 0.1  # seconds that encoders may add or take away at the end
FULL_SCALE = 32767 / 32768  # the largest value of 16 bit
FLAT = 3  # samples at full scale in a row: no sound stays there by itself
TURNED = -0.3  # rho; a turned-over estimate of -10 dB has it, an honest one has not
GAIN = 1.0  # dB of level beyond what an honest estimate explains
CHANCE = 0.3  # correlation with its reference that an estimate's noise may have by itself
LOUD_ERROR = 6.0  # dB; from here on the level alone decides the SDR
ALIGNED = 1.0  # dB by which aligning must shrink the rest
MOVED = 3.0  # dB, the same for an excerpt, of which there are many
SURE = 0.7  # rho, about 0 dB: from here on levels, and places of excerpts, can be judged
COSTLY = 3.0  # dB of SI-SDR that a delay costs
SWAPPED = 3.0  # dB of SI-SDR by which each swapped stem fits its other reference better
ALIKE = -5.0  # dB of SI-SDR that a swapped stem reaches at least
REFERENCES_SUM = -20.0  # dB below the mixture: the references are all there is in it
ESTIMATES_SUM = 4.0  # dB above the mixture: estimates of 0 dB stay below


@dataclass(frozen=True)
class Finding:
    """What is wrong with an estimate.

    Attributes:
        severity: "error" if figures would be meaningless.
        item: its name.
        stem: its name; empty if it concerns all of an item's.
        message: what was found, with its size.
        remedy: what to do about it.
    """

    severity: Severity
    item: str
    stem: str
    message: str
    remedy: str


@dataclass(frozen=True)
class Estimate:
    """A stem's file as decoded.

    Attributes:
        rate: Hz.
        samples: (channels, samples).
    """

    rate: int
    samples: Array


@dataclass(frozen=True)
class Fault:
    """A finding that does not know yet whose it is."""

    severity: Severity
    message: str
    remedy: str

    def of(self, item: str, stem: str = "") -> Finding:
        """The finding."""
        return Finding(self.severity, item, stem, self.message, self.remedy)


def check_item(
    item: str, example: Example, estimates: Mapping[str, Estimate], ordered: bool = True
) -> list[Finding]:
    """All that is wrong with the estimates of an item.

    Args:
        item: its name.
        example: its mixture and references.
        estimates: stem -> file.
        ordered: whether names say which estimate belongs to which reference; if not, only what
            needs no reference is checked.
    """
    found = [fault.of(item, stem) for stem, fault in _names(example, estimates)]
    usable: dict[str, Array] = {}
    for stem in example.references:
        if stem not in estimates:
            continue
        faults = list(check_file(example, estimates[stem]))
        found += [fault.of(item, stem) for fault in faults]
        if not any(fault.severity == "error" for fault in faults):
            samples = np.asarray(estimates[stem].samples, np.float64)
            usable[stem] = fitted(samples, example.mixture.shape[-1])
    if ordered:
        found += [
            fault.of(item, stem)
            for stem, estimate in usable.items()
            for fault in check_signal(example.references[stem], estimate, example.rate)
        ]
        found += [fault.of(item) for fault in swapped_stems(example, usable)]
    if len(usable) == len(example.references):
        found += [fault.of(item) for fault in sum_of_stems(example, usable)]
    return found


def _names(example: Example, estimates: Mapping[str, Estimate]) -> Iterator[tuple[str, Fault]]:
    for stem in example.references:
        if stem not in estimates:
            yield stem, Fault("error", "no estimate", f"make one, or score without {stem}")
    known = ", ".join(example.references)
    for stem in estimates:
        if stem not in example.references:
            yield stem, Fault("warning", "not a stem of this item", f"its stems: {known}")


def check_file(example: Example, estimate: Estimate) -> Iterator[Fault]:
    """What is wrong with a file, whatever it should sound like."""
    if estimate.rate != example.rate:
        message = f"{estimate.rate} Hz, the mixture {example.rate} Hz"
        yield Fault("error", message, "resample the estimates")
    channels, samples = example.mixture.shape
    if len(estimate.samples) != channels:
        message = f"{len(estimate.samples)} channels, the mixture {channels}"
        yield Fault("error", message, "make estimates with the mixture's channels")
    if off := estimate.samples.shape[-1] - samples:
        severity: Severity = "error" if abs(off) > PADDING * example.rate else "warning"
        message = f"{abs(off)} samples {'longer' if off > 0 else 'shorter'} than the mixture"
        yield Fault(severity, message, "write estimates of the mixture's length")
    if wrong := int((~np.isfinite(estimate.samples)).sum()):
        yield Fault("error", f"{wrong} values are NaN or infinite", "make the estimates again")
    elif clipped := clipped_samples(estimate.samples):
        share = clipped / estimate.samples.size
        message = f"clipped: {clipped} samples ({share:.2%}) in runs at full scale"
        yield Fault("warning", message, "write floating point, or lower the level of all stems")


def clipped_samples(samples: Array) -> int:
    """Samples in runs of at least `FLAT` at full scale, of either sign.

    Floating point that goes beyond full scale is not clipped, and passes it too fast for a run.

    Args:
        samples: (channels, samples).
    """
    if np.abs(samples).max(initial=0.0) < FULL_SCALE - 1e-9:
        return 0
    count = 0
    for sign in (1, -1):
        flat = (sign * samples >= FULL_SCALE - 1e-9) & (sign * samples <= 1 + 1e-6)
        edges = np.diff(np.pad(flat, ((0, 0), (1, 1))).astype(np.int8).ravel())
        runs = np.flatnonzero(edges < 0) - np.flatnonzero(edges > 0)
        count += int(runs[runs >= FLAT].sum())
    return count


def check_signal(reference: Array, estimate: Array, rate: int) -> Iterator[Fault]:
    """What is wrong with an estimate beside its reference; nothing, if that is silent.

    Args:
        reference: (channels, samples).
        estimate: the same shape.
        rate: Hz.
    """
    if not reference.any():
        return
    if not estimate.any():
        yield Fault("error", "silent, and the reference is not", "make the estimate again")
        return
    parts = alignment.correlations(reference, estimate, rate)
    whole = alignment.total(parts)
    fit = whole.at(0)
    if better(whole.best(), fit, ALIGNED):
        yield delayed(fit, whole.best(), rate)
        fit = whole.best()
    yield from displaced(parts, fit.delay, rate)
    if fit.rho < TURNED:
        message = f"turned over: correlation {fit.rho:.2f} with its reference"
        yield Fault("error", message, "multiply the estimate by -1")
    yield from off_level(fit)


def better(fit: Fit, other: Fit, by: float) -> bool:
    """Whether what is left to explain is smaller by so many dB."""
    return fit.rest * 10 ** (by / 10) <= other.rest


def delayed(undelayed: Fit, aligned: Fit, rate: int) -> Fault:
    """An estimate that fits better when moved."""
    cost = aligned.si_sdr - undelayed.si_sdr
    amount = f"{abs(aligned.delay)} samples ({1000 * abs(aligned.delay) / rate:.2f} ms)"
    message = f"{amount} {'late' if aligned.delay > 0 else 'early'}, {cost:.1f} dB of SI-SDR lost"
    remedy = "compensate the delay of the model or the encoder"
    return Fault("error" if cost >= COSTLY else "warning", message, remedy)


def displaced(parts: list[Correlation], delay: int, rate: int) -> Iterator[Fault]:
    """Excerpts that lie elsewhere than the whole: chunks joined at the wrong place."""
    places = []
    for part in parts:
        best = part.best()
        if abs(best.rho) >= SURE and better(best, part.at(delay), MOVED):
            places.append(f"{best.delay - delay:+d} samples at {part.start / rate:.1f} s")
    if places:
        more = f", and {len(places) - 3} more" if len(places) > 3 else ""
        message = f"parts are out of place: {', '.join(places[:3])}{more}"
        yield Fault("error", message, "check sample rates, and where chunks are joined")


def off_level(fit: Fit) -> Iterator[Fault]:
    """A level that neither added noise nor lost sound explains.

    Noise n of correlation r with s moves the gain to 1 + r |n| / |s|, and |n| / |s| is about
    sqrt(rest) / rho: the poorer the estimate, the wider the margin.
    """
    if abs(fit.rho) < SURE:
        return
    gain, least = _db(abs(fit.gain)), _db(fit.loudest)
    margin = GAIN + _db(1 + CHANCE * np.sqrt(fit.rest) / abs(fit.rho))
    if gain > margin or least < -margin:
        severity: Severity = "error" if min(abs(gain), abs(least)) >= LOUD_ERROR else "warning"
        remedy = "undo the scaling, or use scale-invariant metrics only"
        yield Fault(severity, f"level {gain:+.1f} dB", remedy)


def _db(amplitude: float) -> float:
    return float(20 * np.log10(amplitude))


def swapped_stems(example: Example, estimates: Mapping[str, Array]) -> Iterator[Fault]:
    """Estimates that fit each other's references better than their own."""
    stems = [stem for stem in estimates if example.references[stem].any() and estimates[stem].any()]
    if len(stems) < 2:
        return
    table = pairwise_si_sdr(
        np.stack([example.references[stem] for stem in stems]),
        np.stack([estimates[stem] for stem in stems]),
    )
    _, columns = linear_sum_assignment(table, maximize=True)
    moved = [(row, int(column)) for row, column in enumerate(columns) if row != column]
    gains = [table[row, column] - table[row, row] for row, column in moved]
    if moved and min(gains) >= SWAPPED and min(table[pair] for pair in moved) >= ALIKE:
        names = ", ".join(f"{stems[column]} sounds like {stems[row]}" for row, column in moved)
        yield Fault(
            "error", f"stems swapped? {names}", "check the order in which stems are written"
        )


def sum_of_stems(example: Example, estimates: Mapping[str, Array]) -> Iterator[Fault]:
    """Estimates whose sum is far from the mixture, where the references' is not."""
    if level_of_rest(example.mixture, list(example.references.values())) > REFERENCES_SUM:
        return
    level = level_of_rest(example.mixture, list(estimates.values()))
    if level > ESTIMATES_SUM:
        message = f"the stems' sum misses the mixture by {level:+.1f} dB of its energy"
        yield Fault("warning", message, "check levels, and that no stem is the mixture itself")


def level_of_rest(mixture: Array, stems: list[Array]) -> float:
    """Energy of the stems' sum minus the mixture, dB of the mixture's; infinite if that is 0."""
    energy = np.square(mixture).sum()
    rest = np.square(np.sum(stems, axis=0) - mixture).sum()
    with np.errstate(divide="ignore"):
        return float(10 * np.log10(rest / energy)) if energy else float("inf")
