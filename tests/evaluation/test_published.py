"""CSV files as others publish them."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from sepcli.errors import UsageError
from sepcli.evaluation.published import canonical, read_published

MOISES = ",track_id,stem,sdr\n0,02ee37da,drums,12.5\n1,33b1d4e9,drums,9.25\n2,02ee37da,bass,-1.5\n"
ORACLES = ",track_id,method,stem,sdr\n0,02ee,IBM,bass,5.5\n1,02ee,IRM,bass,7.5\n"
DNR = (
    "snr/audio/speech,snr/audio/music,sisnr/audio/speech,sisnr/audio/music,file,train_lang\n"
    "14.5,13.75,14.25,13.5,000815,multi\n13.25,5.5,13,,000045,multi\n"
)
MUSEVAL = (
    "time,target,metric,score,track\n"
    "0,vocals,SDR,1,A - B\n1,vocals,SDR,,A - B\n2,vocals,SDR,4,A - B\n3,vocals,SDR,5,A - B\n"
    "0,vocals,SIR,inf,A - B\n"
)


def write(text: str) -> Path:
    path = Path("published.csv")
    path.write_text(text, encoding="utf-8")
    return path


def read(text: str, **options: str) -> dict[tuple[str, str], dict[str, float]]:
    rows = read_published(write(text), **options)
    assert [(row.item, row.stem) for row in rows] == sorted((row.item, row.stem) for row in rows)
    assert {row.system for row in rows} == {"estimate"}
    return {(row.item, row.stem): dict(row.scores) for row in rows}


def test_one_line_per_track_and_stem() -> None:
    assert read(MOISES) == {
        ("02ee37da", "bass"): {"sdr": -1.5},
        ("02ee37da", "drums"): {"sdr": 12.5},
        ("33b1d4e9", "drums"): {"sdr": 9.25},
    }


def test_one_line_per_track() -> None:
    rows = read(DNR)
    assert rows["000815", "speech"] == {"sdr": 14.5, "si_snr": 14.25}
    assert rows["000815", "music"] == {"sdr": 13.75, "si_snr": 13.5}
    assert math.isnan(rows["000045", "music"]["si_snr"])
    assert len(rows) == 4


def test_one_line_per_figure_and_frame() -> None:
    assert read(MUSEVAL) == {("A - B", "vocals"): {"sdr_v4": 4, "sir_v4": math.inf}}


def test_one_line_per_figure() -> None:
    text = "track;target;metric;score\na;bass;SI-SDR;3.5\na;bass;SDR;2\n"
    assert read(text) == {("a", "bass"): {"si_sdr": 3.5, "sdr": 2}}


def test_one_column_per_stem() -> None:
    text = "Track\tvocals\tdrums\na\t1\t2\n"
    assert read(text, metric="SDR") == {("a", "drums"): {"sdr": 2}, ("a", "vocals"): {"sdr": 1}}
    with pytest.raises(UsageError, match="figures of vocals are; its columns are Track, vocals"):
        read(text)


def test_one_column_per_metric_of_a_single_stem() -> None:
    assert read("item,si_sdri,note\na,1,loud\n") == {("a", ""): {"si_sdri": 1}}


def test_several_methods() -> None:
    assert read(ORACLES, method="IRM") == {("02ee", "bass"): {"sdr": 7.5}}
    with pytest.raises(UsageError, match="several methods: IBM, IRM") as caught:
        read(ORACLES)
    assert "#IBM" in caught.value.remedy
    with pytest.raises(UsageError, match="no method MWF"):
        read(ORACLES, method="MWF")
    with pytest.raises(UsageError, match="no method IRM"):
        read(MOISES, method="IRM")


def test_a_byte_order_mark_and_quoted_names() -> None:
    assert read('\ufefftrack,stem,sdr\n"a, ""b""\nc",bass,1\n') == {
        ('a, "b"\nc', "bass"): {"sdr": 1}
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no figures"),
        ("track,stem,sdr\n", "no figures"),
        ("name,stem,sdr\na,bass,1\n", "no column names the track; its columns are name, stem, sdr"),
        ("track,stem,sdr\na,bass\n", "line 2: not as many cells"),
        ("track,stem,sdr\na,bass,1,2\n", "line 2: not as many cells"),
        ("track,stem,sdr\na,bass,1\nb,bass,high\n", "line 3: 'high' is no number"),
        ("track,stem,genre\na,bass,rock\n", "no column holds figures"),
        ("track,stem,sdr\na,bass,1\na,bass,2\n", "several figures for a bass"),
        ('track,stem,sdr\na,"bass,1\n', "no readable CSV"),
    ],
)
def test_what_cannot_be_understood(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read(text)


def test_no_text() -> None:
    Path("figures.csv").write_bytes(b"track,sdr\n\xff\xfe,1\n")
    for name in ("figures.csv", "missing.csv"):
        with pytest.raises(UsageError, match="no readable CSV"):
            read_published(Path(name))


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("SDR", "sdr"),
        ("SI-SDRi", "si_sdri"),
        ("sisnr", "si_snr"),
        ("uSDR", "sdr"),
        ("PESQ", "pesq"),
    ],
)
def test_names_of_metrics(theirs: str, ours: str) -> None:
    assert canonical(theirs) == ours
