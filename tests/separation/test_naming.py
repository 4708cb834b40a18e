"""File names from any query, and templates from any user."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcli.errors import UsageError
from sepcli.separation.naming import check_template, fill_template, slug


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("dog barking", "dog-barking"),
        ("Dog  Barking!", "dog-barking"),
        ("Hundegebell über Köln", "hundegebell-über-köln"),
        ("犬の鳴き声", "犬の鳴き声"),
        ("a/b\\c:d", "a-b-c-d"),
    ],
)
def test_plain_texts(text: str, name: str) -> None:
    assert slug(text) == name


@given(st.text(min_size=1, max_size=300))
def test_any_text_makes_a_safe_name(text: str) -> None:
    name = slug(text)
    assert 1 <= len(name.encode()) <= 130
    assert not set(name) & set('/\\:*?"<>|\0\n\r\t')
    assert name not in ("", ".", "..")
    assert not name.startswith(".")


def test_long_texts_stay_apart() -> None:
    assert slug("x" * 10_000) != slug("x" * 9_999)
    assert slug("../" * 10) != slug("!!")
    assert slug("con") != "con"


@pytest.mark.parametrize(
    "template", ["{nothing}", "{input", "/etc/{input}", "../{input}", "", "a/../../{input}", "{0}"]
)
def test_bad_templates(template: str) -> None:
    with pytest.raises(UsageError):
        check_template(template)


def test_fields_add_no_folders() -> None:
    fields = {"input": "../../x", "query": "a/b", "ext": "wav"}
    path = fill_template("{input}.{query}.{ext}", fields)
    assert path.parts == ("..-..-x.a-b.wav",)
