"""Tables as LaTeX, for a document that loads booktabs."""

from __future__ import annotations

from sepcli.evaluation.report.markdown import every_table
from sepcli.evaluation.report.tables import Cell, Table
from sepcli.evaluation.report.wording import MINUS, Summary, plain

SPELLING = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "$": r"\$",
        "&": r"\&",
        "#": r"\#",
        "%": r"\%",
        "_": r"\_",
        "^": r"\textasciicircum{}",
        "~": r"\textasciitilde{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
        "|": r"\textbar{}",
        "[": "{[}",  # a row that begins with one would be read as the argument of \\
        "*": "{*}",  # so would a star
        MINUS: "$-$",
        "∞": r"$\infty$",
        "↑": r"$\uparrow$",
        "↓": r"$\downarrow$",
    }
)


def escape(text: object) -> str:
    """Words that LaTeX prints as they are."""
    return plain(text).translate(SPELLING)


def latex(table: Table) -> str:
    """A table environment with its title as the caption."""
    lines = [
        r"\begin{table}",
        r"  \centering",
        rf"  \caption{{{escape(table.title)}}}",
        rf"  \begin{{tabular}}{{l{'r' * (len(table.head) - 1)}}}",
        r"    \toprule",
        f"    {' & '.join(escape(head) for head in table.head)} \\\\",
        r"    \midrule",
        *(f"    {' & '.join(_cell(cell) for cell in row)} \\\\" for row in table.rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _cell(cell: Cell) -> str:
    text = rf"\textbf{{{escape(cell.text)}}}" if cell.strong else escape(cell.text)
    return f"{text}; {escape(cell.detail)}" if cell.detail else text


def summary_latex(summary: Summary) -> str:
    """The file summary.tex: all tables, under the notes that restrict what they mean."""
    notes = "".join(f"% {plain(note)}\n" for note in summary["notes"])
    return notes + "\n".join(latex(table) for table in every_table(summary) if table.rows)
