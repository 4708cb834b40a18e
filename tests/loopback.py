"""A web server on this machine whose faults are scripted: what a download meets in the world."""

from __future__ import annotations

import hashlib
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STEP = 1 << 14  # bytes between two looks at whether the server is closing


class QuietServer(ThreadingHTTPServer):
    """Says nothing of clients that went away, since tests kill some."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client went away."""


class Site:
    """Files by path, faults by path, and what was asked for.

    Attributes:
        files: path -> content.
        faults: path -> what happens to the next requests, one after another; then all is well.
        always: path -> what happens to every request without a fault of its own.
        requests: (path, headers) in order.
        ranges: whether parts of files are given.
        tags: whether files have an ETag.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.always: dict[str, Fault] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.ranges = self.tags = True
        self.closing = threading.Event()
        self._server = QuietServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add(self, path: str, content: bytes, *faults: Fault) -> str:
        """Serve a file; returns its address."""
        self.files[path], self.faults[path] = content, list(faults)
        return self.url + path

    def asked(self, path: str) -> list[dict[str, str]]:
        """The headers of all requests for a path."""
        return [headers for asked, headers in self.requests if asked == path]

    def close(self) -> None:
        """Stop; transfers under way break off."""
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(site) -> type[BaseHTTPRequestHandler]:
        class Handler(Answer):
            def do_GET(self) -> None:
                self.site, path = site, self.path.partition("?")[0]
                site.requests.append((path, dict(self.headers)))
                faults = site.faults.get(path, [])
                fault = faults.pop(0) if faults else site.always.get(path, whole)
                fault(self, site.files.get(path))

        return Handler


class Answer(BaseHTTPRequestHandler):
    """One request, and how it may be answered."""

    site: Site

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def head(self, status: int, **headers: object) -> None:
        """Send status and headers; underscores in their names stand for hyphens."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def content(self, content: bytes, send: int | None = None, **extra: object) -> None:
        """Send a file, or the range asked for, or only the first `send` bytes of that."""
        tag = f'"{hashlib.md5(content).hexdigest()}"'
        headers = {"ETag": tag, **extra} if self.site.tags else extra
        first, status = self._first(tag), 200
        if first is not None and first >= len(content):
            self.head(416, Content_Range=f"bytes */{len(content)}", Content_Length=0)
            return
        if first is not None:
            status = 206
            last = f"{len(content) - 1}/{len(content)}"
            headers = {**headers, "Content_Range": f"bytes {first}-{last}"}
        body = content[first or 0 :]
        self.head(status, **{"Content_Length": len(body), **headers})
        self.send(body if send is None else body[:send])

    def send(self, body: bytes, wait: float = 0.0) -> None:
        """Send bytes, with a wait after every 16 KiB, until the site closes."""
        for at in range(0, len(body), STEP):
            if self.site.closing.wait(wait) if wait else self.site.closing.is_set():
                return
            self.wfile.write(body[at : at + STEP])

    def _first(self, tag: str) -> int | None:
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        changed = self.headers.get("If-Range", tag) != tag
        return None if match is None or changed or not self.site.ranges else int(match[1])


Fault = Callable[[Answer, bytes | None], None]


def whole(answer: Answer, content: bytes | None) -> None:
    """All is well, or the file is not there."""
    if content is None:
        answer.head(404, Content_Length=0)
    else:
        answer.content(content)


def cut(after: int) -> Fault:
    """The connection ends after some bytes, though more were promised."""
    return lambda answer, content: answer.content(content or b"", after)


def status(code: int) -> Fault:
    """A status without a body."""
    return lambda answer, content: answer.head(code, Content_Length=0)


def redirect(target: str, code: int = 302) -> Fault:
    """The file is elsewhere."""
    return lambda answer, content: answer.head(code, Location=target, Content_Length=0)


def headers(**extra: object) -> Fault:
    """The file, with headers that are added or replaced."""
    return lambda answer, content: answer.content(content or b"", **extra)


def slow(seconds: float) -> Fault:
    """The file, in parts of 16 KiB with waits between them."""

    def fault(answer: Answer, content: bytes | None) -> None:
        answer.head(200, Content_Length=len(content or b""), ETag='"slow"')
        answer.send(content or b"", seconds)

    return fault


def stall(after: int) -> Fault:
    """Some bytes, then silence until the site closes."""

    def fault(answer: Answer, content: bytes | None) -> None:
        answer.content(content or b"", after)
        answer.wfile.flush()
        answer.site.closing.wait(30)

    return fault


def gated(gate: threading.Event) -> Fault:
    """The file, once the gate is open."""

    def fault(answer: Answer, content: bytes | None) -> None:
        gate.wait(60)
        whole(answer, content)

    return fault


def endless(chunks: int) -> Fault:
    """A body whose length nobody says: it ends where the connection does."""

    def fault(answer: Answer, content: bytes | None) -> None:
        answer.head(200)
        for _ in range(chunks):
            answer.send(content or b"")

    return fault


def until(deadline: float, happened: Callable[[], bool]) -> bool:
    """Wait for something to happen, for some seconds at most."""
    end = time.monotonic() + deadline
    while not happened() and time.monotonic() < end:
        time.sleep(0.005)
    return happened()
