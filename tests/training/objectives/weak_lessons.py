"""Teachers whose every thought is known, and the paper's objective in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from lessons import signs
from numpy.typing import NDArray
from torch import Tensor

from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import Masker

Array = NDArray[np.float64]


class Linear:
    """Hears a waveform's product with a matrix."""

    hears = True

    def __init__(self, samples: int, scale: float = 3.0) -> None:
        generator = torch.Generator().manual_seed(1)
        self.dimension, self.scale = 16, scale
        self.matrix = torch.randn(samples, 16, generator=generator)

    def texts(self, phrases: Sequence[str]) -> Tensor:
        return signs(list(phrases))

    queries = texts

    def audio(self, wave: Tensor, rate: int) -> Tensor:
        return torch.nn.functional.normalize(wave @ self.matrix, dim=-1)

    def to(self, device: torch.device) -> Linear:
        return self


class Deaf(Linear):
    """Always hears the same, whatever it is played."""

    def __init__(self, heard: Tensor, scale: float) -> None:
        super().__init__(1, scale)
        self.heard, self.dimension = heard, heard.shape[-1]

    def audio(self, wave: Tensor, rate: int) -> Tensor:
        return self.heard + 0 * wave.sum()


class Plain(Masker):
    """A transform of 12 samples into 2 x 3 complex bins, and masks that queries decide."""

    rate = 48  # a quarter of a second has 12 samples

    def __init__(self, queries: int = 16) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(2)
        self.weight = torch.nn.Parameter(torch.randn(queries, 6, generator=generator))

    def spectrogram(self, wave: Tensor) -> Tensor:
        return torch.view_as_complex(wave.reshape(*wave.shape[:-1], 2, 3, 2))

    def waveform(self, spec: Tensor, samples: int) -> Tensor:
        return torch.view_as_real(spec).flatten(-3)

    def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:
        shared = mixture.abs().log1p()[:, None]  # no item sees another
        return ((queries @ self.weight).unflatten(-1, (2, 3)) + shared).sigmoid()


def paper_in_numpy(masker: Plain, batch: Batch, teacher: Linear) -> tuple[float, float, float]:
    """CNT, CRL and URL, with loops and for two parts."""
    unit = 511 / np.sqrt(2)  # ones become 1 + 1j
    spec = masker.spectrogram(batch.mixture)
    masks = masker(spec, batch.queries).detach().numpy().astype(float)
    x = np.abs(spec.numpy()) * unit
    parts = np.abs(masker.spectrogram(batch.parts).numpy()) * unit
    cnt = crl = url = 0.0
    for n in range(2):
        heard, said = [], []
        for b in range(len(x)):
            together = np.zeros_like(x[b])
            for q, role in enumerate(batch.role[b].tolist()):
                if batch.part[b, q] != n:
                    continue
                answer = masks[b, q] * x[b]
                if role == Role.CAPTION:
                    url += l1w(answer, parts[b, n], x[b]) / len(x)
                if role == Role.PHRASE:
                    together += float(batch.weight[b, q]) * answer
                    wave = masks[b, q] * spec[b].numpy()
                    heard.append(
                        np.stack([wave.real, wave.imag], -1).ravel() @ teacher.matrix.numpy()
                    )
                    said.append(batch.targets[b, q].numpy())
            crl += l1w(together, parts[b, n], parts[b, n]) / len(x)
        cnt += cross_entropy(np.array(heard), np.array(said), teacher.scale)
    return cnt, crl, url


def l1w(a: Array, b: Array, weighted_by: Array) -> float:
    return float(np.mean(np.clip(np.log1p(weighted_by), 1e-3, 10) * np.abs(a - b)))


def cross_entropy(heard: Array, said: Array, scale: float) -> float:
    unit = heard / np.linalg.norm(heard, axis=1, keepdims=True)
    logits = scale * unit @ said.T
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)))
