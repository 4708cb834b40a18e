"""Tables on a terminal."""

from __future__ import annotations

from rich.table import Table as Drawn
from rich.text import Text

from sepcli.evaluation.report.tables import Cell, Table


def terminal_table(table: Table) -> Drawn:
    """A table for a rich console. Cells are texts, so that no name is read as markup."""
    drawn = Drawn(title=Text(table.title), title_justify="left", caption=Text(table.note) or None)
    for index, head in enumerate(table.head):
        drawn.add_column(Text(head), justify="right" if index else "left", overflow="fold")
    for row in table.rows:
        drawn.add_row(*(_cell(cell) for cell in row))
    return drawn


def _cell(cell: Cell) -> Text:
    text = Text(cell.text, style="bold" if cell.strong else "")
    return text.append(f"\n{cell.detail}", style="dim not bold") if cell.detail else text
