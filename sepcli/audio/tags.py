"""Tags and cover: what the recording carried, the stems carry too, with a note of their origin."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mutagen
from mutagen._vorbis import is_valid_key
from mutagen.aiff import AIFF
from mutagen.flac import FLAC, Picture
from mutagen.id3 import APIC, ID3, TALB, TCON, TDRC, TIT2, TPE1, TPE2, TRCK, TXXX
from mutagen.mp3 import MP3
from mutagen.mp4 import MP4
from mutagen.wave import WAVE

PROVENANCE = "sepcli"  # name of the tag that says how a stem was made
FRAMES = {
    "title": TIT2,
    "artist": TPE1,
    "albumartist": TPE2,
    "album": TALB,
    "date": TDRC,
    "genre": TCON,
    "tracknumber": TRCK,
}
MP4_KEYS = {
    "\xa9nam": "title",
    "\xa9ART": "artist",
    "aART": "albumartist",
    "\xa9alb": "album",
    "\xa9day": "date",
    "\xa9gen": "genre",
}
FRONT_COVER = 3
LARGEST_PICTURE = (1 << 24) - 1000  # bytes; what a block of a FLAC holds, with its description


@dataclass(frozen=True)
class Tags:
    """Text by lower-case name, and cover pictures as (MIME type, bytes)."""

    text: dict[str, list[str]] = field(default_factory=dict)
    pictures: tuple[tuple[str, bytes], ...] = ()


def read_tags(path: Path) -> Tags:
    """The tags of a recording; none if it has none, or none that can be read."""
    try:
        file = mutagen.File(path)
        return Tags() if file is None or file.tags is None else _from(file)
    except Exception:  # a stranger's bytes may raise anything, and a recording can do without
        return Tags()


def write_tags(path: Path, tags: Tags, provenance: dict[str, Any]) -> bool:
    """Write tags and provenance into a finished stem.

    Returns:
        False if the container has no room for tags.

    Raises:
        OSError: if the disk is full.
    """
    file = _taggable(path)
    if file is None:
        return False
    text = {**tags.text, PROVENANCE: [json.dumps(provenance)]}
    text = {key: [writable(value) for value in values] for key, values in text.items()}
    pictures = tuple(p for p in tags.pictures if len(p[1]) <= LARGEST_PICTURE)
    if isinstance(file.tags, ID3):
        _into_id3(file.tags, text, pictures)
    else:
        for key, values in text.items():
            if is_valid_key(key):
                file.tags[key] = values
        if isinstance(file, FLAC):
            _add_pictures(file, pictures)
    try:
        file.save()
    except mutagen.MutagenError as error:
        raise next((a for a in error.args if isinstance(a, OSError)), OSError(str(error))) from None
    return True


def writable(text: str) -> str:
    """Text without what no encoding knows, such as halves of a file name that is not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode()


def read_provenance(path: Path) -> dict[str, Any] | None:
    """What `write_tags` noted about a stem, or None."""
    for text in read_tags(path).text.get(PROVENANCE, []):
        try:
            note = json.loads(text)
        except ValueError:
            continue
        if isinstance(note, dict):
            return note
    return None


def _from(file: Any) -> Tags:
    if isinstance(file.tags, ID3):
        return _from_id3(file.tags)
    if isinstance(file, MP4):
        return _from_mp4(file)
    pictures = getattr(file, "pictures", [])
    text = {key.lower(): [str(x) for x in values] for key, values in file.tags.as_dict().items()}
    text.pop("metadata_block_picture", None)
    return Tags(text, tuple((p.mime, p.data) for p in pictures))


def _taggable(path: Path) -> Any:
    # The temporary name keeps the extension, but the container decides.
    for kind in (WAVE, AIFF, FLAC, MP3):
        try:
            file = kind(path)
        except (mutagen.MutagenError, OSError, ValueError):
            continue
        if file.tags is None:
            file.add_tags()  # type: ignore[no-untyped-call]
        return file
    try:
        return mutagen.File(path)
    except (mutagen.MutagenError, OSError, ValueError):
        return None


def _from_id3(tags: ID3) -> Tags:
    text = {
        name: [str(x) for x in tags.getall(frame.__name__)[0].text]
        for name, frame in FRAMES.items()
        if tags.getall(frame.__name__)
    }
    text |= {frame.desc.lower(): [str(x) for x in frame.text] for frame in tags.getall("TXXX")}
    return Tags(text, tuple((p.mime, p.data) for p in tags.getall("APIC")))


def _into_id3(
    tags: ID3, text: dict[str, list[str]], pictures: tuple[tuple[str, bytes], ...]
) -> None:
    for name, values in text.items():
        if name in FRAMES:
            frame: Any = FRAMES[name]
            tags.add(frame(encoding=3, text=values))
        else:
            tags.add(TXXX(encoding=3, desc=name, text=values))
    for index, (mime, data) in enumerate(pictures):
        desc = "" if index == 0 else str(index)
        tags.add(APIC(encoding=3, mime=mime, type=FRONT_COVER, desc=desc, data=data))


def _from_mp4(file: MP4) -> Tags:
    assert file.tags is not None
    text = {
        name: [str(x) for x in file.tags[key]] for key, name in MP4_KEYS.items() if key in file.tags
    }
    covers = file.tags.get("covr", [])
    mimes = {13: "image/jpeg", 14: "image/png"}
    pictures = tuple((mimes.get(int(c.imageformat), "image/jpeg"), bytes(c)) for c in covers)
    return Tags(text, pictures)


def _add_pictures(file: FLAC, pictures: tuple[tuple[str, bytes], ...]) -> None:
    for mime, data in pictures:
        picture = Picture()
        picture.mime, picture.data, picture.type = mime, data, FRONT_COVER
        file.add_picture(picture)
