"""CLIP as an encoder of queries: pictures and texts in one space (Radford et al., 2021).

CLIPSep is trained on pictures and asked with texts, "a photo of ..." (Dong et al., 2023, arXiv
2212.07065). It takes CLIP's embeddings as they are: their length is part of what it learnt.

A model that understands words only can be asked with a picture all the same: CLIP says which of a
list of names the picture shows.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.hashing import sha256_of
from sepcli.query.cache import EmbeddingCache
from sepcli.query.clip_files import PUBLISHED, find_clip, load_clip
from sepcli.query.pictures import prepared
from sepcli.query.sight import Sight

if TYPE_CHECKING:
    from PIL.Image import Image

# A text's embedding is the mean over these. One counts twice, as in CLIPSep's own evaluation.
TEMPLATES = (
    "a photo of {}.",
    "a photo of the small {}.",
    "a photo of the small {}.",
    "a low resolution photo of a {}.",
    "a photo of many {}.",
)
PLAIN = "a photo of {}"  # to choose among names
MOST_TOKENS = 77  # that CLIP has positions for
AT_ONCE = 32  # texts or pictures
SHOWN = 5  # of the names that a picture may show


class Clip:
    """Texts and pictures to vectors of CLIP's common space, of the length that CLIP gives them.

    Args:
        source: a folder, or a name in the hub's cache; see `find_clip`.
        cache: folder for embeddings, None to keep none.

    Attributes:
        dimension: of an embedding.

    Raises:
        ModelError: if there is no such CLIP; later, on the first query that is not in the cache,
            if its weights do not fit.
    """

    def __init__(self, source: str = PUBLISHED, cache: Path | None = None) -> None:
        self._files = find_clip(source)
        self.dimension, self._size = read_sizes(self._files.folder)
        identity = f"clip:{sha256_of(self._files.weights)}" if cache else ""
        self._cache = EmbeddingCache(cache, identity) if cache else None

    @cached_property
    def _loaded(self) -> tuple[Any, Any]:
        return load_clip(self._files)

    def embed_texts(self, texts: Sequence[str]) -> Tensor:
        """(texts, dimension): means over `TEMPLATES`. Outer spaces do not matter."""
        rows = self.embed_plain([t.format(text.strip()) for text in texts for t in TEMPLATES])
        means: Tensor = rows.unflatten(0, (len(texts), len(TEMPLATES))).mean(dim=1)
        return means

    @torch.inference_mode()
    def embed_plain(self, texts: Sequence[str]) -> Tensor:
        """(texts, dimension), of texts as they are."""

        def embed(rows: list[int]) -> Tensor:
            return in_parts(rows, lambda part: self._read([texts[row] for row in part]))

        return self._kept([b"text:" + text.encode() for text in texts], embed)

    @torch.inference_mode()
    def embed_images(self, images: Sequence[Image]) -> Tensor:
        """(images, dimension)."""
        squares = torch.stack([prepared(image, self._size) for image in images])

        def embed(rows: list[int]) -> Tensor:
            return in_parts(rows, lambda part: self._look(squares[part]))

        keys = [b"image:" + hashlib.sha256(s.numpy().tobytes()).digest() for s in squares]
        return self._kept(keys, embed)

    def embed_audio(self, wave: NDArray[np.float32], rate: int) -> Tensor:  # noqa: ARG002
        """Refused: CLIP is deaf.

        Raises:
            ModelError: always.
        """
        raise ModelError("this model understands no example sounds", "ask with words or pictures")

    def name(self, images: Sequence[Image], labels: Sequence[str]) -> Sight:
        """Which of some names pictures show, taken together: zero-shot classification.

        With unit vectors v of the pictures' mean and t_k of "a photo of" each name, the names'
        probabilities are softmax(s v . t_k), s being CLIP's own scale.

        Args:
            images: of one thing.
            labels: at least one.
        """
        seen = F.normalize(self.embed_images(images).mean(dim=0), dim=-1)
        texts = F.normalize(self.embed_plain([PLAIN.format(label) for label in labels]), dim=-1)
        chances = (self._scale * (texts @ seen)).softmax(dim=0)
        best = chances.topk(min(SHOWN, len(labels)))
        first, *others = (labels[index] for index in best.indices)
        return Sight(first, float(best.values[0]), tuple(others))

    @property
    def _scale(self) -> float:
        return float(self._loaded[0].logit_scale.exp())

    def _read(self, texts: list[str]) -> Tensor:
        network, tokenizer = self._loaded
        tokens = tokenizer(
            texts, padding=True, truncation=True, max_length=MOST_TOKENS, return_tensors="pt"
        )
        output = network.text_model(**tokens)
        embeddings: Tensor = network.text_projection(output.pooler_output)
        return embeddings

    def _look(self, squares: Tensor) -> Tensor:
        network, _ = self._loaded
        output = network.vision_model(pixel_values=squares)
        embeddings: Tensor = network.visual_projection(output.pooler_output)
        return embeddings

    def _kept(self, keys: Sequence[bytes], embed: Callable[[list[int]], Tensor]) -> Tensor:
        if self._cache is None:
            return embed(list(range(len(keys))))
        return self._cache.lookup(keys, embed)


def in_parts(rows: list[int], embed: Callable[[list[int]], Tensor]) -> Tensor:
    """Embeddings of many, a few at a time."""
    return torch.cat([embed(rows[at : at + AT_ONCE]) for at in range(0, len(rows), AT_ONCE)])


def read_sizes(folder: Path) -> tuple[int, int]:
    """The length of an embedding, and of the side of a picture in pixels.

    Raises:
        ModelError: if config.json does not say.
    """
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        vision = config.get("vision_config") or {}
        return int(config.get("projection_dim", 512)), int(vision.get("image_size", 224))
    except (OSError, ValueError, AttributeError, TypeError) as error:
        message = f"{folder}/config.json is not CLIP's: {error}"
        raise ModelError(message, f"give a CLIP as published, such as {PUBLISHED}") from error
