"""Archives written here byte by byte, as their formats say, and read back."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from sepcli.errors import ItemError
from sepcli.training.corpora.archives.c4group import descrambled
from sepcli.training.corpora.archives.members import read_members

Tree = Mapping[str, "bytes | Tree"]

SOUND = b"RIFF\x04\0\0\0WAVE"
TREE: Tree = {"a.wav": SOUND, "Deep.ocg": {"b.ogg": b"OggS b", "Deeper.ocg": {"c": b"c" * 999}}}
FLAT = {"a.wav": SOUND, "Deep.ocg/b.ogg": b"OggS b", "Deep.ocg/Deeper.ocg/c": b"c" * 999}


def group(tree: Tree) -> bytes:
    """A Clonk group, not yet compressed."""
    table, contents = b"", b""
    for name, entry in tree.items():
        content = entry if isinstance(entry, bytes) else group(entry)
        is_group = not isinstance(entry, bytes)
        fields = struct.pack("<5i", 0, is_group, len(content), 0, len(contents))
        table += (name.encode().ljust(260, b"\0") + fields).ljust(316, b"\0")
        contents += content
    header = b"RedWolf Design GrpFolder".ljust(28, b"\0") + struct.pack("<3i", 1, 2, len(tree))
    return descrambled(header.ljust(204, b"\0")) + table + contents


def c4group(tree: Tree = TREE) -> bytes:
    return b"\x1e\x8c" + gzip.compress(group(tree))[2:]


def sample_cat(newer: bool = True) -> bytes:
    """Two sounds; the first has a long name, both are followed by words that belong to neither."""
    bodies = [b"\x05name\0" + SOUND + b"said", b"\0" + SOUND + b"\x01\x02"]
    table, at = b"", 8 * len(bodies)
    for body in bodies:
        table += struct.pack("<II", at | (newer << 31), len(body))
        at += len(body)
    return table + b"".join(bodies)


def qt_resource(version: int = 3, flags: int = 0) -> bytes:
    """/deep/ü.ogg and /a.wav; the content of the first as the flags say."""
    dated = b"\0" * 8 if version >= 2 else b""

    def node(name: int, kind: int, first: int, second: int) -> bytes:
        return struct.pack(">IHII", name, kind, first, second) + dated

    def blob(content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + content

    names, places = b"", {}
    for name in ("deep", "ü.ogg", "a.wav"):
        places[name] = len(names)
        text = name.encode("utf-16-be")
        names += struct.pack(">HI", len(name), 0xABCD) + text
    content = b"OggS u" * 20
    packed = struct.pack(">I", len(content)) + zlib.compress(content) if flags == 1 else content
    contents = blob(SOUND) + blob(packed)
    tree = node(0, 2, 2, 1)  # the root's two children begin at node 1
    tree += node(places["deep"], 2, 1, 3) + node(places["a.wav"], 0, 0, 0)
    tree += node(places["ü.ogg"], flags, 0, len(blob(SOUND)))
    start = 24 if version >= 3 else 20
    places_of = (start, start + len(tree), start + len(tree) + len(contents))
    return (
        struct.pack(">4s4I", b"qres", version, *places_of).ljust(start, b"\0")
        + tree
        + contents
        + names
    )


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("suffix", [".ocg", ".ocd", ".OCF"])
def test_groups_in_groups(tmp_path: Path, suffix: str) -> None:
    path = written(tmp_path / f"a{suffix}", c4group())
    assert dict(read_members(path, set(FLAT))) == FLAT
    assert dict(read_members(path, {"Deep.ocg/b.ogg", "Deep.ocg"})) == {"Deep.ocg/b.ogg": b"OggS b"}


def test_scrambling_is_as_clonk_does_it() -> None:
    """The first bytes of a group file as Debian ships it, openclonk-data's Sound.ocg."""
    assert descrambled(b"\x89\x88\xbf\x81") == b"Red" + bytes([0x81 ^ 0xED])
    assert descrambled(descrambled(bytes(range(204)))) == bytes(range(204))


@pytest.mark.parametrize("newer", [True, False])
def test_sound_sets(tmp_path: Path, newer: bool) -> None:
    path = written(tmp_path / "a.cat", sample_cat(newer))
    assert list(read_members(path, {"0", "1", "2"})) == [("0", SOUND), ("1", SOUND)]
    assert list(read_members(path, {"1"})) == [("1", SOUND)]


@pytest.mark.parametrize(("version", "flags"), [(1, 0), (2, 0), (3, 0), (3, 1)])
def test_qt_resources(tmp_path: Path, version: int, flags: int) -> None:
    path = written(tmp_path / "a.rcc", qt_resource(version, flags))
    found = dict(read_members(path, {"a.wav", "deep/ü.ogg", "deep"}))
    assert found == {"a.wav": SOUND, "deep/ü.ogg": b"OggS u" * 20}


@pytest.mark.parametrize("suffix", [".zip", ".pk3", ".whl"])
def test_zip_files(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a{suffix}"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("b/a.wav", "../../a.wav"):
            file.writestr(name, SOUND)
    assert dict(read_members(path, {"b/a.wav", "c"})) == {"b/a.wav": SOUND}
    assert dict(read_members(path, {"../../a.wav"})) == {"../../a.wav": SOUND}
    assert [place.name for place in tmp_path.rglob("*.wav")] == []


def looping() -> bytes:
    """A resource whose folder holds the root."""
    data = bytearray(qt_resource())
    node = 24 + 22  # of `deep`
    data[node + 10 : node + 14] = struct.pack(">I", 0)
    return bytes(data)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.ocg", lambda: b"\x1f\x8bmore", "not a Clonk group"),
        ("a.ocg", lambda: c4group()[:-20], "damaged Clonk group"),
        ("a.ocg", lambda: b"\x1e\x8c" + gzip.compress(b"x" * 300)[2:], "no Clonk group at its"),
        ("a.ocg", lambda: b"\x1e\x8c" + gzip.compress(group(TREE)[:300])[2:], "damaged Clonk"),
        ("a.cat", lambda: sample_cat()[:30], "damaged sound set"),
        ("a.cat", lambda: sample_cat().replace(b"RIFF", b"RIFX"), "no WAV file as sound 0"),
        ("a.rcc", lambda: b"qrex", "not a Qt resource"),
        ("a.rcc", lambda: qt_resource()[:60], "damaged Qt resource"),
        ("a.rcc", lambda: qt_resource(flags=4), "Zstandard"),
        ("a.rcc", looping, "damaged Qt resource"),
        ("a.pk3", lambda: b"PK not at all", "damaged archive a.pk3"),
    ],
)
def test_damaged_archives_are_named(
    tmp_path: Path, name: str, content: Callable[[], bytes], words: str
) -> None:
    path = written(tmp_path / name, content())
    with pytest.raises(ItemError, match=words):
        dict(read_members(path, {"a.wav", "0", "deep/ü.ogg"}))
