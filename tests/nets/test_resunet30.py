"""ResUNet30 against what the reference gave in float64, and what it promises beside that."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden import formula
from torch import Tensor
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.nets import resunet30
from sepcli.nets.resunet30 import MaskUNet, Norm, ResUNet30, film_key, polar_mask

GOLDEN = Path(__file__).parent.parent / "golden"
VARIANTS = {"32k": {}, "16k": {"n_fft": 1024, "hop": 160}}
RATE = 16_000  # Hz, of the network most tests use


def filled(network: ResUNet30) -> ResUNet30:
    """The network with the formula's weights, ready to run."""
    state = network.state_dict()
    weights = {key: torch.from_numpy(formula.values(key, x.shape)) for key, x in state.items()}
    network.load_state_dict(weights)
    return network.eval().requires_grad_(False)


def relative_error(got: Tensor, wanted: np.ndarray) -> float:
    difference = got.numpy() - wanted
    return float(np.linalg.norm(difference) / np.linalg.norm(wanted))


def noise(*shape: int) -> Tensor:
    return 0.02 * torch.randn(*shape, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="module")
def net() -> ResUNet30:
    return filled(ResUNet30(**VARIANTS["16k"]))


@pytest.fixture(scope="module")
def queries() -> Tensor:
    return F.normalize(torch.randn(2, 512, generator=torch.Generator().manual_seed(1)), dim=-1)


@pytest.mark.parametrize("variant", VARIANTS)
def test_keys_shapes_and_golden_outputs(variant: str) -> None:
    golden = np.load(GOLDEN / f"audiosep_{variant}.npz")
    rate = int(golden["rate"])
    network = filled(ResUNet30(**VARIANTS[variant]).double())
    keys = json.loads((GOLDEN / f"audiosep_{variant}_keys.json").read_text())
    assert {key: list(x.shape) for key, x in network.state_dict().items()} == keys
    wave = golden["gain"] * formula.signal("mixture", int(golden["samples"]), rate)
    condition = F.normalize(torch.from_numpy(formula.values("condition", (1, 512))), dim=-1)
    seen: list[Tensor] = []
    network.base.conv_block7a.register_forward_hook(lambda *call: seen.append(call[2][0]))
    with torch.inference_mode():
        stems, presence = network(torch.from_numpy(wave)[None, None], condition, rate)
    # The reference's STFT kernels are rounded to float32.
    assert relative_error(seen[0][0], golden["bottleneck"]) < 1e-6
    assert relative_error(stems.flatten(), golden["output"]) < 1e-6
    assert presence is None


