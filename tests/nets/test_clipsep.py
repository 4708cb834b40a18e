"""CLIPSep against what the reference gave in float64, and what it promises beside that."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from golden import formula
from torch import Tensor
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.nets import clipsep
from sepcli.nets.clipsep import ROWS, ClipSep, Level, interpolated, to_linear_bins, to_log_rows

GOLDEN = Path(__file__).parents[1] / "golden"
RATE = 16_000  # Hz
SMALL = {"embedding": 6, "layers": 5, "channels": 4, "ngf": 2}


def filled(network: ClipSep) -> ClipSep:
    """The network with the formula's weights, ready to run."""
    network = network.double()
    state = network.state_dict()
    named = {key: x for key, x in state.items() if not key.endswith("num_batches_tracked")}
    state |= {key: torch.from_numpy(formula.values(key, x.shape)) for key, x in named.items()}
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def noise(*shape: int, seed: int = 2) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    return 0.1 * torch.randn(*shape, generator=random, dtype=torch.float64)


@pytest.fixture
def net() -> ClipSep:
    return filled(ClipSep(**SMALL))


def relative_error(got: Tensor, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(got.numpy() - wanted) / np.linalg.norm(wanted))


def as_the_reference(x: Tensor, places: Tensor) -> Tensor:
    """Its interpolation, by grid_sample with tables of single precision, also along time."""
    time = torch.linspace(-1, 1, x.shape[-1], dtype=torch.float64).float()
    table = torch.broadcast_tensors(time[None, :], places.float()[:, None])
    flat = x.reshape(1, -1, *x.shape[-2:])
    got = F.grid_sample(flat, torch.stack(table, -1).double()[None], align_corners=True)
    return got.view(*x.shape[:-2], len(places), -1)


def watch(network: ClipSep, seen: dict[str, Tensor]) -> None:
    """Keeps what the U-Net sees, and what inner levels give: as the next one rectifies it."""
    unet, head = network.sound_net, network.synth_net
    unet.register_forward_hook(lambda *call: seen.update(warped=call[1][0][0, 0].exp()))
    head.register_forward_hook(lambda *call: seen.update(mask=call[2][0, 0].sigmoid()))
    levels = [module for module in network.modules() if isinstance(module, Level)]
    for number, level in list(enumerate(levels, start=1))[2:]:  # those that are stored
        level.register_forward_hook(
            lambda *call, n=number: seen.update({f"level{n}": call[2][0, ::8].relu()})
        )


def test_keys_shapes_and_golden_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    network = filled(ClipSep())
    state = network.state_dict()
    shapes = {k: list(x.shape) for k, x in state.items() if not k.endswith("batches_tracked")}
    assert shapes == json.loads((GOLDEN / "clipsep_nit_keys.json").read_text())
    monkeypatch.setattr(clipsep, "interpolated", as_the_reference)
    exactly = errors(network)
    stored = {"mask", "warped"}  # in single precision
    assert max(exactly[name] for name in stored) < 1e-7, exactly
    assert max(error for name, error in exactly.items() if name not in stored) < 1e-12, exactly


def errors(network: ClipSep) -> dict[str, float]:
    """Relative to the golden outputs."""
    golden = np.load(GOLDEN / "clipsep_nit_16k.npz")
    seen: dict[str, Tensor] = {}
    watch(network, seen)
    query = torch.from_numpy(formula.uniform("clip_embedding", 512))[None]
    wave = golden["gain"] * formula.signal("mixture", int(golden["samples"]), RATE)
    with torch.inference_mode():
        stems, presence = network(torch.from_numpy(wave)[None, None], query, RATE)
    assert presence is None
    seen["output"] = stems.flatten()
    assert len(seen) == 7
    return {name: relative_error(got, golden[name]) for name, got in seen.items()}


def test_without_noise_heads_the_network_is_the_same(net: ClipSep) -> None:
    plain = filled(ClipSep(**SMALL, noise_heads=False))
    assert net.state_dict().keys() - plain.state_dict().keys() == {
        f"pit_nets.{n}.{part}" for n in (0, 1) for part in ("weight", "bias")
    }
    wave, queries = noise(1, 1, 8000), noise(2, 6)
    assert torch.equal(net(wave, queries, RATE)[0], plain(wave, queries, RATE)[0])


@pytest.mark.parametrize("samples", [1, 300, 8000, 9001])
def test_a_batch_is_its_items_channels_and_queries_one_by_one(net: ClipSep, samples: int) -> None:
    wave, queries = noise(2, 2, samples), 10 * noise(3, 6)
    stems, _ = net(wave, queries, RATE)
    assert stems.shape == (2, 3, 2, samples)
    for item, query, channel in ((0, 0, 0), (1, 2, 1)):
        alone, _ = net(wave[item, None, channel, None], queries[query, None], RATE)
        torch.testing.assert_close(stems[item, query, channel], alone[0, 0, 0])


