"""Files that are no recordings at all, and would do harm if they were trusted."""

import gzip
import io
import pickle
import tarfile
import zipfile
from collections.abc import Iterator

import numpy as np

from benchmarks.soak.mutants.case import Must, Mutant
from benchmarks.soak.mutants.originals import Original


class Harm:
    """A pickle that leaves a mark if somebody loads it."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return open, (self._mark, "w")


def posers(original: Original, address: str, secret: str, mark: str) -> Iterator[Mutant]:
    """Playlists, addresses, archives and programs under the names of recordings.

    Args:
        original: a recording, to put into archives.
        address: of a server that counts who fetches something.
        secret: path of a recording that no file may make the program read.
        mark: path of a file that is there only if something was executed.
    """
    for kind, texts in {"playlist": _playlists(address, secret), "text": _texts(address)}.items():
        for number, text in enumerate(texts):
            for extension in ("wav", "mp4"):
                name = f"{kind}-{number}.{extension}"
                yield Mutant("posing as media", name, text.encode(), Must.refused)
    for extension in ("m3u8", "m3u", "pls", "ffconcat", "sdp", "ts", "mpd"):
        text = _playlists(address, secret)[0]
        yield Mutant("posing as media", f"list.{extension}", text.encode(), Must.refused)
    for name, content in _archives(original, mark).items():
        yield Mutant("posing as media", name, content, Must.refused)
    rng = np.random.default_rng(0)
    for extension in ("wav", "mp3", "flac", "ogg", "m4a", "mp4", "aac", "ac3", "dts", "amr"):
        for what, content in (("zeros", bytes(5000)), ("random", rng.bytes(5000))):
            name = f"{what}.{extension}"
            yield Mutant("posing as media", name, content, Must.refused)
        yield Mutant("posing as media", f"empty.{extension}", b"", Must.refused)


def _playlists(address: str, secret: str) -> list[str]:
    return [
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n{address}/a.ts\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n",
        f"#EXTM3U\n#EXTINF:1,\nconcat:{secret}|{address}/b.wav\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{secret}'\n",
        f"ffconcat version 1.0\nfile {address}/c.wav\n",
        f"[playlist]\nFile1={address}/d.wav\nNumberOfEntries=1\n",
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=audio 9 RTP/AVP 0\na={address}\n",
        f'<?xml version="1.0"?><MPD><Period><BaseURL>{address}/e.mp4</BaseURL></Period></MPD>',
        f'<asx version="3.0"><entry><ref href="{address}/f.wav"/></entry></asx>',
        f"{address}/g.wav\n",
    ]


def _texts(address: str) -> list[str]:
    return [
        "#!/bin/sh\necho harm\n",
        f'<html><img src="{address}/h.png"></html>',
        '{"format": "wav"}',
        "RIFF",
        "",
        "MThd\0\0\0\x06",
        "%PDF-1.7\n",
        ";FFMETADATA1\ntitle=x\n",
        "WEBVTT\n\n00:00.000 --> 00:01.000\nhi\n",
        "\ufeffa,b\n1,2\n",
    ]


def _archives(original: Original, mark: str) -> dict[str, bytes]:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.wav", original.content)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../bomb.wav", bytes(10_000_000))
    rolled = io.BytesIO()
    with tarfile.open(fileobj=rolled, mode="w") as archive:
        member = tarfile.TarInfo("../a.wav")
        member.size = len(original.content)
        archive.addfile(member, io.BytesIO(original.content))
    harm = pickle.dumps(Harm(mark))
    torched = io.BytesIO()
    with zipfile.ZipFile(torched, "w") as archive:
        archive.writestr("archive/data.pkl", harm)
    return {
        "zip.wav": packed.getvalue(),
        "bomb.wav": bomb.getvalue(),
        "tar.wav": rolled.getvalue(),
        "gzip.wav": gzip.compress(original.content, mtime=0),
        "pickle.wav": harm,
        "checkpoint.mp3": torched.getvalue(),
        "array.wav": _array(),
        "program.mp3": b"\x7fELF\x02\x01\x01" + bytes(200),
        "picture.flac": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(100),
    }


def _array() -> bytes:
    file = io.BytesIO()
    np.save(file, np.zeros(1000, np.float32))
    return file.getvalue()
