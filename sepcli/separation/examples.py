"""What examples of a sound say: of a recording, a folder of them, or an embedding that was kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sepcli.audio.reader import AudioInfo, Wave, blocks, probe
from sepcli.audio.resample import resampled
from sepcli.errors import ItemError
from sepcli.query.embedding_file import SUFFIX, read_embedding
from sepcli.query.encoder import QueryEncoder
from sepcli.registry.load import FALLBACK_RATE, encoder_fingerprint
from sepcli.registry.store import Model
from sepcli.separation.example_files import check_example, example_files

EXAMPLE_SECONDS = 60.0  # of an example that are listened to


def check_kept(examples: Iterable[Path], model: Model) -> None:
    """Refuse embeddings that a model's encoder cannot understand, before it is loaded.

    Raises:
        UsageError
    """
    for example in examples:
        if example.suffix.lower() == SUFFIX:
            read_embedding(example, encoder_fingerprint(model))


def direction_of(example: Path, encoder: QueryEncoder, fingerprint: str) -> Tensor:
    """What an example says, (embedding,), of length 1.

    A folder is one example: the mean direction of its recordings. So an embedding that was kept of
    it weighs as much as the folder, beside words and other examples too.

    Args:
        example: a recording, a folder, or an embedding's file.
        encoder: of the model.
        fingerprint: of the encoder; an embedding must have been made by the same one.

    Raises:
        UsageError: if it is missing or empty, or no embedding of this encoder.
        ItemError: if a recording cannot be read, or is silent.
    """
    if example.suffix.lower() == SUFFIX:
        return read_embedding(example, fingerprint)
    check_example(example)
    rows = [encoder.embed_audio(*excerpt(probe(path))) for path in example_files(example)]
    return mean_direction(rows)


def mean_direction(rows: Sequence[Tensor]) -> Tensor:
    """The mean of vectors of length 1, of length 1 again."""
    return torch.nn.functional.normalize(torch.stack(list(rows)).mean(dim=0), dim=-1)


def excerpt(
    info: AudioInfo, start: float = 0.0, seconds: float = EXAMPLE_SECONDS
) -> tuple[Wave, int]:
    """A part of a recording in memory, at a rate every encoder takes.

    Raises:
        ItemError: if there is no sound in it.
    """
    rate = heard_rate(info)
    source = blocks(info, start, min(seconds, EXAMPLE_SECONDS))
    parts = list(resampled(source, info.rate, rate, info.channels))
    wave = np.concatenate(parts) if parts else np.zeros((0, info.channels), np.float32)
    if not wave.any():
        message = f"no sound in the example {info.path} from {start:g} s"
        raise ItemError(message, "give an example in which the sound is heard")
    return wave, rate


def heard_rate(info: AudioInfo) -> int:
    """The sample rate, Hz, at which a recording is given to an encoder."""
    return info.rate if info.rate % 100 == 0 else FALLBACK_RATE
