"""A model's card: what it is, what it was trained on, how well it does, and whom to thank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sepcli.training.config import SeparatorConfig
from sepcli.training.corpora.clip import Clip


def card(
    entry: Mapping[str, Any],
    config: SeparatorConfig,
    clips: Sequence[Clip],
    figures: Mapping[str, float],
) -> str:
    """A page in Markdown.

    Args:
        entry: of the model in a registry.
        config: that it was trained with.
        clips: of the corpora; those of the training split count as trained on.
        figures: of the last validation.
    """
    trained = [clip for clip in clips if clip.split == "train"]
    lines = [
        f"# Model card: {entry['summary']}",
        "",
        f"- architecture: {entry['architecture']}, {arguments(entry['arguments'])}",
        f"- objective: {config.objective.name}; {config.steps} steps of {config.batch} mixtures "
        f"of {config.seconds:g} s, seed {config.seed}",
        f"- trained on: {len(trained)} clips of {len({c.labels for c in trained})} kinds",
        f"- licence of the weights: {entry['licence']['weights']}",
        "",
        "## Figures on validation sounds",
        "",
        *(f"- {name}: {value:.3f}" for name, value in sorted(figures.items())),
        "",
        "They were used to watch the training; test it with `sepcli eval --model` on sounds that",
        "played no part in it.",
        "",
        credits(trained),
    ]
    return "\n".join(lines)


def arguments(table: Mapping[str, Any]) -> str:
    """Sizes in words."""
    return ", ".join(f"{key} {value}" for key, value in table.items())


def credits(clips: Sequence[Clip]) -> str:
    """Everyone whose recordings were trained on, by licence, as Markdown."""
    counts = Counter((clip.licence, clip.credit) for clip in clips)
    lines = ["## Recordings this model was trained on", ""]
    for licence in sorted({licence for licence, _ in counts}):
        rows = sorted((credit, n) for (which, credit), n in counts.items() if which == licence)
        lines += [f"### {licence or 'no licence known'}", ""]
        lines += [f"- {credit} ({n} clip{'s' * (n > 1)})" for credit, n in rows]
        lines.append("")
    return "\n".join(lines)
