"""Text from people we do not know: never more of it than a limit, whatever the file claims."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sepcli.errors import UsageError

LONGEST_LINE = 1 << 20  # characters; a row with a path and a query has 200


def read_text(path: Path, largest: int) -> str:
    """A whole file, UTF-8 with or without a byte order mark.

    Raises:
        UsageError: if it is missing, no text, or larger than so many bytes.
    """
    try:
        with path.open("rb") as file:
            content = file.read(largest + 1)
        if len(content) > largest:
            raise UsageError(f"{path} is larger than {largest} bytes", "give a smaller file")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no UTF-8 text", "save it as UTF-8") from error


def read_lines(path: Path) -> Iterator[str]:
    """The lines of a file of any length, UTF-8 with or without a byte order mark.

    Raises:
        UsageError: if it is missing, no text, or has a line that is too long.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            for number, line in enumerate(iter(lambda: file.readline(LONGEST_LINE + 1), ""), 1):
                if len(line) > LONGEST_LINE:
                    message = f"{path}, line {number}: more than {LONGEST_LINE} characters"
                    raise UsageError(message, "one row a line")
                yield line
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}", "check the path") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is no UTF-8 text", "save it as UTF-8") from error
