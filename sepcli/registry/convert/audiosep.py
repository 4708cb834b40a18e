"""AudioSep's Lightning checkpoints, and those of its family with the same separator.

Keys are `ss_model.base.*` and `ss_model.film.*`. Some files carry the frozen CLAP that AudioSep
asks, as `query_encoder.*`; all carry the kernels of an STFT made of convolutions.
"""

from __future__ import annotations

from typing import Any

from sepcli.registry.convert.converter import Converter, Network, Shapes
from sepcli.registry.convert.expected import dimension, network_shapes

ARCHITECTURE = "resunet30"
FRAMES_PER_SECOND = 100  # all of the family hop by 10 ms
WINDOW_SECONDS = 0.064  # and look at 64 ms
# Ten seconds in whole groups of 32 frames, so that nothing is padded; see benchmarks/audiosep.py.
WINDOWS = {"length": 10.23, "context": 1.0, "fade": 0.23}


def arguments(shapes: Shapes) -> dict[str, Any]:
    """STFT sizes: `bn0` has a weight for each of the n_fft / 2 + 1 bins."""
    n_fft = 2 * (dimension(shapes, "base.bn0.weight") - 1)
    return {"n_fft": n_fft, "hop": round(n_fft / WINDOW_SECONDS / FRAMES_PER_SECOND)}


def entry(arguments: dict[str, Any]) -> dict[str, Any]:
    """Its rate follows from the hop: 32 kHz, or 16 kHz for the baseline of DCASE 2024 task 9."""
    return {
        "summary": "AudioSep: any sound, asked for in words or by an example",
        "sample_rate": arguments["hop"] * FRAMES_PER_SECOND,
        "channels": 1,
        "query": {"encoder": "laion-clap"},
        "windows": WINDOWS,
    }


def expected(shapes: Shapes) -> Shapes:
    """All keys of the network whose STFT the checkpoint was trained with."""
    return network_shapes(ARCHITECTURE, arguments(shapes))


AUDIOSEP = Converter(
    title="AudioSep",
    licence="not stated by AudioSep, whose code is MIT; AudioSep-hive is Apache-2.0",
    mark="base.pre_conv.weight",
    roots=("ss_model.", ""),
    unneeded={"frozen copy of CLAP": r"query_encoder\..*"},
    expected=expected,
    network=Network(ARCHITECTURE, arguments, entry),
)
