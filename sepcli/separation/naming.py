"""Names of stems: safe for every file system, whatever the query says."""

from __future__ import annotations

import hashlib
import os
import string
import unicodedata
from pathlib import Path

from sepcli.errors import UsageError

LONGEST = 60  # characters of a query in a file name
LONGEST_NAME = 224  # bytes of a stem's name: file systems take 255, and it has prefixes meanwhile
OWN = ".sepcli"  # what the names of sepcli's own files begin with
MARK = 9  # characters that tell a name from another that was cut to the same
FIELDS = ("input", "query", "ext", "parent", "model", "start", "end")
RESERVED = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}


def slug(text: str) -> str:
    """Letters and digits of any script, other characters as single hyphens, at most LONGEST.

    A text that had to be cut, or that holds no letter or digit, gets a hash, so that different
    texts keep different names.
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    kept = "".join(c if c.isalnum() else "-" for c in plain)
    name = "-".join(part for part in kept.split("-") if part)
    if len(name) > LONGEST or len(name.encode()) > 2 * LONGEST or not name or name in RESERVED:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        short = name.encode()[:LONGEST].decode(errors="ignore").rstrip("-")
        return f"{short}-{digest}" if short else digest
    return name


def check_template(template: str) -> None:
    """Refuse a template with unknown fields, or one that leaves the output folder.

    Raises:
        UsageError
    """
    try:
        parsed = [part for part in string.Formatter().parse(template) if part[1] is not None]
    except ValueError as error:
        raise UsageError(
            f"bad name template {template!r}: {error}", "balance its braces"
        ) from error
    known = ", ".join(f"{{{name}}}" for name in FIELDS)
    if unknown := {str(name) for _, name, _, _ in parsed} - set(FIELDS):
        raise UsageError(f"unknown field {', '.join(sorted(unknown))} in --name", f"use {known}")
    if any(form or conversion for _, _, form, conversion in parsed):
        raise UsageError(f"--name {template!r} formats its fields", f"use {known} as they are")
    path = Path(template)
    if path.is_absolute() or ".." in path.parts or not path.name.strip():
        raise UsageError(f"--name {template!r} leaves the output folder", "give a relative name")
    if not template.isprintable() or any(part.startswith(OWN) for part in path.parts):
        message = f"--name {template!r} cannot be the name of a stem"
        raise UsageError(message, f"use printable characters, and do not begin with {OWN}")


def fill_template(template: str, fields: dict[str, str]) -> Path:
    """A relative path; no field adds folders, except `parent`, a single one.

    The name of an input is cut where a name would be too long for file systems.

    Raises:
        UsageError: if it is too long all the same.
    """
    safe = {name: _one_part(value) for name, value in fields.items()}
    path = _filled(template, safe)
    excess = _longest(path) - LONGEST_NAME
    if excess > 0:
        safe["input"] = _cut(safe.get("input", ""), excess + MARK)
        path = _filled(template, safe)
    if _longest(path) > LONGEST_NAME:
        message = f"--name gives names of more than {LONGEST_NAME} bytes"
        raise UsageError(message, "give a shorter one")
    return path


def _one_part(value: str) -> str:
    """A field that neither adds a folder nor leaves one."""
    plain = value.replace("/", "-").replace("\\", "-")
    return plain if plain.strip(".") else "_" * len(plain)


def _filled(template: str, fields: dict[str, str]) -> Path:
    """A relative path, also where a field that begins it is empty, as a root's name is."""
    return Path(template.format(**fields).lstrip("/"))


def _longest(path: Path) -> int:
    """Bytes of the longest part of a path."""
    return max(len(os.fsencode(part)) for part in path.parts)


def _cut(name: str, bytes_less: int) -> str:
    """A name that is shorter, with a hash of what it was."""
    whole = os.fsencode(name)
    digest = hashlib.sha256(whole).hexdigest()[: MARK - 1]
    kept = whole[: max(0, len(whole) - bytes_less)].decode(errors="ignore")
    return f"{kept}-{digest}"
