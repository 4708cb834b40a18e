"""Stems on disk: all or none, whole or not at all."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.audio.floats import KeptFloats
from sepcli.audio.formats import Encoding, choose
from sepcli.audio.writer import MEMORY, StemWriter, partial_path
from sepcli.errors import OutputError, UsageError

WAV16 = Encoding("WAV", "PCM_16", "wav")
FLOAT = Encoding("WAV", "FLOAT", "wav")


def stems(samples: int = 1000) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform(-0.4, 0.4, (2, samples, 1)).astype(np.float32)


@pytest.mark.parametrize("encoding", [WAV16, FLOAT])
def test_nothing_has_its_name_before_the_commit(encoding: Encoding) -> None:
    paths = [Path("out/a.wav"), Path("out/b.wav")]
    with StemWriter(paths, None, 8000, 1, encoding) as writer:
        writer.write(stems())
        writer.finish()
        assert not any(path.exists() for path in paths)
        assert all(partial_path(path).exists() for path in paths)
        writer.commit()
    assert sorted(p.name for p in Path("out").iterdir()) == ["a.wav", "b.wav"]
    for path, stem in zip(paths, stems(), strict=True):
        np.testing.assert_allclose(soundfile.read(path, always_2d=True)[0], stem, atol=2**-16)


@pytest.mark.parametrize(
    "encoding", [FLOAT, Encoding("AIFF", "FLOAT", "aiff"), Encoding("CAF", "FLOAT", "caf")]
)
def test_the_time_of_day_is_not_in_the_bytes(encoding: Encoding) -> None:
    with StemWriter([Path("a.x"), Path("b.x")], None, 8000, 1, encoding) as writer:
        writer.write(stems())
        writer.finish()
        writer.commit()
    head = Path("a.x").read_bytes()[:200]  # libsndfile's chunk of peaks has a date
    assert b"PEAK" not in head
    assert b"peak" not in head


@pytest.mark.parametrize("encoding", [WAV16, FLOAT])
def test_leaving_without_a_commit_leaves_nothing(encoding: Encoding) -> None:
    with StemWriter([Path("out/a.wav"), Path("out/b.wav")], None, 8000, 1, encoding) as writer:
        writer.write(stems())
        writer.finish()
    assert not list(Path("out").iterdir())


def test_kept_floats_come_back_in_their_order() -> None:
    wave = np.random.default_rng(0).standard_normal((2, 10, 3)).astype(np.float32)
    kept = KeptFloats(BytesIO(), 2, 3)
    for part in (wave[:, :7], wave[:, 7:]):
        kept.write(part)
    blocks = list(kept.blocks(4))
    assert [block.shape for block in blocks] == [(2, 4, 3), (2, 4, 3), (2, 2, 3)]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), wave)


def test_only_the_stems_have_names_while_they_are_written() -> None:
    long = stems(MEMORY)  # which do not stay in memory
    with StemWriter([Path("a.wav"), Path("b.wav")], None, 8000, 1, WAV16) as writer:
        writer.write(long)
        names = {path.name for path in Path().iterdir()}
        assert names == {".sepcli-partial-a.wav", ".sepcli-partial-b.wav"}
        writer.finish()
        writer.commit()
    for name, stem in zip(("a.wav", "b.wav"), long, strict=True):
        np.testing.assert_allclose(soundfile.read(name, always_2d=True)[0], stem, atol=2**-16)


def test_the_residual_takes_up_the_rounding() -> None:
    wave = stems()[0]
    mixture = np.round(wave * 2**15) / 2**15
    parts = np.stack([0.123 * mixture, mixture - 0.123 * mixture]).astype(np.float32)
    paths = [Path("a.wav"), Path("rest.wav")]
    with StemWriter(paths, 1, 8000, 1, WAV16) as writer:
        writer.write(parts)
        writer.finish()
        writer.commit()
    total = sum(soundfile.read(path, always_2d=True)[0] for path in paths)
    np.testing.assert_array_equal(total, mixture)


@pytest.mark.parametrize(
    ("container", "subtype", "bits"),
    [
        ("AIFF", "PCM_S8", 8),
        ("WAV", "PCM_U8", 8),
        ("FLAC", "PCM_16", 16),
        ("CAF", "PCM_24", 24),
        ("FLAC", "PCM_24", 24),
        ("WAV", "PCM_32", 32),
    ],
)
def test_integers_are_the_nearest(container: str, subtype: str, bits: int) -> None:
    wave = stems()[0]
    wave[0], wave[1] = -1, 1  # the one can be written, the other is a step too high
    with StemWriter([Path("a.x")], None, 8000, 1, Encoding(container, subtype, "x")) as writer:
        writer.write(wave[None])
        writer.finish()
        writer.commit()
    steps = soundfile.read("a.x", always_2d=True)[0] * 2.0 ** (bits - 1)
    wanted = np.rint(wave.astype(np.float64) * 2.0 ** (bits - 1)).clip(max=2.0 ** (bits - 1) - 1)
    np.testing.assert_array_equal(steps, wanted)


def test_full_scale_is_not_scaled() -> None:
    wave = np.array([-1.0, 1.0, 0.5], np.float32).reshape(1, 3, 1)
    with StemWriter([Path("a.wav")], None, 8000, 1, WAV16) as writer:
        writer.write(wave)
        writer.finish()
        writer.commit()
    assert writer.gain == 1
    read = soundfile.read("a.wav")[0]
    np.testing.assert_array_equal(read, [-1.0, 1 - 2**-15, 0.5])


@pytest.mark.parametrize(("encoding", "expected"), [(FLOAT, 2**30), (WAV16, 2**31)])
def test_files_beyond_4_gb_are_rf64(encoding: Encoding, expected: int) -> None:
    with StemWriter([Path("a.wav")], None, 8000, 1, encoding, expected) as writer:
        writer.write(stems()[:1])
        writer.finish()
        writer.commit()
    assert soundfile.info("a.wav").format == "RF64"


def test_an_unwritable_folder_leaves_nothing() -> None:
    Path("file").touch()
    with (
        pytest.raises(OutputError) as caught,
        StemWriter([Path("a.wav"), Path("file/b.wav")], None, 8000, 1, FLOAT),
    ):
        pass
    assert caught.value.exit_code == 5
    assert [p.name for p in Path().iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("source", "container", "bits", "expected"),
    [
        (Encoding("FLAC", "PCM_24", "flac"), None, None, ("FLAC", "PCM_24", "flac")),
        (Encoding("WAV", "DOUBLE", "wav"), None, None, ("WAV", "DOUBLE", "wav")),
        (Encoding("OGG", "VORBIS", "ogg"), None, None, ("WAV", "FLOAT", "wav")),
        (Encoding("FFMPEG", "aac", "mp4"), None, None, ("WAV", "FLOAT", "wav")),
        (Encoding("FFMPEG", "aac", "mp4"), "flac", None, ("FLAC", "PCM_24", "flac")),
        (Encoding("WAV", "PCM_16", "wav"), None, "24", ("WAV", "PCM_24", "wav")),
        (Encoding("WAV", "PCM_16", "wav"), "ogg", None, ("OGG", "VORBIS", "ogg")),
        (Encoding("WAV", "PCM_U8", "wav"), "flac", None, ("FLAC", "PCM_16", "flac")),
    ],
)
def test_encodings(
    source: Encoding, container: str | None, bits: str | None, expected: tuple[str, str, str]
) -> None:
    chosen = choose(source, container, bits)
    assert (chosen.container, chosen.subtype, chosen.extension) == expected


def test_impossible_encodings() -> None:
    with pytest.raises(UsageError, match="cannot hold"):
        choose(WAV16, "flac", "float")
