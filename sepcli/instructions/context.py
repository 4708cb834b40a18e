"""What a clause takes from those beside it: a verb, a direction, an amount."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from sepcli.instructions.clauses import Clause
from sepcli.instructions.levels import Change
from sepcli.instructions.names import odd_word
from sepcli.instructions.refusal import stumble
from sepcli.instructions.words import IMPLIED, OTHER_WORK, Verb


def completed(clauses: Sequence[Clause]) -> Iterator[Clause]:
    """Clauses with all that they leave unsaid.

    Raises:
        UsageError: if the first one does not say what to do.
    """
    starts = [n for n, clause in enumerate(clauses) if clause.verb is not None or n == 0]
    for start, end in pairwise([*starts, len(clauses)]):
        yield from completed_run(clauses[start:end])


def completed_run(run: Sequence[Clause]) -> Iterator[Clause]:
    """A clause that leads, and those without a verb that go on with it."""
    lead = leading(run)
    verbs = [lead.verb, *(verb_after(lead, clause) for clause in run[1:])]
    changes = [lead.change, *(clause.change for clause in run[1:])]
    if lead.verb == "change":
        changes = shared(changes)
    for clause, verb, change in zip(run, verbs, changes, strict=True):
        excepted = clause.excepted or (lead.excepted and verb == lead.verb)
        yield replace(clause, verb=verb, change=change, excepted=excepted)


def leading(run: Sequence[Clause]) -> Clause:
    """The first clause of a run, with a verb."""
    lead, *others = run
    if lead.verb is None:
        refuse_other_work(lead)
        if lead.change == Change() and not lead.excepted:
            stumble(odd_word(lead.sound) or lead.text, "it does not say what to do")
        return replace(lead, verb="only" if lead.change == Change() else "change")
    if lead.verb == "cut" and any(clause.change.relative for clause in others):
        return replace(lead, verb="change", change=Change(IMPLIED["cut"]))
    return lead


def verb_after(lead: Clause, clause: Clause) -> Verb | None:
    """What a clause without a verb says, after the one that leads it."""
    refuse_other_work(clause)
    return lead.verb if clause.change == Change() else "change"


def shared(changes: Sequence[Change]) -> list[Change]:
    """Changes that stand in one list: what one leaves open the next says, or else the one before.

    An amount is shared backwards only from sounds that have no direction of their own.
    """
    filled = list(changes)
    for n in reversed(range(len(filled) - 1)):
        if filled[n] == Change() or (filled[n].amount is None and changes[n + 1].relative):
            filled[n] = filled[n].over(filled[n + 1])
    for n, before in zip(range(1, len(filled)), filled, strict=False):
        if filled[n] == Change() or filled[n].relative:
            filled[n] = filled[n].over(before)
    return filled


def refuse_other_work(clause: Clause) -> None:
    """Refuse clauses that begin with what other tools do."""
    first = clause.sound.partition(" ")[0]
    if first in OTHER_WORK:
        stumble(first, "that is no way to take sounds apart")
