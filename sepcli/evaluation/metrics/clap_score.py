"""CLAPScore: does the estimate sound like the words, or like the source? All are cosines, -1 to 1.

    clap_score   = <t, e>              words and estimate
    clap_score_i = <t, e> - <t, m>     how much nearer to the words than the mixture
    clap_score_a = <e, s>              estimate and reference

of unit vectors t, e, m, s from a network trained to bring sounds and their descriptions together
(Elizalde et al., 2023; Wu et al., 2023). The first two are those of Xiao et al. (2024, "A
reference-free metric for language-queried audio source separation using contrastive
language-audio pretraining", arXiv 2407.04936), the third is common in evaluations of generated
audio. The first two need no reference: words from `Scene.queries`; NaN for a stem without.

The network decides the figures: those of two checkpoints must never be compared. The default is
the small CLAP that ships with sepcli; `checkpoint_id` names it for a protocol. What is longer
than 10 s is cut into as few windows of equal length as are at most 10 s long, whose mean counts:
nothing is drawn at random. Signals go in at 32 kHz, which is all that this network hears.

Blind to gain, to short leaks and to artefacts that leave the kind of sound as it is: a chirping
and a clean dog are both dogs. A mixture that holds the source scores high already, hence
clap_score_i. Silence has no direction: NaN.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from sepcli.evaluation.metrics.resampling import resampled
from sepcli.evaluation.metrics.validation import validate
from sepcli.evaluation.scene import Array, Compat, Scene, Scores
from sepcli.hashing import sha256_of
from sepcli.registry.schema import check
from sepcli.registry.store import Model, shipped_registry
from sepcli.yaml_file import read_yaml

if TYPE_CHECKING:  # they import torch
    from sepcli.query.encoder import QueryEncoder

RATE = 32_000  # Hz
LONGEST = 10 * RATE  # samples in a window


def embed_windows(encoder: QueryEncoder, wave: Array, rate: int) -> Array:
    """Embeddings of a signal's windows.

    Args:
        encoder: any that embeds audio.
        wave: (channels, samples)
        rate: Hz.

    Returns:
        (windows, dimension), of length 1; windows that are silent are left out.
    """
    moved = resampled(wave, rate, RATE).T.astype(np.float32)
    windows = np.array_split(moved, max(1, math.ceil(len(moved) / LONGEST)))
    rows = [encoder.embed_audio(window, RATE).numpy() for window in windows if window.any()]
    return np.array(rows, np.float64).reshape(len(rows), encoder.dimension)


def embed(encoder: QueryEncoder, wave: Array, rate: int) -> Array:
    """The direction of a signal's windows' mean, (dimension,); NaN for silence."""
    windows = embed_windows(encoder, wave, rate)
    if not len(windows):
        return np.full(encoder.dimension, np.nan)
    return unit(windows.mean(axis=0))


def embed_query(encoder: QueryEncoder, query: str | None) -> Array:
    """(dimension,), of length 1; NaN without words."""
    if not query:
        return np.full(encoder.dimension, np.nan)
    return unit(encoder.embed_texts([query])[0].numpy().astype(np.float64))


def unit(vector: Array) -> Array:
    """The vector's direction."""
    return np.asarray(vector / np.linalg.norm(vector))


def shipped_model() -> Model:
    """The default model of the registry that ships with sepcli.

    A user's registry may have another default: the figures must not depend on it.
    """
    path = shipped_registry()
    file = check(read_yaml(path), str(path))
    name = file.default or next(iter(file.models))
    return Model(name, file.models[name], path.parent, path)


@lru_cache(maxsize=1)
def default_encoder() -> QueryEncoder:
    """The small CLAP that ships with sepcli, loaded once.

    Raises:
        ModelError: if a file is missing or damaged.
    """
    from sepcli.query.encoder import SmallClap
    from sepcli.registry.verify import verify

    model = shipped_model()
    for role in ("clap", "tokenizer"):
        verify(model, role)
    return SmallClap(model.path("clap"), model.path("tokenizer"))


@lru_cache(maxsize=1)
def checkpoint_id() -> str:
    """SHA-256 of the default encoder's weights, for the name of a protocol."""
    return sha256_of(shipped_model().path("clap"))


def evaluate(
    scene: Scene, compat: Compat = "sepcli", encoder: QueryEncoder | None = None
) -> Scores:
    """Columns clap_score, clap_score_i and clap_score_a.

    Args:
        scene: its `queries` are the words.
        compat: all are the same.
        encoder: in the place of `default_encoder`.

    Raises:
        ItemError: see `validate`.
        ModelError: see `default_encoder`.
    """
    validate(scene)
    encoder = encoder or default_encoder()
    mixture = embed(encoder, scene.mixture, scene.rate)
    rows = []
    for stem, reference, estimate in zip(
        scene.stems, scene.references, scene.estimates, strict=True
    ):
        words = embed_query(encoder, scene.queries.get(stem))
        sound = embed(encoder, estimate, scene.rate)
        score = words @ sound
        rows.append((score, score - words @ mixture, embed(encoder, reference, scene.rate) @ sound))
    names = ("clap_score", "clap_score_i", "clap_score_a")
    return dict(zip(names, np.array(rows).T, strict=True))
