"""TIGER's checkpoints: model.safetensors beside config.json, or a Lightning .ckpt.

How often the block is applied shows in no shape, and neither does the distance of frames;
config.json says both. Without it they are taken to be what the published models have.
"""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError

from sepcli.errors import ModelError
from sepcli.nets.tiger_bands import GRIDS
from sepcli.registry.convert.converter import Converter, Network, Shapes
from sepcli.registry.convert.expected import dimension, network_shapes
from sepcli.sections import explain

SPEAKERS, FILM = "tiger", "tiger-dnr"  # architectures
FILM_NET = "dialog."  # before the keys of the first of TIGER-DnR's nets
BLOCK = "separator.freq_path.0."
HEAD = "separator.freq_path.1.Queries."
HOPS = 4  # in a frame
CONFIG = "config.json"
# The length that TIGER-DnR's authors run it with. Speakers are told apart by their overlap.
SPEAKER_WINDOWS = {"length": 12.0, "context": 1.0, "fade": 1.0}
FILM_WINDOWS = {"length": 12.0, "context": 0.5, "fade": 0.5}

Count = Annotated[int, Field(ge=1)]


class Config(BaseModel):
    """What config.json says and shapes do not; its other keys are told by shapes, or unused."""

    num_blocks: Count | None = None
    stride: Count | None = None


def arguments(shapes: Shapes) -> dict[str, Any]:
    """Sizes that show in the shapes, and the usual distance of frames.

    Raises:
        ModelError: if the bands are those of no known sample rate.
    """
    root = FILM_NET if f"{FILM_NET}{BLOCK}res_conv.weight" in shapes else ""
    features = dimension(shapes, f"{root}{BLOCK}res_conv.weight")
    bands = numbered(shapes, f"{root}BN.", ".0.weight")
    bins = sum(dimension(shapes, f"{root}BN.{band}.0.weight") for band in range(bands)) // 2
    known = {1 + sum(number for _, number in grid): rate for rate, grid in GRIDS.items()}
    if bands not in known:
        message = f"a TIGER of {bands} bands is not supported"
        raise ModelError(message, f"give one of {' or '.join(map(str, known))} bands")
    win = 2 * (bins - 1)
    return {
        "out_channels": features,
        "in_channels": dimension(shapes, f"{root}{BLOCK}proj_1x1.conv.weight"),
        "upsampling_depth": numbered(shapes, f"{root}{BLOCK}spp_dw.", ".conv.weight"),
        "att_n_head": numbered(shapes, root + HEAD, ".conv.weight"),
        "att_hid_chan": dimension(shapes, f"{root}{HEAD}0.conv.weight"),
        "win": win,
        "stride": win // HOPS,
        "num_sources": features // shapes[f"{root}mask.0.1.weight"][1],
        "sample_rate": known[bands],
    }


def numbered(shapes: Shapes, before: str, after: str) -> int:
    """How many keys there are with 0, 1, ... between two parts."""
    return next(n for n in count() if f"{before}{n}{after}" not in shapes)


def settings(source: Path) -> dict[str, Any]:
    """Arguments that shapes do not tell, where config.json lies beside the checkpoint.

    Raises:
        ModelError: if it is not TIGER's.
    """
    path = source.with_name(CONFIG)
    if not path.is_file():
        return {}
    try:
        config = Config.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        why = explain(error, Config) if isinstance(error, ValidationError) else str(error)
        message = f"{path} is not TIGER's: {why}"
        raise ModelError(message, "restore it, or remove it") from error
    return config.model_dump(exclude_none=True)


def speakers_entry(arguments: dict[str, Any]) -> dict[str, Any]:
    """Its stems are speakers, in any order."""
    return {
        "summary": "TIGER: speakers apart from each other",
        "sample_rate": arguments["sample_rate"],
        "channels": 1,
        "stems": [f"speaker{n + 1}" for n in range(arguments["num_sources"])],
        "unordered": True,
        "windows": SPEAKER_WINDOWS,
    }


def film_entry(arguments: dict[str, Any]) -> dict[str, Any]:
    """Its stems have names."""
    return {
        "summary": "TIGER-DnR: films parted into dialogue, music and effects",
        "sample_rate": arguments["sample_rate"],
        "channels": 1,
        "stems": ["dialogue", "music", "effects"],
        "windows": FILM_WINDOWS,
    }


def expected_speakers(shapes: Shapes) -> Shapes:
    """All keys of the network with the checkpoint's sizes."""
    return network_shapes(SPEAKERS, arguments(shapes))


def expected_film(shapes: Shapes) -> Shapes:
    """All keys of the three networks with the checkpoint's sizes."""
    return network_shapes(FILM, arguments(shapes))


TIGER = Converter(
    title="TIGER",
    licence="Apache-2.0",
    mark=f"{BLOCK}res_conv.weight",
    roots=("audio_model.", ""),
    expected=expected_speakers,
    network=Network(SPEAKERS, arguments, speakers_entry, settings),
)
TIGER_DNR = Converter(
    title="TIGER-DnR",
    licence="Apache-2.0",
    mark=f"{FILM_NET}{BLOCK}res_conv.weight",
    roots=("audio_model.", ""),
    expected=expected_film,
    network=Network(FILM, arguments, film_entry, settings),
)
