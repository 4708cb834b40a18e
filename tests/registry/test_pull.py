"""Models from a server: what is fetched, converted, kept, and by whom."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock
from loopback import Site, cut, status
from remote_models import BODY, model_of, published, sha256

from sepcli.errors import ModelError, OutputError
from sepcli.registry import convert, lockfile
from sepcli.registry.cache import original_path, source_folder, usable_path
from sepcli.registry.download import Patience
from sepcli.registry.pull import is_ready, pull, pull_all
from sepcli.registry.pull_events import (
    Converted,
    Event,
    Failed,
    Fetched,
    Notice,
    Planned,
    Ready,
)
from sepcli.registry.schema import ModelFile
from sepcli.registry.store import Model
from sepcli.registry.verify import verify, verify_all

PATIENCE = Patience(attempts=2, wait=0.001, timeout=1.0)


def pulled(model: Model, **options: bool) -> list[Event]:
    return list(pull(model, patience=PATIENCE, **options))


def halved(kind: str, source: Path, target: Path) -> None:
    """A conversion that is easily checked."""
    target.write_bytes(kind.encode() + source.read_bytes()[::2])


@pytest.fixture
def converters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "convert_file", halved)


def test_licence_and_size_come_first(site: Site) -> None:
    known = published(site.add("/a.safetensors", BODY))
    model = model_of(separator=known, other=ModelFile(source=site.add("/b.json", b"{}")))
    first, *_, last = pulled(model)
    assert first == Planned("remote", len(BODY), 1, "MIT", "CC0-1.0")
    assert isinstance(last, Ready)
    assert last.fetched
    assert last.files == {role: str(model.path(role)) for role in ("separator", "other")}
    assert model.path("separator").read_bytes() == BODY


def test_what_is_here_is_not_asked_for_again(site: Site) -> None:
    model = model_of(separator=published(site.add("/a.safetensors", BODY)))
    assert not model.downloaded
    pulled(model)
    assert model.downloaded
    site.requests.clear()
    (only,) = pulled(model)
    assert isinstance(only, Ready)
    assert not only.fetched
    assert site.requests == []


def test_a_file_of_a_wrong_size_is_fetched_again(site: Site) -> None:
    model = model_of(separator=published(site.add("/a.safetensors", BODY)))
    pulled(model)
    model.path("separator").write_bytes(b"cut")
    pulled(model)
    assert model.path("separator").read_bytes() == BODY


def test_models_share_files(site: Site) -> None:
    file = published(site.add("/a.safetensors", BODY))
    pulled(model_of("one", separator=file))
    pulled(model_of("two", separator=file))
    assert len(site.requests) == 1


@pytest.mark.usefixtures("converters")
def test_converting(site: Site) -> None:
    url = site.add("/a.ckpt", BODY)
    file = published(url, convert="audiosep")
    model = model_of(separator=file)
    events = pulled(model)
    made = b"audiosep" + BODY[::2]
    path = model.path("separator")
    assert path.name == "a.audiosep.safetensors"
    assert path.read_bytes() == made
    assert Converted(path.name, len(BODY), len(made)) in events
    assert not original_path(file).exists()
    verify(model, "separator")
    assert [row.status for row in verify_all(model)] == ["ok"]
    assert lockfile.expected(file).sha256 == sha256(made)
    site.requests.clear()
    pulled(model)
    assert site.requests == []
    path.write_bytes(made[:-1] + b"\0")
    with pytest.raises(ModelError, match="not the file") as caught:
        verify(model, "separator")
    assert caught.value.remedy == f"delete {path}, then: sepcli models pull remote"


@pytest.mark.usefixtures("converters")
def test_two_conversions_of_one_file(site: Site) -> None:
    url = site.add("/a.ckpt", BODY)
    files = [published(url, convert=kind) for kind in ("audiosep", "laion-clap")]
    model = model_of(separator=files[0], clap=files[1])
    events = pulled(model)
    assert len(site.requests) == 1
    assert sum(isinstance(event, Fetched) for event in events) == 1
    assert model.path("clap").read_bytes() == b"laion-clap" + BODY[::2]
    assert not original_path(files[0]).exists()


@pytest.mark.usefixtures("converters")
def test_originals_are_kept_if_wanted(site: Site) -> None:
    file = published(site.add("/a.ckpt", BODY), convert="audiosep")
    pulled(model_of(separator=file), keep_original=True)
    assert original_path(file).read_bytes() == BODY
    usable_path(file).unlink()
    site.requests.clear()
    events = pulled(model_of(separator=file), keep_original=True, offline=True)
    assert isinstance(events[0], Planned)
    assert events[0].size == 0
    assert site.requests == []
    assert is_ready(file)


@pytest.mark.usefixtures("converters")
def test_an_original_put_there_by_hand_is_checked(site: Site) -> None:
    file = published(site.add("/a.ckpt", BODY), convert="audiosep")
    original_path(file).parent.mkdir(parents=True)
    original_path(file).write_bytes(BODY[::-1])
    with pytest.raises(ModelError, match="has sha256") as caught:
        pulled(model_of(separator=file), offline=True)
    assert "delete it" in caught.value.remedy
    unknown = ModelFile(source=file.source, convert="audiosep")
    pulled(model_of(separator=unknown), offline=True)
    assert lockfile.read_lock().downloads[file.source].sha256 == sha256(BODY[::-1])


def test_an_unknown_conversion_costs_no_download(site: Site) -> None:
    model = model_of(separator=published(site.add("/a.ckpt", BODY), convert="audiosepp"))
    with pytest.raises(ModelError, match=r"did you mean audiosep\?"):
        pulled(model)
    assert site.requests == []


def test_a_conversion_that_fails_leaves_nothing_but_the_original(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = published(site.add("/a.ckpt", BODY), convert="audiosep")
    with pytest.raises(ModelError):  # random bytes are no checkpoint
        pulled(model_of(separator=file))

    def full(kind: str, source: Path, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(convert, "convert_file", full)
    with pytest.raises(OutputError, match="No space left"):
        pulled(model_of(separator=file))
    names = {path.name for path in source_folder(file.source).iterdir()} - {".held"}
    assert names == {"a.ckpt"}
    assert len(site.requests) == 1


@pytest.mark.parametrize("how", ["option", "environment"])
def test_offline_connects_to_nothing(site: Site, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    model = model_of(separator=published(site.add("/a.safetensors", BODY)))
    if how == "environment":
        monkeypatch.setenv("SEPCLI_OFFLINE", "1")
    with pytest.raises(ModelError, match="stay offline") as caught:
        pulled(model, offline=how == "option")
    assert str(original_path(model.entry.files["separator"])) in caught.value.remedy
    assert site.requests == []
    monkeypatch.setenv("SEPCLI_OFFLINE", "0")
    pulled(model)
    assert pulled(model, offline=True)[-1] == Ready(
        "remote", {"separator": str(model.path("separator"))}, False
    )


def test_one_failure_does_not_stop_the_others(site: Site) -> None:
    good = model_of("good", separator=published(site.add("/a.safetensors", BODY)))
    bad = model_of("bad", separator=published(site.add("/b.safetensors", BODY, status(404))))
    events = list(pull_all([bad, good], patience=PATIENCE))
    (failed,) = [event for event in events if isinstance(event, Failed)]
    assert failed.model == "bad"
    assert "HTTP 404" in failed.error
    assert isinstance(events[-1], Ready)


def test_a_cache_that_cannot_be_written(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    monkeypatch.setenv("SEPCLI_HOME", str(Path("file/home").absolute()))
    model = model_of(separator=published(site.add("/a.safetensors", BODY)))
    with pytest.raises(OutputError, match="cannot write to") as caught:
        list(pull_all([model]))
    assert "make it writable, or set SEPCLI_HOME" in caught.value.remedy
    assert site.requests == []


def test_a_stopped_pull_lets_others_go_on(site: Site) -> None:
    model = model_of(separator=published(site.add("/a.safetensors", BODY, cut(200_000))))
    events = pull(model, patience=PATIENCE)
    while not isinstance(next(events), Notice):
        pass
    events.close()
    pulled(model)
    assert model.path("separator").read_bytes() == BODY
    assert "Range" in site.requests[-1][1]


def test_what_another_process_made_meanwhile_is_not_made_again(site: Site) -> None:
    file = published(site.add("/a.ckpt", BODY), convert="audiosep")
    source_folder(file.source).mkdir(parents=True)
    other = FileLock(source_folder(file.source) / ".held")
    other.acquire()
    events = pull(model_of(separator=file), patience=PATIENCE)
    while not isinstance(event := next(events), Notice):
        pass
    assert event.message == "another sepcli is fetching a.ckpt; waiting for it"
    usable_path(file).write_bytes(b"made")
    lockfile.record_converted(file.source, "audiosep", lockfile.digest_of(usable_path(file)))
    other.release()
    assert isinstance(list(events)[-1], Ready)
    assert usable_path(file).read_bytes() == b"made"
    assert site.requests == []


def test_a_model_that_is_not_downloaded_says_how(site: Site, tmp_path: Path) -> None:
    file = published(f"{site.url}/a.safetensors")
    with pytest.raises(ModelError, match="separator file is not downloaded") as caught:
        model_of("some", separator=file).path("separator")
    assert caught.value.remedy == "sepcli models pull some"
    alone = Model("x", model_of(separator=file).entry, tmp_path / "a b", Path("a b/model.yaml"))
    with pytest.raises(ModelError) as caught:
        alone.path("separator")
    assert caught.value.remedy == f"sepcli models pull '{tmp_path}/a b'"
    assert site.requests == []


def test_a_wrong_size_is_found_without_hashing(site: Site) -> None:
    model = model_of(separator=published(site.add("/a.safetensors", BODY)))
    pulled(model)
    model.path("separator").write_bytes(b"short")
    (row,) = verify_all(model, sha256=lambda path: pytest.fail("hashed"))
    assert (row.status, row.size) == ("wrong", 5)
    assert f"has 5 bytes, not {len(BODY)}" in row.error


def test_files_without_a_known_hash_are_named(site: Site) -> None:
    model = model_of(separator=ModelFile(source=site.add("/a.safetensors", BODY)))
    (row,) = verify_all(model)
    assert (row.status, row.size, row.bad) == ("not downloaded", None, False)
    pulled(model)
    (row,) = verify_all(model)
    assert (row.status, row.size, row.bad) == ("ok", len(BODY), False)
    lockfile.lock_path().unlink()
    (row,) = verify_all(model)
    assert (row.status, row.bad) == ("no hash known", False)
    missing = Model("own", model_of(separator=ModelFile(source="gone")).entry, Path(), Path("x"))
    (row,) = verify_all(missing)
    assert (row.status, row.bad) == ("missing", True)
    assert "correct the registry entry" in row.help
