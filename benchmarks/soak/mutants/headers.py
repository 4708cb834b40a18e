"""Headers that lie: fields out of range, sizes beyond the file, counts that would fill memory."""

import struct
from collections.abc import Iterator

from benchmarks.soak.mutants.case import Must, Mutant
from benchmarks.soak.mutants.originals import Original

GIGABYTES_2 = 0x7FFF_FFFF
UNKNOWN = 0xFFFF_FFFF  # how streams say that they do not know their length yet
RIFF_SIZE, FORMAT, CHANNELS, RATE, BYTE_RATE, ALIGN, BITS, DATA_SIZE = 4, 20, 22, 24, 28, 32, 34, 40
WAV_FIELDS = [  # name, offset, format, value, what must become of it
    ("channels-0", CHANNELS, "<H", 0, Must.refused),
    ("channels-33", CHANNELS, "<H", 33, Must.honest),
    ("channels-65535", CHANNELS, "<H", 65535, Must.refused),
    ("rate-0", RATE, "<I", 0, Must.refused),
    ("rate-1", RATE, "<I", 1, Must.refused),
    ("rate-2-gigahertz", RATE, "<I", GIGABYTES_2, Must.refused),
    ("rate-4-gigahertz", RATE, "<I", UNKNOWN, Must.refused),
    ("byte-rate-0", BYTE_RATE, "<I", 0, Must.told),
    ("align-0", ALIGN, "<H", 0, Must.honest),
    ("align-3", ALIGN, "<H", 3, Must.honest),
    ("align-65535", ALIGN, "<H", 65535, Must.honest),
    ("bits-0", BITS, "<H", 0, Must.honest),
    ("bits-7", BITS, "<H", 7, Must.honest),
    ("bits-64", BITS, "<H", 64, Must.honest),
    ("bits-65535", BITS, "<H", 65535, Must.honest),
    ("format-0", FORMAT, "<H", 0, Must.refused),
    ("format-adpcm", FORMAT, "<H", 2, Must.honest),
    ("format-mp3", FORMAT, "<H", 0x55, Must.refused),
    ("format-extensible", FORMAT, "<H", 0xFFFE, Must.honest),
    ("format-unknown", FORMAT, "<H", 0x4321, Must.refused),
    ("riff-size-0", RIFF_SIZE, "<I", 0, Must.whole),
    ("riff-size-short", RIFF_SIZE, "<I", 1000, Must.whole),
    ("riff-size-2-gigabytes", RIFF_SIZE, "<I", GIGABYTES_2, Must.whole),
    ("data-size-0", DATA_SIZE, "<I", 0, Must.told),
    ("data-size-unknown", DATA_SIZE, "<I", UNKNOWN, Must.whole),
    ("data-size-2-gigabytes", DATA_SIZE, "<I", GIGABYTES_2, Must.told),
    ("data-size-4-gigabytes", DATA_SIZE, "<I", UNKNOWN - 3, Must.told),
    ("fmt-size-0", 16, "<I", 0, Must.refused),
    ("fmt-size-2-gigabytes", 16, "<I", GIGABYTES_2, Must.refused),
    ("fmt-size-unknown", 16, "<I", UNKNOWN, Must.refused),
    ("fmt-renamed", 12, "4s", b"fmt\0", Must.refused),
    ("data-renamed", 36, "4s", b"dato", Must.refused),
    ("no-wave", 8, "4s", b"EVAW", Must.refused),
]
FLAC_FIELDS = [
    ("blocksize-0", 8, ">I", 0, Must.honest),
    ("rate-0", 18, ">H", 0, Must.refused),
    ("md5-wrong", 26, "16s", b"\x55" * 16, Must.honest),
    ("md5-unknown", 26, "16s", bytes(16), Must.whole),
    ("streaminfo-16-megabytes", 4, ">I", 0x00FF_FFFF, Must.refused),
    ("block-16-megabytes", 42, ">I", 0x04FF_FFFF, Must.refused),
    ("no-marker", 0, "4s", b"fLaX", Must.refused),
]


