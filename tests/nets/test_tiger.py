"""TIGER and TIGER-DnR against what the reference gave in float64, and what they promise beside."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from golden import formula
from torch import Tensor, nn
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.nets import tiger
from sepcli.nets.tiger import Tiger, TigerDnr
from sepcli.nets.tiger_attention import AxisAttention, ChannelNorm, Heads
from sepcli.nets.tiger_bands import BandMasks, BandSplit, band_widths, runs_of
from sepcli.nets.tiger_scales import MultiScale, pooled

GOLDEN = Path(__file__).parents[1] / "golden"
SPEECH, FILM = 16_000, 44_100  # Hz
SMALL = {
    "out_channels": 12,
    "in_channels": 8,
    "num_blocks": 2,
    "upsampling_depth": 3,
    "att_n_head": 2,
    "att_hid_chan": 2,
}


def filled(network: nn.Module, prefix: str = "") -> nn.Module:
    """The network with the formula's weights, ready to run."""
    state = network.state_dict()
    values = {key: formula.values(prefix + key, tuple(x.shape)) for key, x in state.items()}
    network.load_state_dict({key: torch.from_numpy(value) for key, value in values.items()})
    return network.eval().requires_grad_(False)


def noise(*shape: int) -> Tensor:
    random = torch.Generator().manual_seed(2)
    return 0.1 * torch.randn(*shape, generator=random, dtype=torch.float64)


def relative_error(got: Tensor, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(got.numpy() - wanted) / np.linalg.norm(wanted))


@pytest.fixture
def net() -> Tiger:
    return filled(Tiger(**SMALL).double())  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("build", "name", "keys", "parameters"),
    [(Tiger, "speech", 838, 821_932), (TigerDnr, "dnr", 2304, 3 * 1_407_282)],
)
def test_keys_and_shapes_are_the_references(
    build: type[nn.Module], name: str, keys: int, parameters: int
) -> None:
    with torch.device("meta"):
        network = build()
    wanted = json.loads((GOLDEN / f"tiger_{name}_keys.json").read_text())
    assert {key: list(x.shape) for key, x in network.state_dict().items()} == wanted
    assert len(wanted) == keys
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_golden_film() -> None:
    """All eight blocks, in float32."""
    golden = np.load(GOLDEN / "tiger_dnr_44k.npz")
    with torch.device("meta"):
        sizes = {key: tuple(x.shape) for key, x in TigerDnr().state_dict().items()}
    network = Tiger(**tiger.FILM, num_blocks=int(golden["num_blocks"]))
    assert {f"dialog.{key}" for key in network.state_dict()} < sizes.keys()
    wave = torch.from_numpy(formula.signal("mixture", int(golden["samples"]), FILM)).float()
    with torch.inference_mode():
        stems, presence = filled(network, "dialog.")(wave[None, None], None, FILM)
    assert presence is None
    assert relative_error(stems[0, :, 0], golden["output"]) < 1e-5


def test_golden_speech() -> None:
    """The first block's inner tensors; and the output.

    The stored output is that of a network in which hooks on both paths' first two parts gave back,
    in every block, what they had kept of the first one. So it is here.
    """
    golden = np.load(GOLDEN / "tiger_speech_16k.npz")
    network = filled(Tiger(num_blocks=int(golden["num_blocks"])).double())
    seen: dict[str, Tensor] = {}
    for path in ("freq_path", "frame_path"):
        for part in range(2):
            name = f"first_separator_{path}_{part}"
            module = network.get_submodule(f"separator.{path}.{part}")
            module.register_forward_hook(lambda *call, name=name: seen.setdefault(name, call[2]))
    wave = torch.from_numpy(formula.signal("mixture", int(golden["samples"]), SPEECH))
    with torch.inference_mode():
        stems, _ = network(wave[None, None], None, SPEECH)
    for name, tensor in seen.items():
        ours = tensor.transpose(2, 3) if tensor.ndim == 4 else tensor  # attention: axes swapped
        flat = ours.reshape(len(ours), -1)[:, ::97]
        assert relative_error(flat, golden[name]) < 1e-7, name
    assert len(seen) == 4
    assert relative_error(stems[0, :, 0], golden["output"]) < 1e-7


