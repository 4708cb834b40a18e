"""`sepcli models`: what can be named with --model, and how its files come here."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from sepcli.cli.separate_options import ProgressKind
from sepcli.errors import ModelError

app = typer.Typer(
    no_args_is_help=True, help="List, describe, download, verify, add and remove models."
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
RegistryOption = Annotated[
    Path | None,
    typer.Option("--registry", envvar="SEPCLI_REGISTRY", help="A registry before the others."),
]


@app.command("list")
def list_models(as_json: Json = False, registry: RegistryOption = None) -> None:
    """List all known models; the default one is marked, and those not downloaded yet are named so.

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
                "downloaded": model.downloaded,
                "registry": str(model.registry),
            }
            for name, model in known.models.items()
        ]
        typer.echo(json.dumps(rows, indent=1, ensure_ascii=False))
        return
    for name, model in known.models.items():
        mark = "*" if name == known.default else " "
        state = f" ({'' if model.downloaded else 'not '}downloaded)" if model.remote else ""
        typer.echo(f"{mark} {name:20} {model.entry.summary}{state}")


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


@app.command("pull")
def pull(
    names: Annotated[list[str], typer.Argument(help="Models, as `sepcli models list` names them.")],
    keep_original: Annotated[
        bool, typer.Option("--keep-original", help="Keep the published file of a converted one.")
    ] = False,
    offline: Annotated[
        bool,
        typer.Option("--offline", help="Connect to nothing; SEPCLI_OFFLINE=1 does the same."),
    ] = False,
    as_json: Json = False,
    progress: Annotated[
        ProgressKind, typer.Option(help="How progress is shown, on standard error.")
    ] = ProgressKind.auto,
    registry: RegistryOption = None,
) -> None:
    """Download models: licence and size first, then the files, checked; nothing is asked.

    A download that broke off goes on where it stopped. What is here already is left alone.

    Exit codes: 0 all here, 2 usage, 3 a model could not be had, 5 the disk is full or read-only.

    Examples:

    \b
        sepcli models pull audiosep
        sepcli models pull audiosep bimodal --progress plain
        SEPCLI_OFFLINE=1 sepcli models pull audiosep --json
    """
    from sepcli.cli.pull_display import display_for, outcome
    from sepcli.registry.pull import pull_all
    from sepcli.registry.pull_events import Failed, Ready
    from sepcli.registry.store import Registry

    known = Registry(registry)
    ended: list[Ready | Failed] = []
    with display_for(progress.value) as display:
        for event in pull_all([known.find(name) for name in names], keep_original, offline):
            display.read(event)
            if isinstance(event, Ready | Failed):
                ended.append(event)
    if as_json:
        rows = [{"outcome": outcome(event), **asdict(event)} for event in ended]
        typer.echo(json.dumps(rows, indent=1))
    else:
        for event in ended:
            typer.echo(f"{event.model}: {outcome(event)}")
    failed = any(isinstance(event, Failed) for event in ended)
    raise typer.Exit(ModelError.exit_code if failed else 0)


@app.command("verify")
def verify(
    names: Annotated[list[str] | None, typer.Argument(help="Models; all if none is given.")] = None,
    as_json: Json = False,
    registry: RegistryOption = None,
) -> None:
    """Check sizes and hashes of all model files that are here.

    Exit codes: 0 nothing is wrong, 2 usage, 3 a file is not what the registry or models.lock names.

    Examples:

    \b
        sepcli models verify
        sepcli models verify audiosep --json
    """
    from functools import cache

    from sepcli.cli.pull_display import verified_line
    from sepcli.hashing import sha256_of
    from sepcli.registry.store import Registry
    from sepcli.registry.verify import verify_all

    known, sha256 = Registry(registry), cache(sha256_of)  # models share files
    models = [known.find(name) for name in names or known.models]
    rows = [row for model in models for row in verify_all(model, sha256)]
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows], indent=1))
    else:
        for row in rows:
            typer.echo(verified_line(row))
    raise typer.Exit(ModelError.exit_code if any(row.bad for row in rows) else 0)


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


@app.command("convert")
def convert(
    source: Annotated[Path, typer.Argument(help="A .ckpt, .pt, .pth.tar or .safetensors file.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="The model's folder.")],
    kind: Annotated[
        str | None,
        typer.Option(
            help="audiosep, bimodal, clipsep, laion-clap, tiger or tiger-dnr; "
            "told by its keys if left out."
        ),
    ] = None,
    half: Annotated[bool, typer.Option("--half", help="Write float16, half the size.")] = False,
    clap: Annotated[
        Path | None, typer.Option(help="LAION-CLAP's checkpoint, or one that carries a copy.")
    ] = None,
    tokenizer: Annotated[
        Path | None, typer.Option(help="RoBERTa's tokenizer.json, or vocab.json by merges.txt.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Enter it into your registry as this.")] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a model.")] = False,
    as_json: Json = False,
) -> None:
    """Make a model folder of a published checkpoint, without running anything in it.

    Examples:

    \b
        sepcli models convert audiosep_base_4M_steps.ckpt -o models/audiosep --half
        sepcli models convert model_best.pth.tar --kind bimodal -o models/bimodal
        sepcli models convert hive.ckpt -o models/hive --clap clap.pt --tokenizer tokenizer.json
    """
    from sepcli.cli import convert_display
    from sepcli.registry.convert.folder import FolderOptions, enter, make_folder

    options = FolderOptions(source, output, kind, half, clap, tokenizer, replace)
    made = make_folder(options)
    typer.echo(convert_display.as_json(made) if as_json else convert_display.as_text(made))
    if name is not None:
        enter(made, name, replace)
