"""Items whose references are files, or sums of files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sepcli.errors import ItemError
from sepcli.evaluation.datasets.base import Example, Fact
from sepcli.evaluation.datasets.sound import Sound, Track, fitted, read_sound


@dataclass(frozen=True)
class FileItem:
    """A mixture and its stems, as they lie on disk.

    Attributes:
        name: unique in the data set.
        references: stem -> the tracks it is the sum of.
        mixture: its track; None if it is the sum of the stems.
        facts: what tables are made by.
        queries: stem -> words.
        ragged: whether tracks may end early, and then are silent; else lengths have to agree.
    """

    name: str
    references: Mapping[str, tuple[Track, ...]]
    mixture: Track | None = None
    facts: Mapping[str, Fact] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)
    ragged: bool = False

    @property
    def stems(self) -> tuple[str, ...]:
        """Names of the references."""
        return tuple(self.references)

    @property
    def files(self) -> tuple[Path, ...]:
        """The mixture's file, and those of the stems; each once."""
        tracks = [track for row in self.references.values() for track in row]
        first = [] if self.mixture is None else [self.mixture]
        return tuple(dict.fromkeys(track.path for track in first + tracks))

    def read(self) -> Example:
        """Decode all tracks and sum up.

        Raises:
            ItemError: if a file is missing, broken, or differs from the others in sample rate,
                channels or length.
        """
        whole = self._heard()
        stems = {stem: self._joined(map(read_sound, row)) for stem, row in self.references.items()}
        if whole is None:
            whole = self._joined(stems.values())
        for stem in stems.values():
            self._check(stem, whole)
        samples = whole.wave.shape[1]
        references = {stem: fitted(sound.wave, samples) for stem, sound in stems.items()}
        return Example(whole.rate, whole.wave, references)

    def _heard(self) -> Sound | None:
        """The mixture, if it is not the sum of the stems."""
        return None if self.mixture is None else read_sound(self.mixture)

    def _joined(self, sounds: Iterable[Sound]) -> Sound:
        """The sum of sounds, as long as the longest of them."""
        total: Sound | None = None
        for sound in sounds:
            total = sound if total is None else self._plus(total, sound)
        if total is None:
            raise ItemError(f"{self.name} has no tracks", "get the item again")
        return total

    def _plus(self, a: Sound, b: Sound) -> Sound:
        self._check(b, a)
        samples = max(a.wave.shape[1], b.wave.shape[1])
        return Sound(a.track, a.rate, fitted(a.wave, samples) + fitted(b.wave, samples))

    def _check(self, sound: Sound, other: Sound) -> None:
        """That two sounds may be parts of one recording."""
        if sound.rate != other.rate:
            raise self._mismatch(sound, other, f"{sound.rate} Hz, not {other.rate} Hz")
        (channels, samples), (wanted, length) = sound.wave.shape, other.wave.shape
        if channels != wanted:
            raise self._mismatch(sound, other, f"{channels} channels, not {wanted}")
        if samples != length and not self.ragged:
            raise self._mismatch(sound, other, f"{samples} samples, not {length}")

    def _mismatch(self, sound: Sound, other: Sound, what: str) -> ItemError:
        where = f"{sound.track.path}: {what} as in {other.track.path.name}"
        return ItemError(f"{self.name} does not fit together: {where}", "get the item again")
