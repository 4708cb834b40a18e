"""The engine end to end with a model that multiplies: gains, sums, names, codes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from mutagen.flac import FLAC, Picture

import sepcli
from sepcli.audio.tags import read_tags
from sepcli.errors import OutputError, UsageError
from sepcli.separation import check as checking
from sepcli.separation.provenance import SIDECAR, read
from sepcli.separation.queries import text_query
from sepcli.separation.report import Report

Recording = Callable[..., Path]
Linear = Callable[..., Path]


def separate(inputs: object, *queries: str, **options: object) -> Report:
    return sepcli.separate(inputs, queries, progress=False, **options)  # type: ignore[arg-type]


def wave(path: str | Path) -> np.ndarray:
    return soundfile.read(path, always_2d=True)[0]


def test_stems_are_the_recording_times_the_gain(recording: Recording, linear: Linear) -> None:
    mix = recording(seconds=7.3)
    separate(mix, "a gain of 0.25", "a gain of -0.5", model=str(linear()), residual=True)
    quarter = wave("separated/mix.a-gain-of-0-25.wav")
    np.testing.assert_allclose(quarter, 0.25 * wave(mix), atol=1e-6)
    np.testing.assert_allclose(wave("separated/mix.a-gain-of-0-5.wav"), -0.5 * wave(mix), atol=1e-6)
    np.testing.assert_allclose(wave("separated/mix.residual.wav"), 1.25 * wave(mix), atol=1e-6)


def test_stems_and_residual_sum_to_a_float_recording(recording: Recording, linear: Linear) -> None:
    mix = recording()
    report = separate(mix, "a gain of 0.3", model=str(linear()), residual=True)
    total = wave("separated/mix.a-gain-of-0-3.wav") + wave("separated/mix.residual.wav")
    assert np.abs(total - wave(mix)).max() < 1e-7
    mismatch = report.files[str(mix)].mismatch_db
    assert mismatch is None or mismatch <= -100


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_integer_stems_sum_exactly(recording: Recording, linear: Linear, subtype: str) -> None:
    mix = recording(subtype=subtype)
    separate(mix, "a gain of 0.3", "a gain of 0.111", model=str(linear()), residual=True)
    stems = [wave(p) for p in Path("separated").iterdir()]
    np.testing.assert_array_equal(sum(stems), wave(mix))
    assert {soundfile.info(p).subtype for p in Path("separated").iterdir()} == {subtype}


def test_clipping_integer_stems_share_one_gain(recording: Recording, linear: Linear) -> None:
    mix = recording(subtype="PCM_16", peak=0.8)
    report = separate(mix, "a gain of 2", model=str(linear()), residual=True)
    gain = report.files[str(mix)].gain
    assert gain == pytest.approx(1 / 1.6, rel=1e-3)
    total = wave("separated/mix.a-gain-of-2.wav") + wave("separated/mix.residual.wav")
    np.testing.assert_allclose(total, gain * wave(mix), atol=2**-15)
    assert np.abs(wave("separated/mix.a-gain-of-2.wav")).max() <= 1 - 2**-15


def test_float_stems_may_exceed_full_scale(recording: Recording, linear: Linear) -> None:
    mix = recording(peak=0.8)
    report = separate(mix, "a gain of 2", model=str(linear()))
    assert report.files[str(mix)].gain == 1.0
    assert np.abs(wave("separated/mix.a-gain-of-2.wav")).max() > 1.5


@pytest.mark.parametrize("channels", [1, 2, 6])
@pytest.mark.parametrize("rate", [8000, 11025, 44100])
def test_rate_channels_and_length_are_kept(
    recording: Recording, linear: Linear, channels: int, rate: int
) -> None:
    mix = recording(seconds=3.21, rate=rate, channels=channels)
    separate(mix, "a gain of 0.5", model=str(linear()))
    info = soundfile.info("separated/mix.a-gain-of-0-5.wav")
    assert (info.samplerate, info.channels) == (rate, channels)
    assert info.frames == soundfile.info(mix).frames


@pytest.mark.parametrize("model_rate", [4000, 16000, 44100])
def test_models_of_a_fixed_rate(linear: Linear, model_rate: int) -> None:
    time = np.arange(24000) / 8000
    tone = np.sin(2 * np.pi * 440 * time).astype(np.float32)[:, None] * [0.5, -0.25]
    soundfile.write("tone.wav", tone, 8000, "FLOAT")
    separate("tone.wav", "a gain of 0.5", model=str(linear(sample_rate=model_rate)), residual=True)
    stem = wave("separated/tone.a-gain-of-0-5.wav")
    assert len(stem) == len(tone)
    np.testing.assert_allclose(stem[400:-400], 0.5 * tone[400:-400], atol=1e-3)
    total = stem + wave("separated/tone.residual.wav")
    assert np.abs(total - tone).max() < 1e-6


def test_mono_models_hear_every_channel(recording: Recording, linear: Linear) -> None:
    mix = recording(channels=3)
    separate(mix, "a gain of 0.5", model=str(linear(channels=1)))
    np.testing.assert_allclose(wave("separated/mix.a-gain-of-0-5.wav"), 0.5 * wave(mix), atol=1e-6)


def test_stereo_models_take_three_channels_in_pairs(recording: Recording, linear: Linear) -> None:
    mix = recording(channels=3)
    separate(mix, "a gain of 0.5", model=str(linear(channels=2)))
    np.testing.assert_allclose(wave("separated/mix.a-gain-of-0-5.wav"), 0.5 * wave(mix), atol=1e-6)


@pytest.mark.parametrize("samples", [1, 2, 100, 15999, 16000, 16001, 33333])
def test_any_length(noise: Callable[..., np.ndarray], linear: Linear, samples: int) -> None:
    soundfile.write("short.wav", noise(seconds=10)[:samples], 8000, "FLOAT")
    separate("short.wav", "a gain of 0.5", model=str(linear()))
    stem = wave("separated/short.a-gain-of-0-5.wav")
    np.testing.assert_allclose(stem, 0.5 * wave("short.wav"), atol=1e-6)


@pytest.mark.parametrize("batch", [1, 2, 3, 100])
def test_batch_size_changes_nothing(recording: Recording, linear: Linear, batch: int) -> None:
    mix = recording(seconds=9.7)
    separate(mix, "a gain of 0.5", model=str(linear()), batch_size=batch)
    assert max(linear.networks[-1].batches) == min(batch, 8)  # type: ignore[attr-defined]
    np.testing.assert_allclose(wave("separated/mix.a-gain-of-0-5.wav"), 0.5 * wave(mix), atol=1e-6)


def test_memory_is_given_back_step_by_step(recording: Recording, linear: Linear) -> None:
    mix = recording(seconds=9.7)
    model = linear(arguments={"most": 2 * 11_000})
    report = separate(mix, "a gain of 0.5", model=str(model), batch_size=4)
    notices = " ".join(report.files[str(mix)].notices)
    assert "batches of 2" in notices
    assert "batches of 1" in notices
    assert "windows of 1.0 s" in notices
    np.testing.assert_allclose(wave("separated/mix.a-gain-of-0-5.wav"), 0.5 * wave(mix), atol=1e-6)


def test_memory_may_run_out_for_good(recording: Recording, linear: Linear) -> None:
    mix, other = recording(), recording("other.wav")
    model = linear(arguments={"most": 10})
    report = separate([mix, other], "a gain of 0.5", model=str(model))
    assert report.exit_code == 4
    assert report.files[str(mix)].status == "failed"
    assert not list(Path("separated").iterdir())


def test_one_bad_file_does_not_stop_the_others(recording: Recording, linear: Linear) -> None:
    good, late = recording("good.wav"), recording("late.wav")
    Path("bad.wav").write_text("this is no audio")
    Path("empty.wav").touch()
    broken = recording("nan.wav")
    soundfile.write(broken, np.full((9000, 2), np.nan), 8000, "FLOAT")
    names = [good, "bad.wav", "empty.wav", "missing.wav", broken, late]
    report = separate(names, "a gain of 0.5", model=str(linear()))
    assert report.exit_code == 1
    assert {Path(p).name: f.status for p, f in report.files.items()} == {
        "good.wav": "done",
        "late.wav": "done",
        "bad.wav": "failed",
        "empty.wav": "failed",
        "missing.wav": "failed",
        "nan.wav": "failed",
    }
    assert "NaN" in str(report.files["nan.wav"].error)
    assert sorted(p.name for p in Path("separated").iterdir()) == [
        "good.a-gain-of-0-5.wav",
        "late.a-gain-of-0-5.wav",
    ]


def test_inverted_queries_give_everything_else(recording: Recording, linear: Linear) -> None:
    mix = recording()
    report = separate(mix, "everything except a gain of 0.25", model=str(linear()))
    (stem,) = report.files[str(mix)].outputs
    np.testing.assert_allclose(wave(stem["output"]), 0.75 * wave(mix), atol=1e-6)


def test_remove_gives_the_recording_without_the_queries(
    recording: Recording, linear: Linear
) -> None:
    mix = recording()
    separate(mix, "a gain of 0.25", "a gain of 0.5", model=str(linear()), remove=True)
    (stem,) = Path("separated").iterdir()
    assert stem.name == "mix.no-a-gain-of-0-25-and-a-gain-of-0-5.wav"
    np.testing.assert_allclose(wave(stem), 0.25 * wave(mix), atol=1e-6)


def test_competing_stems_sum_to_no_more_than_the_mixture(
    recording: Recording, linear: Linear
) -> None:
    mix = recording()
    queries = ("a gain of 0.9", "a gain of 0.6")
    separate(mix, *queries, model=str(linear()), compete=True, residual=True)
    np.testing.assert_allclose(wave("separated/mix.a-gain-of-0-9.wav"), 0.6 * wave(mix), atol=1e-5)
    assert np.abs(wave("separated/mix.residual.wav")).max() < 1e-5


def test_negatives_take_away(recording: Recording, linear: Linear) -> None:
    mix = recording()
    model = str(linear())
    separate(mix, "a gain of 0.8", model=model, negatives=("a gain of 0.25",))
    (stem,) = Path("separated").iterdir()
    np.testing.assert_allclose(wave(stem), 0.6 * wave(mix), atol=1e-5)


def test_examples_and_spans_are_queries(recording: Recording, linear: Linear) -> None:
    mix = recording(peak=0.5)
    recording("like.wav", peak=0.25, seconds=1)
    peak = float(np.abs(wave("like.wav")).max())
    query = sepcli.Query("like", None, (Path("like.wav"),))
    sepcli.separate(mix, query, model=str(linear()), progress=False)
    np.testing.assert_allclose(wave("separated/mix.like.wav"), peak * wave(mix), atol=1e-5)
    span = sepcli.Query("span", None, span=(1.0, 2.0))
    sepcli.separate(mix, span, model=str(linear()), progress=False)
    peak = float(np.abs(wave(mix)[8000:16000]).max())
    np.testing.assert_allclose(wave("separated/mix.span.wav"), peak * wave(mix), atol=1e-5)


def test_a_silent_example_is_refused(recording: Recording, linear: Linear) -> None:
    mix = recording()
    soundfile.write("hush.wav", np.zeros(800), 8000)
    query = sepcli.Query("like", None, (Path("hush.wav"),))
    report = sepcli.separate(mix, query, model=str(linear()), progress=False)
    assert report.exit_code == 1
    assert "no sound" in str(report.files[str(mix)].error)


def test_fixed_stems(recording: Recording, linear: Linear) -> None:
    mix = recording()
    model = str(linear(["speech", "music"]))
    separate(mix, model=model, residual=True)
    np.testing.assert_allclose(wave("separated/mix.speech.wav"), 0.25 * wave(mix), atol=1e-6)
    np.testing.assert_allclose(wave("separated/mix.music.wav"), 0.5 * wave(mix), atol=1e-6)
    np.testing.assert_allclose(wave("separated/mix.residual.wav"), 0.25 * wave(mix), atol=1e-6)
    separate(mix, model=model, stems=("music",), output="one", residual=True)
    assert sorted(p.name for p in Path("one").iterdir()) == ["mix.music.wav", "mix.residual.wav"]
    np.testing.assert_allclose(wave("one/mix.music.wav"), 0.5 * wave(mix), atol=1e-6)
    np.testing.assert_allclose(wave("one/mix.residual.wav"), 0.5 * wave(mix), atol=1e-6)
    separate(mix, model=model, stems=("speech",), output="less", remove=True)
    np.testing.assert_allclose(wave("less/mix.no-speech.wav"), 0.75 * wave(mix), atol=1e-6)
    Path("list.csv").write_text("path,query\nmix.wav,dog\n")
    with pytest.raises(UsageError, match="answers no queries"):
        separate("list.csv", model=model, output="none")


def test_absent_sounds_are_told_and_may_fail(recording: Recording, linear: Linear) -> None:
    mix = recording()
    query = "a gain of 0.5 with presence 0.1"
    report = separate(mix, query, model=str(linear()))
    file = report.files[str(mix)]
    assert file.outputs[0]["presence"] == pytest.approx(0.1)
    assert "seems not to be in this recording" in file.notices[0]
    report = separate(mix, query, model=str(linear()), require_presence=True, output="strict")
    assert report.exit_code == 1
    assert not list(Path("strict").iterdir())


def test_parts_of_a_recording(recording: Recording, linear: Linear) -> None:
    mix = recording(seconds=6)
    separate(mix, "a gain of 0.5", model=str(linear()), start=1.5, duration=2.25)
    stem = wave("separated/mix.a-gain-of-0-5.wav")
    np.testing.assert_allclose(stem, 0.5 * wave(mix)[12000:30000], atol=1e-6)


def test_tags_cover_and_origin_are_kept(noise: Callable[..., np.ndarray], linear: Linear) -> None:
    soundfile.write("song.flac", noise(seconds=1), 8000)
    song = FLAC("song.flac")
    song["title"], song["artist"] = "Rain", "The Weather"
    cover = Picture()
    cover.mime, cover.type, cover.data = "image/png", 3, b"a picture"
    song.add_picture(cover)
    song.save()
    separate("song.flac", "a gain of 0.5", model=str(linear()))
    tags = read_tags(Path("separated/song.a-gain-of-0-5.flac"))
    assert tags.text["artist"] == ["The Weather"]
    assert tags.text["title"] == ["Rain (a gain of 0.5)"]
    assert tags.pictures == (("image/png", b"a picture"),)
    origin = read(Path("separated/song.a-gain-of-0-5.flac"))
    assert origin is not None
    assert (origin["source"], origin["stem"]) == ("song.flac", "a gain of 0.5")


@pytest.mark.parametrize("container", ["wav", "flac", "aiff", "w64", "caf", "ogg", "mp3"])
def test_every_container_remembers_its_origin(
    recording: Recording, linear: Linear, container: str
) -> None:
    mix = recording(subtype="PCM_16", rate=32000, seconds=1)
    report = separate(mix, "a gain of 0.5", model=str(linear()), container=container)
    path = Path(report.files[str(mix)].outputs[0]["output"])
    assert path.suffix == f".{container}"
    origin = read(path)
    assert origin is not None
    assert origin["source"] == "mix.wav"
    assert path.with_name(path.name + SIDECAR).exists() == (container in ("w64", "caf"))
    again = separate(
        mix, "a gain of 0.5", model=str(linear()), container=container, skip_existing=True
    )
    assert again.totals["skipped"] == 1


def test_skip_existing_knows_what_changed(recording: Recording, linear: Linear) -> None:
    mix = recording()
    model = str(linear())

    def status(**options: object) -> str:
        given = {"model": model, "skip_existing": True, **options}
        report = separate(mix, "a gain of 0.5", **given)
        return report.files[str(mix)].status

    assert status() == "done"
    assert status() == "skipped"
    assert status(negatives=("a gain of 0.1",)) == "done"
    assert status() == "done"
    recording(seconds=4)
    assert status() == "done"
    assert status() == "skipped"
    Path("separated/mix.a-gain-of-0-5.wav").unlink()
    assert status() == "done"
    assert status(model=str(linear(windows={"length": 3.0}))) == "done"


def test_skip_existing_leaves_strangers_alone(recording: Recording, linear: Linear) -> None:
    mix = recording()
    stranger = recording("separated/mix.a-gain-of-0-5.wav", seconds=1)
    before = stranger.read_bytes()
    report = separate(mix, "a gain of 0.5", model=str(linear()), skip_existing=True)
    assert report.exit_code == 1
    assert stranger.read_bytes() == before


def test_outputs_are_checked_before_work(recording: Recording, linear: Linear) -> None:
    model = str(linear())
    recording("a/mix.wav")
    recording("b/mix.wav")
    with pytest.raises(UsageError, match="two stems would be written"):
        separate(["a/mix.wav", "b/mix.wav"], "a gain of 0.5", model=model)
    with pytest.raises(UsageError, match="two stems would be written"):
        separate("a/mix.wav", "a gain of 0.5", "a gain of 0.5!", model=model)
    template = "{parent}/{input}.{query}.{ext}"
    names = ["a/mix.wav", "b/mix.wav"]
    separate(names, "a gain of 0.5", model=model, template=template)
    assert Path("separated/b/mix.a-gain-of-0-5.wav").exists()
    with pytest.raises(UsageError, match="is there already"):
        separate(names, "a gain of 0.5", model=model, template=template)
    separate(names, "a gain of 0.5", model=model, template=template, overwrite=True)
    with pytest.raises(UsageError, match="would overwrite its input"):
        separate("a/mix.wav", "mix", model=model, output="a", template="{input}.{ext}")
    assert not linear.networks[-1].batches or len(linear.networks) == 2  # type: ignore[attr-defined]


def test_folders_keep_their_shape(recording: Recording, linear: Linear) -> None:
    recording("field/day/one.wav", seconds=1)
    recording("field/two.wav", seconds=1)
    Path("field/notes.txt").write_text("no audio")
    separate("field", "a gain of 0.5", model=str(linear()), recursive=True)
    found = sorted(str(p) for p in Path("separated").rglob("*.wav"))
    assert found == ["separated/day/one.a-gain-of-0-5.wav", "separated/two.a-gain-of-0-5.wav"]


def test_manifests_bring_their_own_queries(recording: Recording, linear: Linear) -> None:
    recording("a.wav", seconds=4)
    Path("list.csv").write_text("path,query,start,end\na.wav,a gain of 0.5,1,0:03\na.wav,,,\n")
    separate("list.csv", "a gain of 0.25", model=str(linear()))
    part = wave("separated/a.a-gain-of-0-5.wav")
    np.testing.assert_allclose(part, 0.5 * wave("a.wav")[8000:24000], atol=1e-6)
    whole = wave("separated/a.a-gain-of-0-25.wav")
    np.testing.assert_allclose(whole, 0.25 * wave("a.wav"), atol=1e-6)


def test_a_dry_run_writes_nothing(recording: Recording, linear: Linear) -> None:
    mix = recording()
    report = separate(mix, "a gain of 0.5", model=str(linear()), dry_run=True)
    assert report.outputs_planned == ["separated/mix.a-gain-of-0-5.wav"]
    assert not Path("separated").exists()
    assert not linear.networks  # type: ignore[attr-defined]


def test_a_full_disk_is_refused_before_work(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(checking.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match="the stems need about"):
        separate(recording(), "a gain of 0.5", model=str(linear()))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_fills_up_leaves_nothing(
    recording: Recording, linear: Linear, monkeypatch: pytest.MonkeyPatch
) -> None:
    mix, other = recording(), recording("other.wav")
    opened = soundfile.SoundFile

    class Full(opened):  # type: ignore[misc, valid-type]
        def write(self, data: np.ndarray) -> None:
            with Path("/dev/full").open("w") as file:
                file.write("x")

    monkeypatch.setattr("sepcli.audio.writer.soundfile.SoundFile", Full)
    report = separate([mix, other], "a gain of 0.5", model=str(linear()))
    assert report.exit_code == 5
    assert report.files[str(mix)].help == "free some space"
    assert not list(Path("separated").iterdir())
    assert str(other) not in report.files


@pytest.mark.skipif(os.name == "nt", reason="POSIX folders")
def test_an_output_folder_that_is_a_file(recording: Recording, linear: Linear) -> None:
    mix = recording()
    Path("separated").write_text("in the way")
    report = separate(mix, "a gain of 0.5", model=str(linear()))
    assert report.exit_code == 5


def test_an_input_that_goes_away_fails_alone(recording: Recording, linear: Linear) -> None:
    gone, there = recording("gone.wav"), recording("there.wav")
    options = sepcli.SeparateOptions(
        inputs=(str(gone), str(there)), queries=(text_query("a gain of 0.5"),), model=str(linear())
    )
    report = Report()
    for event in sepcli.stream(options):
        report.read(event)
        gone.unlink(missing_ok=True)  # from the first event on, the plan
    assert report.exit_code == 1
    assert "cannot read gone.wav" in str(report.files["gone.wav"].error)
    assert report.files["there.wav"].status == "done"


def test_leaving_early_leaves_nothing(recording: Recording, linear: Linear) -> None:
    mix = recording(seconds=20)
    options = sepcli.SeparateOptions(
        inputs=(str(mix),), queries=(text_query("a gain of 0.5"),), model=str(linear())
    )
    events = sepcli.stream(options)
    for event in events:
        if type(event).__name__ == "Progress":
            break
    assert [p.name for p in Path("separated").iterdir()] != []
    events.close()
    assert not list(Path("separated").iterdir())
