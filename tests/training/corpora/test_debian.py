"""Sounds from packages: real packages, real programs, no network.

The packages are built here. `apt-get` is a stand-in that copies them from a folder, pip finds its
wheel in one, and dpkg-deb is Debian's.
"""

from __future__ import annotations

import csv
import errno
import gzip
import hashlib
import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from sepcli.errors import ItemError, OutputError, UsageError
from sepcli.training.corpora import debian, packaged, packages
from sepcli.training.corpora.clip import package_split
from sepcli.training.corpora.debian import prepare_debian_sounds
from sepcli.training.corpora.licences import select
from sepcli.training.corpora.packaged import read_table
from sepcli.training.corpora.readers.package_sounds import read_sounds

pytestmark = pytest.mark.skipif(
    not shutil.which("dpkg-deb"), reason="needs dpkg-deb, which all of Debian has"
)

APT = """#!/bin/sh
echo "$3" >> {pool}/asked
if grep -q "^$3$" {pool}/full 2>/dev/null; then
    echo "E: Write error - write (28: No space left on device)" >&2; exit 100
fi
cp {pool}/$3_*.deb . 2>/dev/null && exit 0
echo "Reading package lists..."
echo "E: Unable to locate package $3" >&2
exit 100
"""
COLUMNS = ("file", "label", "split", "package", "path", "licence", "ship", "seconds", "start")


def tone(hertz: float, seconds: float, rate: int, channels: int = 1) -> NDArray[np.float64]:
    """A tone of half full scale in the first channel, silence in the others."""
    wave = np.zeros((round(seconds * rate), channels))
    wave[:, 0] = 0.5 * np.sin(2 * np.pi * hertz * np.arange(len(wave)) / rate)
    return wave


def build_deb(pool: Path, name: str, files: dict[str, Path], version: str = "1.0-1") -> None:
    """A package with these files, and a symbolic link."""
    tree = pool / f"tree-{name}"
    shutil.rmtree(tree, ignore_errors=True)
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: A <a@example.org>\nDescription: sounds\n"
    )
    for inside, source in files.items():
        (tree / inside).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, tree / inside)
    (tree / "usr/link.wav").symlink_to("/etc/hostname")
    for old in pool.glob(f"{name}_*.deb"):
        old.unlink()
    command = [
        "dpkg-deb",
        "--root-owner-group",
        "--build",
        tree,
        pool / f"{name}_{version}_all.deb",
    ]
    subprocess.run(command, check=True, capture_output=True)


def build_wheel(pool: Path, files: dict[str, Path]) -> None:
    """A wheel `some_sounds`, version 2.0."""
    about = "some_sounds-2.0.dist-info"
    with zipfile.ZipFile(pool / "some_sounds-2.0-py3-none-any.whl", "w") as wheel:
        for inside, source in files.items():
            wheel.write(source, inside)
        wheel.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: some-sounds\nVersion: 2.0\n"
        )
        wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{about}/RECORD", "")


