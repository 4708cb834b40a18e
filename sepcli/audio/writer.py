"""Stems out: written under another name, finished together, renamed when whole.

Float stems go straight to their encoding. Integer stems are first kept as floats beside their
target, because only at the end is it known whether one of them would clip. Then all are scaled
by one gain, so that they still sum to the (scaled) recording, and rounded; the residual takes
up what the others' rounding left over.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from sepcli.audio.formats import LARGEST_WAV, Encoding, for_libsndfile
from sepcli.errors import OutputError

Wave = NDArray[np.float32]  # (samples, channels)

PARTIAL = ".sepcli-partial-"  # prefix of a file that is not whole yet
BLOCK = 1 << 16  # samples a step while finishing
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

    def __enter__(self) -> StemWriter:
        try:
            with output_errors(self.paths[0]):
                for path in self.paths:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    self._files.append(self._open(self._raw(path), self._raw_encoding()))
        except OutputError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for path in self.paths:
            for leftover in (self._raw(path), partial_path(path)):
                with suppress(OSError):
                    leftover.unlink(missing_ok=True)

    def write(self, stems: NDArray[np.float32]) -> None:
        """Append (stems, samples, channels)."""
        if stems.shape[1] == 0:
            return
        self.peak = max(self.peak, float(np.abs(stems).max()))
        self._samples += stems.shape[1]
        with output_errors(self.paths[0]):
            for file, stem in zip(self._files, stems, strict=True):
                for at in range(0, len(stem), BLOCK):  # Vorbis cannot take a long stem at once
                    file.write(stem[at : at + BLOCK])

    def finish(self) -> list[Path]:
        """Complete the files under their temporary names; `commit` gives them their own.

        Returns:
            the temporary paths, in the order of the stems.
        """
        with output_errors(self.paths[0]):
            self._stack.close()
            if self._encoding.step is not None:
                self._round()
            else:
                for path in self.paths:
                    self._raw(path).replace(partial_path(path))
        return [partial_path(path) for path in self.paths]

    def commit(self, leave_out: Collection[Path] = ()) -> None:
        """Rename the finished files, but those to leave out, to their own names, safely on disk."""
        with output_errors(self.paths[0]):
            for path in (path for path in self.paths if path not in leave_out):
                with partial_path(path).open("rb+") as file:
                    os.fsync(file.fileno())
                partial_path(path).replace(path)

    def _round(self) -> None:
        step = self._encoding.step
        assert step is not None
        if self.peak > 1.0:  # full scale itself is clipped by one step, not scaled
            self.gain = (1 - step) / self.peak
        with ExitStack() as stack:
            sources = [
                stack.enter_context(soundfile.SoundFile(for_libsndfile(self._raw(p))))
                for p in self.paths
            ]
            targets = [self._open(partial_path(p), self._encoding, stack) for p in self.paths]
            for stems in _side_by_side(sources):
                for target, stem in zip(targets, self._rounded(stems, step), strict=True):
                    target.write(stem)
        for path in self.paths:
            self._raw(path).unlink()

    def _rounded(self, stems: NDArray[np.float64], step: float) -> NDArray[np.float64]:
        scaled = stems * self.gain
        rounded = np.round(scaled / step) * step
        if self._residual is not None:
            rest = scaled.sum(axis=0) - rounded.sum(axis=0) + rounded[self._residual]
            rounded[self._residual] = np.round(rest / step) * step
        clipped: NDArray[np.float64] = rounded.clip(-1, 1 - step)
        return clipped

    def _raw_encoding(self) -> Encoding:
        if self._encoding.step is None:
            return self._encoding
        return Encoding("RF64", "FLOAT", "wav")

    def _raw(self, path: Path) -> Path:
        return path.with_name(f"{PARTIAL}raw-{path.name}")

    def _open(
        self, path: Path, encoding: Encoding, stack: ExitStack | None = None
    ) -> soundfile.SoundFile:
        container = encoding.container
        samples = max(self._samples, self._expected)
        if container == "WAV" and samples * self._channels * encoding.width > LARGEST_WAV:
            container = "RF64"
        file = soundfile.SoundFile(
            for_libsndfile(path),
            "w",
            self._rate,
            self._channels,
            encoding.subtype,
            format=container,
        )
        leave_date_out(file)
        return (stack or self._stack).enter_context(file)


def leave_date_out(file: soundfile.SoundFile) -> None:
    """Keep libsndfile from noting peaks, with the time of day: same stems are to be same bytes."""
    soundfile._snd.sf_command(file._file, ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)


def partial_path(path: Path) -> Path:
    """Where a file is kept until it is whole."""
    return path.with_name(PARTIAL + path.name)


def _side_by_side(files: Sequence[soundfile.SoundFile]) -> Iterator[NDArray[np.float64]]:
    while True:
        parts = [file.read(BLOCK, dtype="float64", always_2d=True) for file in files]
        if not len(parts[0]):
            return
        yield np.stack(parts)


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
