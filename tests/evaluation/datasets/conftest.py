"""Small data sets of noise, laid out as the real ones are."""

from __future__ import annotations

import csv
import json
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import yaml
from numpy.typing import NDArray
from stem_mp4 import write_stem_mp4

Wave = NDArray[np.float64]
Build = Callable[[Path], object]

SUBTYPES = {".flac": "PCM_24", ".ogg": "VORBIS"}
UUID = "0a1b2c3d-0000-4000-8000-00000000000{}"


def noise(name: str, samples: int, channels: int = 1, level: float = 0.2) -> Wave:
    """(samples, channels), different for every name, exact in 16 bits."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return np.round(level * rng.uniform(-1, 1, (samples, channels)) * 2**15) / 2**15


def write(path: Path, rate: int, wave: Wave) -> Wave:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, wave, rate, SUBTYPES.get(path.suffix, "DOUBLE"))
    return wave


def scene(
    paths: dict[str, Path], mixture: str, rate: int, channels: int = 1, samples: int = 0
) -> None:
    """Files of noise, and one that is their sum."""
    shape = (samples or rate // 50, channels)
    stems = [
        write(path, rate, noise(path.as_posix(), *shape))
        for name, path in paths.items()
        if name != mixture
    ]
    write(paths[mixture], rate, np.sum(stems, axis=0))


def write_csv(path: Path, rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)


def musdb18(root: Path) -> None:
    for track in ("test/Band - Song", "train/Band - First", "train/Leaf - Summerghost"):
        write_stem_mp4(root / f"{track}.stem.mp4")


def musdb18hq(root: Path) -> None:
    for track in ("test/A - Two", "test/A - One", "train/B - First", "train/ANiMAL - Rockshow"):
        names = ("mixture", "drums", "bass", "other", "vocals")
        scene({x: root / track / f"{x}.wav" for x in names}, "mixture", 44_100, 2)


def moisesdb(root: Path) -> None:
    stems = {"vocals": ("v1", "v2"), "drums": ("d",), "guitar": ("g",), "wind": ("w",)}
    for number in (1, 2):
        folder = root / "moisesdb_v0.1" / UUID.format(number)
        rows: list[dict[str, object]] = []
        for stem, tracks in stems.items():
            listed = [{"id": x, "extension": "wav", "trackType": "any"} for x in tracks]
            rows.append({"stemName": stem, "tracks": listed})
            for place, track in enumerate(tracks):
                path = folder / stem / f"{track}.wav"
                write(path, 44_100, noise(path.as_posix(), 900 + 10 * place, 2))
        about = {"song": "A Song", "artist": "Somebody", "genre": "rock", "stems": rows}
        (folder / "data.json").write_text(json.dumps(about))


def slakh(root: Path) -> None:
    classes = {"S00": "Bass", "S01": "Guitar", "S02": "Guitar", "S03": "Drums"}
    for track in ("test/Track01877", "train/Track00001"):
        folder = root / track
        paths = {name: folder / f"stems/{name}.flac" for name in classes if name != "S03"}
        scene({**paths, "mix": folder / "mix.flac"}, "mix", 44_100)
        stems = {
            name: {"inst_class": label, "audio_rendered": name != "S03"}
            for name, label in classes.items()
        }
        (folder / "metadata.yaml").write_text(yaml.safe_dump({"stems": stems}))


def dnr2(root: Path) -> None:
    for folder in ("tt/1002", "tt/0999", "cv/77"):
        names = ("mix", "speech", "music", "sfx")
        scene({x: root / folder / f"{x}.wav" for x in names}, "mix", 44_100)


def dnr3(root: Path) -> None:
    for folder in ("eng/test/000000", "fra/test/000000", "eng/val/000007"):
        names = ("mixture", "speech", "music", "sfx")
        scene({x: root / "audio" / folder / f"{x}.wav" for x in names}, "mixture", 48_000)


def speakers(root: Path, name: str, roles: dict[str, tuple[str, ...]], rate: int) -> None:
    """Files of one name in the folders `mixture -> what it is the sum of`."""
    for role in {x for row in roles.values() for x in row}:
        path = root / role / f"{name}.wav"
        write(path, rate, noise(path.as_posix(), rate // 20))
    for mixture, row in roles.items():
        parts = [soundfile.read(root / role / f"{name}.wav")[0] for role in row]
        write(root / mixture / f"{name}.wav", rate, np.sum(parts, axis=0))


def librimix(root: Path) -> None:
    roles = {
        "mix_clean": ("s1", "s2"),
        "mix_both": ("s1", "s2", "noise"),
        "mix_single": ("s1", "noise"),
    }
    for split in ("test", "train-100"):
        for name in ("4077-13754-0001_5142-33396-0065", "1089-134686-0000_121-127105-0031"):
            speakers(root / "wav8k/min" / split, name, roles, 8000)
            speakers(root / "wav16k/max" / split, name, roles, 16_000)


def wham(root: Path) -> None:
    clean, noisy = ("s1", "s2"), ("s1", "s2", "noise")
    roles = {"mix_clean": clean, "mix_both": noisy, "mix_single": ("s1", "noise")}
    speakers(root / "wav8k/min/tt", "050a0501_1.7783_442o030z_-1.7783", roles, 8000)


def wsj0_2mix(root: Path) -> None:
    for split in ("tt", "cv"):
        place = root / "wav8k/min" / split
        speakers(place, "050a0501_1.7783_442o030z_-1.7783", {"mix": ("s1", "s2")}, 8000)


def lrs2_2mix(root: Path) -> None:
    name = "6330311066473698535_00011_0.51722_6338422919914637990_00018_-0.51722"
    speakers(root / "tt", name, {"mix": ("s1", "s2")}, 16_000)


def echoset(root: Path) -> None:
    for folder in ("room1/0", "room1/1"):
        names = {"mix": "mix", "s1": "spk1_reverb", "s2": "spk2_reverb"}
        paths = {x: root / f"test/{folder}/{name}.wav" for x, name in names.items()}
        scene(paths, "mix", 16_000)


def pack(root: Path, name: str, header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    for row in rows:
        target, mixture = (root / f"{kind}-{row[0]}.wav" for kind in ("segment", "mixture"))
        scene({"t": target, "n": root / "others" / target.name, "m": mixture}, "m", 32_000)
    write_csv(root / f"{name}_eval.csv", [header, *rows])


NUMBERED = ("idx", "caption", "src_wav", "noise_wav")


def audiosep_audiocaps(root: Path) -> None:
    header = ("idx", "caption", "labels", "src_wav", "noise_wav")
    rows = [(0, "a dog barks, twice", "Dog", "x", "y"), (1, "rain falls", "Rain", "x", "y")]
    pack(root, "audiocaps", header, rows)


def audiosep_clotho(root: Path) -> None:
    header = ("idx", "caption", "src_wav", "noise_wav1", "noise_wav1")
    pack(root, "clotho", header, [(0, "a machine whines", "x", "y", "z")])


def audiosep_music(root: Path) -> None:
    pack(root, "music", NUMBERED, [(0, "accordion", "x", "y"), (1, "cello", "x", "y")])


def audiosep_esc50(root: Path) -> None:
    pack(root, "esc50", NUMBERED, [(0, "dog", "x", "y"), (1, "chirping birds", "x", "y")])


def audiosep_vggsound(root: Path) -> None:
    rows = []
    for name in ("b_000001+++c_000002", "a_000001+++c_000002"):
        paths = {x: root / f"data/{x}_wav/{name}.wav" for x in ("mix", "s0", "s1")}
        scene(paths, "mix", 32_000)
        mixture, *sources = (paths[x].relative_to(root).as_posix() for x in ("mix", "s0", "s1"))
        rows.append((name, mixture, sources[0], f"{name[0]}, humming", sources[1], "hail"))
    header = ("file_id", "mix_wav", "s0_wav", "s0_text", "s1_wav", "s1_text")
    write_csv(root / "vggsound_eval.csv", [header, *rows])


def audiosep_audioset(root: Path) -> None:
    rows = []
    for number, label in ((0, "Speech"), (1, "Male speech, man speaking")):
        stem = f"class_id={number}/class_id={number},index=000"
        paths = {x: root / f"{stem},{x}.wav" for x in ("source", "mixture")}
        scene({**paths, "noise": root / f"noises/{number}.wav"}, "mixture", 32_000)
        below = "evaluation/data/audioset"
        rows.append((number, label, f"{below}/{stem},source.wav", f"{below}/{stem},mixture.wav"))
    write_csv(root / "audioset_eval.csv", [NUMBERED, *rows])


def dcase2024_t9(root: Path) -> None:
    levels = {"quiet": 0.1, "loud": 0.9, "hum": 0.3}
    for name, level in levels.items():
        write(root / f"lass_validation/{name}.wav", 16_000, noise(name, 1600, 1, level))
    rows = [("quiet", "hum", 5, "a quiet sound"), ("loud", "hum", -15, "a loud sound, clipped")]
    write_csv(
        root / "lass_synthetic_validation.csv", [("source", "noise", "snr", "caption"), *rows]
    )


def music(root: Path) -> None:
    rows = []
    for instrument, seconds in (("acoustic_guitar", 12), ("cello", 9), ("tuba", 3)):
        path = root / f"audio/{instrument}/clip.wav"
        write(path, 16_000, noise(instrument, 16_000 * seconds, 1, 1.0))
        rows.append((f"/{instrument}/clip.wav", f"/{instrument}/clip.mp4", seconds))
    write_csv(root / "annotations/test.csv", rows)


def vggsound(root: Path) -> None:
    rows = []
    for name, label in (("a_000001", "dog barking"), ("b_000010", "cattle bovinae cowbell")):
        write(root / f"audio/{name}.wav", 16_000, noise(name, 160_000))
        rows.append((f"data/vggsound/audio/{name}.wav", label))
    write_csv(root / "annotations/test.csv", rows)
    write_csv(root / "annotations/test_sep_2.csv", [(rows[0][0], rows[1][0])])


def audiocaps(root: Path) -> None:
    header = ("audiocap_id", "youtube_id", "start_time", "caption")
    for split, video in (("test", "a"), ("val", "b")):
        rows = [(f"{split}{n}", f"{video}{n}", 30, f"sound {video}, {n}") for n in range(2)]
        write_csv(root / f"annotations/{split}.csv", [header, *rows])
        for _, name, start, _ in rows:
            write(root / f"audio/{name}_{start}.wav", 16_000, noise(name, 160_001))


def hive_rows() -> list[dict[str, Any]]:
    """Rows in the flat form, out of order."""
    return [
        {
            "mix_id": f"sample_{number:08}",
            "split": "test",
            "sample_rate": 44_100,
            "target_duration": 0.1,
            "num_sources": 2,
            "sources": [
                {
                    "source_id": f"s{place}",
                    "path": f"corpus/{label.lower()}.wav",
                    "label": label,
                    "crop_start_second": 0.01 * place,
                    "crop_end_second": 0.01 * place + 0.1,
                    "chunk_start_second": 0.5,
                    "chunk_end_second": 0.7,
                    "rms_gain": 2.0,
                    "snr_db": snr,
                    "applied_weight": 2.0 * 10 ** (snr / 20),
                }
                for place, (label, snr) in enumerate([("Ocean", 0.0), ("Dog", -6.0)], 1)
            ],
            "global_normalization_factor": 0.75,
            "final_max_amplitude": 0.95,
        }
        for number in (3, 1)
    ]


def hive(root: Path) -> None:
    write(root / "audio/corpus/ocean.wav", 44_100, noise("ocean", 44_100, 2))
    write(root / "audio/corpus/dog.wav", 44_100, noise("dog", 44_100))
    (root / "test").mkdir()
    text = "".join(json.dumps(row) + "\n" for row in hive_rows())
    (root / "test/data.jsonl").write_text(text)


CATEGORIES = ("dog", "rooster", "hen", "rain", "sea_waves", "chainsaw")


def esc50(root: Path) -> None:
    rows = []
    for number, category in enumerate(CATEGORIES):
        for take in "AB":
            name = f"1-{100 + number}{take}-A-{number}.wav"
            write(root / "audio" / name, 44_100, noise(name, 4410))
            ten = "True" if category in ("dog", "rooster", "rain", "chainsaw") else "False"
            rows.append((name, 1, number, category, ten, f"{100 + number}{take}", "A"))
    header = ("filename", "fold", "target", "category", "esc10", "src_file", "take")
    write_csv(root / "meta/esc50.csv", [header, *rows])


def esc10(root: Path) -> None:
    rows = []
    for number, label in enumerate(("dog bark", "rooster", "rain", "sea waves")):
        name = f"1-{number}-A.wav"
        write(root / name, 44_100, noise(name, 4410))
        rows.append((name, label, 1, number, "someone", "CC0", "a title"))
    header = ("file", "label", "fold", "freesound_id", "author", "licence", "title")
    write_csv(root / "manifest.csv", [header, *rows])


def folder(root: Path) -> None:
    scene({x: root / f"b song/{x}.wav" for x in ("vocals", "rest", "mixture")}, "mixture", 8000, 2)
    write(root / "a song/vocals.flac", 8000, noise("v", 800))
    write(root / "a song/rest.wav", 8000, noise("r", 800))


def manifest(root: Path) -> None:
    folder(root)
    lines = [
        {
            "item": "z",
            "mixture": "b song/mixture.wav",
            "references": {"vocals": "b song/vocals.wav"},
            "queries": {"vocals": "a woman sings"},
            "facts": {"genre": "folk", "year": 1999},
        },
        {"item": "all", "references": {"song": ["a song/vocals.flac", "a song/rest.wav"]}},
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (root / "manifest.jsonl").write_text(text)


TREES: dict[str, Build] = {
    build.__name__.replace("_", "-"): build
    for build in (
        musdb18,
        musdb18hq,
        moisesdb,
        slakh,
        dnr2,
        dnr3,
        librimix,
        wham,
        wsj0_2mix,
        lrs2_2mix,
        echoset,
        audiosep_audioset,
        audiosep_vggsound,
        audiosep_audiocaps,
        audiosep_clotho,
        audiosep_music,
        audiosep_esc50,
        dcase2024_t9,
        music,
        vggsound,
        audiocaps,
        hive,
        esc10,
        esc50,
        folder,
        manifest,
    )
}


@pytest.fixture
def tree(tmp_path: Path) -> Callable[[str], Path]:
    """Makes the folder of a data set of the catalogue, as small as can be."""

    def make(name: str) -> Path:
        root = tmp_path / "tree"
        root.mkdir()
        TREES[name](root)
        return root

    return make


@pytest.fixture(scope="session")
def forest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """All data sets at once; not to be changed."""
    above = tmp_path_factory.mktemp("forest")
    for number, build in enumerate(TREES.values()):
        (above / str(number)).mkdir()
        build(above / str(number))
    return {name: above / str(number) for number, name in enumerate(TREES)}