def patched(content: bytes, at: int, kind: str, value: int | bytes) -> bytes:
    """The content with one field changed."""
    field = struct.pack(kind, value)
    return content[:at] + field + content[at + len(field) :]


def wrong_headers(originals: list[Original]) -> Iterator[Mutant]:
    """One wrong field each, and worse."""
    by_extension = {original.extension: original for original in originals}
    tables = {"wav": WAV_FIELDS, "flac": FLAC_FIELDS}
    for extension, fields in tables.items():
        original = by_extension[extension]
        for name, at, kind, value, must in fields:
            content = patched(original.content, at, kind, value)
            yield _header(f"{name}.{extension}", content, must, original)
    yield from _wav_chunks(by_extension["wav"])
    yield from _flac_totals(by_extension["flac"])
    yield from _aiff(by_extension["aiff"])
    yield from _ogg_pages(by_extension["ogg"])
    yield from _mp3_tags(by_extension["mp3"])
    for extension in ("m4a", "mp4"):
        yield from _mp4_atoms(by_extension[extension])


def _header(name: str, content: bytes, must: Must, original: Original) -> Mutant:
    kind = "2 GB headers" if "bytes" in name else "wrong headers"
    return Mutant(kind, name, content, must, original.truth)


def _wav_chunks(original: Original) -> Iterator[Mutant]:
    content = original.content
    riff, form, data = content[:12], content[12:36], content[36:]
    liar = struct.pack("<4sI", b"LIST", GIGABYTES_2) + b"INFO"
    odd = struct.pack("<4sI", b"junk", 3) + b"abc\0"
    sizes = struct.pack("<QQQI", 1 << 62, 1 << 62, 1 << 60, 0)
    large = struct.pack("<4sI", b"ds64", len(sizes)) + sizes
    endless = data[:4] + struct.pack("<I", UNKNOWN) + data[8:]
    cases = {
        "chunk-of-2-gigabytes-before.wav": (riff + form + liar + data, Must.refused),
        "chunk-of-2-gigabytes-after.wav": (content + liar, Must.whole),
        "junk-before.wav": (riff + odd + form + data, Must.whole),
        "junk-after.wav": (content + odd, Must.whole),
        "format-after-data.wav": (riff + data + form, Must.honest),
        "no-data.wav": (riff + form, Must.refused),
        "format-twice.wav": (riff + form + form + data, Must.honest),
        "rf64-of-exabytes.wav": (
            b"RF64" + struct.pack("<I", UNKNOWN) + b"WAVE" + large + form + endless,
            Must.told,
        ),
        "rf64-without-sizes.wav": (b"RF64" + riff[4:] + form + endless, Must.honest),
        "ten-thousand-chunks.wav": (riff + form + odd * 10_000 + data, Must.whole),
    }
    for name, (changed, must) in cases.items():
        yield _header(name, changed, must, original)


def _flac_totals(original: Original) -> Iterator[Mutant]:
    # 4 bits of the byte at 21 and the 4 bytes that follow are the number of samples.
    first = original.content[21] & 0xF0
    totals = {
        "no-total": (0, Must.whole),
        "total-too-small": (1000, Must.told),
        "total-of-terabytes": ((1 << 36) - 1, Must.told),
    }
    for name, (total, must) in totals.items():
        value = bytes([first | total >> 32]) + struct.pack(">I", total & UNKNOWN)
        content = original.content[:21] + value + original.content[26:]
        yield _header(f"{name}.flac", content, must, original)


