"""Mining: where something sounds, what it is, and what becomes of a recording."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sepcli.errors import UsageError
from sepcli.query.labels import wanted_labels
from sepcli.training.corpora.clip import percentile
from sepcli.training.corpora.manifest import read_manifest
from sepcli.training.corpora.mine import Failed, Harvest, Mined, mine, mine_recording
from sepcli.training.corpora.mine_activity import (
    Activity,
    Span,
    active_spans,
    cut_out,
    frame_levels,
    merged,
    pieces,
    threshold_db,
)
from sepcli.training.corpora.mine_judge import Criteria, Judge, Verdict, parts_of
from sepcli.training.ontology import Ontology

Wave = NDArray[np.float32]
RATE = 8000
NAMES = Ontology(
    groups={"low": "tone", "lower": "tone", "high": "whistle", "any": "anything"},
    phrases={name: (name,) for name in ("low", "lower", "high", "any")},
)
PITCH = {"low": 300.0, "lower": 200.0, "high": 1900.0}  # Hz


class Pitches:
    """A CLAP that hears how much energy is at each pitch: all about it is known."""

    dimension, scale, hears = len(PITCH), 10.0, True

    def texts(self, phrases: Sequence[str]) -> Tensor:
        return torch.eye(len(PITCH))[[list(PITCH).index(phrase) for phrase in phrases]]

    queries = texts

    def audio(self, wave: Tensor, rate: int) -> Tensor:
        time = torch.arange(wave.shape[-1]) / rate
        waves = [torch.exp(2j * torch.pi * f * time) for f in PITCH.values()]
        return F.normalize(torch.stack([(wave * w).sum(-1).abs() for w in waves], dim=-1), dim=-1)

    def to(self, device: torch.device) -> Pitches:
        return self


class Halver:
    """A separator that keeps a known share of the amplitude, by the pitch it is asked for."""

    def __init__(self, gains: Sequence[float], rate: int | None = None) -> None:
        self.gains, self.rate = torch.tensor(gains), rate
        self.encoder = self
        self.heard: list[tuple[tuple[int, ...], int]] = []

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        return Pitches().texts(texts)

    def rate_for(self, rate: int) -> int:
        return self.rate or rate

    def network(self, mixture: Tensor, queries: Tensor, rate: int) -> tuple[Tensor, None]:
        self.heard.append((tuple(mixture.shape), rate))
        return mixture[:, None] * (queries @ self.gains)[:, None, None], None


def tone(label: str, seconds: float, peak: float = 0.3, rate: int = RATE) -> Wave:
    time = np.arange(round(seconds * rate)) / rate
    return (peak * np.sin(2 * np.pi * PITCH[label] * time)).astype(np.float32)


def silence(seconds: float, rate: int = RATE) -> Wave:
    return np.zeros(round(seconds * rate), np.float32)


def judge(*labels: str, separator: Halver | None = None, **criteria: float) -> Judge:
    return Judge(labels or tuple(PITCH), Pitches(), NAMES, Criteria(**criteria), separator)  # type: ignore[arg-type]


# Where something sounds


def test_levels_are_mean_powers_of_20_ms_over_all_channels() -> None:
    wave = np.zeros((400, 2), np.float32)
    wave[:160] = 0.5, 0.1
    blocks = [wave[:130], wave[130:133], wave[133:]]
    levels = frame_levels(blocks, RATE)
    wanted = 10 * np.log10((0.5**2 + 0.1**2) / 2)
    assert levels == pytest.approx([wanted, -100.0, -100.0], abs=1e-4)
    assert len(frame_levels([], RATE)) == 0


def test_the_threshold_stands_above_the_quietest_tenth() -> None:
    levels = np.array([-50.0] * 20 + [-20.0] * 80, np.float32)
    assert threshold_db(levels, 12.0) == pytest.approx(-38.0)


def test_a_recording_without_pauses_is_active_unless_it_is_silent() -> None:
    assert threshold_db(np.full(100, -20.0, np.float32), 10.0) == -60.0
    assert active_spans(np.full(100, -20.0, np.float32), Activity()) == [Span(0.0, 2.0)]
    assert active_spans(np.full(100, -70.0, np.float32), Activity()) == []
    assert active_spans(np.zeros(0, np.float32), Activity()) == []


def test_events_are_found_widened_and_short_ones_left_out() -> None:
    levels = np.full(300, -70.0, np.float32)
    levels[50:100] = -20  # 1 s to 2 s
    levels[112:150] = -20  # a pause of 0.24 s: the same event
    levels[163:180] = -20  # a pause of 0.26 s, and 0.34 s long: too short
    levels[250:300] = -20
    found = active_spans(levels, Activity())
    times = [t for span in found for t in (span.start, span.end)]
    assert times == pytest.approx([0.96, 3.04, 4.96, 6.0])


def test_long_events_are_cut_into_equal_pieces() -> None:
    assert pieces(Span(1.0, 11.0), 5.0) == [Span(1.0, 6.0), Span(6.0, 11.0)]
    assert [span.seconds for span in pieces(Span(0.0, 9.0), 4.0)] == [3.0, 3.0, 3.0]
    assert pieces(Span(0.0, 4.0), 5.0) == [Span(0.0, 4.0)]
    levels = np.full(300, -20.0, np.float32)
    assert len(active_spans(levels, Activity(max_seconds=2.5))) == 3


def test_pauses_are_measured_between_neighbours() -> None:
    spans = [Span(0, 1), Span(1.2, 2), Span(2.3, 3)]
    assert merged(spans, 0.25) == [Span(0, 2), Span(2.3, 3)]
    assert merged([], 0.25) == []


def test_an_activity_whose_pieces_would_be_too_short_is_refused() -> None:
    with pytest.raises(UsageError, match=r"2 to 3 s"):
        Activity(min_seconds=2.0, max_seconds=3.0)


@pytest.mark.parametrize("size", [7, 100, 1000])
def test_spans_are_cut_out_of_any_blocks(size: int) -> None:
    wave = np.arange(1000, dtype=np.float32)[:, None]
    blocks = [wave[a : a + size] for a in range(0, 1000, size)]
    spans = [Span(0.5, 1.0), Span(1.0, 3.0), Span(9.0, 10.2), Span(10.5, 11.0)]
    cut = list(cut_out(blocks, spans, 100))
    assert [span for span, _ in cut] == spans[:3]
    for (_, part), (a, b) in zip(cut, [(50, 100), (100, 300), (900, 1000)], strict=True):
        assert np.array_equal(part[:, 0], np.arange(a, b))


def test_cutting_ends_with_the_last_span() -> None:
    def endless() -> object:
        while True:
            yield np.ones((10, 1), np.float32)

    assert len(list(cut_out(endless(), [Span(0.0, 0.5)], 100))) == 1  # type: ignore[arg-type]
    assert list(cut_out([], [Span(0.0, 0.5)], 100)) == []


# What it is


def test_label_rival_and_their_odds() -> None:
    wave = tone("low", 2.0) + tone("high", 2.0, peak=0.1)
    verdict = judge().verdict(wave, RATE)
    cosine = 3 / np.sqrt(10)  # amplitudes 3 and 1
    assert (verdict.label, verdict.rival) == ("low", "high")
    assert verdict.agreement == pytest.approx(cosine, abs=1e-3)
    assert verdict.margin == pytest.approx(10 * (3 - 1) / np.sqrt(10), abs=1e-2)
    assert verdict.stability == 1.0
    assert verdict.share is None


def test_an_alike_label_is_no_rival() -> None:
    verdict = judge("low", "lower").verdict(tone("low", 1.0) + tone("lower", 1.0, 0.2), RATE)
    assert (verdict.rival, verdict.margin) == ("", None)
    assert Criteria().objection(verdict) == ""


def test_stability_is_the_share_of_parts_that_agree() -> None:
    wave = np.concatenate([tone("low", 1.5), tone("lower", 1.0), tone("high", 1.5, 0.2)])
    verdict = judge(agreement=0.0, margin=0.0).verdict(wave, RATE)
    # Parts begin every half second; those from 2.5 s on are "high", that from 2 s is half each.
    assert verdict.label == "low"
    assert verdict.stability == pytest.approx(5 / 7)


def test_parts_overlap_by_half_and_end_with_the_segment() -> None:
    segment = torch.arange(25)
    assert [part[0].item() for part in parts_of(segment, 10)] == [0, 5, 10, 15]
    assert all(len(part) == 10 for part in parts_of(segment, 10))
    assert [part[0].item() for part in parts_of(segment[:23], 10)] == [0, 5, 10, 13]
    assert [len(part) for part in parts_of(segment[:7], 10)] == [7]


def test_the_separator_is_asked_for_the_label_alone() -> None:
    halver = Halver([0.5, 0.1, 0.9])
    verdict = judge(separator=halver).verdict(tone("low", 1.0), RATE)
    assert verdict.share == pytest.approx(0.25, rel=1e-5)
    assert halver.heard == [((1, 1, RATE), RATE)]
    assert Criteria().objection(verdict) == "share"


def test_the_separator_hears_its_own_rate() -> None:
    halver = Halver([1.0, 1.0, 1.0], rate=4000)
    verdict = judge(separator=halver).verdict(tone("low", 1.0), RATE)
    assert halver.heard == [((1, 1, 4000), 4000)]
    assert verdict.share == pytest.approx(1.0, abs=1e-5)


def test_what_fails_early_is_not_looked_at_further() -> None:
    halver = Halver([1.0, 1.0, 1.0])
    both = tone("low", 1.0) + tone("high", 1.0)
    assert judge(margin=5.0, separator=halver).verdict(both, RATE).stability is None
    turns = np.concatenate([tone("low", 1.5), tone("high", 1.4)])
    unsteady = judge(agreement=0.0, margin=0.0, separator=halver).verdict(turns, RATE)
    assert unsteady.stability is not None
    assert unsteady.stability < 0.75
    assert unsteady.share is None
    assert halver.heard == []


def test_the_first_criterion_missed_is_named() -> None:
    good = Verdict("low", "high", 0.5, 1.0, 0.75, 0.9)
    assert Criteria().objection(good) == ""
    for name, value in (("agreement", 0.44), ("margin", 0.9), ("stability", 0.7), ("share", 0.89)):
        assert Criteria().objection(replace(good, **{name: value})) == name  # type: ignore[arg-type]


def test_labels_that_mean_nothing_single_are_refused() -> None:
    with pytest.raises(UsageError, match="any may mean any sound"):
        judge("low", "any")
    with pytest.raises(UsageError, match="no labels"):
        Judge((), Pitches(), NAMES, Criteria())


# Recordings


@pytest.fixture
def field(tmp_path: Path) -> Path:
    """A low tone, a high one on the left only, both at once, and a pause before each."""
    parts = [
        *(silence(1.0), tone("low", 1.5), silence(1.0), tone("high", 2.0), silence(1.0)),
        *(tone("low", 1.0) + tone("high", 1.0), silence(0.5)),
    ]
    wave = np.concatenate(parts)
    left_only = np.stack([wave, wave], axis=1)
    left_only[round(3.5 * RATE) : round(5.5 * RATE), 1] = 0
    path = tmp_path / "field.wav"
    soundfile.write(path, left_only, RATE, "FLOAT")
    return path


def test_a_recording_gives_its_single_sounds(field: Path) -> None:
    found = mine_recording(field, judge(margin=5.0), Activity())
    assert found.seconds == pytest.approx(8.0, abs=0.02)
    assert [missed for _, _, missed in found.judged] == ["", "", "margin"]
    assert [verdict.label for _, verdict in found.kept] == ["low", "high"]
    times = [t for span, _ in found.kept for t in (span.start, span.end)]
    assert times == pytest.approx([0.96, 2.54, 3.46, 5.54])


def test_clips_of_a_recording_are_of_one_split_which_its_content_decides(
    field: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.wav"
    copy.write_bytes(field.read_bytes())
    for path in (field, copy):
        mined = mine_recording(path, judge(margin=5.0), Activity())
        clips = [clip for clip, _ in mined.clips("CC0")]
        assert len(mined.origin) == 16
        assert {clip.origin for clip in clips} == {mined.origin}
        validates = percentile(mined.origin) < 10
        assert {clip.split for clip in clips} == {"validation" if validates else "train"}
        assert all(clip.ship for clip in clips)
    assert not any(clip.ship for clip, _ in mined.clips("unknown"))
    late = replace(mined, origin=next(f"{n}" for n in range(999) if percentile(f"{n}") == 10))
    early = replace(mined, origin=next(f"{n}" for n in range(999) if percentile(f"{n}") == 9))
    assert {clip.split for clip, _ in late.clips("CC0")} == {"train"}
    assert {clip.split for clip, _ in early.clips("CC0")} == {"validation"}


def test_bad_recordings_do_not_end_the_search(field: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.wav"
    broken.write_bytes(b"no audio")
    harvest = Harvest()
    for outcome in mine([broken, field, tmp_path / "none.wav"], judge(margin=5.0), Activity()):
        harvest.add(outcome)
    assert [type(o) for o in harvest.mined + harvest.failed] == [Mined, Failed, Failed]
    summary = harvest.summary()
    assert [row["path"] for row in summary["failed"]] == [str(broken), str(tmp_path / "none.wav")]
    assert (summary["segments"], summary["kept"], summary["recordings"]) == (3, 2, 1)
    assert summary["kept_seconds"] == pytest.approx(3.7, abs=0.05)
    assert summary["missed"] == {"margin": 1}
    assert summary["labels"] == {"low": 1, "high": 1}


def test_the_manifest_can_be_trained_on_and_the_scores_are_beside_it(
    field: Path, tmp_path: Path
) -> None:
    harvest = Harvest()
    harvest.add(mine_recording(field, judge(margin=5.0), Activity()))
    path = tmp_path / "lists/mined.jsonl"
    harvest.write(path, "CC-BY-4.0")
    clips = list(read_manifest(path))
    assert [clip.labels for clip in clips] == [("low",), ("high",)]
    assert clips[0].path.resolve() == field.resolve()
    assert (clips[1].start, clips[1].duration) == (3.46, 2.08)
    assert clips[0].licence == "CC-BY-4.0"
    lines = path.with_suffix(".scores.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert rows[1]["path"] == "../field.wav"
    assert (rows[1]["start"], rows[1]["label"], rows[1]["stability"]) == (3.46, "high", 1.0)
    assert rows[0]["share"] is None


def test_a_recording_of_silence_gives_nothing(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "x.wav", silence(2.0), RATE)
    assert mine_recording(tmp_path / "x.wav", judge(), Activity()).judged == ()


def test_memory_does_not_grow_with_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No block or segment is longer than a segment may be, whatever the length."""
    longest: list[int] = []
    real = np.concatenate

    def watched(parts: Sequence[Wave], *args: object, **rest: object) -> Wave:
        whole: Wave = real(parts, *args, **rest)  # type: ignore[call-overload]
        if whole.ndim == 2:
            longest.append(len(whole))
        return whole

    wave = real([silence(20.0), tone("low", 30.0), silence(10.0)])
    soundfile.write(tmp_path / "long.wav", wave, RATE)
    monkeypatch.setattr(np, "concatenate", watched)
    found = mine_recording(tmp_path / "long.wav", judge(), Activity())
    assert len(found.kept) == 7
    assert max(longest) < 7 * 32_000