def test_bands_are_whole_bins_of_a_grid_in_hertz() -> None:
    speech, film = band_widths(SPEECH, 321), band_widths(FILM, 1025)
    assert speech == [1] * 40 + [4] * 10 + [10] * 8 + [20] * 8 + [1]
    assert film == [2] * 20 + [4] * 10 + [11] * 8 + [23] * 8 + [46] * 8 + [92] * 2 + [121]
    assert [(run.band, run.count, run.width, run.start) for run in runs_of(speech)] == [
        (0, 40, 1, 0),
        (40, 10, 4, 40),
        (50, 8, 10, 80),
        (58, 8, 20, 160),
        (66, 1, 1, 320),
    ]
    with pytest.raises(ValueError, match="16000 or 44100 Hz, not for 8000"):
        band_widths(8000, 321)
    with pytest.raises(ValueError, match="300 bins are too few"):
        band_widths(SPEECH, 300)


def test_bands_together_are_bands_one_by_one() -> None:
    torch.manual_seed(0)
    widths = [1, 1, 3, 3, 2]
    split, masks = BandSplit(widths, 6).double(), BandMasks(widths, 6, 3).double()
    for parameter in (*split.parameters(), *masks.parameters()):
        nn.init.normal_(parameter)
    spec = torch.complex(noise(2, 10, 7), noise(2, 10, 7).flip(1))
    features, start = split(spec), 0
    whole = masks(features)
    for band, width in enumerate(widths):
        part = spec[:, start : start + width]
        x = split[band](torch.cat([part.real, part.imag], dim=1))
        torch.testing.assert_close(features[:, band], x)
        y = masks[band](x).view(2, 2, 2, 3, width, 7)
        mask = y[:, 0] * y[:, 1].sigmoid()
        real = mask[:, 0] - (mask[:, 0].sum(1, keepdim=True) - 1) / 3
        imaginary = mask[:, 1] - mask[:, 1].sum(1, keepdim=True) / 3
        torch.testing.assert_close(
            whole[:, :, start : start + width], torch.complex(real, imaginary)
        )
        start += width


def test_heads_together_are_heads_one_by_one() -> None:
    torch.manual_seed(0)
    heads = Heads(3, 6, 4).double()
    for parameter in heads.parameters():
        nn.init.normal_(parameter)
    x = noise(2, 6, 5, 7)
    together = heads(x)
    for head, projection in enumerate(heads):
        torch.testing.assert_close(together[:, head], projection(x))


def test_attention_is_along_the_first_axis_over_all_of_the_other() -> None:
    torch.manual_seed(0)
    block, x = AxisAttention(4, 2, 3).double(), noise(1, 4, 5, 6)
    queries, keys, values = (part(x)[0] for part in (block.Queries, block.Keys, block.Values))
    scores = torch.einsum("hcax,hcbx->hab", queries, keys) / np.sqrt(3 * 6)
    seen = torch.einsum("hab,hcbx->hcax", scores.softmax(-1), values).flatten(0, 1)
    torch.testing.assert_close(block(x), x + block.attn_concat_proj(seen[None]))


def test_a_norm_is_over_channels_at_every_position() -> None:
    norm, x = ChannelNorm(6).double(), noise(2, 6, 3, 4)
    nn.init.constant_(norm.gamma, 2.0)
    nn.init.constant_(norm.beta, 0.5)
    wanted = F.layer_norm(x.permute(0, 2, 3, 1), (6,), eps=1e-5).permute(0, 3, 1, 2)
    torch.testing.assert_close(norm(x), 2 * wanted + 0.5)


def test_levels_are_pooled_to_the_last_one() -> None:
    long, short = torch.arange(6.0).view(1, 1, 1, 6), torch.tensor([[[[10.0, 20.0]]]])
    assert pooled([long, short]).flatten().tolist() == [11.0, 24.0]


def test_stems_sum_to_the_mixture(net: Tiger) -> None:
    wave = noise(2, 2, 5000)
    stems, _ = net(wave, None, SPEECH)
    assert stems.shape == (2, 2, 2, 5000)
    torch.testing.assert_close(stems.sum(dim=1), wave)
    assert (stems[:, 0] - stems[:, 1]).norm() > 0.1 * stems.norm()


@pytest.mark.parametrize("rate", [SPEECH, FILM])
def test_a_batch_is_its_items_and_channels_one_by_one(rate: int) -> None:
    build = Tiger if rate == SPEECH else TigerDnr
    network = filled(build(**SMALL).double())
    wave = noise(2, 2, 6000)
    stems, _ = network(wave, None, rate)
    for item in range(2):
        for channel in range(2):
            alone, _ = network(wave[item, None, channel, None], None, rate)
            torch.testing.assert_close(stems[item, :, channel], alone[0, :, 0])
    assert (stems[0, :, 0] - stems[0, :, 1]).norm() > 0.1 * stems[0, :, 0].norm()