class Shelf:
    """Packages to fetch, and the table of what is in them."""

    def __init__(self, root: Path) -> None:
        self.pool, self.raw, self.root = root / "pool", root / "raw", root / "corpus"
        self.pool.mkdir()
        self.raw.mkdir()
        self.table: list[dict[str, str]] = []
        self._contents: dict[str, dict[str, Path]] = {}

    def add(self, package: str, path: str, source: Path, **facts: str) -> str:
        """A sound of a package, in an archive if `path` says so; returns the clip's file."""
        file = f"tones/{package}__{len(self.table):04}.ogg"
        content = source.read_bytes()
        row = {
            "file": file,
            "label": "whistle",
            "split": package_split(package),
            "package": package,
            "path": path,
            "licence": "CC0-1.0",
            "ship": "yes",
            "seconds": "1.000",
            "start": "",
            "sha256": hashlib.sha256(content).hexdigest()[:16],
        }
        self.table.append(row | facts)
        outer, _, member = path.partition("!/")
        if member:
            archive = self.raw / f"{len(self.table)}.zip"
            with zipfile.ZipFile(archive, "w") as file_:
                file_.write(source, member)
            source = archive
        self._contents.setdefault(package, {})[outer] = source
        return file

    def build(self, version: str = "1.0-1") -> None:
        """Write the packages and the table."""
        for package, files in self._contents.items():
            if package.startswith("pypi_"):
                build_wheel(self.pool, files)
            else:
                build_deb(self.pool, package, files, version)
        with gzip.open(self.pool / "table.csv.gz", "wt", newline="") as file:
            writer = csv.DictWriter(file, [*COLUMNS, "sha256"])
            writer.writeheader()
            writer.writerows(self.table)

    def prepare(self, **choice: Any) -> Any:
        return prepare_debian_sounds(self.root, **choice)

    def asked(self) -> list[str]:
        """Packages that apt-get was asked for so far."""
        log = self.pool / "asked"
        return log.read_text().split() if log.exists() else []

    def wave(self, name: str, wave: NDArray[np.float64], rate: int) -> Path:
        soundfile.write(self.raw / name, wave, rate)
        return self.raw / name


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    shelf = Shelf(tmp_path)
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    (bin_ / "apt-get").write_text(APT.format(pool=shelf.pool))
    (bin_ / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:/usr/bin:/bin")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(shelf.pool))
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setattr(debian, "read_table", lambda: read_table(shelf.pool / "table.csv.gz"))
    return shelf


def strongest(wave: NDArray[np.float64], rate: int) -> float:
    """Frequency of the strongest component, Hz."""
    return float(np.abs(np.fft.rfft(wave)).argmax() * rate / len(wave))


def test_sounds_are_cut_as_the_corpus_was(shelf: Shelf) -> None:
    stereo = shelf.wave("stereo.wav", tone(1000, 1, 44_100, channels=2), 44_100)
    low = shelf.wave("low.flac", tone(500, 1, 11_025), 11_025)
    parts = [tone(hertz, 10, 8000) for hertz in (300, 700, 1100)]
    long = shelf.wave("long.wav", np.concatenate(parts), 8000)
    files = [
        shelf.add("tones", "usr/share/a b.wav", stereo),
        shelf.add("tones", "usr/share/data.pk3!/deep/low.flac", low),
        shelf.add("tones", "usr/share/long.wav", long, seconds="20.000", start="2.500"),
    ]
    shelf.build()
    rebuilt = shelf.prepare()
    assert rebuilt.counts == {"same": 3}
    assert rebuilt.complete
    assert not list(rebuilt.troubles())

    wave, rate = soundfile.read(shelf.root / files[0])
    assert (wave.shape, rate) == ((32_000,), 32_000)
    expected = resample_poly(tone(1000, 1, 44_100)[:, 0] / 2, 320, 441)  # the mean with silence
    assert np.corrcoef(wave, expected)[0, 1] > 0.99
    assert wave[4000:-4000].std() == pytest.approx(0.25 / np.sqrt(2), rel=0.02)
    wave, rate = soundfile.read(shelf.root / files[1])
    assert (wave.shape, rate) == ((11_025,), 11_025)
    assert strongest(wave, rate) == pytest.approx(500, abs=2)
    wave, rate = soundfile.read(shelf.root / files[2])
    assert (len(wave), rate) == (160_000, 8000)
    seconds = wave.reshape(-1, 4000)  # half seconds of the part from 2.5 to 22.5 s
    heard = [round(strongest(second, 8000), -2) for second in seconds]
    assert heard == [300.0] * 15 + [700.0] * 20 + [1100.0] * 5


def test_wheels_and_telephone_codecs(shelf: Shelf) -> None:
    path = shelf.raw / "speech.g722"
    with av.open(str(path), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=16_000, layout="mono")
        samples = np.round(tone(440, 1, 16_000).T * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate = 16_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    telephone = shelf.add("voices", "usr/share/speech.g722", path)
    mew = shelf.wave("mew.wav", tone(600, 1, 22_050), 22_050)
    wheeled = shelf.add("pypi_some_sounds", "some_sounds/mew.wav", mew)
    shelf.build()
    rebuilt = shelf.prepare()
    assert rebuilt.counts == {"same": 2}
    assert {outcome.version for outcome in rebuilt.outcomes.values()} == {"1.0-1", "2.0"}
    assert shelf.asked() == ["voices"]
    wave, rate = soundfile.read(shelf.root / telephone)
    assert (len(wave), rate) == (16_000, 16_000)
    assert strongest(wave, rate) == pytest.approx(440, abs=2)
    wave, rate = soundfile.read(shelf.root / wheeled)
    assert (len(wave), rate) == (22_050, 22_050)


def test_the_result_is_a_corpus(shelf: Shelf) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    file = shelf.add("tones", "usr/a.wav", source, licence="GPL-2", ship="no", label="horn")
    shelf.add("tones", "usr/b.wav", source)
    shelf.build()
    shelf.prepare()
    clip, other = read_sounds(shelf.root)
    assert clip.path == shelf.root / file
    assert (clip.label, clip.origin, clip.licence, clip.ship) == ("horn", "tones", "GPL-2", False)
    assert other.ship
    with (shelf.root / "manifest.csv").open() as table:
        assert next(csv.DictReader(table))["source"] == "tones/usr/a.wav"
    left = {path.name for path in shelf.root.iterdir()}
    assert left == {"tones", "manifest.csv", "prepared.json"}


def test_other_versions_are_noticed(shelf: Shelf) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    silent = shelf.wave("silent.wav", np.zeros((8000, 1)), 8000)
    noise = shelf.raw / "noise.wav"
    noise.write_bytes(b"not a sound")
    files = [
        shelf.add("tones", "usr/same.wav", source),
        shelf.add("tones", "usr/changed.wav", source, sha256="0123456789abcdef"),
        shelf.add("tones", "usr/broken.wav", noise),
        shelf.add("tones", "usr/silent.wav", silent),
        shelf.add("tones", "usr/link.wav.gone", source),
        shelf.add("tones", "usr/data.pk3!/a.wav", source),
    ]
    shelf.table[4]["path"] = "usr/link.wav"  # the package's symbolic link leads elsewhere
    shelf.table[5]["path"] = "usr/data.pk3!/b.wav"
    shelf.build(version="1:9~a-2")
    for _ in range(2):  # what was found out is remembered
        rebuilt = shelf.prepare()
        states = {file: rebuilt.outcomes[file].state for file in files}
        expected = ["same", "changed", "broken", "broken", "missing", "missing"]
        assert list(states.values()) == expected
        assert rebuilt.counts == {"same": 1, "changed": 1, "broken": 2, "missing": 2}
        assert not rebuilt.complete
        assert len(list(rebuilt.troubles())) == 5
        assert f"{files[1]}: changed in version" in next(rebuilt.troubles())
    assert shelf.asked() == ["tones"]
    assert [clip.path for clip in read_sounds(shelf.root)] == [shelf.root / f for f in files[:2]]
    assert not (shelf.root / files[2]).exists()


def test_only_what_is_not_there_is_fetched(shelf: Shelf) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    first = shelf.add("first", "usr/a.wav", source)
    second = shelf.add("second", "usr/a.wav", source)
    other = shelf.add("second", "usr/b.wav", source)
    shelf.build()
    told: list[str] = []
    assert shelf.prepare(packages=["second"], told=told.append).counts == {"same": 2}
    assert shelf.prepare(told=told.append).counts == {"same": 3}
    assert told == shelf.asked() == ["second", "first"]
    stamps = {file: (shelf.root / file).stat().st_mtime_ns for file in (first, other)}
    (shelf.root / second).unlink()
    assert shelf.prepare().complete
    assert shelf.asked() == ["second", "first", "second"]
    assert {file: (shelf.root / file).stat().st_mtime_ns for file in stamps} == stamps
    assert len(list(read_sounds(shelf.root))) == 3


def test_packages_that_are_not_to_be_had_are_listed(shelf: Shelf) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    for package in ("damaged", "gone", "here", "halved", "pypi_nowhere"):
        shelf.add(package, "usr/a.wav", source)
    shelf.build()
    (shelf.pool / "gone_1.0-1_all.deb").unlink()
    (shelf.pool / "damaged_1.0-1_all.deb").write_bytes(b"no package")
    whole = (shelf.pool / "halved_1.0-1_all.deb").read_bytes()
    (shelf.pool / "halved_1.0-1_all.deb").write_bytes(whole[:-300])
    rebuilt = shelf.prepare()
    assert rebuilt.counts == {"same": 1, "unfetched": 4}
    assert list(rebuilt.unfetched) == ["damaged", "gone", "halved", "pypi_nowhere"]
    reason = "cannot fetch gone: E: Unable to locate package gone"
    assert rebuilt.unfetched["gone"] == reason
    assert "damaged package damaged_1.0-1_all.deb" in rebuilt.unfetched["damaged"]
    assert "damaged package" in rebuilt.unfetched["halved"]
    assert "nowhere" in rebuilt.unfetched["pypi_nowhere"]
    assert list(rebuilt.troubles()) == list(rebuilt.unfetched.values())
    build_deb(shelf.pool, "gone", {"usr/a.wav": source})
    assert shelf.prepare(packages=["gone", "here"]).complete  # a later run tries again


def test_packages_that_break_off_at_a_files_end_are_noticed(shelf: Shelf, tmp_path: Path) -> None:
    """All that was unpacked reads well; only dpkg-deb knows that more should have come."""
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    shelf.add("tones", "usr/a.wav", source)
    shelf.build()
    (tmp_path / "bin/dpkg-deb").write_text('#!/bin/sh\n/usr/bin/dpkg-deb "$@"\nexit 2\n')
    (tmp_path / "bin/dpkg-deb").chmod(0o755)
    assert shelf.prepare().unfetched == {"tones": "damaged package tones_1.0-1_all.deb"}


def test_archives_inside_cannot_write_elsewhere(shelf: Shelf, tmp_path: Path) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    file = shelf.add("tones", "usr/data.pk3!/../../../../evil.wav", source)
    shelf.build()
    assert shelf.prepare().complete
    assert (shelf.root / file).exists()
    assert not list(tmp_path.rglob("evil*"))


def test_licences_and_packages_choose(shelf: Shelf) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    shelf.add("free", "usr/a.wav", source)
    shelf.add("alike", "usr/a.wav", source, licence="CC-BY-SA-3.0")
    shelf.add("gnu", "usr/a.wav", source, licence="GPL-2", ship="no")
    shelf.build()
    assert set(shelf.prepare(licences="permissive").outcomes) == {"tones/free__0000.ogg"}
    assert len(shelf.prepare(licences="shippable").outcomes) == 2
    assert shelf.asked() == ["free", "alike"]
    with pytest.raises(UsageError, match=r"no package gnuu .*did you mean gnu\?"):
        shelf.prepare(packages=["gnuu"])
    with pytest.raises(UsageError, match="no sound is left"):
        shelf.prepare(packages=["gnu"], licences="shippable")
    with pytest.raises(UsageError, match="there is no licence MITT"):
        shelf.prepare(licences=["MITT"])


@pytest.mark.parametrize("missing", ["apt-get", "dpkg-deb"])
def test_without_apt_only_wheels_come(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    shelf.add("tones", "usr/a.wav", source)
    shelf.add("pypi_some_sounds", "some_sounds/a.wav", source)
    shelf.build()
    monkeypatch.setattr(packages.shutil, "which", lambda name: None if name == missing else name)
    with pytest.raises(UsageError, match=f"{missing} is not installed") as caught:
        shelf.prepare()
    assert "Debian" in caught.value.remedy
    assert shelf.prepare(packages=["pypi_some_sounds"]).complete


def test_full_disks_stop_the_run(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    shelf.add("tones", "usr/a.wav", source)
    shelf.build()
    (shelf.pool / "full").write_text("tones\n")
    with pytest.raises(OutputError, match="no space left") as caught:
        shelf.prepare()
    assert caught.value.exit_code == 5
    (shelf.pool / "full").unlink()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(packages.shutil, "copyfileobj", full)
        with pytest.raises(OutputError, match="No space left") as caught:
            shelf.prepare()
    assert caught.value.remedy == "free some space"
    assert list(shelf.root.iterdir()) == []
    assert shelf.prepare().complete


def test_folders_that_cannot_be_written_are_named(shelf: Shelf) -> None:
    source = shelf.wave("a.wav", tone(600, 1, 8000), 8000)
    shelf.add("tones", "usr/a.wav", source)
    shelf.build()
    shelf.root.write_text("a file")
    with pytest.raises(OutputError, match="cannot write"):
        shelf.prepare()


@pytest.mark.parametrize("record", ["{", "[]", '{"a": {"state": "same"}}', '{"a": 1}'])
def test_broken_records_are_named(shelf: Shelf, record: str) -> None:
    shelf.add("tones", "usr/a.wav", shelf.wave("a.wav", tone(600, 1, 8000), 8000))
    shelf.build()
    shelf.root.mkdir()
    (shelf.root / "prepared.json").write_text(record)
    with pytest.raises(UsageError, match=r"cannot read .*prepared\.json"):
        shelf.prepare()


def test_apt_that_brings_nothing_has_failed(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "bin/apt-get").write_text("#!/bin/sh\n")
    with pytest.raises(ItemError, match="cannot fetch tones: nothing was downloaded"):
        packages.fetch("tones", shelf.raw)


def test_the_committed_table() -> None:
    """180 min of 4,390 clips, of which 124 ship, as the model card says."""
    table = read_table()
    assert len(table) == len({row.file for row in table}) == 4390
    assert len({row.package for row in table}) == 67
    seconds = {
        ship: sum(row.seconds for row in table if row.ship is ship) for ship in (True, False)
    }
    assert seconds[True] / 60 == pytest.approx(124, abs=1)
    assert sum(seconds.values()) / 60 == pytest.approx(180, abs=1)
    assert packaged.TABLE.stat().st_size < 300_000
    for row in table:
        assert row.split == package_split(row.package)
        assert Path(row.file).name.startswith(f"{row.package}__")
        assert len(row.sha256) == 16
        assert int(row.sha256, 16) >= 0
        assert 0 < row.seconds <= 20
        assert row.start is None or row.seconds == 20
        assert not row.path.startswith(("/", "."))
    clips = [row.clip(Path("x")) for row in table]
    assert {clip.path for clip in select(clips, "shippable")} == {
        Path("x") / row.file for row in table if row.ship
    }


def test_the_table_has_the_test_that_ships() -> None:
    manifest = Path(debian.__file__).parents[2] / "evaluation/manifests/package-disjoint.jsonl"
    lines = map(json.loads, manifest.read_text().splitlines())
    tested = {file for line in lines for file in line["files"]}
    rows = {row.file: row for row in read_table()}
    assert tested <= set(rows)
    assert {rows[file].split for file in tested} == {"test"}
