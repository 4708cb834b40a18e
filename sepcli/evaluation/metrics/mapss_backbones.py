"""What MAPSS looks at: a signal as one vector every 20 ms.

The paper's choice is the second layer of wav2vec 2.0 Large (Baevski et al., 2020), trained on
LibriLight: 317 million parameters that are not ours to ship, so they are read from a folder and
never downloaded. `raw` takes the samples themselves: it needs nothing and says little, and is
there to test an installation.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sepcli.errors import ModelError
from sepcli.evaluation.metrics.mapss_bank import FRAME, RATE
from sepcli.evaluation.scene import Array
from sepcli.hashing import sha256_of

Backbone = Callable[[Array], Array]
"""(samples,) at 16 kHz -> (frames, features), a frame every 320 samples."""

VARIABLE = "SEPCLI_MAPSS_MODEL"
RAW = "raw"
LAYER = 2
REPOSITORY = "facebook/wav2vec2-large-lv60"
REMEDY = (
    f"download {REPOSITORY} from the Hugging Face hub into a folder, and name the folder in "
    f"{VARIABLE}; or set it to {RAW} to test the installation"
)


def frame_count(samples: int) -> int:
    """Whole frames of a signal; the last sample is never in one, as in the authors' package."""
    return max(0, (samples - 1) // FRAME)


def raw(wave: Array) -> Array:
    """(samples,) -> (frames, 320): the samples of each frame."""
    count = frame_count(len(wave))
    return wave[: count * FRAME].reshape(count, FRAME)


class Wav2Vec2:
    """A layer of a wav2vec 2.0 network, computed on the GPU if there is one.

    Args:
        folder: what `save_pretrained` of transformers wrote, or a copy of the hub's repository.
        layer: whose output is used; 1 is the first transformer layer.

    Raises:
        ModelError: if transformers is not installed, or the folder holds no such network.
    """

    def __init__(self, folder: Path, layer: int = LAYER) -> None:
        import torch

        self._extract, self._network = load_network(folder)
        # One layer more than is used: the network normalises its last layer's output.
        del self._network.encoder.layers[layer + 1 :]
        self._layer = layer
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._network.eval().to(self._device)

    def __call__(self, wave: Array) -> Array:
        """(samples,) at 16 kHz -> (frames, features)"""
        import torch

        values = self._extract(wave, sampling_rate=RATE, return_tensors="pt").input_values
        with torch.inference_mode():
            output = self._network(values.float().to(self._device), output_hidden_states=True)
        hidden: Array = output.hidden_states[self._layer][0].double().cpu().numpy()
        return hidden


def load_network(folder: Path) -> tuple[Any, Any]:
    """Feature extractor and network out of a local folder.

    Raises:
        ModelError: see `Wav2Vec2`.
    """
    try:
        from transformers import Wav2Vec2FeatureExtractor, Wav2Vec2Model
    except ImportError:
        message = "MAPSS needs the package transformers"
        raise ModelError(message, 'pip install "sepcli[mapss]"') from None
    if not folder.is_dir():
        raise ModelError(f"MAPSS: there is no folder {folder}", REMEDY)
    try:
        extractor = Wav2Vec2FeatureExtractor.from_pretrained(folder, local_files_only=True)
        network = Wav2Vec2Model.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"MAPSS: {folder} is not a wav2vec 2.0 model: {reason}", REMEDY) from error
    return extractor, network


def chosen() -> str:
    """What SEPCLI_MAPSS_MODEL names: "raw", or a folder.

    Raises:
        ModelError: if it names nothing.
    """
    name = os.environ.get(VARIABLE, "")
    if not name:
        raise ModelError("MAPSS needs a wav2vec 2.0 network, which sepcli does not ship", REMEDY)
    return name


@lru_cache(maxsize=1)
def load_backbone(name: str) -> Backbone:
    """A backbone by name, kept for the next call."""
    return raw if name == RAW else Wav2Vec2(Path(name))


@lru_cache(maxsize=1)
def checkpoint_id(name: str) -> str:
    """What to call the backbone in a protocol: "raw", or the SHA-256 of the network's weights.

    Raises:
        ModelError: if there are no weights.
    """
    if name == RAW:
        return RAW
    for file in ("model.safetensors", "pytorch_model.bin"):
        if (path := Path(name) / file).is_file():
            return sha256_of(path)
    raise ModelError(f"MAPSS: no weights in {name}", REMEDY)


def common_frames(embeddings: list[Array]) -> Array:
    """(signals, frames, features), as many frames as all have."""
    count = min(len(embedding) for embedding in embeddings)
    return np.stack([embedding[:count] for embedding in embeddings])
