"""What `sepcli models convert` says of a model it made."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sepcli.registry.convert import ConversionReport
    from sepcli.registry.convert.folder import Imported


def as_json(made: Imported) -> str:
    """All of it, for programs; keys are counted."""
    facts = {"folder": str(made.folder), "to_pull": made.to_pull, "missing": made.missing}
    conversions = {role: _row(report) for role, report in made.conversions.items()}
    return json.dumps({**facts, "conversions": conversions}, indent=1, ensure_ascii=False)


def as_text(made: Imported) -> str:
    """A few lines for people."""
    lines = [line for report in made.conversions.values() for line in _lines(report)]
    if made.to_pull:
        lines.append(f"to come, {', '.join(made.to_pull)}: sepcli models pull {made.folder}")
    lines += [f"missing, the {role}: {made.folder / name}" for role, name in made.missing.items()]
    return "\n".join(lines)


def _row(report: ConversionReport) -> dict[str, Any]:
    return {
        "kind": report.kind,
        "source": str(report.source),
        "target": str(report.target),
        "size_before": report.size_before,
        "size_after": report.size_after,
        "kept": len(report.kept),
        "dropped": {reason: len(keys) for reason, keys in report.dropped.items()},
    }


def _lines(report: ConversionReport) -> Iterator[str]:
    megabytes = f"{report.size_before / 1e6:.1f} MB -> {report.size_after / 1e6:.1f} MB"
    yield f"{report.target}: {report.kind}, {len(report.kept)} tensors, {megabytes}"
    for reason, keys in report.dropped.items():
        yield f"  dropped {len(keys)}: {reason}"
