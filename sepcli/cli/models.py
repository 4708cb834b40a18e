"""`sepcli models`: what can be named with --model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="List, describe, add and remove models.")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RegistryOption = Annotated[
    Path | None,
    typer.Option("--registry", envvar="SEPCLI_REGISTRY", help="A registry before the others."),
]


@app.command("list")
def list_models(as_json: Json = False, registry: RegistryOption = None) -> None:
    """List all known models; the default one is marked.

    Examples:

    \b
        sepcli models list
        sepcli models list --json
    """
    from sepcli.registry.store import Registry

    known = Registry(registry)
    if as_json:
        rows = [
            {
                "name": name,
                "default": name == known.default,
                "summary": model.entry.summary,
                "registry": str(model.registry),
            }
            for name, model in known.models.items()
        ]
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for name, model in known.models.items():
        mark = "*" if name == known.default else " "
        typer.echo(f"{mark} {name:20} {model.entry.summary}")


@app.command("info")
def info(
    name: Annotated[str, typer.Argument(help="A model's name or folder.")],
    as_json: Json = False,
    registry: RegistryOption = None,
) -> None:
    """Describe a model: licence, training data, figures, files.

    Examples:

    \b
        sepcli models info everyday
        sepcli models info runs/separator --json
    """
    import yaml

    from sepcli.registry.store import Registry

    model = Registry(registry).find(name)
    facts = {"name": model.name, **model.entry.model_dump(exclude_none=True)}
    if as_json:
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
    else:
        typer.echo(yaml.safe_dump(facts, sort_keys=False, allow_unicode=True).rstrip())


@app.command("path")
def path(
    name: Annotated[
        str | None, typer.Argument(help="A model; without one, the registries.")
    ] = None,
    as_json: Json = False,
    registry: RegistryOption = None,
) -> None:
    """Show where a model's files are, or where the registries are.

    Examples:

    \b
        sepcli models path
        sepcli models path everyday
    """
    from sepcli.registry.store import Registry, registry_paths

    if name is None:
        rows = {str(place): place.exists() for place in registry_paths(registry)}
        shown = [f"{place}{'' if there else '  (not there)'}" for place, there in rows.items()]
        typer.echo(json.dumps(list(rows)) if as_json else "\n".join(shown))
        return
    model = Registry(registry).find(name)
    files = {role: str(model.path(role)) for role in model.entry.files}
    plain = "\n".join(f"{role:10} {place}" for role, place in files.items())
    typer.echo(json.dumps(files, indent=1) if as_json else plain)


@app.command("add")
def add(
    folder: Annotated[Path, typer.Argument(help="A folder with model.yaml and its files.")],
    name: Annotated[str | None, typer.Option(help="Its name; the folder's by default.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace one of that name.")] = False,
    as_json: Json = False,
) -> None:
    """Enter a model folder, such as a training run, into your registry.

    Examples:

    \b
        sepcli models add runs/separator --name mine
    """
    from sepcli.registry.load import load
    from sepcli.registry.store import add_model, read_model_folder

    load(read_model_folder(folder))  # refuses weights that do not fit before they are entered
    model = add_model(folder, name, replace)
    row = {"name": model.name, "registry": str(model.registry)}
    typer.echo(json.dumps(row) if as_json else f"added {model.name} to {model.registry}")


@app.command("rm")
def rm(
    name: Annotated[str, typer.Argument(help="A model that was added.")], as_json: Json = False
) -> None:
    """Take a model out of your registry; its files stay where they are.

    Examples:

    \b
        sepcli models rm mine
    """
    from sepcli.registry.store import remove_model, user_registry

    remove_model(name)
    row = {"removed": name, "registry": str(user_registry())}
    typer.echo(json.dumps(row) if as_json else f"removed {name} from {row['registry']}")
