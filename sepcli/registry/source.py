"""What the `source` of a model's file may say, and which addresses may be fetched.

Weights come over https only: a hash that is learned at the first download is worth what the
connection was. The one exception is a server on this machine, for mirrors of one's own and tests.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, unquote, urlsplit

SHIPPED = "shipped:"
BY_HAND = "by-hand:"  # before the page where a person gets the file
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # two letters at least: C:\ is a drive
ALLOWED = re.compile(r"[!-\[\]-~]+")  # printable ASCII; parsers disagree about a backslash
LONGEST_NAME = 120


def is_remote(source: str) -> bool:
    """Whether a file has to be fetched, rather than being on this machine."""
    return bool(SCHEME.match(source)) and not source.startswith((SHIPPED, BY_HAND))


def check_url(url: str) -> str:
    """The address itself, if it may be fetched.

    Raises:
        ValueError: saying why it may not.
    """
    parts = _split(url)
    if parts.username is not None:
        raise ValueError("an address with a user name or password is refused")
    local = parts.scheme == "http" and is_loopback(parts.hostname)
    if not (parts.hostname and (parts.scheme == "https" or local)):
        raise ValueError(f"{shown(url)} is refused: files are fetched over https:// only")
    return url


def check_redirect(origin: str, target: str) -> str:
    """The address a server points to, if it may be followed there.

    Raises:
        ValueError: as `check_url`, or because https would be left for http.
    """
    check_url(target)
    if urlsplit(origin).scheme == "https" and urlsplit(target).scheme != "https":
        raise ValueError(f"a redirect from https to {shown(target)} is refused")
    return target


def is_loopback(host: str | None) -> bool:
    """Whether a host name or address means this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def shown(url: str) -> str:
    """Scheme and host: the rest of a redirect's address may be a signed secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}"


def file_name(url: str) -> str:
    """The last part of an address's path, as a name that is safe in a folder."""
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    safe = re.sub(r"[^A-Za-z0-9._-]", "-", last).lstrip(".")
    return safe[-LONGEST_NAME:] or "file"


def _split(url: str) -> SplitResult:
    if not ALLOWED.fullmatch(url):
        raise ValueError("an address with spaces, backslashes or other odd characters is refused")
    try:
        parts = urlsplit(url)
        _ = parts.port  # parsed when first asked for
    except ValueError as error:
        raise ValueError(f"no valid address: {error}") from None
    return parts
