"""Stems that come in any order, put in one: by hand, and through the engine with a fake network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import Tensor, nn

import sepcli
from sepcli.audio.windows import Layout, Window, cut
from sepcli.registry import load as loading
from sepcli.separation.stitching import agreeing, channels_agreeing, envelopes, order, stitched

RATE = 8000
CLIPS = Path(__file__).parents[1] / "data/esc10"
LAYOUT = Layout(window=16_000, context=2000, fade=2000)


def voices(seconds: int, count: int = 2) -> np.ndarray:
    """(voices, samples): recordings that come and go, never all silent for long."""
    names = ("3-144028-A", "1-17367-A", "1-35687-A")[:count]
    rows = []
    for number, name in enumerate(names):
        wave = soundfile.read(CLIPS / f"{name}.ogg", dtype="float32")[0][::4]
        wave = np.tile(wave / np.abs(wave).max(), 10)[: seconds * RATE]
        gate = 0.6 + 0.4 * np.sin(2 * np.pi * (np.arange(len(wave)) / RATE / 3 + number / count))
        rows.append(0.2 * wave * gate.astype(np.float32))
    return np.stack(rows)


def shuffled(sources: np.ndarray, seed: int) -> Iterator[tuple[Window, np.ndarray]]:
    """Windows of sources (sources, samples, channels), in another order in each."""
    rng = np.random.default_rng(seed)
    for window in cut([sources.sum(axis=0)], LAYOUT):
        part = sources[:, window.start : window.start + len(window.wave)]
        noise = 0.02 * rng.standard_normal(part.shape).astype(np.float32)
        yield window, (part + noise)[rng.permutation(len(sources))]


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("seed", range(4))
def test_permuted_windows_are_put_back(count: int, seed: int) -> None:
    sources = voices(20, count)[..., None]
    answers = list(stitched(shuffled(sources, seed), RATE))
    assert len(answers) == 16
    orders = set()
    for window, stems in answers:
        part = sources[:, window.start : window.start + len(window.wave)]
        orders.add(tuple(order(np.einsum("asc,bsc->ab", part, stems))))
    assert len(orders) == 1
    given = [stems for _, stems in shuffled(sources, seed)]
    assert any(not np.array_equal(g, s) for g, (_, s) in zip(given, answers, strict=True))


def test_only_what_windows_share_counts() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 100, 1)).astype(np.float32)
    earlier, window = (Window(at, np.zeros((60, 1), np.float32), None, False) for at in (0, 40))
    before, after = np.stack([a[:60], b[:60]]), np.stack([b[40:], a[40:]])
    after[:, 20:] = after[::-1, 20:]  # beyond the overlap: as if it were the other way round
    ordered = agreeing(earlier, before, window, after)
    np.testing.assert_array_equal(ordered[0, :20], a[40:60])
    np.testing.assert_array_equal(ordered[1, :20], b[40:60])


def test_orders_are_the_best_and_stay_as_they_are_in_doubt() -> None:
    for size in (1, 2, 3, 4):
        table = np.random.default_rng(size).standard_normal((size, size))
        tried = permutations(range(size))
        best = max(tried, key=lambda p: table[range(size), p].sum())
        assert tuple(order(table)) == best
        assert list(order(np.zeros((size, size)))) == list(range(size))
        assert list(order(np.full((size, size), 3.0))) == list(range(size))
    assert list(order(np.array([[-1.0, -0.5], [0.0, -2.0]]))) == [1, 0]


def test_a_source_is_the_same_in_all_channels() -> None:
    left = voices(4)[..., None]
    right = -0.5 * np.roll(left, 40, axis=1)  # later and in opposite phase
    stems = np.concatenate([left, right[::-1]], axis=2)
    together = channels_agreeing(stems, RATE)
    np.testing.assert_array_equal(together, np.concatenate([left, right], axis=2))
    assert channels_agreeing(left, RATE) is left


def test_envelopes_are_levels_of_20_ms() -> None:
    wave = np.ones((1, 400, 1), np.float32)
    wave[:, 160:320] = -2.0
    wave[:, 320:] = 0.0
    assert envelopes(wave, RATE)[0, :, 0].tolist() == [1.0, 2.0, 0.0]


class Swapping(nn.Module):
    """Knows the two voices, and gives each item's in an order of chance."""

    def __init__(self) -> None:
        super().__init__()
        self.gains = nn.Parameter(torch.zeros(2))  # what the linear model's file holds
        self.voices = torch.from_numpy(voices(20))
        self.random = torch.Generator().manual_seed(5)
        self.swaps: list[int] = []
        self.longest = 10**9  # samples before memory "runs out"

    def forward(self, mixture: Tensor, queries: None, rate: int) -> tuple[Tensor, None]:
        if mixture.shape[-1] > self.longest:
            raise torch.OutOfMemoryError("CUDA out of memory (pretended)")
        return torch.stack([self.separated(item[0]) for item in mixture])[:, :, None], None

    def separated(self, wave: Tensor) -> Tensor:
        """(samples,) of the sum of the voices -> (2, samples)."""
        places = self.voices.sum(dim=0).unfold(0, len(wave), 1)
        marks = torch.linspace(0, len(wave) - 1, 5).long()
        at = int((places[:, marks] - wave[marks]).abs().sum(dim=1).argmin())
        self.swaps.append(int(torch.randint(2, (1,), generator=self.random)))
        stems = self.voices[:, at : at + len(wave)]
        return stems.flip(0) if self.swaps[-1] else stems