def _aiff(original: Original) -> Iterator[Mutant]:
    content = original.content
    common, sound = content.index(b"COMM"), content.index(b"SSND")
    cases = {
        "frames-of-gigabytes": (common + 10, ">I", UNKNOWN, Must.told),
        "sound-of-2-gigabytes": (sound + 4, ">I", GIGABYTES_2, Must.told),
        "channels-0": (common + 8, ">H", 0, Must.refused),
        "bits-0": (common + 14, ">H", 0, Must.refused),
        "rate-nan": (common + 16, "10s", b"\x7f\xff" + b"\xff" * 8, Must.refused),
        "rate-0": (common + 16, "10s", bytes(10), Must.refused),
    }
    for name, (at, kind, value, must) in cases.items():
        yield _header(f"{name}.aiff", patched(content, at, kind, value), must, original)


def _ogg_pages(original: Original) -> Iterator[Mutant]:
    content = original.content
    pages = [at for at in range(len(content)) if content.startswith(b"OggS", at)]
    middle, last = pages[len(pages) // 2], pages[-1]
    following = pages[len(pages) // 2 + 1]
    cases = {
        "page-missing": (content[:middle] + content[following:], Must.told),
        "page-damaged": (patched(content, middle + 22, "4s", b"\x01\x02\x03\x04"), Must.told),
        "last-page-missing": (content[:last], Must.told),
        "first-page-missing": (content[pages[1] :], Must.refused),
        "no-codebooks": (content[: pages[1]] + content[pages[2] :], Must.refused),
        "two-in-a-row": (content + content, Must.honest),
        "rest-of-another-file": (content + b"\0" * 5000, Must.whole),
    }
    for name, (changed, must) in cases.items():
        yield _header(f"{name}.ogg", changed, must, original)


def _mp3_tags(original: Original) -> Iterator[Mutant]:
    content = original.content
    tag = b"ID3\x04\0\0"
    cases = {
        "tag-of-256-megabytes": (tag + b"\x7f" * 4 + content, Must.refused),
        "tag-of-0-bytes": (tag + bytes(4) + content, Must.whole),
        "tag-of-junk": (tag + b"\0\0\x07\x68" + b"\xff" * 1000 + content, Must.honest),
        "tag-picture-of-256-megabytes": (
            tag + b"\0\0\0\x14" + b"APIC" + b"\x7f" * 4 + bytes(12) + content,
            Must.whole,
        ),
        "a-page-of-junk-before": (b"\0" * 4096 + content, Must.honest),
        "junk-after": (content + b"TAG" + b"\xff" * 125, Must.whole),
        "two-in-a-row": (content + content, Must.honest),
    }
    for name, (changed, must) in cases.items():
        yield _header(f"{name}.mp3", changed, must, original)


def _mp4_atoms(original: Original) -> Iterator[Mutant]:
    content = original.content
    counts = {"stsz": (12, Must.refused), "stts": (8, Must.honest), "stsc": (8, Must.honest)}
    counts |= {"stco": (8, Must.honest), "mdhd": (16, Must.honest), "elst": (12, Must.honest)}
    for atom, (offset, must) in counts.items():
        if (at := content.find(atom.encode())) > 0:
            changed = patched(content, at + offset, ">I", UNKNOWN)
            yield _header(f"{atom}-of-gigabytes.{original.extension}", changed, must, original)
    for atom in ("moov", "mdat", "trak", "stbl"):
        at = content.index(atom.encode()) - 4
        for name, size in {"0": 0, "1": 1, "7": 7, "2-gigabytes": GIGABYTES_2}.items():
            changed = patched(content, at, ">I", size)
            name = f"{atom}-size-{name}.{original.extension}"
            yield _header(name, changed, Must.honest, original)
    nested = b"".join(struct.pack(">I4s", GIGABYTES_2, b"moov") for _ in range(10_000))
    yield _header(f"nested.{original.extension}", content[:32] + nested, Must.refused, original)
    elsewhere = content.replace(b"url \0\0\0\1", b"url \0\0\0\0")
    yield _header(f"data-elsewhere.{original.extension}", elsewhere, Must.honest, original)
