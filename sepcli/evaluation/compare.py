"""Is one system better than another? Paired statistics of rows that both have figures for."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sepcli.errors import UsageError
from sepcli.evaluation.aggregate import ALL_STEMS
from sepcli.evaluation.results import SYSTEM, Row
from sepcli.evaluation.runs import Run
from sepcli.evaluation.scene import Array
from sepcli.evaluation.statistics import (
    Interval,
    bootstrap_ci,
    cohens_d,
    holm,
    rank_biserial,
    sign_flip_test,
    wilcoxon_test,
    win_rate,
)

Pair = tuple[Row, Row]

TIE = 1e-5  # what the last bits of a 32-bit network, batched in another way, move a figure by


@dataclass(frozen=True)
class Difference:
    """The first system minus the second, in one column of one stem, or of all.

    Attributes:
        column: what is compared.
        stem: `ALL_STEMS` for all together.
        pairs: rows with a figure of both.
        dropped: rows that both have, one of them without a figure.
        mean: difference with its 95 % interval over items.
        sign_flip: p of the mean difference, flipping the signs of items.
        wilcoxon: p of the signed ranks of items.
        sign_flip_holm: corrected for all differences of the comparison.
        wilcoxon_holm: likewise.
        win_rate: share of pairs in which the first is better, ties half; NaN where neither
            more nor less is better.
        cohens_d: d_z over items.
        rank_biserial: over pairs, -1 to 1.
    """

    column: str
    stem: str
    pairs: int
    dropped: int
    mean: Interval
    sign_flip: float
    wilcoxon: float
    sign_flip_holm: float
    wilcoxon_holm: float
    win_rate: float
    cohens_d: float
    rank_biserial: float


@dataclass(frozen=True)
class Comparison:
    """Two systems on the same items.

    Attributes:
        first: name.
        second: name.
        differences: of every column, all stems before each.
        only_first: rows that the second has not.
        only_second: rows that the first has not.
        notices: what restricts the meaning.
    """

    first: str
    second: str
    differences: tuple[Difference, ...]
    only_first: int
    only_second: int
    notices: tuple[str, ...]


def compare_runs(
    first: Run, second: Run, columns: Sequence[str] | None = None, force: bool = False
) -> Comparison:
    """Compare two runs, or a run and a published file.

    Args:
        first: what is asked about.
        second: what it is compared with.
        columns: which; None for the first run's headline, or all that both have.
        force: compare in spite of different protocols.

    Raises:
        UsageError: if protocols differ, or there is nothing to compare.
    """
    notices = check_protocols(first, second, force)
    about = first.summary or second.summary or {"columns": {}}
    better = {name: each["higher_is_better"] for name, each in about["columns"].items()}
    chosen = common_columns(first.rows, second.rows, columns or headline(first, second))
    return replace(
        compare(first.rows, second.rows, chosen, better),
        first=first.name,
        second=second.name,
        notices=notices,
    )


def headline(first: Run, second: Run) -> tuple[str, ...] | None:
    """The column that a run's protocol puts first, if both have it.

    Every further column would make the correction for many tests stricter.
    """
    for run in (first, second):
        column = run.summary["headline"]["column"] if run.summary else None
        if column is not None and all(column in r.rows[0].scores for r in (first, second)):
            return (column,)
    return None


def check_protocols(first: Run, second: Run, force: bool = False) -> tuple[str, ...]:
    """What must be said before two runs' figures are set side by side.

    Raises:
        UsageError: if their protocols differ, unless forced.
    """
    notices = []
    unknown = [run.name for run in (first, second) if run.protocol is None]
    if unknown:
        notices.append(f"protocol unknown, make sure that it is the same: {', '.join(unknown)}")
    elif first.protocol != second.protocol:
        message = f"protocols differ: {first.protocol} and {second.protocol}"
        if not force:
            raise UsageError(message, "score both by one protocol, or use --force")
        notices.append(message)
    hashes = {first.items_hash, second.items_hash} - {None}
    if len(hashes) > 1:
        notices.append("not the same items: only those of both are compared")
    return tuple(notices)


def common_columns(
    first: Sequence[Row], second: Sequence[Row], wanted: Sequence[str] | None
) -> tuple[str, ...]:
    """The columns to compare, in the first system's order.

    Raises:
        UsageError: if one that is wanted is missing, or none is common.
    """
    have = [
        dict.fromkeys(column for row in rows for column in row.scores) for rows in (first, second)
    ]
    common = tuple(column for column in have[0] if column in have[1])
    missing = [column for column in wanted or () if column not in common]
    if missing or not common:
        message = f"not in both: {', '.join(missing)}" if missing else "no column in common"
        names = " and ".join(", ".join(each) or "none" for each in have)
        raise UsageError(message, f"the columns are {names}")
    return common if wanted is None else tuple(wanted)


def compare(
    first: Sequence[Row],
    second: Sequence[Row],
    columns: Sequence[str],
    better: Mapping[str, bool | None] | None = None,
) -> Comparison:
    """Pair rows of the systems under test by item and stem, and compare their columns.

    An item is found by the last part of its name where no full names agree, since published
    files leave folders out; rows of a file that names no stems belong to an item's only stem.
    Equal figures, also infinite ones, differ by 0. The order of the rows changes nothing.

    Args:
        first: rows.
        second: rows.
        columns: which.
        better: column -> whether more is better, None for neither; True where it says nothing.

    Raises:
        UsageError: if no row is in both, or rows cannot be told apart.
    """
    pairs, only_first, only_second = paired(first, second)
    stems = sorted({row.stem for row, _ in pairs})
    of_stem = {ALL_STEMS: pairs} if len(stems) > 1 else {}
    of_stem |= {stem: [pair for pair in pairs if pair[0].stem == stem] for stem in stems}
    signs = {True: 1, False: -1, None: 0}
    found = [
        difference(column, stem, members, signs[(better or {}).get(column, True)])
        for column in columns
        for stem, members in of_stem.items()
    ]
    return Comparison("", "", corrected(found), only_first, only_second, ())


def paired(first: Sequence[Row], second: Sequence[Row]) -> tuple[list[Pair], int, int]:
    """Rows of both systems, and how many rows only the first and only the second has.

    Raises:
        UsageError: see `compare`.
    """
    both = [[row for row in rows if row.system == SYSTEM] for rows in (first, second)]
    stemless = any(rows and not any(row.stem for row in rows) for rows in both)
    for name in (_full_name, _last_name):
        ours, theirs = ({_key(row, name, stemless): row for row in rows} for rows in both)
        sizes = [len(ours), len(theirs)]
        if sizes != [len(rows) for rows in both]:
            continue  # names that do not tell rows apart
        if common := sorted(ours.keys() & theirs.keys()):
            pairs = [(ours[key], theirs[key]) for key in common]
            return pairs, sizes[0] - len(common), sizes[1] - len(common)
    examples = [f"{rows[0].item} {rows[0].stem}" if rows else "none" for rows in both]
    message = "no item and stem is in both, or they cannot be told apart"
    raise UsageError(message, f"rows begin with: {examples[0]}; {examples[1]}")


def _full_name(row: Row) -> str:
    return row.item


def _last_name(row: Row) -> str:
    return row.item.rpartition("/")[2]


def _key(row: Row, name: Callable[[Row], str], stemless: bool) -> tuple[str, str]:
    return name(row), "" if stemless else row.stem


def difference(column: str, stem: str, pairs: Sequence[Pair], sign: int) -> Difference:
    """One column of pairs, not yet corrected; `sign` 1 if more is better, -1 if less, 0 if none."""
    gaps = np.array([_gap(a, b, column) for a, b in pairs], np.float64)
    items = [a.item for a, _ in pairs]
    valid = int((~np.isnan(gaps)).sum())
    return Difference(
        column=column,
        stem=stem,
        pairs=valid,
        dropped=len(pairs) - valid,
        mean=bootstrap_ci(gaps, items),
        sign_flip=sign_flip_test(gaps, items),
        wilcoxon=wilcoxon_test(gaps, items),
        sign_flip_holm=math.nan,
        wilcoxon_holm=math.nan,
        win_rate=win_rate(sign * gaps) if sign else math.nan,
        cohens_d=cohens_d(gaps, items),
        rank_biserial=rank_biserial(gaps),
    )


def _gap(a: Row, b: Row, column: str) -> float:
    ours, theirs = (row.scores.get(column, math.nan) for row in (a, b))
    return 0.0 if ours == theirs or abs(ours - theirs) < TIE else ours - theirs


def corrected(differences: Sequence[Difference]) -> tuple[Difference, ...]:
    """With p-values corrected for all of them, each test by itself."""
    signs: Array = holm([each.sign_flip for each in differences])
    ranks: Array = holm([each.wilcoxon for each in differences])
    return tuple(
        replace(each, sign_flip_holm=float(s), wilcoxon_holm=float(r))
        for each, s, r in zip(differences, signs, ranks, strict=True)
    )
