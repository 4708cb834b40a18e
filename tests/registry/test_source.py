"""Which addresses may be fetched, and what a file is called."""

from __future__ import annotations

import pytest

from sepcli.registry.source import check_redirect, check_url, file_name, is_remote, shown

OK = "https://example.org/a/model.ckpt"


@pytest.mark.parametrize(
    "url", [OK, "http://127.0.0.1:8000/x", "http://localhost/x", "http://[::1]:80/x"]
)
def test_https_and_this_machine(url: str) -> None:
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/x",
        "http://127.0.0.1.example.org/x",
        "http://localhost.example.org/x",
        "ftp://example.org/x",
        "file:///etc/passwd",
        "data:,x",
        "https:///x",
        "https://user:word@example.org/x",
        "http://127.0.0.1@example.org/x",
        "http://127.0.0.1\\@example.org/x",
        "https://example.org/a b",
        "https://example.org/\n",
        "https://example.org:port/",
        "https://[::1/x",
    ],
)
def test_all_else_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"refused|no valid"):
        check_url(url)


def test_https_is_never_left() -> None:
    assert check_redirect(OK, "https://cdn.example.org/x") == "https://cdn.example.org/x"
    assert check_redirect("http://localhost/x", "http://127.0.0.1/y") == "http://127.0.0.1/y"
    with pytest.raises(ValueError, match="from https to http://127"):
        check_redirect(OK, "http://127.0.0.1/x")


def test_errors_show_no_signatures() -> None:
    assert shown("https://cdn.example.org/x?Signature=secret") == "https://cdn.example.org"


@pytest.mark.parametrize(
    ("source", "remote"),
    [
        (OK, True),
        ("ftp://x", True),
        ("shipped:clap.safetensors", False),
        ("weights/a.safetensors", False),
        ("/srv/a.safetensors", False),
        ("C:\\models\\a.safetensors", False),
        ("./odd:name", False),
    ],
)
def test_what_is_an_address(source: str, remote: bool) -> None:
    assert is_remote(source) is remote


@pytest.mark.parametrize(
    ("url", "name"),
    [
        (OK, "model.ckpt"),
        ("https://example.org/model.ckpt?download=true#x", "model.ckpt"),
        ("https://example.org/a%2F..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("https://example.org/%2e%2e", "file"),
        ("https://example.org/.hidden", "hidden"),
        ("https://example.org/", "file"),
        ("https://example.org/caf%C3%A9%20%1b.pt", "caf---.pt"),
        ("https://example.org/" + "a" * 300 + ".pt", "a" * 117 + ".pt"),
    ],
)
def test_names_are_safe(url: str, name: str) -> None:
    assert file_name(url) == name
