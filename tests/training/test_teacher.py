"""The CLAP as a teacher: what it hears of spectrograms is what it hears of waveforms."""

from __future__ import annotations

import pytest
import torch

from sepcli.audio.stft import stft
from sepcli.errors import ModelError, UsageError
from sepcli.training.teacher import SmallTeacher, load_teacher


@pytest.fixture(scope="module")
def teacher() -> SmallTeacher:
    loaded = load_teacher("model:everyday")
    assert isinstance(loaded, SmallTeacher)
    return loaded


def test_spectra_are_heard_as_their_waveforms(teacher: SmallTeacher) -> None:
    wave = 0.3 * torch.randn(2, 32_000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(teacher.spectra(stft(wave, 32_000)), teacher.audio(wave, 32_000))


def test_case_and_outer_spaces_do_not_matter(teacher: SmallTeacher) -> None:
    one, other = teacher.texts(["dog barking", "  Dog Barking "])
    assert torch.equal(one, other)
    assert teacher.queries(["rain"]).norm() == pytest.approx(1, abs=1e-5)


def test_nothing_of_it_learns(teacher: SmallTeacher) -> None:
    wave = torch.randn(1, 16_000, requires_grad=True)
    teacher.audio(wave, 16_000).sum().backward()
    assert wave.grad is not None
    assert wave.grad.abs().max() > 0
    assert all(not p.requires_grad for tower in teacher.towers[:2] for p in tower.parameters())


def test_models_that_are_not_there() -> None:
    with pytest.raises(ModelError, match="nobody"):
        load_teacher("model:nobody")
    with pytest.raises(UsageError, match="no finished CLAP"):
        load_teacher("nowhere")
