"""Tables and the whole summary as Markdown."""

from __future__ import annotations

from sepcli.evaluation.report import tables
from sepcli.evaluation.report.tables import Cell, Table
from sepcli.evaluation.report.wording import Summary, plain, title, unit_of, with_unit

ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
MARKS = "\\`*_[]|~#!"  # would start emphasis, code, a link, a heading, or the next cell


def escape(text: object) -> str:
    """Words that Markdown leaves as they are."""
    words = plain(text).translate(ENTITIES)
    return "".join(f"\\{character}" if character in MARKS else character for character in words)


def markdown(table: Table) -> str:
    """A table with a heading; figures are aligned to the right."""
    lines = [
        f"## {escape(table.title)}",
        "",
        _line([escape(head) for head in table.head]),
        _line(["---", *["---:"] * (len(table.head) - 1)]),
        *(_line([_cell(cell) for cell in row]) for row in table.rows),
    ]
    if table.note:
        lines += ["", escape(table.note)]
    return "\n".join(lines) + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(cell: Cell) -> str:
    text = f"**{escape(cell.text)}**" if cell.strong else escape(cell.text)
    return f"{text}; {escape(cell.detail)}" if cell.detail else text


def summary_markdown(summary: Summary) -> str:
    """The page summary.md."""
    head = summary["headline"]
    figure = with_unit(head["value"], unit_of(summary, head["column"]))
    parts = [
        f"# {escape(title(summary))}\n",
        *(f"> **{escape(note)}**\n" for note in summary["notes"]),
        f"**{escape(head['column'])} {escape(figure)}** ({escape(head['how'])})\n",
        _facts(summary),
        *(markdown(table) for table in every_table(summary) if table.rows),
    ]
    return "\n".join(parts)


def every_table(summary: Summary) -> list[Table]:
    """All tables of a summary, in the order of the report; some may have no rows."""
    return [
        tables.summary_table(summary),
        tables.aggregation_table(summary),
        tables.reference_table(summary),
        *tables.group_tables(summary),
        *tables.query_tables(summary),
        tables.flag_table(summary),
        tables.failure_table(summary),
    ]


def _facts(summary: Summary) -> str:
    dataset, protocol, system = summary["dataset"], summary["protocol"], summary["system"]
    facts = {
        "Protocol": f"{protocol['id']}: {protocol['summary']} ({protocol['source']})",
        "Data": f"{dataset['name']}, {dataset['split']}, {dataset['complete']}",
        "Items": f"{summary['items']}, sha256 {summary['items_hash']}",
        "System": f"{system['kind']} {system['name']}, sha256 {system['fingerprint']}",
        "sepcli": f"{summary['sepcli']}, seed {summary['seed']}",
    }
    return "".join(f"- {name}: {escape(text)}\n" for name, text in facts.items())
