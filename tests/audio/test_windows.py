"""Cutting and joining: nothing lost, nothing twice, neighbours really faded."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sepcli.audio.windows import Joiner, Layout, Window, cut, fade_ramp

LAYOUTS = [
    Layout(100, 10, 20),
    Layout(100, 0, 1),
    Layout(50, 20, 5),
    Layout(64, 16, 31),
    Layout(100, 10, 20, grid=15),
    Layout(100, 10, 20, grid=7),
]


@settings(deadline=None, max_examples=60)
@given(
    samples=st.integers(0, 1000),
    block=st.integers(1, 333),
    layout=st.sampled_from(LAYOUTS),
)
def test_joining_gives_back_what_was_cut(samples: int, block: int, layout: Layout) -> None:
    wave = np.random.default_rng(samples).standard_normal((samples, 2)).astype(np.float32)
    windows = list(cut((wave[at : at + block] for at in range(0, samples, block)), layout))
    joiner = Joiner(layout)
    joined = [joiner.add(w, np.stack([w.wave, -0.5 * w.wave])) for w in windows]
    assert [w.last for w in windows] == [False] * (len(windows) - 1) + [True] * bool(samples)
    if samples:
        result = np.concatenate(joined, axis=1)
        np.testing.assert_allclose(result, np.stack([wave, -0.5 * wave]), atol=1e-6)
    for window in windows:
        longest = min(samples, layout.window)
        shortest = longest - (layout.grid - 1) * window.last
        assert shortest <= len(window.wave) <= longest
        start = window.start
        np.testing.assert_array_equal(window.wave, wave[start : start + len(window.wave)])


def test_only_the_context_is_computed_twice() -> None:
    layout = Layout(100, 10, 20)
    windows = list(cut([np.zeros((1000, 1), np.float32)], layout))
    starts = [w.start for w in windows]
    assert starts[:-1] == list(range(0, 60 * (len(starts) - 1), 60))
    assert starts[-1] == 900


@pytest.mark.parametrize("samples", [101, 160, 161, 999, 1000, 1001])
def test_windows_start_on_the_grid(samples: int) -> None:
    layout = Layout.of(1, 100, 10, 20, grid=16)
    assert (layout.hop, layout.fade) == (48, 32)
    windows = list(cut([np.zeros((samples, 1), np.float32)], layout))
    assert [w.start for w in windows[:-1]] == [48 * n for n in range(len(windows) - 1)]
    assert windows[-1].start % 16 == 0
    assert samples - 100 <= windows[-1].start < samples - 100 + 16
    assert Layout.of(1, 100, 10, 20, grid=20) == Layout(100, 10, 20, 20)
    assert Layout.of(1, 30, 10, 5, grid=16) == Layout(30, 10, 5, 16)


def test_windows_are_faded_into_each_other_away_from_their_edges() -> None:
    layout = Layout(100, 10, 20)
    windows = list(cut([np.zeros((160, 1), np.float32)], layout))
    assert [w.start for w in windows] == [0, 60]
    joiner = Joiner(layout)
    zero = joiner.add(windows[0], np.zeros((1, 100, 1), np.float32))
    one = joiner.add(windows[1], np.ones((1, 100, 1), np.float32))
    result = np.concatenate([zero, one], axis=1)[0, :, 0]
    assert np.all(result[:70] == 0)
    np.testing.assert_allclose(result[70:90], (np.arange(20) + 0.5) / 20, rtol=1e-6)
    assert np.all(result[90:] == 1)


def test_memory_does_not_grow_with_the_stream() -> None:
    layout = Layout(100, 10, 20)
    largest = 0

    def blocks() -> object:
        for _ in range(2000):
            yield np.zeros((37, 1), np.float32)

    for window in cut(blocks(), layout):  # type: ignore[arg-type]
        base = window.wave.base if window.wave.base is not None else window.wave
        largest = max(largest, len(base))
    assert largest < 4 * layout.window


def test_a_lone_window_is_used_whole() -> None:
    window = Window(0, np.ones((30, 1), np.float32), None, last=True)
    stems = np.full((1, 30, 1), 0.5, np.float32)
    np.testing.assert_array_equal(Joiner(Layout(100, 10, 20)).add(window, stems), stems)


def test_ramps_sum_to_one() -> None:
    for fade in (1, 2, 21, 500):
        np.testing.assert_allclose(fade_ramp(fade) + fade_ramp(fade)[::-1], 1, atol=1e-6)


@pytest.mark.parametrize("sizes", [(100, 45, 10), (10, 0, 0), (0, 0, 1), (20, -1, 3)])
def test_impossible_layouts_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="too short"):
        Layout(*sizes)
