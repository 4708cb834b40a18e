"""Checkpoints of BiModalAudioSeparation: .pth.tar files with epoch, state_dict and optimizer.

Under DistributedDataParallel's `module.` lie the U-Net `net_sound.*`, the weighting of its maps
`net_synthesizer.*` and `net_clap.fc.*`, the whole frozen CLAP as `net_clap.model.*`, and the
kernels of the STFT.
"""

from __future__ import annotations

import re
from itertools import count
from typing import Any

from sepcli.registry.convert.converter import Converter, Network, Shapes
from sepcli.registry.convert.expected import dimension, network_shapes

ARCHITECTURE = "bimodal-unet"
OUTERMOST = "net_sound.unet_block."
BELOW = "submodule."  # once for each level further in


def arguments(shapes: Shapes) -> dict[str, Any]:
    """Sizes that show in the shapes. The number of heads does not; all published ones have 8."""
    levels = next(n for n in count() if f"{OUTERMOST}{BELOW * n}downconv.weight" not in shapes)
    layer = re.compile(re.escape(OUTERMOST) + r"downresblock\.res_layers\.\d+\.0\.weight")
    return {
        "ngf": dimension(shapes, f"{OUTERMOST}downconv.weight"),
        "num_downs": levels,
        "num_res_layers": sum(layer.fullmatch(key) is not None for key in shapes),
        "channels": dimension(shapes, "net_synthesizer.scale"),
    }


def entry(_: dict[str, Any]) -> dict[str, Any]:
    """It was trained on clips of 131,070 samples at 16 kHz."""
    return {
        "summary": "BiModalAudioSeparation: a sound described in words",
        "sample_rate": 16_000,
        "channels": 1,
        "query": {"encoder": "laion-clap-tokens"},
        "windows": {"length": 8.191875, "context": 0.5, "fade": 0.25},
    }


def expected(shapes: Shapes) -> Shapes:
    """All keys of the network with the checkpoint's depth and widths."""
    return network_shapes(ARCHITECTURE, arguments(shapes))


BIMODAL = Converter(
    title="BiModalAudioSeparation",
    licence="not stated",
    mark="net_synthesizer.scale",
    roots=("",),
    unneeded={"frozen copy of CLAP": r"net_clap\.model\..*"},
    expected=expected,
    network=Network(ARCHITECTURE, arguments, entry),
)