def test_film_stems_are_one_output_of_each_net() -> None:
    network = filled(TigerDnr(**SMALL).double())
    wave = noise(1, 1, 6000)
    stems, _ = network(wave, None, FILM)
    for stem, (name, output) in enumerate([("dialog", 2), ("music", 0), ("effect", 1)]):
        alone, _ = getattr(network, name)(wave, None, FILM)
        torch.testing.assert_close(stems[:, stem], alone[:, output])


def test_nets_together_are_nets_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    network = filled(TigerDnr(**SMALL).double())
    wave = noise(2, 1, 6000)
    in_turn, _ = network(wave, None, FILM)
    monkeypatch.setattr(tiger, "ONE_BY_ONE", ())
    called: list[int] = []
    vmap = torch.vmap
    monkeypatch.setattr(torch, "vmap", lambda f: called.append(1) or vmap(f))
    together, _ = network(wave, None, FILM)
    assert called
    torch.testing.assert_close(together, in_turn)


def test_blocks_share_their_weights_and_their_number_matters(net: Tiger) -> None:
    wave = noise(1, 1, 5000)
    two, _ = net(wave, None, SPEECH)
    other = filled(Tiger(**SMALL | {"num_blocks": 3}).double())
    assert other.state_dict().keys() == net.state_dict().keys()
    three, _ = other(wave, None, SPEECH)
    assert (two - three).norm() > 1e-3 * two.norm()


@pytest.mark.parametrize("samples", [1, 319, 320, 321, 7937])
def test_any_length(net: Tiger, samples: int) -> None:
    wave = noise(1, 1, samples)
    stems, _ = net(wave, None, SPEECH)
    assert stems.shape == (1, 2, 1, samples)
    torch.testing.assert_close(stems.sum(dim=1), wave)


def test_silence_stays_silent(net: Tiger) -> None:
    stems, _ = net(torch.zeros(1, 1, 4000, dtype=torch.float64), None, SPEECH)
    assert not stems.any()


def test_half_precision_stays_close(net: Tiger) -> None:
    wave = noise(1, 1, 4000).float()
    stems, _ = net.float()(wave, None, SPEECH)
    with torch.autocast("cpu", torch.bfloat16):
        rough, _ = net(wave, None, SPEECH)
    assert rough.dtype == torch.float32
    assert (rough - stems).norm() < 0.1 * stems.norm()


def test_what_nothing_uses_is_not_trained() -> None:
    network = Tiger(**SMALL)
    dead = {name for name, p in network.named_parameters() if not p.requires_grad}
    assert len(dead) == 18
    assert all(".0.loc_glo_fus.2." in name for name in dead)
    network.double().requires_grad_(True)
    stems, _ = filled(network).requires_grad_(True)(noise(1, 1, 5000), None, SPEECH)
    stems[:, 0].square().sum().backward()
    assert {name for name, p in network.named_parameters() if p.grad is None} == dead


def test_windows_begin_where_frames_are_pooled() -> None:
    with torch.device("meta"):
        assert Tiger().grid(16_000) == 16 * 160
        assert TigerDnr().grid(44_100) == 16 * 512


@pytest.mark.parametrize(
    "arguments",
    [{"upsampling_depth": 2}, {"att_n_head": 5}, {"num_blocks": 0}, {"num_sources": 5}],
)
def test_impossible_sizes_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"must be|cannot share|divisible"):
        Tiger(**SMALL | arguments)


def test_films_have_three_sources() -> None:
    with pytest.raises(ValueError, match="num_sources must be 3, not 2"):
        TigerDnr(**SMALL, num_sources=2)


@pytest.mark.parametrize(("build", "rate"), [(Tiger, FILM), (TigerDnr, SPEECH)])
def test_another_rate_is_refused(build: type[nn.Module], rate: int) -> None:
    with pytest.raises(ModelError, match=f"given {rate} Hz") as caught:
        build(**SMALL)(noise(1, 1, 900).float(), None, rate)
    assert "sample_rate" in caught.value.remedy


def test_levels_that_are_too_few_are_named() -> None:
    with pytest.raises(ValueError, match="upsampling_depth must be 3 or more, not 2"):
        MultiScale(4, 4, 2)
