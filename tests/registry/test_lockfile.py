"""models.lock: what is pinned stays pinned."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from sepcli.errors import ModelError, OutputError
from sepcli.registry.lockfile import (
    Digest,
    expected,
    lock_path,
    pin_download,
    read_lock,
    record_converted,
)
from sepcli.registry.schema import ModelFile

URL = "https://example.org/a.pt"
ONE, TWO = Digest(sha256="1" * 64, size=1), Digest(sha256="2" * 64, size=2)


def test_what_a_file_must_be() -> None:
    pin_download(URL, ONE)
    record_converted(URL, "audiosep", TWO)
    record_converted(URL, "laion-clap", ONE)
    assert expected(ModelFile(source=URL)) == ONE
    assert expected(ModelFile(source=URL, size=7)) == Digest(sha256=ONE.sha256, size=7)
    assert expected(ModelFile(source=URL, sha256=ONE.sha256)) == ONE
    assert expected(ModelFile(source=URL, sha256=TWO.sha256)) == Digest(sha256=TWO.sha256)
    assert expected(ModelFile(source=URL, convert="audiosep")) == TWO
    assert expected(ModelFile(source=URL, convert="laion-clap")) == ONE
    assert expected(ModelFile(source=URL, convert="bimodal")) == Digest()
    assert expected(ModelFile(source="own.safetensors", size=3)) == Digest(size=3)


def test_many_at_once_lose_nothing() -> None:
    urls = [f"https://example.org/{index}" for index in range(12)]
    threads = [threading.Thread(target=pin_download, args=(url, ONE)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read_lock().downloads == dict.fromkeys(urls, ONE)
    assert not list(lock_path().parent.glob("*.partial"))


def test_a_damaged_lock_is_not_forgotten() -> None:
    lock_path().parent.mkdir(parents=True)
    lock_path().write_text("version: 1\ndownloads: {x: {sha256: short}}\n")
    with pytest.raises(ModelError, match="sha256") as caught:
        pin_download(URL, ONE)
    assert "delete it to trust" in caught.value.remedy
    assert "short" in lock_path().read_text()


def test_a_folder_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").touch()
    monkeypatch.setenv("SEPCLI_HOME", str(Path("file/home").absolute()))
    with pytest.raises(OutputError, match="cannot write to") as caught:
        pin_download(URL, ONE)
    assert "SEPCLI_HOME" in caught.value.remedy
