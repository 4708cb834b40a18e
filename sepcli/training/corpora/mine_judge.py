"""Whether a segment holds one sound, and which: what a CLAP and a separator make of it.

The rule, on a segment whose audio embedding is e, for labels with text embeddings t_l:

- its label is the l with the highest cosine e . t_l, which must reach `agreement`;
- its rival is the best label that is not alike to it in the ontology. The logarithm of their odds
  at the temperature at which the CLAP was trained, scale * (e . t_label - e . t_rival), must reach
  `margin`;
- a share `stability` of its parts, a second long and overlapping by half, must be nearest to the
  label or to one that is alike;
- a separator that is asked for the label must answer with a share `share` of the energy: of a
  mixture it keeps only what it was asked for.

Each is looked at only if those before it are met. Which purity each adds is measured in
benchmarks/mining.py. The idea to purify recordings to single events is that of Hive (2026,
arXiv 2601.22599).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torchaudio
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sepcli.errors import UsageError
from sepcli.registry.load import LoadedModel
from sepcli.training.ontology import ANYTHING, Ontology
from sepcli.training.teacher import Teacher

PART_SECONDS = 1.0
TINY = 1e-12  # energy of silence


@dataclass(frozen=True)
class Verdict:
    """What was found out about a segment; see the head of this file.

    Attributes:
        label: nearest one.
        rival: nearest one that is not alike; empty if all are.
        agreement: cosine with the label.
        margin: logarithm of the odds of the label against the rival; None without one.
        stability: share of parts that agree; None if it was not looked at.
        share: of the energy, in the separator's answer; None if it was not asked.
    """

    label: str
    rival: str
    agreement: float
    margin: float | None
    stability: float | None = None
    share: float | None = None


@dataclass(frozen=True)
class Criteria:
    """Least values of a verdict. The defaults were chosen on validation clips, with `everyday`."""

    agreement: float = 0.45
    margin: float = 1.0
    stability: float = 0.75
    share: float = 0.9

    def objection(self, verdict: Verdict) -> str:
        """The first criterion that a verdict misses; empty if it meets all that were looked at."""
        for name in ("agreement", "margin", "stability", "share"):
            value = getattr(verdict, name)
            if value is not None and value < getattr(self, name):
                return name
        return ""


class Judge:
    """Knows the labels that a segment may have.

    Args:
        labels: that may be given.
        teacher: the CLAP.
        ontology: names of labels, and which are alike.
        criteria: how sure it must be.
        separator: to ask for the labels; None to do without.

    Raises:
        UsageError: if there are no labels, or one that may mean any sound.
        ModelError: if the separator takes no queries.
    """

    def __init__(
        self,
        labels: Sequence[str],
        teacher: Teacher,
        ontology: Ontology,
        criteria: Criteria,
        separator: LoadedModel | None = None,
    ) -> None:
        vague = [label for label in labels if ontology.group(label) == ANYTHING]
        if vague or not labels:
            what = f"label {vague[0]} may mean any sound" if vague else "no labels to look for"
            raise UsageError(what, "name the single sounds that you look for")
        self.labels, self.criteria = tuple(labels), criteria
        self._teacher, self._ontology, self._separator = teacher, ontology, separator
        self._texts = torch.stack([self._named(label) for label in labels])
        if separator is not None:
            names = [ontology.names(label)[0] for label in labels]
            self._queries = separator.encoder.embed_texts(names)

    @torch.inference_mode()
    def verdict(self, wave: NDArray[np.float32], rate: int) -> Verdict:
        """Judge a segment, (samples,) at `rate` Hz."""
        segment = torch.from_numpy(np.ascontiguousarray(wave))
        heard = self._nearest(segment, rate)
        if self.criteria.objection(heard):
            return heard
        steady = replace(heard, stability=self._stability(segment, rate, heard.label))
        if self._separator is None or self.criteria.objection(steady):
            return steady
        return replace(steady, share=self._share(self._separator, segment, rate, heard.label))

    def _named(self, label: str) -> Tensor:
        """The mean direction of all that a label is called."""
        return F.normalize(self._teacher.texts(self._ontology.names(label)).mean(dim=0), dim=0)

    def _alike(self, a: str, b: str) -> bool:
        return a == b or self._ontology.alike(a, b)

    def _nearest(self, segment: Tensor, rate: int) -> Verdict:
        """Label and rival."""
        cosines = (self._teacher.audio(segment[None], rate) @ self._texts.T)[0].tolist()
        ranked = sorted(zip(cosines, self.labels, strict=True), reverse=True)
        best, label = ranked[0]
        for second, rival in ranked:
            if not self._alike(label, rival):
                return Verdict(label, rival, best, self._teacher.scale * (best - second))
        return Verdict(label, "", best, margin=None)

    def _stability(self, segment: Tensor, rate: int, label: str) -> float:
        """Share of the parts that are nearest to the label, or to one alike."""
        parts = torch.stack(list(parts_of(segment, round(PART_SECONDS * rate))))
        nearest = (self._teacher.audio(parts, rate) @ self._texts.T).argmax(dim=1).tolist()
        return float(np.mean([self._alike(label, self.labels[n]) for n in nearest]))

    def _share(self, separator: LoadedModel, segment: Tensor, rate: int, label: str) -> float:
        """Energy of the separator's answer, as a share of the segment's."""
        own = separator.rate_for(rate)
        if own != rate:
            segment = torchaudio.functional.resample(segment, rate, own)
        query = self._queries[self.labels.index(label)][None]
        stems, _ = separator.network(segment[None, None], query, own)
        return float(stems.square().sum() / segment.square().sum().clamp(min=TINY))


def parts_of(segment: Tensor, length: int) -> Iterator[Tensor]:
    """Windows that overlap by half, the last one ending with the segment; itself if it is short."""
    last = max(0, len(segment) - length)
    for start in sorted({*range(0, last, max(1, length // 2)), last}):
        yield segment[start : start + length]
