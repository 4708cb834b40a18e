"""How figures and names are put into words, alike in every format."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any
from unicodedata import category

from sepcli.evaluation.results import decode_score

Summary = Mapping[str, Any]
"""A run's summary.json."""

MINUS = "\N{MINUS SIGN}"
REVERSING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"  # bidirectional overrides


def plain(text: object) -> str:
    """One line that is safe to show: control characters and lone surrogates are replaced.

    A file may be called anything. An escape sequence would repaint the terminal, an override
    of direction would hide an extension, and a surrogate (a byte that is not UTF-8) could not
    be written at all.
    """
    return "".join(_visible(character) for character in str(text))


def _visible(character: str) -> str:
    if character in "\t\n\r\v\f\u2028\u2029":
        return " "
    if character in REVERSING or category(character) in ("Cc", "Cs"):
        return "\N{REPLACEMENT CHARACTER}"
    return character


def number(value: float | str | None, unit: str = "", sign: bool = False) -> str:
    """Two decimals where there is a unit, three where there is none; "n/a" if undefined."""
    value = decode_score(value)
    if math.isnan(value):
        return "n/a"
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    text = f"{value:{'+' if sign else ''}.{2 if unit else 3}f}"
    return text.replace("-", MINUS)


def with_unit(value: float | str | None, unit: str) -> str:
    """A figure and its unit; an undefined one has none."""
    text = number(value, unit)
    return f"{text} {unit}" if unit and text != "n/a" else text


def mean(aggregate: Mapping[str, Any], unit: str) -> str:
    """Mean and confidence interval, or why there is no mean."""
    if math.isnan(decode_score(aggregate["mean"])):
        return f"n/a ({_nothing(aggregate)})"
    bounds = [decode_score(aggregate[bound]) for bound in ("low", "high")]
    text = number(aggregate["mean"], unit)
    if any(math.isnan(bound) for bound in bounds):
        return text
    return f"{text} [{number(bounds[0], unit)}, {number(bounds[1], unit)}]"


def detail(aggregate: Mapping[str, Any], unit: str) -> str:
    """Median, and how many figures count where that is not all of them."""
    parts = []
    if not math.isnan(decode_score(aggregate["median"])):
        parts.append(f"median {number(aggregate['median'], unit)}")
    if aggregate["valid"] != aggregate["total"]:
        parts.append(f"n {aggregate['valid']}/{aggregate['total']}")
    if aggregate["infinite"]:
        parts.append(f"{aggregate['infinite']} infinite")
    return ", ".join(parts)


def _nothing(aggregate: Mapping[str, Any]) -> str:
    if aggregate["total"] == 0:
        return "no items"
    if aggregate["infinite"]:
        return "infinite of both signs"
    return "undefined"


def missing(flags: Iterable[str]) -> str:
    """A figure that is undefined, and what made it so."""
    return f"n/a ({', '.join(plain(flag) for flag in flags) or 'undefined'})"


def column_head(summary: Summary, column: str) -> str:
    """A column's name, unit, and which way is better."""
    about = summary["columns"][column]
    arrow = {True: "↑", False: "↓", None: ""}[about["higher_is_better"]]
    name = plain(f"{column} ({about['unit']})" if about["unit"] else column)
    return f"{name} {arrow}".rstrip()


def unit_of(summary: Summary, column: str) -> str:
    """Unit of a column, empty if it has none."""
    return str(summary["columns"].get(column, {}).get("unit", ""))


def title(summary: Summary) -> str:
    """What was evaluated, on what."""
    dataset = summary["dataset"]
    return plain(f"{summary['system']['name']} on {dataset['title']}")
