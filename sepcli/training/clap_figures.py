"""How well a CLAP knows sounds: naming them, and finding them by name."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sepcli.nets.clap import AudioTower, TextTower
from sepcli.query.tokens import WordPieces
from sepcli.training.mixing.pantry import Pantry

SHORTEST = 0.5  # seconds; shorter sounds cannot be named by people either
FOUND_AMONG = 10


@torch.inference_mode()
def clap_figures(
    text: TextTower, audio: AudioTower, tokens: WordPieces, pantry: Pantry
) -> dict[str, float]:
    """Zero-shot classification and retrieval.

    Args:
        text: the tower that reads.
        audio: the tower that hears.
        tokens: the tokenizer.
        pantry: sounds that were not trained on.

    Returns:
        `accuracy_all`: share of sounds whose own label's plain name is nearest, of all labels;
        `accuracy_esc`: of ESC-10 recordings alone, whose labels are checked by hand;
        `recall_1`, `recall_10`: share of labels for whose name one of that many nearest sounds
        is right.
    """
    names = text(tokens([pantry.ontology.phrases[label][0] for label in pantry.asked]))
    clips = [c for c in pantry.clips if c.label in pantry.asked]
    sounds = [s for s in map(pantry.sounds.__getitem__, clips) if len(s.wave) >= SHORTEST * s.rate]
    heard = torch.cat([hear(audio, s.wave, s.rate) for s in sounds])
    own = torch.tensor([pantry.asked.index(s.clip.label) for s in sounds])
    likeness = heard @ names.T
    named = likeness.argmax(dim=1) == own
    by_hand = torch.tensor([s.clip.corpus == "esc10" for s in sounds])
    figures = {"accuracy_all": float(named.float().mean()), **recalls(likeness, own)}
    if by_hand.any():
        figures["accuracy_esc"] = float(named[by_hand].float().mean())
    return figures


def hear(audio: AudioTower, wave: np.ndarray, rate: int) -> Tensor:
    """(samples,) -> (1, embedding)."""
    embedding: Tensor = audio(torch.from_numpy(wave.astype(np.float32))[None, None], rate)
    return embedding


def recalls(likeness: Tensor, own: Tensor) -> dict[str, float]:
    """Text to audio.

    Args:
        likeness: (sounds, labels).
        own: (sounds,), the right label.
    """
    right = own[likeness.argsort(dim=0, descending=True)] == torch.arange(likeness.shape[1])
    asked = right.any(dim=0)  # labels of which there is a sound
    return {
        f"recall_{k}": float(right[:k].any(dim=0)[asked].float().mean()) for k in (1, FOUND_AMONG)
    }
