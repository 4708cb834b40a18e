"""The page is whole in itself, tells what the summary says, and runs nothing but our own."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

import pytest
from jinja2 import UndefinedError

from sepcli.evaluation.report.html import page, sort_key
from sepcli.evaluation.report.listening import Clip, Excerpt
from sepcli.evaluation.report.tables import Cell
from sepcli.evaluation.results import Row

Summarise = Callable[[Sequence[Row]], dict[str, Any]]
VOID = {"meta", "link", "br", "img", "input"}


class Reader(HTMLParser):
    """Collects elements, their attributes and their text; refuses elements left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts.setdefault(self._open[-1], []).append(data)

    def values(self, attribute: str) -> list[str]:
        return [a[attribute] or "" for _, a in self.elements if attribute in a]


@pytest.fixture
def excerpt(rows: list[Row]) -> Excerpt:
    clips = tuple(
        Clip(name, b"sound", b"image", -1.5) for name in ("mixture", "reference", "estimate")
    )
    return Excerpt("worst", rows[0], 2.0, 10.0, 4000.0, clips)


def test_nothing_is_loaded(summary: dict[str, Any], rows: list[Row], excerpt: Excerpt) -> None:
    reader = Reader(page(summary, rows, [excerpt]))
    for attribute in ("src", "href", "xlink:href", "action", "data", "poster", "srcset"):
        for address in reader.values(attribute):
            assert urlsplit(address).scheme == "data" or address.startswith("#")
    assert {tag for tag, _ in reader.elements}.isdisjoint({"iframe", "object", "embed", "base"})
    for style in reader.texts["style"]:
        assert "url(" not in style
        assert "@import" not in style


