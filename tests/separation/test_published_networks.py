"""The engine with a mono network of 32 kHz: its rate, its windows, and channels kept apart."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file
from torch import Tensor

import sepcli
from sepcli.audio.windows import fade_ramp
from sepcli.nets.resunet30 import ResUNet30
from sepcli.registry import load as loading

RATE = 32_000  # Hz
WINDOW, CONTEXT, FADE = 0.63, 0.08, 0.12  # seconds: a hop of 0.35, which the grid makes 0.32
HOP = 10_240  # samples, 32 frames
QUERY = "a gain of 0.5"


class Heard(ResUNet30):
    """Remembers the windows it was given and its answers."""

    def __init__(self, **arguments: int) -> None:
        super().__init__(**arguments)
        self.windows: list[tuple[Tensor, int]] = []
        self.answers: list[Tensor] = []

    def forward(self, mixture: Tensor, queries: Tensor, rate: int) -> tuple[Tensor, None]:
        stems, presence = super().forward(mixture, queries, rate)
        self.windows.append((mixture, rate))
        self.answers.append(stems)
        return stems, presence


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch) -> list[Heard]:
    """Those that were loaded."""
    made: list[Heard] = []

    def build(**arguments: int) -> Heard:
        made.append(Heard(**arguments))
        return made[-1]

    assert loading.ARCHITECTURES["resunet30"] is ResUNet30
    monkeypatch.setitem(loading.ARCHITECTURES, "resunet30", build)
    return made


@pytest.fixture
def model(linear: Callable[..., Path], networks: list[Heard]) -> str:
    """A folder with random weights, and queries of three numbers."""
    folder = linear(
        architecture="resunet30",
        arguments={"condition": 3},
        sample_rate=RATE,
        channels=1,
        windows={"length": WINDOW, "context": CONTEXT, "fade": FADE},
    )
    torch.manual_seed(0)
    state = ResUNet30(condition=3).state_dict()
    halves = {key: x.half().contiguous() for key, x in state.items()}
    save_file(halves, folder / "gains.safetensors")
    return str(folder)


def separated(name: str, model: str) -> np.ndarray:
    sepcli.separate(name, [QUERY], model=model, progress=False)
    return soundfile.read(f"separated/{Path(name).stem}.a-gain-of-0-5.wav", always_2d=True)[0]


def test_stereo_at_another_rate(
    noise: Callable[..., np.ndarray], model: str, networks: list[Heard]
) -> None:
    mixture = noise(seconds=0.9, rate=44_100, channels=2)
    mixture[:, 1] = 0.3 * mixture[::-1, 0]
    soundfile.write("mix.wav", mixture, 44_100, "FLOAT")
    stem = separated("mix.wav", model)
    assert stem.shape == mixture.shape
    (network,) = networks
    # Two windows are enough; each is heard once, both channels at a time.
    lengths = [20_160, 28_800 - HOP]
    assert [(x.shape, rate) for x, rate in network.windows] == [((2, 1, n), RATE) for n in lengths]
    left, right = network.answers[0][:, 0, 0].numpy()
    assert np.linalg.norm(left - right) > 0.1 * np.linalg.norm(left)
    level = np.linalg.norm(stem, axis=0)
    assert np.linalg.norm(stem[:, 0] - stem[:, 1]) > 0.1 * level.max()
    assert level.min() > 0.01 * np.linalg.norm(mixture[:, 1])


def test_windows_are_computed_once_and_cross_faded(
    noise: Callable[..., np.ndarray], model: str, networks: list[Heard]
) -> None:
    soundfile.write("mix.wav", noise(seconds=0.93, rate=RATE, channels=1), RATE, "FLOAT")
    stem = separated("mix.wav", model)[:, 0]
    first, second = (answer.flatten().numpy() for answer in networks[0].answers)
    fade = round((FADE + 0.35 - 0.32) * RATE)
    begins = HOP + round(CONTEXT * RATE)  # of the cross-fade: context after the second window
    ends = begins + fade
    ramp = fade_ramp(fade)[:, 0]
    mixed = first[begins:ends] * (1 - ramp) + second[begins - HOP : ends - HOP] * ramp
    wanted = np.concatenate([first[:begins], mixed, second[ends - HOP :]])
    np.testing.assert_allclose(stem, wanted, atol=1e-6)
