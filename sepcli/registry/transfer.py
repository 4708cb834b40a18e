"""One request for a file, or for the rest of it: HTTP ranges as in RFC 9110, section 14.

What goes wrong is of two kinds. `Transient` may go better the next time, from where it stopped;
`Refused` will not, and the next mirror is tried.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import requests
from requests.utils import requote_uri

import sepcli
from sepcli.errors import OutputError
from sepcli.registry.partial import Origin, Partial
from sepcli.registry.source import check_redirect, check_url

CHUNK = 1 << 16  # bytes
LARGEST = 100 * 10**9  # bytes; no weights are larger, whatever a server says
MOST_REDIRECTS = 8
BUSY = (408, 425, 429)  # and 5xx
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")


class Transient(Exception):
    """The transfer broke off, or the server is busy."""


class Refused(Exception):
    """This address does not give the file."""


@dataclass(frozen=True)
class Request:
    """What is asked for.

    Attributes:
        url: its address.
        folder: where it will lie.
        size: bytes it must have; None if any.
        checked: whether its hash is known, so that wrongly joined parts would be found out.
        copies: of its size for which there must be space.
        timeout: seconds without a byte.
    """

    url: str
    folder: Path
    size: int | None
    checked: bool
    copies: int
    timeout: float


def receive(request: Request, partial: Partial) -> Iterator[int | None]:
    """Append what is missing to the partial file.

    Yields:
        after every part, the size that the whole file will have, or None if unknown.

    Raises:
        Transient, Refused, OutputError
    """
    with _network_errors(), requests.Session() as session:
        response = _follow(session, request, _headers(request, partial))
        with response:
            total = _size_of(response, request, partial)
            whole = total or request.size
            check_space(request.folder, (whole or 0) * request.copies - partial.size)
            yield whole
            if response.status_code == 416:
                return
            for data in response.iter_content(CHUNK):
                if partial.size + len(data) > (whole or LARGEST):
                    raise Refused("it sends more than the file has")
                partial.write(data)
                yield whole
    if partial.size < (whole or 1):
        raise Transient(f"it ended after {partial.size} of {whole or 'some'} bytes")


def check_space(folder: Path, needed: int) -> None:
    """Refuse what will not fit, before it is half there.

    Raises:
        OutputError
    """
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OutputError(
            f"{needed / 1e6:.1f} MB are needed in {folder}, and {free / 1e6:.1f} MB are free",
            "free some space, or set SEPCLI_HOME to a folder on another disk",
        )


def _headers(request: Request, partial: Partial) -> dict[str, str]:
    """Ask for the rest if what comes is sure to belong to what is there."""
    headers = {"User-Agent": f"sepcli/{sepcli.__version__}", "Accept-Encoding": "identity"}
    same = partial.origin.url == request.url and partial.origin.validator
    if partial.size and (same or request.checked):
        headers["Range"] = f"bytes={partial.size}-"
        if same:
            headers["If-Range"] = partial.origin.validator
    return headers


def _follow(
    session: requests.Session, request: Request, headers: Mapping[str, str]
) -> requests.Response:
    url = check_url(request.url)
    for _ in range(MOST_REDIRECTS):
        response = session.get(
            url, headers=headers, stream=True, allow_redirects=False, timeout=request.timeout
        )
        if not response.is_redirect:
            return response
        response.close()
        target = requote_uri(urljoin(url, response.headers["location"]))
        url = check_redirect(url, target)
    raise Refused(f"more than {MOST_REDIRECTS} redirects")


def _size_of(response: requests.Response, request: Request, partial: Partial) -> int | None:
    """Check the answer's head; the bytes that follow belong at the partial file's end."""
    _check_status(response)
    if response.status_code == 200:
        total = _length(response)
        _check_total(total, request)
        partial.begin(Origin(request.url, _validator(response)))
        return total
    first, total = _range(response)
    _check_total(total, request)
    if response.status_code == 416 and total == partial.size:
        return total
    if response.status_code == 416 or first != partial.size:
        partial.clear()
        raise Transient("it does not go on where the file broke off")
    partial.go_on()
    return total


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status in BUSY or status >= 500:
        raise Transient(f"HTTP {status} {response.reason}")
    if status not in (200, 206, 416):
        raise Refused(f"HTTP {status} {response.reason}")
    if status == 416:
        return
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise Refused("it sends the file compressed, though asked not to")
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise Refused("it answers with a web page, not with the file")


def _check_total(total: int | None, request: Request) -> None:
    if total is not None and request.size is not None and total != request.size:
        raise Refused(f"its file has {total} bytes, not {request.size}")
    if total is not None and not 0 < total <= LARGEST:
        raise Refused(f"it speaks of {total} bytes, which no model file has")


def _length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise Refused(f"it gives the length {text[:40]!r}")
    return int(text)


def _range(response: requests.Response) -> tuple[int | None, int | None]:
    """First byte and whole size that a partial answer speaks of."""
    match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None:
        return None, None
    first, _, total = match.groups()
    return int(first) if first else None, None if total == "*" else int(total)


def _validator(response: requests.Response) -> str:
    """What If-Range may compare (RFC 9110, section 13.1.5): weak tags say too little."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


@contextmanager
def _network_errors() -> Iterator[None]:
    try:
        yield
    except requests.exceptions.SSLError as error:
        raise Refused(f"no safe connection: {_reason(error)}") from error
    except requests.Timeout as error:
        raise Transient("it does not answer in time") from error
    except requests.ConnectionError as error:
        late = "timed out" in str(error)  # while reading, requests reports a timeout as this
        raise Transient("it does not answer in time" if late else _reason(error)) from error
    except requests.exceptions.ChunkedEncodingError as error:
        raise Transient("the connection broke off") from error
    except (requests.RequestException, ValueError) as error:
        raise Refused(_reason(error)) from error


def _reason(error: Exception) -> str:
    """The innermost cause, in one line."""
    inner: BaseException = error
    while inner.args and isinstance(inner.args[-1], BaseException):
        inner = inner.args[-1]
    reason = getattr(inner, "reason", None)
    return " ".join(str(reason or inner).split())[:200]
