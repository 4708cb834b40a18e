"""The registries in force, merged: the shipped one, the user's own, and one given by hand."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

from sepcli.errors import ModelError, UsageError
from sepcli.home import config_folder
from sepcli.query.clip_files import PUBLISHED
from sepcli.registry.cache import usable_path
from sepcli.registry.schema import ModelEntry, ModelFile, RegistryFile, check
from sepcli.registry.source import SHIPPED
from sepcli.sections import suggestion
from sepcli.yaml_file import read_yaml, write_yaml

FILE = "weights.yaml"
MODEL_FILE = "model.yaml"  # in a folder that is a model by itself


@dataclass(frozen=True)
class Model:
    """An entry, its name, and where its paths start from."""

    name: str
    entry: ModelEntry
    folder: Path
    registry: Path

    @property
    def called(self) -> str:
        """What to call it on a command line: its name, or the folder that it is by itself."""
        return shlex.quote(str(self.folder)) if self.registry.name == MODEL_FILE else self.name

    @property
    def remote(self) -> list[ModelFile]:
        """Those of its files that are downloaded."""
        return [file for file in self.entry.files.values() if file.remote]

    @property
    def downloaded(self) -> bool:
        """Whether all that has to be got from elsewhere is here."""
        by_hand = any(file.by_hand for file in self.entry.files.values())
        return not by_hand and all(usable_path(file).is_file() for file in self.remote)

    @property
    def clip(self) -> str:
        """The CLIP that looks at pictures for it, see `sepcli.query.clip_files.find_clip`."""
        named = self.entry.query.clip if self.entry.query else PUBLISHED
        return str(self.folder / named) if (self.folder / named).is_dir() else named

    def with_clip(self, source: str | None) -> Model:
        """The same, looking at pictures with another CLIP; None for its own."""
        if source is None or self.entry.query is None:
            return self
        place = str(Path(source).absolute()) if Path(source).is_dir() else source
        query = self.entry.query.model_copy(update={"clip": place})
        return replace(self, entry=self.entry.model_copy(update={"query": query}))

    def place(self, role: str) -> Path:
        """Where a file of the model belongs, whether it is there or not."""
        file = self.entry.files[role]
        if file.remote:
            return usable_path(file)
        if file.source.startswith(SHIPPED):
            return package_folder() / "shipped" / file.source.removeprefix(SHIPPED)
        if file.by_hand:
            return self.folder / f"{role}.safetensors"
        return self.folder / file.source

    def path(self, role: str) -> Path:
        """Where a file of the model is.

        Raises:
            ModelError: if it is not there.
        """
        if page := self.entry.files[role].by_hand:
            message = f"model {self.name}: its {role} file has no address to download it from"
            remedy = (
                f"get it by hand, see {page}; then "
                f"sepcli models convert FILE -o FOLDER --name {self.name}"
            )
            raise ModelError(message, remedy)
        path = self.place(role)
        if path.is_file():
            return path
        if self.entry.files[role].remote:
            message = f"model {self.name}: its {role} file is not downloaded"
            raise ModelError(message, f"sepcli models pull {self.called}")
        message = f"model {self.name}: its {role} file is missing: {path}"
        raise ModelError(message, "reinstall sepcli, or correct the registry entry")


class Registry:
    """All known models; of two with one name the later registry's counts.

    Args:
        extra: a registry file that goes before all others (--registry or SEPCLI_REGISTRY).
    """

    def __init__(self, extra: Path | None = None) -> None:
        self.models: dict[str, Model] = {}
        self.default: str | None = None
        for path in registry_paths(extra):
            if path != extra_path(extra) and not path.exists():
                continue
            file = check(read_yaml(path), str(path))
            for name, entry in file.models.items():
                self.models[name] = Model(name, entry, path.parent, path)
            self.default = file.default or self.default

    def find(self, wanted: str | None) -> Model:
        """A model by name, by the path of its folder, or the default one.

        Raises:
            ModelError: if there is none such.
        """
        name = wanted or self.default
        if name is None:
            raise ModelError("no default model in any registry", "name one with --model")
        if name in self.models:
            return self.models[name]
        if (folder := Path(name)).is_dir():
            return read_model_folder(folder)
        hint = suggestion(name, self.models)
        raise ModelError(f"no model named {name}{hint}", "see `sepcli models list`")


def registry_paths(extra: Path | None = None) -> Iterator[Path]:
    """The registry files in force, weakest first."""
    yield shipped_registry()
    yield user_registry()
    if (given := extra_path(extra)) is not None:
        yield given


def extra_path(extra: Path | None) -> Path | None:
    """The registry given by hand: as an option, or in SEPCLI_REGISTRY."""
    named = os.environ.get("SEPCLI_REGISTRY")
    return extra or (Path(named) if named else None)


def package_folder() -> Path:
    """Where the package is installed."""
    return Path(str(resources.files("sepcli")))


def shipped_registry() -> Path:
    """weights.yaml: inside an installed package, beside it in a checkout."""
    inside = package_folder() / FILE
    return inside if inside.exists() else package_folder().parent / FILE


def user_registry() -> Path:
    """The user's own registry, which `models add` writes."""
    return config_folder() / FILE


def read_model_folder(folder: Path) -> Model:
    """A folder with model.yaml (one registry entry) and the files it names.

    Raises:
        ModelError: if there is no model.yaml.
    """
    path = folder / MODEL_FILE
    if not path.exists():
        message = f"{folder} holds no {MODEL_FILE}"
        raise ModelError(message, "give a folder that `sepcli train` has written")
    name = folder.resolve().name.lower()
    file = check({"version": 1, "models": {"model": read_yaml(path)}}, str(path))
    return Model(name, file.models["model"], folder.resolve(), path)


def add_model(folder: Path, name: str | None, replace: bool) -> Model:
    """Enter a model folder into the user's registry.

    Raises:
        UsageError: if the name is taken and `replace` is False.
    """
    model = read_model_folder(folder)
    name = name or model.name
    models = _user_models()
    if name in models and not replace:
        raise UsageError(f"a model {name} is there already", "give --name, or --replace")
    files = {
        role: file if file.remote else file.model_copy(update={"source": str(model.path(role))})
        for role, file in model.entry.files.items()
    }
    entry = model.entry.model_copy(update={"files": files})
    checked = check(_as_data({**models, name: entry}), "the new registry")
    _write_user_registry(checked)
    return Model(name, entry, model.folder, user_registry())


def remove_model(name: str) -> None:
    """Take a model out of the user's registry; its files stay.

    Raises:
        ModelError: if it is not there, as shipped models are not.
    """
    models = _user_models()
    if name not in models:
        message = f"no model {name} in {user_registry()}{suggestion(name, models)}"
        raise ModelError(message, "only models that were added can be removed")
    del models[name]
    _write_user_registry(check(_as_data(models), "the new registry"))


def _user_models() -> dict[str, ModelEntry]:
    path = user_registry()
    return dict(check(read_yaml(path), str(path)).models) if path.exists() else {}


def _as_data(models: dict[str, ModelEntry]) -> dict[str, object]:
    plain = {name: entry.model_dump(exclude_none=True) for name, entry in models.items()}
    return {"version": 1, "models": plain}


def _write_user_registry(registry: RegistryFile) -> None:
    path = user_registry()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_yaml(path, registry.model_dump(exclude_none=True))
