"""CLIPSep's checkpoints: plain state_dicts saved under DataParallel's `module.`.

What shapes do not tell stands in `train-args.json`, which training writes beside the folder of
checkpoints: STFT sizes, and the variant. Only the published one, which sums maps that a query
weights ("late" fusion) to masks by a sigmoid, is a network here; with or without the heads of
noise-invariant training.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from sepcli.errors import ModelError
from sepcli.nets.clipsep import SAMPLE_RATE
from sepcli.registry.convert.converter import Converter, Network, Shapes
from sepcli.registry.convert.expected import dimension, network_shapes

ARCHITECTURE = "clipsep"
OUTERMOST = "sound_net.unet_block.model."
DOWN = re.compile(re.escape(OUTERMOST) + r"(\d+\.model\.)*\d+\.weight")
HALVING = (4, 4)  # kernel of a halving convolution
SETTINGS = "train-args.json"
VARIANT = {  # the only one that is a network here
    "fusion": "late",
    "binary_mask": True,
    "log_freq": True,
    "audio_rate": SAMPLE_RATE,
}
# 65,280 samples: 256 frames, in two whole groups of those that the U-Net makes one.
WINDOWS = {"length": 4.08, "context": 0.5, "fade": 0.25}


def arguments(shapes: Shapes) -> dict[str, Any]:
    """Sizes that show in the shapes."""
    halvings = [key for key, s in shapes.items() if DOWN.fullmatch(key) and s[2:] == HALVING]
    return {
        "embedding": (*shapes.get("frame_net.weight", ()), 0, 0)[1],
        "layers": len(halvings),
        "channels": dimension(shapes, "synth_net.scale"),
        "ngf": dimension(shapes, f"{OUTERMOST}0.weight"),
        "noise_heads": "pit_nets.0.weight" in shapes,
    }


def settings(source: Path) -> dict[str, Any]:
    """Arguments that shapes do not tell, where the checkpoint's training left them.

    Raises:
        ModelError: if they cannot be read, or are those of a variant that is no network here.
    """
    places = (folder / SETTINGS for folder in (source.parent, source.parent.parent))
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return {}
    given = read_settings(path)
    for key, wanted in VARIANT.items():
        if (found := given.get(key, wanted)) != wanted:
            message = f"{path} names a variant of CLIPSep that is not supported: {key} {found}"
            raise ModelError(message, f"give a checkpoint with {key} {wanted}")
    try:
        return {
            "n_fft": int(given.get("n_fft", 1024)),
            "hop": int(given.get("hop_len", 256)),
        }
    except (TypeError, ValueError) as error:
        raise ModelError(f"{path} is not CLIPSep's: {error}", "restore it, or remove it") from error


def read_settings(path: Path) -> dict[str, Any]:
    """train-args.json.

    Raises:
        ModelError: if it is no JSON object.
    """
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"cannot read {path}: {error}", "restore it, or remove it") from error
    if not isinstance(given, dict):
        raise ModelError(f"{path} is not CLIPSep's: no object", "restore it, or remove it")
    return given


def entry(_: dict[str, Any]) -> dict[str, Any]:
    """It was trained on four seconds at 16 kHz, with CLIP ViT-B/32."""
    return {
        "summary": "CLIPSep: what a picture shows or a text describes",
        "sample_rate": SAMPLE_RATE,
        "channels": 1,
        "query": {"encoder": "clip"},
        "windows": WINDOWS,
    }


def expected(shapes: Shapes) -> Shapes:
    """All keys of the network with the checkpoint's depth and widths."""
    return network_shapes(ARCHITECTURE, arguments(shapes))


CLIPSEP = Converter(
    title="CLIPSep",
    licence="not stated by its authors",
    mark="frame_net.weight",
    roots=("",),
    expected=expected,
    network=Network(ARCHITECTURE, arguments, entry, settings, takes_clap=False),
)
