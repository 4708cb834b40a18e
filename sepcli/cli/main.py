"""The `sepcli` command: its subcommands, and how errors reach the user."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated

import click
import typer

import sepcli
from sepcli.cli import data, doctor, info, models, separate, train
from sepcli.errors import SepcliError

INTERRUPTED = 130
TERMINATED = 143
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
    "    sepcli models list",
)
app.command("separate")(separate.separate)
app.command("train")(train.train)
app.add_typer(models.app, name="models")
app.add_typer(data.app, name="data")
app.command("info")(info.info)
app.command("doctor")(doctor.doctor)


class Terminated(BaseException):
    """SIGTERM, raised where the program stands, so that it cleans up."""


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
    signal.signal(signal.SIGTERM, _terminate)
    debug = DEBUG in sys.argv
    try:
        code = app([word for word in sys.argv[1:] if word != DEBUG], standalone_mode=False)
    except click.exceptions.Exit as error:
        code = error.exit_code
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except SepcliError as error:
        if debug:
            raise
        tell(error)
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        typer.echo("interrupted: what was finished is kept, --skip-existing goes on", err=True)
        code = INTERRUPTED
    except Terminated:
        code = TERMINATED
    except BrokenPipeError:
        # The reader has gone; keep Python from complaining when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    sys.exit(code or 0)


def tell(error: SepcliError) -> None:
    """Print an error and its remedy."""
    typer.echo(f"error: {error}", err=True)
    typer.echo(f"help: {error.remedy}", err=True)


def _terminate(_signal: int, _frame: FrameType | None) -> None:
    raise Terminated
