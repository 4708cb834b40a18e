"""A finished run as a model folder: weights, CLAP, tokenizer and a registry entry."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor

from sepcli.hashing import sha256_of
from sepcli.nets.band_unet import BandUNet
from sepcli.registry.store import MODEL_FILE
from sepcli.training.config import ClapConfig, SeparatorConfig
from sepcli.training.corpus import Clip

State = dict[str, Tensor]


def export(config: SeparatorConfig, run: Path, folder: Path, clips: Sequence[Clip]) -> Path:
    """Write the model of a separator run.

    Args:
        config: of the run.
        run: its folder, with a checkpoint.
        folder: of the model; created.
        clips: what it was trained on, to be credited.

    Returns:
        the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = torch.load(run / "checkpoint.pt", weights_only=True)["average"]
    presence = torch.load(run / "presence.pt", weights_only=True)
    state |= {f"presence.{key}": value for key, value in presence["head"].items()}
    BandUNet(widths=config.widths, hidden=config.hidden).load_state_dict(state)
    save_file(halved(state), folder / "separator.safetensors")
    clap = torch.load(config.clap / "checkpoint.pt", weights_only=True)["clap"]
    clap.pop("log_scale")
    save_file(halved(clap), folder / "clap.safetensors")
    text = (config.clap / "config.json").read_text(encoding="utf-8")
    shutil.copyfile(ClapConfig.model_validate_json(text).tokenizer, folder / "tokenizer.json")
    (folder / "CREDITS.md").write_text(credit_page(clips), encoding="utf-8")
    entry = registry_entry(config, folder, presence["threshold"])
    text = yaml.safe_dump(entry, sort_keys=False)
    (folder / MODEL_FILE).write_text(text, encoding="utf-8")
    return folder


def credit_page(clips: Sequence[Clip]) -> str:
    """Everyone whose recordings were trained on, by licence, as Markdown."""
    counts = Counter((clip.licence, clip.credit) for clip in clips if clip.split == "train")
    lines = ["# Recordings this model was trained on", ""]
    for licence in sorted({licence for licence, _ in counts}):
        rows = sorted((credit, n) for (which, credit), n in counts.items() if which == licence)
        lines += [f"## {licence}", ""]
        lines += [f"- {credit} ({n} clip{'s' * (n > 1)})" for credit, n in rows]
        lines.append("")
    return "\n".join(lines)


def halved(state: State) -> State:
    """Floats at half precision, which halves the file and costs nothing that can be heard."""
    return {
        key: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for key, value in state.items()
    }


def registry_entry(config: SeparatorConfig, folder: Path, threshold: float) -> dict[str, Any]:
    """The entry of an exported model."""
    names = {"separator": "separator.safetensors", "clap": "clap.safetensors"}
    names["tokenizer"] = "tokenizer.json"
    corpora = ", ".join(corpus.kind for corpus in config.corpora)
    shippable = config.licences == "shippable"
    return {
        "summary": f"BandUNet trained for {config.steps} steps",
        "architecture": "band-unet",
        "arguments": {"widths": list(config.widths), "hidden": config.hidden},
        "query": {"encoder": "small-clap", "presence_threshold": threshold},
        "files": {
            role: {
                "source": name,
                "sha256": sha256_of(folder / name),
                "size": (folder / name).stat().st_size,
            }
            for role, name in names.items()
        },
        "licence": {
            "code": "Apache-2.0",
            "weights": "CC-BY-SA-4.0" if shippable else "not for publication",
        },
        "training_data": corpora,
    }
