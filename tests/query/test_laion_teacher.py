"""LAION-CLAP as a teacher of trainings."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sepcli.query.laion_clap import LaionClap, LaionClapTokens
from sepcli.training.teacher import SCALE, LaionTeacher

TEXTS = ["a dog barks loudly", "an engine idles"]


@pytest.mark.parametrize("encoder", [LaionClap, LaionClapTokens])
def test_targets_are_the_end_of_what_a_network_is_told(
    laion_weights: Path, roberta: Path, encoder: Callable[..., LaionClap]
) -> None:
    teacher = LaionTeacher(encoder(laion_weights, roberta))
    queries, targets = teacher.queries(TEXTS), teacher.texts(TEXTS)
    assert targets.shape == (2, teacher.dimension)
    assert torch.equal(queries[:, -teacher.dimension :], targets)
    torch.testing.assert_close(targets.norm(dim=1), torch.ones(2))
    # Tokens are words: no sound can stand in their place.
    assert teacher.hears == (queries.shape == targets.shape)


def test_it_hears_at_any_rate_and_passes_gradients_on(laion_weights: Path, roberta: Path) -> None:
    teacher = LaionTeacher(LaionClap(laion_weights, roberta)).to(torch.device("cpu"))
    tone = torch.sin(2 * math.pi * 440 * torch.arange(16_000) / 16_000)[None].requires_grad_()
    heard = teacher.audio(tone, 16_000)
    assert heard.shape == (1, teacher.dimension)
    heard[0, 0].backward()
    assert tone.grad is not None
    assert tone.grad.abs().max() > 0
    assert all(not p.requires_grad for p in teacher._encoder.audio_tower.parameters())


def test_the_temperature_is_the_files(
    laion_state: dict[str, Tensor], roberta: Path, tmp_path: Path
) -> None:
    kept = {**laion_state, "logit_scale_a": torch.tensor(3.0)}
    save_file(kept, tmp_path / "kept.safetensors")
    teacher = LaionTeacher(LaionClap(tmp_path / "kept.safetensors", roberta))
    assert teacher.scale == pytest.approx(math.exp(3.0))
    kept.pop("logit_scale_a")
    save_file(kept, tmp_path / "lost.safetensors")
    assert LaionTeacher(LaionClap(tmp_path / "lost.safetensors", roberta)).scale == SCALE
