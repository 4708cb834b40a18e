"""Groups of commands one of which needs no name, as `sepcli train CONFIG` and its subcommands."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

UNNAMED = "unnamed"  # how a group's unnamed command is registered


class UnnamedContext(typer.Context):
    """Of the unnamed command: in messages it is called as its group."""

    @property
    def command_path(self) -> str:
        """The words that call it."""
        assert self.parent is not None
        return self.parent.command_path


class UnnamedCommand(TyperCommand):
    """Register it under UNNAMED in a `DefaultGroup`."""

    context_class = UnnamedContext


class DefaultGroup(TyperGroup):
    """What does not begin with a command's name is meant for the unnamed command."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.unnamed = self.commands.pop(UNNAMED)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The group has no options but --help: all others are the unnamed command's."""
        mine = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if mine else ["--", *args])

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Name, command, and the words that are left for it."""
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return UNNAMED, self.unnamed, args

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The unnamed command's help, and the others below it."""
        self.unnamed.format_help(ctx, formatter)
        self.format_commands(ctx, formatter)
