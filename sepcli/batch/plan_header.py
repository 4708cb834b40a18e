"""The header of a plan: what all rows have in common."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from pydantic import TypeAdapter, ValidationError

import sepcli
from sepcli.batch.plan_row import REPLAN
from sepcli.errors import UsageError
from sepcli.separation.options import SeparateOptions

SCHEMA = "sepcli-plan-1"
FOREIGN = "give a file that `sepcli plan` wrote"


@dataclass(frozen=True)
class Header:
    """What all rows have in common.

    Attributes:
        options: of the separation.
        model: its name.
        fingerprint: of its weights, see `sepcli.registry.load.fingerprint`.
        version: of the sepcli that made the plan.
    """

    options: SeparateOptions
    model: str
    fingerprint: str
    version: str = sepcli.__version__


def header_record(header: Header) -> dict[str, Any]:
    """What is stored of a header, in JSON's types."""
    options = TypeAdapter(SeparateOptions).dump_python(header.options, mode="json")
    return {"schema": SCHEMA, **asdict(header), "options": options}


def header_of(data: dict[str, Any], place: str) -> Header:
    """The header of a stored one.

    Raises:
        UsageError: if it is not a plan's, of another schema, or of options that are not known.
    """
    schema = data.get("schema")
    if not isinstance(schema, str) or not schema.startswith("sepcli-plan-"):
        raise UsageError(f"{place}: not a plan", FOREIGN)
    version = data.get("version")
    if schema != SCHEMA:
        message = f"{place}: a plan of schema {schema}, made by sepcli {version}"
        raise UsageError(message, f"this is sepcli {sepcli.__version__}: {REPLAN}")
    given = data.get("options")
    known = {field.name for field in fields(SeparateOptions)}
    if isinstance(given, dict) and (unknown := given.keys() - known):
        message = f"{place}: sepcli {version} knew an option {min(unknown)}"
        raise UsageError(message, f"this is sepcli {sepcli.__version__}: {REPLAN}")
    try:
        return TypeAdapter(Header).validate_python({k: v for k, v in data.items() if k != "schema"})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{place}: {where}: {first['msg']}", REPLAN) from None
