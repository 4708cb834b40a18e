"""A LAION-CLAP's weights on disk: LAION's own names, or a model folder of the hub."""

from __future__ import annotations

import math
from pathlib import Path

from safetensors import SafetensorError, safe_open
from torch import Tensor

from sepcli.errors import ModelError
from sepcli.query.laion_keys import FUSION, Tower, of_tower, renamed

REMEDY = "give a LAION-CLAP without fusion, converted by `sepcli models convert`"
LOG_SCALE = "logit_scale_a"
LAION_LAYERS, HUB_LAYERS = ("0", "2"), ("linear1", "linear2")  # of the text projection


class LaionFile:
    """The weights, of which only names and shapes have been read.

    Args:
        path: safetensors with LAION's names, or with transformers' and config.json beside it;
            or the folder that holds model.safetensors and config.json.

    Attributes:
        path: of the safetensors.
        config: of config.json; None where LAION's names say everything.
        width: of a token's state.
        dimension: of an embedding.

    Raises:
        ModelError: if it is no such file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path / "model.safetensors" if path.is_dir() else path
        shapes = read_shapes(self.path)
        self._keys = list(shapes)
        laion = f"text_projection.{LAION_LAYERS[0]}.weight" in shapes
        names = [f"text_projection.{n}.weight" for n in (LAION_LAYERS if laion else HUB_LAYERS)]
        if not set(names) <= shapes.keys():
            raise ModelError(f"{self.path} is no LAION-CLAP: it has no text projection", REMEDY)
        self.width, self.dimension = shapes[names[0]][1], shapes[names[1]][0]
        if any(FUSION.search(key) for key in shapes):
            raise ModelError(f"{self.path} is a LAION-CLAP with fusion", REMEDY)
        self.config = None if laion else self.path.with_name("config.json")
        if self.config is not None and not self.config.is_file():
            message = f"{self.path} needs the hub's config.json beside it"
            raise ModelError(message, "copy config.json into the same folder")

    def state(self, tower: Tower) -> dict[str, Tensor]:
        """The tensors of one tower under transformers' names, float32.

        Raises:
            ModelError: if there are none.
        """
        with safe_open(self.path, "pt") as file:
            tensors = [(key, file.get_tensor(key)) for key in of_tower(self._keys, tower)]
        if not tensors:
            raise ModelError(f"{self.path} holds no {tower} tower", REMEDY)
        return {name: part.float() for pair in tensors for name, part in renamed(*pair)}

    def scale(self) -> float | None:
        """The inverse temperature that sounds were trained with; None if it was not kept."""
        if LOG_SCALE not in self._keys:
            return None
        with safe_open(self.path, "pt") as file:
            return math.exp(float(file.get_tensor(LOG_SCALE)))


def read_shapes(path: Path) -> dict[str, list[int]]:
    """Names and shapes of all tensors in a safetensors file.

    Raises:
        ModelError: if it cannot be read.
    """
    try:
        with safe_open(path, "pt") as file:
            return {key: file.get_slice(key).get_shape() for key in list(file.keys())}
    except (OSError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{path} is no safetensors file: {reason}", REMEDY) from error
