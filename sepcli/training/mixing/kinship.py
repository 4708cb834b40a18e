"""What must not meet in a mixture: nobody could say which of two barks a query means.

Labels are kin if their group in the ontology is the same, or if people use one phrase for both.
Of captioned recordings only the words are known: they are kin to what shares one with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sepcli.training.corpora.clip import Clip
from sepcli.training.mixing.wording import stems
from sepcli.training.ontology import Ontology


@dataclass(frozen=True)
class Subject:
    """What a clip is about, as far as anybody said.

    Attributes:
        labels: its classes.
        words: stems of its caption and phrases.
    """

    labels: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


def subject(clip: Clip) -> Subject:
    """What is known of a clip."""
    return Subject(frozenset(clip.labels), stems([clip.caption, *clip.phrases]))


class Kinship:
    """Which labels and clips are alike.

    Args:
        ontology: groups and names of labels.
        labels: all that there are.
    """

    def __init__(self, ontology: Ontology, labels: Iterable[str]) -> None:
        names = {label: frozenset(ontology.names(label)) for label in sorted(set(labels))}
        groups = {label: ontology.group(label) for label in names}
        self._words = {label: stems(said) for label, said in names.items()}
        self._kin = {
            a: frozenset(b for b in names if groups[a] == groups[b] or names[a] & names[b])
            for a in names
        }

    def kin(self, label: str) -> frozenset[str]:
        """All labels that must not meet a label, itself among them."""
        return self._kin[label]

    def unlike(self, labels: Sequence[str], heard: Iterable[Subject]) -> list[str]:
        """Those of `labels` that are no kin to what is heard."""
        taken: set[str] = set()
        words: set[str] = set()
        for other in heard:
            taken.update(*(self._kin[label] for label in other.labels))
            words |= other.words
        return [x for x in labels if x not in taken and words.isdisjoint(self._words[x])]

    def related(self, a: Subject, b: Subject) -> bool:
        """Whether two clips must not meet."""
        return (
            any(self._kin[label] & b.labels for label in a.labels)
            or not a.words.isdisjoint(self._all_words(b))
            or not b.words.isdisjoint(self._all_words(a))
        )

    def _all_words(self, subject: Subject) -> frozenset[str]:
        return subject.words.union(*(self._words[label] for label in subject.labels))