def test_one_pass_of_the_unet_serves_all_queries(net: ClipSep) -> None:
    calls: list[int] = []
    net.sound_net.register_forward_hook(lambda *call: calls.append(len(call[2])))
    net(noise(2, 1, 8000), noise(5, 6), RATE)
    assert calls == [2]


def test_the_length_of_a_query_counts(net: ClipSep) -> None:
    wave, query = noise(1, 1, 8000), noise(1, 6)
    short, long = net(wave, query, RATE)[0], net(wave, 30 * query, RATE)[0]
    assert (short - long).norm() > 1e-3 * short.norm()


def test_noise_heads_hear_all_queries_and_leave_the_answers_alone(net: ClipSep) -> None:
    rows, queries = noise(1, ROWS, 32).abs(), 10 * noise(1, 2, 6)
    wanted, heads = net.logits_and_noise(rows, queries)
    assert wanted.shape == heads.shape == (1, 2, ROWS, 32)
    asked = net.frame_net(queries[0])
    maps = net.maps(rows)[0]
    for n in range(2):
        answer = torch.einsum("c,cft->ft", net.synth_net.scale * asked[n].sigmoid(), maps)
        torch.testing.assert_close(wanted[0, n], answer + net.synth_net.bias)
        gate = net.pit_nets[n](asked.mean(dim=0)).sigmoid()
        claim = torch.einsum("c,cft->ft", net.synth_net.scale * gate, maps)
        torch.testing.assert_close(heads[0, n], claim + net.synth_net.bias)
    turned, _ = net.logits_and_noise(rows, queries.flip(1))
    torch.testing.assert_close(turned, wanted.flip(1))


def test_frames_that_are_missing_are_silence(net: ClipSep) -> None:
    rows = noise(1, ROWS, 40).abs() + clipsep.FAINTEST
    silence = torch.full((1, ROWS, 24), clipsep.FAINTEST, dtype=torch.float64)
    whole = net.maps(torch.cat([rows, silence], dim=-1))
    torch.testing.assert_close(net.maps(rows), whole[..., :40])


def test_rows_lie_where_the_formula_says() -> None:
    bins = torch.arange(513, dtype=torch.float64)[:, None]
    rows = to_log_rows(bins, 256)[:, 0]
    assert rows[0] == 0
    assert rows[-1] == pytest.approx(512)
    assert rows[100] == pytest.approx(512 * (21 ** (100 / 255) - 1) / 20)
    steps = rows.diff()
    assert float(steps[-1] / steps[0]) == pytest.approx(21, rel=0.02)
    back = to_linear_bins(torch.arange(256, dtype=torch.float64)[:, None], 513)[:, 0]
    assert back[200] == pytest.approx(255 * math.log(1 + 20 * 200 / 512) / math.log(21))
    # What the rows say of a bin's place comes back at that bin.
    torch.testing.assert_close(to_linear_bins(rows[:, None], 513), bins, atol=0.02, rtol=1e-3)


def test_the_references_interpolation_is_ours_but_for_its_precision() -> None:
    x = noise(2, 513, 40).abs()
    for places in (torch.linspace(-1, 1, 77, dtype=torch.float64).pow(3), torch.tensor([-1.0, 1])):
        wanted = as_the_reference(x, places)
        torch.testing.assert_close(interpolated(x, places), wanted, atol=1e-5, rtol=1e-4)


def test_interpolation_is_linear_and_stays_inside() -> None:
    x = torch.tensor([[0.0], [10.0], [40.0]], dtype=torch.float64)
    places = torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0, 1.1], dtype=torch.float64)
    assert interpolated(x, places)[:, 0].tolist() == [0, 5, 10, 25, 40, 40]


def test_its_grid_is_a_column_at_the_bottom() -> None:
    with torch.device("meta"):
        assert ClipSep().grid(16_000) == 128 * 256
        assert ClipSep(layers=5, hop=200).grid(16_000) == 32 * 200


@pytest.mark.parametrize("layers", [4, 9])
def test_impossible_sizes(layers: int) -> None:
    with pytest.raises(ValueError, match="from 5 to 8"):
        ClipSep(layers=layers)


def test_another_rate_or_another_clip(net: ClipSep) -> None:
    with pytest.raises(ModelError, match="was given 44100 Hz"):
        net(noise(1, 1, 8000), noise(1, 6), 44_100)
    with pytest.raises(ModelError, match="queries of 6 was given 7"):
        net(noise(1, 1, 8000), noise(1, 7), RATE)