@pytest.mark.parametrize("at_once", [1, 3])
def test_a_batch_is_its_items_and_queries_one_by_one(
    net: ResUNet30, queries: Tensor, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    wave = noise(2, 2, 1600)  # two windows of two channels
    ones = [
        [net(item[None, None], query[None], RATE)[0].flatten() for item in wave.flatten(0, 1)]
        for query in queries
    ]
    wanted = torch.stack([torch.stack(rows) for rows in ones], dim=1)
    monkeypatch.setitem(resunet30.PAIRS_AT_ONCE, "cpu", at_once)
    stems, _ = net(wave, queries, RATE)
    assert stems.shape == (2, 2, 2, 1600)
    by_channel = stems.transpose(1, 2).flatten(0, 1)
    torch.testing.assert_close(by_channel, wanted, rtol=1e-4, atol=1e-6)
    assert (stems[:, 0] - stems[:, 1]).norm() > 0.01 * stems.norm()


def test_film_and_transforms_are_worked_out_once(
    net: ResUNet30, queries: Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, heard = [], []
    layer = net.film["encoder_block1->conv_block1->beta1"]
    handle = layer.register_forward_hook(lambda _, given, __: asked.append(given[0].shape))
    stft = torch.stft
    monkeypatch.setattr(torch, "stft", lambda x, *a, **k: heard.append(x.shape) or stft(x, *a, **k))
    net(noise(3, 1, 800), queries, RATE)
    handle.remove()
    assert asked == [(2, 512)]
    assert heard == [(3, 800)]


@pytest.mark.parametrize("samples", [0, 1, 512, 513, 1000])
def test_short_signals_are_not_silenced(net: ResUNet30, queries: Tensor, samples: int) -> None:
    stems, _ = net(noise(1, 1, samples), queries[:1], RATE)
    assert stems.shape == (1, 1, 1, samples)
    assert torch.isfinite(stems).all()
    assert samples == 0 or stems.norm() > 0.05 * noise(1, 1, samples).norm()


def test_a_short_signal_is_one_with_silence_after_it(net: ResUNet30, queries: Tensor) -> None:
    wave = noise(1, 1, 300)
    longer = F.pad(wave, (0, 213))
    torch.testing.assert_close(
        net(wave, queries[:1], RATE)[0], net(longer, queries[:1], RATE)[0][..., :300]
    )


def test_silence_stays_silent_and_is_heard_as_the_floor(net: ResUNet30, queries: Tensor) -> None:
    heard: list[Tensor] = []
    handle = net.base.register_forward_pre_hook(lambda _, given: heard.append(given[0]))
    stems, _ = net(torch.zeros(1, 1, 800), queries[:1], RATE)
    handle.remove()
    assert torch.all(stems == 0)
    assert torch.all(heard[0] == 1e-5)


def test_no_bin_is_amplified(net: ResUNet30, queries: Tensor) -> None:
    magnitude = noise(1, 513, 12).abs() * 30
    masks = net.masks(magnitude, queries)
    assert masks.shape == (1, 2, 513, 12)
    assert masks.abs().max() <= 1 + 1e-6
    assert masks[:, :, :512].abs().min() > 0
    assert torch.all(masks[:, :, 512] == 0)


def test_half_precision_stays_close(net: ResUNet30, queries: Tensor) -> None:
    wave = noise(1, 1, 800)
    stems, _ = net(wave, queries[:1], RATE)
    with torch.autocast("cpu", torch.bfloat16):
        rough, _ = net(wave, queries[:1], RATE)
    assert rough.dtype == torch.float32
    assert (rough - stems).norm() < 0.05 * stems.norm()


def test_another_rate_or_embedding_is_refused(net: ResUNet30, queries: Tensor) -> None:
    with pytest.raises(ModelError, match="given 32000 Hz, not 16000") as error:
        net(noise(1, 1, 800), queries, 32_000)
    assert error.value.remedy == "set `sample_rate: 16000` in its registry entry"
    with pytest.raises(ModelError, match="embeddings of 512 was given 256"):
        net(noise(1, 1, 800), queries[:, :256], RATE)


def test_polar_masks_against_closed_forms() -> None:
    gain, turn = torch.tensor([0.3, -2.0]), torch.tensor([0.7, 2.5])
    side = torch.stack([torch.cos(turn), torch.sin(turn)]).mul(0.4).atanh()
    logits = torch.stack([gain, *side])[None, :, :, None]  # two frames of one bin
    mask = polar_mask(logits)
    wanted = torch.polar(gain.sigmoid(), turn)
    torch.testing.assert_close(mask[0, 0], wanted)
    assert torch.all(mask[0, 1] == 0)
    assert torch.all(polar_mask(torch.zeros(1, 3, 2, 1)) == 0)


def test_norm_is_batch_norm_then_the_offset_then_the_rectifier() -> None:
    norm = Norm(3)
    for name, x in norm.state_dict().items():
        x.copy_(torch.from_numpy(formula.values(name, (3,))))
    x, offset = torch.randn(2, 3, 4, 5), torch.randn(2, 3, 1, 1)
    plain = F.batch_norm(x, norm.running_mean, norm.running_var, norm.weight, norm.bias)
    got = norm(x, {norm: norm.shift[:, None, None] + offset})
    torch.testing.assert_close(got, F.leaky_relu(plain + offset, 0.01))


def test_film_keys() -> None:
    assert film_key("decoder_block1.conv_block2.bn2") == "decoder_block1->conv_block2->beta2"
    assert film_key("decoder_block6.bn1") == "decoder_block6->beta1"


def test_tensors_lie_channels_last() -> None:
    kernel = MaskUNet(513).encoder_block2.conv_block1.conv1.weight
    assert kernel.is_contiguous(memory_format=torch.channels_last)
