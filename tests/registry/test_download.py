"""One file over a network with faults."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest
from loopback import (
    Fault,
    Site,
    cut,
    endless,
    headers,
    redirect,
    stall,
    status,
    whole,
)
from remote_models import BODY, published, sha256

from sepcli.errors import ModelError, OutputError
from sepcli.registry import download as downloading
from sepcli.registry import partial as part
from sepcli.registry import transfer
from sepcli.registry.cache import original_path
from sepcli.registry.download import Patience, download
from sepcli.registry.lockfile import Digest, read_lock
from sepcli.registry.pull_events import Event, Fetched, Notice, Progress, Started
from sepcli.registry.schema import ModelFile

PATIENCE = Patience(attempts=3, wait=0.001, timeout=0.4)
FILE = "/weights.bin"


def fetch(file: ModelFile) -> list[Event]:
    original_path(file).parent.mkdir(parents=True, exist_ok=True)
    return list(download(file, PATIENCE))


def failure(file: ModelFile) -> ModelError:
    with pytest.raises(ModelError) as caught:
        fetch(file)
    assert caught.value.exit_code == 3
    assert not original_path(file).exists()
    return caught.value


def notices(events: list[Event]) -> str:
    return "\n".join(event.message for event in events if isinstance(event, Notice))


def leftovers(file: ModelFile) -> list[str]:
    target = original_path(file)
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_a_download(site: Site) -> None:
    file = published(site.add(FILE, BODY))
    events = fetch(file)
    assert original_path(file).read_bytes() == BODY
    assert leftovers(file) == []
    assert events[0] == Started("weights.bin", file.source)
    assert isinstance(events[-1], Fetched)
    assert (events[-1].file, events[-1].size) == ("weights.bin", len(BODY))
    assert notices(events) == ""
    assert read_lock().downloads == {}
    (asked,) = site.asked(FILE)
    assert asked["Accept-Encoding"] == "identity"
    assert asked["User-Agent"].startswith("sepcli/")
    assert "Range" not in asked


def test_progress_counts_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "PROGRESS_SECONDS", -1.0)
    events = fetch(published(site.add(FILE, BODY)))
    steps = [event for event in events if isinstance(event, Progress)]
    assert [step.received for step in steps[:2]] == [0, transfer.CHUNK]
    assert steps == sorted(steps, key=lambda step: step.received)
    assert steps[-1] == Progress("weights.bin", len(BODY), len(BODY))
    assert {step.size for step in steps} == {len(BODY)}


def test_progress_is_not_told_too_often(site: Site) -> None:
    events = fetch(published(site.add(FILE, BODY)))
    assert sum(isinstance(event, Progress) for event in events) <= 3


def test_a_cut_is_resumed(site: Site) -> None:
    file = published(site.add(FILE, BODY, cut(200_000)))
    events = fetch(file)
    assert original_path(file).read_bytes() == BODY
    assert "trying again" in notices(events)
    _, again = site.asked(FILE)
    first = int(again["Range"].removeprefix("bytes=").removesuffix("-"))
    assert 200_000 - transfer.CHUNK <= first <= 200_000
    assert again["If-Range"].startswith('"')


def test_a_later_run_goes_on(site: Site) -> None:
    file = published(site.add(FILE, BODY))
    site.always[FILE] = cut(0)
    site.faults[FILE] = [cut(200_000)]
    assert "goes on where it stopped" in failure(file).remedy
    assert leftovers(file) == ["weights.bin.partial", "weights.bin.partial.json"]
    del site.always[FILE]
    fetch(file)
    assert original_path(file).read_bytes() == BODY
    assert int(site.asked(FILE)[-1]["Range"][6:-1]) > 100_000


def test_attempts_that_bring_something_do_not_count(site: Site) -> None:
    cuts = [cut(70_000)] * 4  # more than PATIENCE.attempts
    file = published(site.add(FILE, BODY, *cuts))
    fetch(file)
    assert original_path(file).read_bytes() == BODY
    assert len(site.asked(FILE)) == 5


def test_a_server_that_knows_no_ranges(site: Site) -> None:
    site.ranges = False
    file = published(site.add(FILE, BODY, cut(200_000)))
    fetch(file)
    assert original_path(file).read_bytes() == BODY


def test_a_file_replaced_between_two_parts(site: Site) -> None:
    """If-Range makes the server send the new file from its beginning."""

    def replace(answer: object, content: bytes | None) -> None:
        cut(200_000)(answer, b"\0" * len(BODY))  # type: ignore[arg-type]

    file = ModelFile(source=site.add(FILE, BODY, replace))
    fetch(file)
    assert original_path(file).read_bytes() == BODY


def test_without_tag_and_hash_nothing_is_joined(site: Site) -> None:
    site.tags = False
    file = ModelFile(source=site.add(FILE, BODY, cut(200_000)))
    fetch(file)
    assert original_path(file).read_bytes() == BODY
    assert all("Range" not in asked for asked in site.asked(FILE))


def test_a_weak_tag_joins_nothing(site: Site) -> None:
    def weak(answer: object, content: bytes | None) -> None:
        answer.content(content, 200_000, ETag='W/"x"')  # type: ignore[attr-defined]

    file = ModelFile(source=site.add(FILE, BODY, weak))
    fetch(file)
    assert "Range" not in site.asked(FILE)[-1]


def test_a_date_joins_too(site: Site) -> None:
    site.tags = False
    date = "Sat, 03 Oct 2026 10:00:00 GMT"

    def dated(answer: object, content: bytes | None) -> None:
        answer.content(content, 200_000, Last_Modified=date)  # type: ignore[attr-defined]

    fetch(ModelFile(source=site.add(FILE, BODY, dated)))
    assert site.asked(FILE)[-1]["If-Range"] == date


def test_a_known_hash_joins_without_a_tag(site: Site) -> None:
    site.tags = False
    file = published(site.add(FILE, BODY, cut(200_000)))
    fetch(file)
    again = site.asked(FILE)[-1]
    assert "Range" in again
    assert "If-Range" not in again


def test_parts_that_do_not_fit_are_fetched_anew(site: Site) -> None:
    site.tags = False

    def other(answer: object, content: bytes | None) -> None:
        cut(200_000)(answer, b"\0" * len(BODY))  # type: ignore[arg-type]

    file = published(site.add(FILE, BODY, other))
    events = fetch(file)
    assert "do not fit together" in notices(events)
    assert original_path(file).read_bytes() == BODY


def test_parts_that_never_fit(site: Site) -> None:
    site.tags = False
    file = published(site.add(FILE, BODY[::-1], cut(200_000), whole, cut(200_000)))
    assert "its file has sha256" in str(failure(file))
    assert len(site.asked(FILE)) == 4


def test_a_wrong_hash(site: Site) -> None:
    file = published(site.add(FILE, BODY[::-1]))
    error = failure(file)
    assert f"sha256 {sha256(BODY[::-1])}, not {sha256(BODY)}" in str(error)
    assert "do not use that file" in error.remedy
    assert leftovers(file) == []
    assert len(site.asked(FILE)) == 1


def test_a_wrong_hash_tries_the_mirror(site: Site) -> None:
    mirror = site.add("/mirror.bin", BODY)
    file = published(site.add(FILE, BODY[::-1]), mirrors=[mirror])
    assert "its file has sha256" in notices(fetch(file))
    assert original_path(file).read_bytes() == BODY


def test_a_truncated_body_without_a_length(site: Site) -> None:
    """Only the size in the registry tells; the rest is asked for."""
    site.add("/part", BODY[:100_000])

    def part_only(answer: object, content: bytes | None) -> None:
        endless(1)(answer, BODY[:100_000])  # type: ignore[arg-type]

    file = published(site.add(FILE, BODY, part_only))
    events = fetch(file)
    assert f"ended after 100000 of {len(BODY)} bytes" in notices(events)
    assert site.asked(FILE)[-1]["Range"] == "bytes=100000-"
    assert original_path(file).read_bytes() == BODY


def test_a_body_that_is_always_truncated(site: Site) -> None:
    file = published(site.add(FILE, BODY))
    site.always[FILE] = lambda answer, content: answer.content(BODY[:5], Content_Length=len(BODY))
    site.ranges = False
    assert "broke off" in str(failure(file))
    assert len(site.asked(FILE)) == PATIENCE.attempts


def test_an_empty_body(site: Site) -> None:
    file = ModelFile(source=site.add(FILE, b""))
    assert "0 bytes, which no model file has" in str(failure(file))
    site.always[FILE] = endless(0)
    assert "ended after 0 of some bytes" in str(failure(file))


def test_a_file_of_another_size_is_refused_before_it_comes(site: Site) -> None:
    file = published(site.add(FILE, BODY + b"x"))
    assert f"{len(BODY) + 1} bytes, not {len(BODY)}" in str(failure(file))


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (headers(Content_Length=10**15), "which no model file has"),
        (headers(Content_Length="many"), "gives the length 'many'"),
        (headers(Content_Length="-5"), "gives the length '-5'"),
        (headers(Content_Encoding="gzip"), "compressed"),
        (headers(Content_Type="text/html; charset=utf-8"), "web page"),
        (status(404), "HTTP 404"),
        (status(403), "HTTP 403"),
        (status(304), "HTTP 304"),
        (redirect("file:///etc/passwd"), "over https:// only"),
        (redirect("ftp://127.0.0.1/x"), "over https:// only"),
        (redirect("http://example.org/x"), "over https:// only"),
        (redirect(FILE), "more than 8 redirects"),
    ],
)
def test_answers_that_are_refused_at_once(site: Site, fault: Fault, message: str) -> None:
    file = ModelFile(source=site.add(FILE, BODY))
    site.always[FILE] = fault
    error = failure(file)
    assert message in str(error)
    assert "127.0.0.1" in str(error)
    assert len(site.asked(FILE)) == (transfer.MOST_REDIRECTS if "redirects" in message else 1)
    assert leftovers(file) == []


def test_more_than_the_file_has(site: Site) -> None:
    file = published(site.add(FILE, BODY))
    site.always[FILE] = endless(2)
    assert "sends more than the file has" in str(failure(file))


def test_404_then_the_mirror(site: Site) -> None:
    mirror = site.add("/elsewhere/other-name.bin", BODY)
    file = published(f"{site.url}/gone.bin", mirrors=[f"{site.url}/gone-too.bin", mirror])
    assert "HTTP 404" in notices(fetch(file))
    assert original_path(file).name == "gone.bin"
    assert original_path(file).read_bytes() == BODY
    assert [path for path, _ in site.requests] == [
        "/gone.bin",
        "/gone-too.bin",
        "/elsewhere/other-name.bin",
    ]


def test_a_mirror_goes_on_with_what_is_there(site: Site) -> None:
    mirror = site.add("/mirror.bin", BODY)
    file = published(site.add(FILE, BODY, cut(200_000), status(404)), mirrors=[mirror])
    fetch(file)
    assert original_path(file).read_bytes() == BODY
    assert "Range" in site.asked("/mirror.bin")[0]
    assert "If-Range" not in site.asked("/mirror.bin")[0]


@pytest.mark.parametrize("code", [500, 503, 429, 408])
def test_busy_then_well(site: Site, code: int) -> None:
    file = published(site.add(FILE, BODY, status(code), status(code)))
    assert f"HTTP {code}" in notices(fetch(file))
    assert original_path(file).read_bytes() == BODY


def test_always_busy(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(downloading.time, "sleep", waits.append)
    file = published(site.add(FILE, BODY))
    site.always[FILE] = status(500)
    assert "HTTP 500" in str(failure(file))
    assert waits == [0.001, 0.002]


def test_redirects_are_followed(site: Site) -> None:
    site.add("/cdn/abc", BODY)
    site.add("/moved.bin", b"", redirect("/cdn/abc?Signature=x", 307))
    file = published(site.add(FILE, b"", redirect(f"{site.url}/moved.bin", 301)))
    fetch(file)
    assert original_path(file).read_bytes() == BODY
    assert original_path(file).name == "weights.bin"


def test_a_server_that_falls_silent(site: Site) -> None:
    file = published(site.add(FILE, BODY, stall(200_000)))
    began = time.monotonic()
    events = fetch(file)
    assert "does not answer in time" in notices(events)
    assert original_path(file).read_bytes() == BODY
    assert PATIENCE.timeout <= time.monotonic() - began < 5


def test_a_server_that_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        file = published(f"http://127.0.0.1:{silent.getsockname()[1]}/x")
        assert "does not answer in time" in str(failure(file))


def test_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = failure(published(f"http://127.0.0.1:{port}/x"))
    assert "refused" in str(error)
    assert "check the connection" in error.remedy


def test_no_safe_connection(site: Site) -> None:
    file = published(site.url.replace("http:", "https:") + FILE)
    assert "no safe connection" in str(failure(file))


def test_a_whole_partial_file_is_not_fetched_again(site: Site) -> None:
    """The process died after the last byte, before the file had its name."""
    file = published(site.add(FILE, BODY))
    target = original_path(file)
    target.parent.mkdir(parents=True)
    target.with_name("weights.bin.partial").write_bytes(BODY)
    events = fetch(file)
    assert target.read_bytes() == BODY
    assert isinstance(events[-1], Fetched)
    assert site.asked(FILE)[0]["Range"] == f"bytes={len(BODY)}-"
    assert len(site.requests) == 1


def test_a_partial_file_that_is_too_long(site: Site) -> None:
    file = published(site.add(FILE, BODY))
    target = original_path(file)
    target.parent.mkdir(parents=True)
    target.with_name("weights.bin.partial").write_bytes(BODY + b"more")
    assert "does not go on where" in notices(fetch(file))
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("note", ["", "[]", '{"no": 1}'])
def test_a_damaged_note_is_no_note(site: Site, note: str) -> None:
    file = ModelFile(source=site.add(FILE, BODY))
    target = original_path(file)
    target.parent.mkdir(parents=True)
    target.with_name("weights.bin.partial").write_bytes(b"bytes of something else")
    target.with_name("weights.bin.partial.json").write_text(note)
    fetch(file)
    assert target.read_bytes() == BODY


def test_answers_without_a_range_are_not_joined(site: Site) -> None:
    def unsaid(answer: object, content: bytes | None) -> None:
        answer.head(206, Content_Length=5)  # type: ignore[attr-defined]
        answer.send(b"12345")  # type: ignore[attr-defined]

    file = published(site.add(FILE, BODY, cut(200_000), unsaid))
    fetch(file)
    assert original_path(file).read_bytes() == BODY


def test_another_range_than_the_one_asked_for(site: Site) -> None:
    """No hash would tell, so the head of the answer must."""

    def from_the_start(answer: object, content: bytes | None) -> None:
        size = len(BODY)
        answer.head(206, Content_Range=f"bytes 0-{size - 1}/{size}", Content_Length=size)  # type: ignore[attr-defined]
        answer.send(BODY)  # type: ignore[attr-defined]

    file = ModelFile(source=site.add(FILE, BODY, cut(200_000), from_the_start))
    assert "does not go on where" in notices(fetch(file))
    assert original_path(file).read_bytes() == BODY


def test_an_unknown_hash_is_pinned(site: Site) -> None:
    file = ModelFile(source=site.add(FILE, BODY))
    events = fetch(file)
    assert f"sha256 {sha256(BODY)}" in notices(events)
    assert read_lock().downloads == {file.source: Digest(sha256=sha256(BODY), size=len(BODY))}
    original_path(file).unlink()
    assert notices(fetch(file)) == ""


@pytest.mark.parametrize("other", [BODY[::-1], BODY + b"longer"])
def test_what_is_pinned_must_come_again(site: Site, other: bytes) -> None:
    file = ModelFile(source=site.add(FILE, BODY))
    fetch(file)
    original_path(file).unlink()
    site.files[FILE] = other
    error = failure(file)
    assert "not " in str(error)
    if len(other) == len(BODY):
        assert "models.lock" in error.remedy
    assert read_lock().downloads[file.source].sha256 == sha256(BODY)


def test_a_known_hash_without_a_size(site: Site) -> None:
    file = ModelFile(source=site.add(FILE, BODY), sha256=sha256(BODY))
    assert notices(fetch(file)) == ""
    assert read_lock().downloads[file.source].size == len(BODY)


def test_a_pin_of_a_file_since_replaced_counts_no_more(site: Site) -> None:
    fetch(ModelFile(source=site.add(FILE, BODY)))
    site.files[FILE] = new = BODY + b"second version"
    file = ModelFile(source=site.url + FILE, sha256=sha256(new))
    original_path(file).unlink()
    fetch(file)
    assert original_path(file).read_bytes() == new


def test_too_little_space(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": len(BODY)})
    monkeypatch.setattr(transfer.shutil, "disk_usage", lambda _: usage)
    fetch(published(site.add(FILE, BODY)))
    convert = published(site.add("/big.ckpt", BODY), convert="audiosep")  # needs twice the space
    with pytest.raises(OutputError, match=r"0\.6 MB are needed in .*, and 0\.3 MB are free"):
        fetch(convert)
    assert leftovers(convert) == []


def test_a_disk_that_fills_up(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests of the command do this for real, where mounting a small disk is allowed."""
    file = published(site.add(FILE, BODY))
    written = part.Partial.write

    def write(self: part.Partial, data: bytes) -> None:
        if self.size > 100_000:
            self._file.close()
            self._file = Path("/dev/full").open("wb", buffering=0)  # noqa: SIM115
        written(self, data)

    monkeypatch.setattr(part.Partial, "write", write)
    with pytest.raises(OutputError, match="No space left") as caught:
        fetch(file)
    assert "free some space" in caught.value.remedy
    assert leftovers(file) == []


def test_a_lock_that_cannot_be_written_costs_no_download(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    monkeypatch.setattr("sepcli.registry.lockfile.config_folder", lambda: Path("file/config"))
    file = ModelFile(source=site.add(FILE, BODY))
    with pytest.raises(OutputError):
        fetch(file)
    assert "weights.bin.partial" in leftovers(file)
    monkeypatch.undo()
