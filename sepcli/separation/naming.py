"""Names of stems: safe for every file system, whatever the query says."""

from __future__ import annotations

import hashlib
import string
import unicodedata
from pathlib import Path

from sepcli.errors import UsageError

LONGEST = 60  # characters of a query in a file name
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
        fields = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        raise UsageError(
            f"bad name template {template!r}: {error}", "balance its braces"
        ) from error
    if unknown := fields - set(FIELDS):
        known = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise UsageError(f"unknown field {', '.join(sorted(unknown))} in --name", f"use {known}")
    parts = Path(template).parts
    if Path(template).is_absolute() or ".." in parts or not template.strip():
        raise UsageError(f"--name {template!r} leaves the output folder", "give a relative name")


def fill_template(template: str, fields: dict[str, str]) -> Path:
    """A relative path; no field adds folders, except `parent`, a single one."""
    safe = {name: value.replace("/", "-").replace("\\", "-") for name, value in fields.items()}
    return Path(template.format(**safe))
