"""Writes docs/commands.md from the commands' own help.

make docs
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from sepcli.cli.main import app

PAGE = Path(__file__).parent / "commands.md"
HEAD = "# Commands\n\nThis page is generated from the commands' own help by `make docs`.\n"


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page."""
    return HEAD + "".join(section(command) for command in ("", *commands(get_command(app))))


def commands(group: Any, before: str = "") -> Iterator[str]:
    """Names of a group's commands, and of their own, in the order of the help."""
    for name, command in getattr(group, "commands", {}).items():
        yield f"{before}{name}"
        yield from commands(command, f"{before}{name} ")


def section(command: str) -> str:
    """A command's help under its name."""
    words = [sys.executable, "-m", "sepcli", *command.split(), "--help"]
    wide = {**os.environ, "COLUMNS": "100", "TERMINAL_WIDTH": "100", "NO_COLOR": "1"}
    text = subprocess.run(words, capture_output=True, text=True, check=True, env=wide).stdout
    text = text.replace("python -m sepcli", "sepcli")
    return f"\n## sepcli {command}".rstrip() + f"\n\n```text\n{text.rstrip()}\n```\n"


if __name__ == "__main__":
    main()
