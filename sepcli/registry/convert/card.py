"""The card of an imported model: where its weights are from, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping

from sepcli.hashing import sha256_of
from sepcli.registry.convert.conversion import ConversionReport
from sepcli.registry.convert.converter import Converter


def card(conversions: Mapping[str, ConversionReport], converters: Mapping[str, Converter]) -> str:
    """CARD.md.

    Args:
        conversions: by role.
        converters: by kind.
    """
    parts = [_part(role, report, converters[report.kind]) for role, report in conversions.items()]
    titles = " with ".join(converters[report.kind].title for report in conversions.values())
    head = (
        f"# Model card: {titles}, imported\n\n"
        "These weights were not made by this project. `sepcli models convert` copied them out of\n"
        "the checkpoints below; figures, training data and terms are those of their publishers.\n"
    )
    return "\n".join([head, *parts])


def _part(role: str, report: ConversionReport, converter: Converter) -> str:
    dropped = [f"- {reason}: {_count(keys)}" for reason, keys in report.dropped.items()]
    rows = {
        "from": f"`{_plain(report.source.name)}`, {report.size_before} bytes",
        "sha256": f"`{sha256_of(report.source)}`",
        "now": f"`{report.target.name}`, {report.size_after} bytes, {len(report.kept)} tensors",
        "licence of the weights": converter.licence,
    }
    table = [f"| {name} | {value} |" for name, value in rows.items()]
    lines = [f"## {role}: {converter.title}", "", "| | |", "|---|---|", *table, ""]
    return "\n".join([*lines, *(["Dropped:", "", *dropped, ""] if dropped else [])])


def _count(keys: list[str]) -> str:
    return f"{len(keys)}, such as `{_plain(keys[0])}`"


def _plain(text: str) -> str:
    """A name that somebody chose, so that it cannot break out of the table."""
    return "".join(c if c.isalnum() or c in " ._->/" else "?" for c in text)[:100]
