"""The `sepcli` command: its subcommands, and how errors reach the user."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import typer

import sepcli
from sepcli.cli import (
    data,
    detect,
    do,
    doctor,
    embed,
    evaluate,
    info,
    models,
    plan,
    separate,
    train,
)
from sepcli.cli.voice import printable
from sepcli.errors import MemoryExhausted, SepcliError, is_memory

SIGNALLED = 128  # exit code of a command that a signal stopped, less the signal's number
LONGEST = 4000  # characters of an error; a config may have hundreds of them
DEBUG = "--debug"  # understood wherever it stands

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    help="Describe a sound, and take it out of the recording.\n\n"
    "Examples:\n\n\b\n"
    "    sepcli separate mix.wav --query 'dog barking'\n"
    "    sepcli separate field/ --recursive -q 'bird song' -q 'wind' --residual\n"
    "    sepcli detect mix.wav\n"
    "    sepcli do 'turn the music down by 6 dB' talk.wav\n"
    "    sepcli eval --dataset demo\n"
    "    sepcli models list",
)
app.command("separate")(separate.separate)
app.command("plan")(plan.plan)
app.command("do")(do.do)
app.command("detect")(detect.detect)
app.command("embed")(embed.embed)
app.add_typer(train.app, name="train")
app.add_typer(evaluate.app, name="eval")
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.command("info")(info.info)
app.command("doctor")(doctor.doctor)


class Stopped(BaseException):
    """A signal, raised where the program stands, so that it cleans up on its way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@app.callback(invoke_without_command=True)
def options(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
    _debug: Annotated[
        bool, typer.Option(DEBUG, help="Show tracebacks; may stand anywhere.")
    ] = False,
) -> None:
    """Options before the subcommand."""
    if version:
        typer.echo(f"sepcli {sepcli.__version__}")
        raise typer.Exit


def main() -> None:
    """Run the command; errors become one line of what and one of remedy."""
    stop = Stop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    debug = DEBUG in sys.argv
    try:
        app([word for word in sys.argv[1:] if word != DEBUG])
    except Stopped as stopped:
        typer.echo("stopped: what was finished is kept, and the same command can go on", err=True)
        sys.exit(SIGNALLED + stopped.number)
    except Exception as error:
        if debug:
            raise
        told = foreseen(error)
        typer.echo(f"error: {printable(str(told)):.{LONGEST}}", err=True)
        typer.echo(f"help: {printable(told.remedy):.{LONGEST}}", err=True)
        sys.exit(told.exit_code)


def foreseen(error: Exception) -> SepcliError:
    """An error that a user can do something about, made of one that nobody thought of."""
    if isinstance(error, SepcliError):
        return error
    if is_memory(error):
        return MemoryExhausted("out of memory", "close other programs, or use a smaller model")
    first = next(iter(str(error).splitlines()), "")
    what = f"unexpected {type(error).__name__}: {first}"
    return SepcliError(what, f"give {DEBUG} too, and report what you see")


class Stop:
    """What SIGINT and SIGTERM do. The first unwinds the program, which cleans up on its way out.

    A second one does not disturb that; those who will not wait for it give a third.
    """

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, number: int, _frame: FrameType | None) -> None:
        self._count += 1
        if self._count == 1:
            raise Stopped(number)
        if self._count > 2:
            os._exit(SIGNALLED + number)