# Labels


def test_labels_come_from_a_line_and_a_file(tmp_path: Path) -> None:
    listed = tmp_path / "labels.txt"
    listed.write_text("rain\n\n dog \nwind\n")
    assert wanted_labels("dog, cat,", listed) == ("dog", "cat", "rain", "wind")


@pytest.mark.parametrize("column", ["display_name", "label"])
def test_labels_come_from_a_column(tmp_path: Path, column: str) -> None:
    listed = tmp_path / "labels.csv"
    listed.write_text(f"id,{column}\n1,dog\n2,\n3,rain\n")
    assert wanted_labels("", listed) == ("dog", "rain")


def test_lists_that_say_nothing_are_refused(tmp_path: Path) -> None:
    listed = tmp_path / "labels.csv"
    listed.write_text("id,name\n1,dog\n")
    with pytest.raises(UsageError, match="no column"):
        wanted_labels("", listed)
    with pytest.raises(UsageError, match="cannot read"):
        wanted_labels("", tmp_path / "none.txt")
    with pytest.raises(UsageError, match="no labels"):
        wanted_labels(" , ", None)


def test_only_recordings_are_mined(recording: Callable[..., Path]) -> None:
    from sepcli.training.corpora.mine_plan import recordings_of

    path = recording("a.wav", 0.1)
    assert recordings_of([str(path), "*.wav"], False, Path("out.jsonl")) == [path]
    for inputs, output, message in (
        (["-"], "out.jsonl", "- cannot be mined"),
        (["list.csv"], "out.jsonl", "cannot be mined"),
        (["a.wav"], "out.txt", "no manifest"),
        (["*.flac"], "out.jsonl", "nothing matches"),
    ):
        with pytest.raises(UsageError, match=message):
            recordings_of(inputs, False, Path(output))
    Path("d.jsonl").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        recordings_of([str(path)], False, Path("d.jsonl"))