@pytest.fixture
def networks(monkeypatch: pytest.MonkeyPatch, linear: Callable[..., Path]) -> list[Swapping]:
    made: list[Swapping] = []

    def build(**_: object) -> Swapping:
        made.append(Swapping())
        return made[-1]

    monkeypatch.setitem(loading.ARCHITECTURES, "linear", build)
    return made


def separated(model: Path, mixture: np.ndarray, **options: object) -> np.ndarray:
    """(stems, samples, channels)"""
    soundfile.write("talk.wav", mixture, RATE, "FLOAT")
    given = {"model": str(model), "progress": False, "overwrite": True, **options}
    assert sepcli.separate("talk.wav", **given).exit_code == 0  # type: ignore[arg-type]
    names = [f"separated/talk.speaker{n}.wav" for n in (1, 2)]
    return np.stack([soundfile.read(name, always_2d=True)[0] for name in names])


def errors(stems: np.ndarray) -> list[float]:
    """Of the nearer order of whole stems, relative to the voices."""
    wanted = voices(20)[..., None]
    return min(
        [float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in zip(stems, w, strict=True)]
        for w in (wanted, wanted[::-1])
    )


def test_speakers_keep_their_files_to_the_end(
    linear: Callable[..., Path], networks: list[Swapping]
) -> None:
    mixture = voices(20).sum(axis=0)
    kept = separated(linear(["speaker1", "speaker2"], channels=1, unordered=True), mixture)
    assert {0, 1} == set(networks[-1].swaps)
    assert max(errors(kept)) < 1e-5
    mixed = separated(linear(["speaker1", "speaker2"], channels=1), mixture)
    assert max(errors(mixed)) > 0.3


def test_channels_and_halved_windows_keep_their_order(
    linear: Callable[..., Path], networks: list[Swapping], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = linear(["speaker1", "speaker2"], channels=1, unordered=True)
    mixture = np.repeat(voices(20).sum(axis=0)[:, None], 2, axis=1)
    build = Swapping.__init__

    def short(self: Swapping) -> None:
        build(self)
        self.longest = 12_000

    monkeypatch.setattr(Swapping, "__init__", short)
    stems = separated(model, mixture, window=2.0)
    assert {0, 1} == set(networks[-1].swaps)
    for channel in range(2):
        assert max(errors(stems[..., channel, None])) < 1e-5
    np.testing.assert_allclose(stems[..., 0], stems[..., 1], atol=1e-6)
