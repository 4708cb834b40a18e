"""What may go wrong around a network: memory, disks, clocks, names, tags."""

from __future__ import annotations

import errno
import itertools
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.apev2 import APEv2
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TXXX

import sepcli
from sepcli.audio import tags as tagging
from sepcli.audio.tags import Tags, read_tags, write_tags
from sepcli.errors import OutputError, UsageError, is_memory
from sepcli.separation import engine, provenance
from sepcli.separation import run as running
from sepcli.separation.provenance import SIDECAR
from sepcli.separation.report import Report, check_report

Recording = Callable[..., Path]
Linear = Callable[..., Path]
Call = Callable[..., object]

QUERY = "a gain of 0.5"
STEM = Path("separated/mix.a-gain-of-0-5.wav")


def separate(inputs: object, **options: object) -> Report:
    return sepcli.separate(inputs, QUERY, progress=False, **options)  # type: ignore[arg-type]


def wave(path: str | Path) -> np.ndarray:
    return soundfile.read(os.fsencode(path), always_2d=True)[0]


def raising(error: Exception) -> Call:
    def call(*_: object, **__: object) -> object:
        raise error

    return call


def test_a_cut_recording_is_separated_with_a_warning(recording: Recording, linear: Linear) -> None:
    mix = recording(seconds=4)
    mix.write_bytes(mix.read_bytes()[: mix.stat().st_size // 2])
    report = separate(mix, model=str(linear()))
    assert report.exit_code == 0
    (notice,) = report.files["mix.wav"].notices
    assert "but its header promises 4.00 s" in notice
    np.testing.assert_allclose(wave(STEM), 0.5 * wave(mix), atol=1e-6)
    report = separate(mix, model=str(linear()), duration=1.0, output="part")
    assert report.files["mix.wav"].notices == []


def test_one_absurd_header_does_not_stop_the_others(recording: Recording, linear: Linear) -> None:
    good, flac = recording(), Path("long.flac")
    soundfile.write(flac, wave(good), 8000)
    content = flac.read_bytes()
    flac.write_bytes(content[:21] + bytes([content[21] | 0x0F]) + b"\xff" * 4 + content[26:])
    report = separate([flac, good], model=str(linear()))
    assert report.files[str(good)].status == "done"


def test_memory_outside_the_network_leads_to_shorter_windows(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    mix = recording(seconds=9)
    complete, longest = engine.complete, 40_000

    def greedy(mixture: np.ndarray, *others: object) -> object:
        if len(mixture) > longest:
            raise MemoryError
        return complete(mixture, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(engine, "complete", greedy)
    report = separate(mix, model=str(linear(windows={"length": 8.0})))
    assert report.exit_code == 0
    notices = report.files["mix.wav"].notices
    assert notices == ["out of memory: again, with windows of 4.0 s"]
    np.testing.assert_allclose(wave(STEM), 0.5 * wave(mix), atol=1e-6)
    again = separate(mix, model=str(linear(windows={"length": 8.0})), skip_existing=True)
    assert again.totals["skipped"] == 1


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't start new thread")])
def test_memory_that_is_never_enough(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    mix, other = recording(), recording("other.wav")
    monkeypatch.setattr(engine, "complete", raising(error))
    report = separate([mix, other], model=str(linear()))
    assert report.exit_code == 4
    assert report.files["mix.wav"].error == "mix.wav: out of memory"
    assert "other.wav" not in report.files
    assert not list(Path("separated").iterdir())


def test_other_errors_are_no_want_of_memory(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_memory(RuntimeError("shapes do not fit"))
    monkeypatch.setattr(engine, "complete", raising(RuntimeError("shapes do not fit")))
    with pytest.raises(RuntimeError, match="shapes"):
        separate(recording(), model=str(linear()))


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.EDQUOT, "free some space"),
        (errno.EROFS, "choose another -o folder"),
    ],
)
def test_a_disk_that_is_full_when_tags_are_written(
    recording: Recording,
    linear: Linear,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
    remedy: str,
) -> None:
    error = OSError(code, os.strerror(code))
    monkeypatch.setattr(tagging.WAVE, "save", raising(tagging.mutagen.MutagenError(error)))
    report = separate(recording(), model=str(linear()))
    assert report.exit_code == 5
    assert report.files["mix.wav"].help == remedy
    assert not list(Path("separated").iterdir())


def test_a_note_beside_a_stem_never_speaks_for_an_older_one(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    mix, model = recording(), str(linear())
    stem = Path("separated/mix.a-gain-of-0-5.w64")
    separate(mix, model=model, container="w64")
    assert stem.with_name(stem.name + SIDECAR).is_file()
    with monkeypatch.context() as patch:  # as a kill does, between the note and the stem
        patch.setattr(running.StemWriter, "commit", raising(OutputError("killed", "go on")))
        separate(mix, model=model, container="w64", negatives=("a gain of 0.1",), overwrite=True)
    again = {"container": "w64", "negatives": ("a gain of 0.1",), "skip_existing": True}
    assert separate(mix, model=model, **again).files["mix.wav"].status == "done"
    assert separate(mix, model=model, **again).files["mix.wav"].status == "skipped"


def test_a_disk_that_is_full_when_a_note_is_written(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(provenance, "written_whole", raising(full))
    report = separate(recording(), model=str(linear()), container="caf")
    assert report.exit_code == 5
    assert not list(Path("separated").iterdir())


def test_clocks_may_jump(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, asked = time.time(), itertools.count()
    monkeypatch.setattr(time, "time", lambda: now - 86_400 * next(asked))
    report = separate(recording(), model=str(linear()))
    took = report.files["mix.wav"].took
    assert took is not None
    assert 0 <= took < 600
    assert 0 <= report.totals["took"] < 600


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text(recording: Recording, linear: Linear) -> None:
    odd = os.fsdecode(b"caf\xe9.wav")
    mix = wave(recording())
    Path("mix.wav").rename(odd)
    report = separate(odd, model=str(linear()), residual=True)
    report.write(Path("report.json"), sepcli.SeparateOptions((odd,)))
    assert "caf\\udce9.wav" in Path("report.json").read_text()
    stem = Path(report.files[odd].outputs[0]["output"])
    np.testing.assert_allclose(wave(stem), 0.5 * mix, atol=1e-6)
    note = provenance.read(stem)
    assert note is not None
    assert note["source"] == odd


def test_long_names_are_cut_and_stay_apart(recording: Recording, linear: Linear) -> None:
    names = ["x" * 250 + end + ".wav" for end in "ab"]
    for name in names:
        recording(name, seconds=1)
    report = separate(names, model=str(linear()))
    assert report.exit_code == 0
    assert len({p.name for p in Path("separated").iterdir()}) == 2


@pytest.mark.parametrize("options", [{"output": "x" * 300}, {"output": "/".join(["x" * 100] * 50)}])
def test_paths_that_are_too_long(
    recording: Recording, linear: Linear, options: dict[str, str]
) -> None:
    with pytest.raises(OutputError, match="File name too long") as caught:
        separate(recording(), model=str(linear()), **options)
    assert "shorter" in caught.value.remedy
    with pytest.raises(UsageError, match="names of more than"):
        separate("mix.wav", model=str(linear()), template="{input}" + "x" * 240)


def test_reports_that_cannot_be() -> None:
    with pytest.raises(OutputError, match="File name too long"):
        check_report(Path("x" * 300))
    with pytest.raises(UsageError, match="is a folder"):
        check_report(Path())
    check_report(None)


def test_a_report_leaves_nothing_half_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "replace", raising(OSError(errno.ENOSPC, "No space left")))
    with pytest.raises(OutputError, match="No space left"):
        Report().write(Path("report.json"), sepcli.SeparateOptions(("a",)))
    assert not list(Path().iterdir())


def test_a_wav_that_is_called_mp3_gives_stems_called_wav(
    noise: Callable[..., np.ndarray], linear: Linear
) -> None:
    soundfile.write("mix.mp3", noise(), 8000, "PCM_16", format="WAV")
    separate("mix.mp3", model=str(linear()))
    assert soundfile.info(STEM).subtype == "PCM_16"


@pytest.fixture
def song(noise: Callable[..., np.ndarray]) -> Path:
    soundfile.write("song.mp3", noise(seconds=1), 8000)
    return Path("song.mp3")


def test_tags_that_a_container_does_not_take_are_left_out(
    song: Path, noise: Callable[..., np.ndarray]
) -> None:
    ID3().save(song)
    given = ID3(song)
    given.add(TXXX(encoding=3, desc="ключ=1", text=["a"]))
    given.add(TXXX(encoding=3, desc="good", text=["half \udce9".replace("\udce9", "")]))
    given.save(song)
    soundfile.write("stem.flac", noise(), 8000)
    tags = read_tags(song)
    huge = Tags({**tags.text, "odd": ["caf\udce9"]}, (("image/png", bytes(1 << 24)),))
    assert write_tags(Path("stem.flac"), huge, {"key": "\udce9"})
    stem = FLAC("stem.flac")
    assert stem["good"] == ["half "]
    assert stem["odd"] == ["caf\\udce9"]
    assert not stem.pictures
    assert json.loads(stem["sepcli"][0]) == {"key": "\udce9"}


def test_tags_of_kinds_that_nobody_reads(song: Path) -> None:
    ape = APEv2()
    ape["artist"] = "x"
    ape.save("song.mp3")
    assert isinstance(read_tags(song), Tags)
    song.rename("song.wv")
    assert read_tags(Path("song.wv")) == Tags()


def test_tags_that_raise_anything(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tagging.mutagen, "File", raising(AttributeError("as_dict")))
    assert read_tags(song) == Tags()
