"""What the separator promises by construction, whatever its weights."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

from sepcli.audio.stft import stft
from sepcli.nets.band_unet import BandMerge, BandSplit, BandUNet, fit_bins, padded_bands
from sepcli.nets.bands import BINS, band_edges, band_mean, common_magnitude, level_free_log


@pytest.fixture(scope="module")
def net() -> BandUNet:
    torch.manual_seed(0)
    return BandUNet(embedding=16, widths=(8, 12, 16, 16), hidden=8).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def queries() -> torch.Tensor:
    return F.normalize(torch.randn(3, 16, generator=torch.Generator().manual_seed(1)), dim=-1)


def noise(*shape: int) -> torch.Tensor:
    return 0.3 * torch.randn(*shape, generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("rate", [8000, 16000, 32000, 44100, 48000, 96000])
def test_shapes_at_every_rate(net: BandUNet, queries: torch.Tensor, rate: int) -> None:
    stems, presence = net(noise(2, 2, rate // 2 + 7), queries, rate)
    assert stems.shape == (2, 3, 2, rate // 2 + 7)
    assert presence.shape == (2, 3)
    assert torch.all((presence > 0) & (presence < 1))


@pytest.mark.parametrize("samples", [1, 2, 319, 5000])
def test_short_signals(net: BandUNet, queries: torch.Tensor, samples: int) -> None:
    stems, _ = net(noise(1, 1, samples), queries, 32000)
    assert stems.shape[-1] == samples
    assert torch.isfinite(stems).all()


def test_silence_stays_silent(net: BandUNet, queries: torch.Tensor) -> None:
    assert torch.all(net(torch.zeros(1, 2, 4000), queries, 16000)[0] == 0)


def test_a_gain_on_the_input_is_the_same_gain_on_the_output(
    net: BandUNet, queries: torch.Tensor
) -> None:
    wave = noise(1, 1, 16000)
    stems, presence = net(wave, queries, 16000)
    louder, same = net(8 * wave, queries, 16000)
    torch.testing.assert_close(louder, 8 * stems, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(same, presence, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("rate", [16000, 44100])
def test_a_signal_that_begins_a_grid_earlier_is_pooled_alike(net: BandUNet, rate: int) -> None:
    """Half a grid earlier the same frames fall into other groups."""
    wave, grid = noise(1, 1, 3 * rate), net.grid(rate)
    frames = grid // (rate // 100)

    def pooled(first: int) -> torch.Tensor:
        magnitude = common_magnitude(stft(wave[..., first:], rate))
        log = magnitude.clamp(min=1e-5).log()  # whose level is not that of the window
        whole = log.shape[-1] // frames * frames
        skips, _ = net.encode(log[..., :whole])
        return F.avg_pool2d(skips[-1], 2)

    edge = 3  # groups that hear the padding
    later = pooled(grid)
    same = pooled(0)[..., 1 : 1 + later.shape[-1]]
    torch.testing.assert_close(later[..., edge:-edge], same[..., edge:-edge], atol=1e-4, rtol=1e-4)
    off = pooled(grid // 2)[..., : later.shape[-1]]
    assert (off - same[..., : off.shape[-1]])[..., edge:-edge].abs().max() > 0.01


def test_the_stereo_image_cannot_wander(net: BandUNet, queries: torch.Tensor) -> None:
    left = noise(1, 1, 16000)
    stems, _ = net(torch.cat([left, -0.25 * left], dim=1), queries, 16000)
    torch.testing.assert_close(stems[:, :, 1], -0.25 * stems[:, :, 0], atol=1e-6, rtol=1e-4)


def test_opposite_channels_do_not_cancel(net: BandUNet, queries: torch.Tensor) -> None:
    left = noise(1, 1, 16000)
    alone, _ = net(left, queries, 16000)
    both, _ = net(torch.cat([left, -left], dim=1), queries, 16000)
    torch.testing.assert_close(both[:, :, 0], alone[:, :, 0], atol=1e-5, rtol=1e-3)


def test_masks_never_amplify(net: BandUNet, queries: torch.Tensor) -> None:
    wave = noise(1, 1, 16000)
    masks = net.masks(common_magnitude(stft(wave, 16000)), queries[None])
    assert masks.shape == (1, 3, BINS, 101)
    assert torch.all((masks >= 0) & (masks <= 1))


def test_batch_and_queries_are_independent(net: BandUNet, queries: torch.Tensor) -> None:
    wave = noise(3, 2, 12000)
    together, presence = net(wave, queries, 16000)
    for item in range(3):
        for query in range(3):
            alone, heard = net(wave[item : item + 1], queries[query : query + 1], 16000)
            torch.testing.assert_close(together[item, query], alone[0, 0], atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(presence[item, query], heard[0, 0], atol=1e-5, rtol=1e-4)


def test_queries_matter(net: BandUNet, queries: torch.Tensor) -> None:
    stems, _ = net(noise(1, 1, 16000), queries, 16000)
    assert (stems[0, 0] - stems[0, 1]).abs().max() > 1e-4


def test_above_the_band_the_top_mask_counts() -> None:
    masks = torch.rand(1, 1, BINS, 4)
    wide = fit_bins(masks, 883)
    assert torch.equal(wide[:, :, :BINS], masks)
    assert torch.equal(wide[:, :, BINS:], masks[:, :, -1:].expand(-1, -1, 883 - BINS, -1))
    assert torch.equal(fit_bins(masks, 161), masks[:, :, :161])


def test_every_parameter_learns() -> None:
    torch.manual_seed(0)
    net = BandUNet(embedding=8, widths=(4, 6, 8, 8), hidden=4)
    answer = net.answer(torch.rand(2, BINS, 64), torch.randn(2, 2, 8))
    (answer.masks.square().mean() + net.presence(answer).square().mean()).backward()
    learning = [(n, p) for n, p in net.named_parameters() if p.requires_grad]
    idle = [n for n, p in learning if p.grad is None or not p.grad.any()]
    assert idle == []


def test_bands_cover_all_bins_once() -> None:
    edges = band_edges(BINS, 64)
    widths = [b - a for a, b in pairwise(edges)]
    assert (edges[0], edges[-1], len(widths)) == (0, BINS, 64)
    assert min(widths) == 2
    assert widths == sorted(widths)
    assert torch.allclose(band_mean(edges).sum(0), torch.ones(64))
    bins, inside = padded_bands(edges)
    assert bins[inside.bool()].tolist() == list(range(BINS))


def test_too_many_bands_are_refused() -> None:
    with pytest.raises(ValueError, match="need more than"):
        band_edges(100, 64)


def test_split_and_merge_keep_bins_in_their_places() -> None:
    edges = band_edges(BINS, 64)
    split, merge = BandSplit(edges, 8), BandMerge(edges, 8)
    x = torch.zeros(1, BINS, 8)
    x[0, 300, 5] = 1.0
    features = (split(x) - split(torch.zeros_like(x))).abs().sum(1)[0]  # (bands, steps)
    band = next(i for i in range(64) if edges[i] <= 300 < edges[i + 1])
    assert features.nonzero().tolist() == [[band, 1]]
    y = torch.zeros(1, 8, 64, 2)
    y[0, :, band, 1] = 1.0
    touched = (merge(y) - merge(torch.zeros_like(y)))[0].nonzero()
    assert set(touched[:, 0].tolist()) == set(range(edges[band], edges[band + 1]))
    assert set(touched[:, 1].tolist()) == {4, 5, 6, 7}


def test_log_magnitudes_have_no_level() -> None:
    magnitude = torch.rand(1, BINS, 10)
    torch.testing.assert_close(level_free_log(100 * magnitude), level_free_log(magnitude))


def test_channels_are_averaged_in_power() -> None:
    spec = torch.zeros(1, 2, 161, 3, dtype=torch.complex64)
    spec[0, 0], spec[0, 1] = 3.0, 4.0j
    magnitude = common_magnitude(spec)
    assert magnitude.shape == (1, BINS, 3)
    torch.testing.assert_close(magnitude[:, :161], torch.full((1, 161, 3), 12.5**0.5))
    assert not magnitude[:, 161:].any()
