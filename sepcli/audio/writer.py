"""Stems out: written under another name, finished together, renamed when whole.

Float stems go straight to their encoding. Integer stems are first kept as floats, because only
at the end is it known whether one of them would clip. Then all are scaled by one gain, so that
they still sum to the (scaled) recording, and rounded; the residual takes up what the others'
rounding left over.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile

import numpy as np
import soundfile
from numpy.typing import NDArray

from sepcli.audio.floats import KeptFloats, Stems
from sepcli.audio.formats import LARGEST_WAV, Encoding, for_libsndfile
from sepcli.errors import OutputError

PARTIAL = ".sepcli-partial-"  # prefix of a file that is not whole yet
BLOCK = 1 << 16  # samples a step while finishing
MEMORY = 1 << 20  # bytes of floats that a recording keeps outside of a file
ADD_PEAK_CHUNK = 0x1050  # SFC_SET_ADD_PEAK_CHUNK of libsndfile


class StemWriter:
    """Writes the stems of one recording, all of them or none.

    Args:
        paths: where the stems go; the folders are created.
        residual: index of the stem that makes the others sum to the recording, or None.
        rate: Hz.
        channels: of every stem.
        encoding: of every stem.
        expected: samples, as far as it is known; decides whether a WAV must be an RF64.

    Use it as a context: leaving it without `finish` removes everything it wrote.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        residual: int | None,
        rate: int,
        channels: int,
        encoding: Encoding,
        expected: int = 0,
    ) -> None:
        self.paths = list(paths)
        self.gain = 1.0
        self.peak = 0.0
        self._residual = residual
        self._rate, self._channels, self._encoding = rate, channels, encoding
        self._samples, self._expected = 0, expected
        self._stack = ExitStack()
        self._files: list[soundfile.SoundFile] = []
        self._kept: KeptFloats | None = None

    def __enter__(self) -> StemWriter:
        try:
            with output_errors(self.paths[0]):
                for path in self.paths:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    partial_path(path).touch()  # what cannot be written is refused at once
                if self._encoding.step is None:
                    self._open()
                else:
                    # Many go to a file that has no name: a kill leaves nothing of it.
                    file = SpooledTemporaryFile(MEMORY, dir=os.fspath(self.paths[0].parent))
                    self._stack.enter_context(file)
                    self._kept = KeptFloats(file, len(self.paths), self._channels)
        except OutputError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for path in self.paths:
            with suppress(OSError):
                partial_path(path).unlink(missing_ok=True)

    def write(self, stems: Stems) -> None:
        """Append (stems, samples, channels)."""
        if stems.shape[1] == 0:
            return
        self.peak = max(self.peak, float(stems.max()), -float(stems.min()))
        self._samples += stems.shape[1]
        with output_errors(self.paths[0]):
            if self._kept is not None:
                self._kept.write(stems)
                return
            for at in range(0, stems.shape[1], BLOCK):  # Vorbis cannot take a long stem at once
                self._encode(stems[:, at : at + BLOCK])

    def finish(self) -> list[Path]:
        """Complete the files under their temporary names; `commit` gives them their own.

        Returns:
            the temporary paths, in the order of the stems.
        """
        with output_errors(self.paths[0]):
            if self._kept is not None:
                self._round(self._kept)
            self._stack.close()
        return [partial_path(path) for path in self.paths]

    def commit(self, leave_out: Collection[Path] = ()) -> None:
        """Rename the finished files, but those to leave out, to their own names, safely on disk."""
        with output_errors(self.paths[0]):
            for path in (path for path in self.paths if path not in leave_out):
                with partial_path(path).open("rb+") as file:
                    os.fsync(file.fileno())
                partial_path(path).replace(path)

    def _round(self, kept: KeptFloats) -> None:
        step = self._encoding.step
        assert step is not None
        if self.peak > 1.0:  # full scale itself is clipped by one step, not scaled
            self.gain = (1 - step) / self.peak
        self._open()
        for stems in kept.blocks(BLOCK):
            self._encode(self._integers(stems, step))

    def _integers(self, stems: Stems, step: float) -> NDArray[np.signedinteger]:
        """Stems in steps, in the upper bits of the words that libsndfile copies as they are."""
        scaled = np.multiply(stems, self.gain / step, dtype=np.float64)
        rounded = np.rint(scaled)
        if self._residual is not None:
            rest = scaled.sum(axis=0) - rounded.sum(axis=0) + rounded[self._residual]
            rounded[self._residual] = np.rint(rest)
        np.clip(rounded, -1 / step, 1 / step - 1, out=rounded)
        word = np.dtype(np.int16 if self._encoding.width <= 2 else np.int32)
        return rounded.astype(word) << 8 * (word.itemsize - self._encoding.width)

    def _open(self) -> None:
        container = self._encoding.container
        samples = max(self._samples, self._expected)
        if container == "WAV" and samples * self._channels * self._encoding.width > LARGEST_WAV:
            container = "RF64"
        for path in self.paths:
            file = soundfile.SoundFile(
                for_libsndfile(partial_path(path)),
                "w",
                self._rate,
                self._channels,
                self._encoding.subtype,
                format=container,
            )
            leave_date_out(file)
            self._files.append(self._stack.enter_context(file))

    def _encode(self, stems: Stems | NDArray[np.signedinteger]) -> None:
        for file, stem in zip(self._files, stems, strict=True):
            file.write(stem)


def leave_date_out(file: soundfile.SoundFile) -> None:
    """Keep libsndfile from noting peaks, with the time of day: same stems are to be same bytes."""
    soundfile._snd.sf_command(file._file, ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)


def partial_path(path: Path) -> Path:
    """Where a file is kept until it is whole."""
    return path.with_name(PARTIAL + path.name)


class output_errors:
    """Turns failures to write into an OutputError that says what to do."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, soundfile.LibsndfileError):
            raise OutputError(
                f"cannot write to {self._folder}: {error}", "free some space"
            ) from error
        if isinstance(error, OSError):
            full = error.errno in (errno.ENOSPC, errno.EDQUOT)
            remedy = "free some space" if full else "choose another -o folder"
            reason = error.strerror or str(error)
            raise OutputError(f"cannot write to {self._folder}: {reason}", remedy) from error
