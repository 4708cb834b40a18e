"""A finished run as a model folder: weights, what reads its queries, a registry entry, a card."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor

from sepcli.hashing import sha256_of
from sepcli.registry.store import MODEL_FILE, Registry
from sepcli.training.card import card
from sepcli.training.config import (
    BandUNetConfig,
    ClapConfig,
    ClipSepConfig,
    MixIt,
    Pit,
    SeparatorConfig,
)
from sepcli.training.corpora.clip import Clip
from sepcli.training.load_config import CLIP, MODEL, read_run_config
from sepcli.training.loop.folder import CHECKPOINT
from sepcli.training.networks import Masker, rate_of
from sepcli.training.presence import Verdict
from sepcli.training.separator import Trainable

State = Mapping[str, Tensor]

# Seconds. Where outputs have no order, what neighbours share tells which is which.
OVERLAPPING = {"length": 10.0, "context": 1.0, "fade": 1.0}

WEIGHTS, CLAP, TOKENIZER, CARD = (
    "model.safetensors",
    "clap.safetensors",
    "tokenizer.json",
    "CARD.md",
)


@dataclass(frozen=True)
class Finished:
    """A trained separator.

    Attributes:
        config: of the run.
        module: with the averaged weights.
        clips: what it was trained on.
        verdict: of its presence score, if it has one.
        figures: of the last validation.
    """

    config: SeparatorConfig
    module: Trainable
    clips: Sequence[Clip]
    verdict: Verdict | None
    figures: Mapping[str, float]


def export(finished: Finished, folder: Path) -> None:
    """Write the model into a folder.

    Args:
        finished: what was trained.
        folder: of the model.
    """
    save_file(halved(weights_of(finished)), folder / WEIGHTS)
    entry = {
        "summary": f"{finished.config.network.name}, {finished.config.objective.name}, "
        f"{finished.config.steps} steps",
        **architecture(finished),
        "files": {"separator": described(folder / WEIGHTS)},
        "licence": {"code": "Apache-2.0", "weights": weights_licence(finished.config)},
        "training_data": ", ".join(sorted({clip.corpus for clip in finished.clips})),
    }
    if nameless(finished.config):
        entry["stems"] = [f"output{n + 1}" for n in range(outputs(finished.config))]
        entry |= {"unordered": True, "windows": OVERLAPPING}
    else:
        entry["query"], files = query_files(finished.config.clap, folder)
        if finished.verdict is not None:
            entry["query"]["presence_threshold"] = finished.verdict.threshold
        entry["files"] |= files
    text = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True)
    (folder / MODEL_FILE).write_text(text, encoding="utf-8")
    page = card(entry, finished.config, finished.clips, finished.figures)
    (folder / CARD).write_text(page, encoding="utf-8")


def nameless(config: SeparatorConfig) -> bool:
    """Whether the model gives stems without names instead of answering queries."""
    return isinstance(config.objective, MixIt | Pit)


def outputs(config: SeparatorConfig) -> int:
    """How many stems a nameless model gives."""
    assert isinstance(config.objective, MixIt | Pit)
    return config.objective.outputs


def weights_of(finished: Finished) -> dict[str, Tensor]:
    """The network's weights, and the queries that a nameless one asks itself."""
    state = dict(finished.module.masker.network.state_dict())
    if nameless(finished.config):
        learnt = finished.module.objective.state_dict()
        state |= {key.removeprefix("outputs."): value for key, value in learnt.items()}
    return state


def architecture(finished: Finished) -> dict[str, Any]:
    """The entry's keys that say how to build the network."""
    network = finished.config.network
    arguments = network.model_dump(mode="json", exclude={"name"})
    if isinstance(network, ClipSepConfig):
        arguments["embedding"] = finished.module.masker.network.embedding
    if not isinstance(network, BandUNetConfig):
        return {
            "architecture": network.name,
            "arguments": arguments,
            "sample_rate": rate_of(network),
            "channels": 1,
        }
    arguments["embedding"] = embedding_of(finished.module.masker)
    if not nameless(finished.config):
        return {"architecture": network.name, "arguments": arguments}
    arguments.pop("presence")
    consistent = isinstance(finished.config.objective, MixIt)
    extra = {"stems": outputs(finished.config), "consistent": consistent}
    return {"architecture": "slotted-band-unet", "arguments": arguments | extra}


def embedding_of(masker: Masker) -> int:
    """Length of the queries of a BandUNet."""
    return int(masker.network.state_dict()["query.0.weight"].shape[1])


def query_files(clap: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the entry says of the encoder, and the files it needs: copied, or where published.

    Args:
        clap: as in the config.
        folder: of the model.
    """
    if clap.startswith(CLIP):
        return {"encoder": "clip", "clip": clap.removeprefix(CLIP)}, {}
    if clap.startswith(MODEL):
        return files_of_model(clap.removeprefix(MODEL), folder)
    run = Path(clap)
    state = torch.load(run / CHECKPOINT, weights_only=True, map_location="cpu")["average"]
    save_file(halved(state), folder / CLAP)
    config = read_run_config(run)
    assert isinstance(config, ClapConfig)
    shutil.copyfile(config.tokenizer, folder / TOKENIZER)
    files = {"clap": described(folder / CLAP), "tokenizer": described(folder / TOKENIZER)}
    return {"encoder": "small-clap"}, files


def files_of_model(name: str, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a registered model's encoder needs; what is downloaded stays where it is published."""
    model = Registry().find(name)
    assert model.entry.query is not None
    files: dict[str, Any] = {}
    for role, copy in zip(model.entry.query.roles, (CLAP, TOKENIZER), strict=False):
        file = model.entry.files[role]
        if file.remote:
            files[role] = file.model_dump(mode="json", exclude_defaults=True)
        else:
            shutil.copyfile(model.path(role), folder / copy)
            files[role] = described(folder / copy)
    return {"encoder": model.entry.query.encoder}, files


def described(path: Path) -> dict[str, Any]:
    """A file of the model, for its entry."""
    return {"source": path.name, "sha256": sha256_of(path), "size": path.stat().st_size}


def weights_licence(config: SeparatorConfig) -> str:
    """What the licences of the recordings allow."""
    return {"shippable": "CC-BY-SA-4.0", "permissive": "CC-BY-4.0"}.get(
        str(config.licences), "not for publication"
    )


def halved(state: State) -> dict[str, Tensor]:
    """Floats at half precision, which halves the file and costs nothing that can be heard."""
    return {
        key: (value.half() if value.is_floating_point() else value).cpu().contiguous()
        for key, value in state.items()
    }
