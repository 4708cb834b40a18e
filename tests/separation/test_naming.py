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


@pytest.mark.parametrize(
    "template",
    [
        "{input:>1000000000}",
        "{input!r}",
        "{input.__class__}",
        "{input[0]}",
        ".",
        "a\nb",
        "a\0b",
        ".sepcli-partial-{input}",
        ".sepcli-journal/{input}",
    ],
)
def test_templates_that_would_do_harm(template: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_template(template)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("template", "fields", "expected"),
    [
        ("{input}/{query}", {"input": "..", "query": "dog"}, "__/dog"),
        ("{input}/{query}", {"input": ".", "query": "dog"}, "_/dog"),
        ("{parent}/{input}", {"parent": "", "input": "mix"}, "mix"),
        ("{end}/{end}/{input}", {"end": "", "input": "mix"}, "mix"),
        ("{input}{end}", {"end": "", "input": "mix"}, "mix"),
    ],
)
def test_no_field_leaves_the_folder(template: str, fields: dict[str, str], expected: str) -> None:
    assert fill_template(template, fields).as_posix() == expected


@given(st.text(min_size=1, max_size=300), st.text(max_size=300))
def test_any_input_makes_a_path_in_the_folder(name: str, parent: str) -> None:
    fields = {"input": name, "parent": parent, "query": slug(name), "ext": "wav"}
    try:
        path = fill_template("{parent}/{input}.{query}.{ext}", fields)
    except UsageError:  # a parent may be longer than any name
        assert len(parent.encode("utf-8", "surrogatepass")) > 200
        return
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert all(len(part.encode("utf-8", "surrogatepass")) <= 224 for part in path.parts)


def test_long_inputs_are_cut_to_different_names() -> None:
    names = {
        fill_template("{input}.{query}.wav", {"input": "é" * 120 + end, "query": "dog"}).name
        for end in ("a", "b")
    }
    assert len(names) == 2
    assert all(190 < len(name.encode()) <= 224 and name.endswith(".dog.wav") for name in names)
    plain = {"input": "x" * 200, "query": "dog"}
    assert fill_template("{input}.{query}", plain).name == "x" * 200 + ".dog"


def test_names_that_are_too_long_whatever_is_cut() -> None:
    with pytest.raises(UsageError, match="more than 224 bytes"):
        fill_template("{input}" + "x" * 225, {"input": "mix"})