def test_the_policy_allows_our_style_and_script_alone(
    summary: dict[str, Any], rows: list[Row]
) -> None:
    reader = Reader(page(summary, rows))
    (policy,) = [a["content"] for t, a in reader.elements if a.get("http-equiv")]
    assert policy is not None
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == "'none'"
    script = next(text for text in reader.texts["script"] if "use strict" in text)
    for kind, text in (("style-src", reader.texts["style"][0]), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert rules[kind] == f"'sha256-{digest}'"
    assert reader.values("style") == []  # the policy would ignore them
    assert not [name for _, a in reader.elements for name in a if name.startswith("on")]


HOSTILE = "</script><script>alert(1)</script>\"' onload=alert(2) <img src=x>"


def test_hostile_names_stay_text(summarise: Summarise, rows: list[Row], excerpt: Excerpt) -> None:
    renamed = [
        replace(
            row,
            item=HOSTILE,
            stem=HOSTILE,
            estimate=HOSTILE,
            facts={HOSTILE: HOSTILE, "class": HOSTILE, "snr": 1.0},
            flags=(HOSTILE,),
        )
        for row in rows[:8]
    ]
    summary = summarise(renamed)
    summary |= {
        "notes": [HOSTILE],
        "flags": {HOSTILE: 1},
        "groups": {HOSTILE: summary["groups"]["class"]},
    }
    summary["system"] |= {"name": HOSTILE}
    summary["dataset"] |= {"title": HOSTILE, "name": HOSTILE}
    summary["protocol"] |= dict.fromkeys(("id", "summary", "source", "aggregate"), HOSTILE)
    summary["headline"] |= {"how": HOSTILE}
    summary["failures"] = [dict.fromkeys(("item", "error", "help"), HOSTILE)]
    heard = [replace(excerpt, row=renamed[0]), Excerpt("best", renamed[0], problem=HOSTILE)]
    text = page(summary, renamed, heard)
    reader = Reader(text)
    assert [tag for tag, _ in reader.elements].count("script") == 2
    assert "img" not in {tag for tag, _ in reader.elements}
    assert not [name for _, a in reader.elements for name in a if name.startswith("on")]
    assert any(HOSTILE in part for part in reader.texts["title"])
    assert "<script>alert" not in text


def test_the_page_tells_what_the_summary_says(summary: dict[str, Any], rows: list[Row]) -> None:
    reader = Reader(page(summary, rows))
    words = " ".join(" ".join(parts) for parts in reader.texts.values())
    for said in (
        "NOT A BENCHMARK RESULT: --limit 48",
        "PARTIAL 48/320",
        "7.79 [6.93, 8.65]",
        "lass/audiosep-sdri",
        "Liu et al., 2023",
        "CC BY 3.0",
        "9f2c4e0d51b7a8e6",
        "c1d90be7a45f2238",
        "oracle-irm",
        "n/a (ref_silent)",
        "By snr",
        "Is the sound there?",
        "no estimate of rain",
        "n 95/96",
    ):
        assert said in words


def test_every_picture_has_a_title(
    summary: dict[str, Any], rows: list[Row], excerpt: Excerpt
) -> None:
    reader = Reader(page(summary, rows, [excerpt, excerpt]))
    ids = reader.values("id")
    assert len(ids) == len(set(ids))
    drawings = [a for tag, a in reader.elements if tag == "svg"]
    assert len(drawings) == 5 + 2 + 2 + 1 + 6  # histograms, scatters, intervals, ROC, spectrograms
    for drawing in drawings:
        assert set((drawing["aria-labelledby"] or "-").split()) <= set(ids)


def test_a_page_without_much_is_still_a_page(
    summary: dict[str, Any], aggregated: Callable[[Sequence[float]], dict[str, Any]]
) -> None:
    nothing = aggregated([math.nan])
    row = Row("a", "all of it", "estimate", "x", {}, ("ref_silent",), {"sdri": math.nan})
    bare = {k: v for k, v in summary.items() if k != "query"} | {
        "notes": [],
        "stems": {"sdri": {"all": nothing}},
        "headline": {"column": "sdri", "value": None, "how": "mean over items"},
        "aggregations": {},
        "groups": {},
        "reference_systems": {},
        "flags": {},
        "failures": [],
    }
    reader = Reader(page(bare, [row]))
    assert "n/a" in reader.texts["p"]
    assert "0.00" not in " ".join(reader.texts["td"])
    assert "svg" not in {tag for tag, _ in reader.elements}
    assert "h3" not in reader.texts
    assert "#queries" not in reader.values("href")
    assert reader.values("role").count("note") == 0


def test_an_item_without_sound_says_so(summary: dict[str, Any], rows: list[Row]) -> None:
    reader = Reader(page(summary, rows, [Excerpt("best", rows[0], problem="it has gone")]))
    assert "No audio: it has gone" in reader.texts["p"]
    assert "audio" not in {tag for tag, _ in reader.elements}


def test_sounds_and_pictures_are_in_the_page(
    summary: dict[str, Any], rows: list[Row], excerpt: Excerpt
) -> None:
    reader = Reader(page(summary, rows, [excerpt]))
    sounds = [a["src"] for tag, a in reader.elements if tag == "audio"]
    assert sounds == [f"data:audio/webm;base64,{base64.b64encode(b'sound').decode()}"] * 3
    ticks = [text for text in reader.texts["text"] if text in ("100", "1k", "10k")]
    assert ticks == ["100", "1k"] * 3  # 10 kHz is above a picture that ends at 4 kHz


def test_the_explorer_reads_its_data(summary: dict[str, Any], rows: list[Row]) -> None:
    reader = Reader(page(summary, rows))
    data = next(text for text in reader.texts["script"] if text.startswith("["))
    assert {variable["name"] for variable in json.loads(data)} >= {"sdri (dB) ↑", "fact: snr"}


def test_only_figures_that_change_are_drawn_before_and_after(
    summary: dict[str, Any], rows: list[Row]
) -> None:
    assert "mixture&#39;s sdr (dB) ↑" in page(summary, rows)
    alone = [row for row in rows if row.system == "estimate"]
    assert "Before and after" not in page(summary, alone)


def test_many_stems_have_one_histogram(summarise: Summarise, rows: list[Row]) -> None:
    many = [replace(row, stem=f"stem {n}") for n, row in enumerate(rows[:60])]
    text = page(summarise(many), many)
    assert re.findall(r"<figcaption>(all stems|stem .*)</figcaption>", text) == ["all stems"]


@pytest.mark.parametrize(
    ("value", "key"),
    [(1.5, "1.5"), (math.nan, ""), (math.inf, "Infinity"), (-math.inf, "-Infinity"), ("a", "a")],
)
def test_what_sorts_is_what_javascript_reads(value: float | str, key: str) -> None:
    assert sort_key(Cell("", value)) == key


def test_the_command_is_shown_as_text(summary: dict[str, Any], rows: list[Row]) -> None:
    hostile = summary | {"command": "sepcli eval --model '</code><script>'"}
    text = page(hostile, rows)
    assert "sepcli eval --model &#39;&lt;/code&gt;&lt;script&gt;&#39;" in text


def test_templates_fail_rather_than_leave_gaps(summary: dict[str, Any], rows: list[Row]) -> None:
    with pytest.raises(UndefinedError):
        page(summary | {"dataset": {"name": "demo", "title": "x", "split": "test"}}, rows)
