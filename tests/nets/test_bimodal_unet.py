"""BiModal's U-Net against what the reference gave in float64, and what it promises beside that."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from golden import formula
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

import sepcli
from sepcli.errors import ModelError
from sepcli.nets import bimodal_unet
from sepcli.nets.bimodal_unet import BINS, BimodalUNet, JointConv2d, ResBlock, WeightedSum, stft
from sepcli.registry import load as loading

GOLDEN = Path(__file__).parents[1] / "golden"
RATE = 16_000  # Hz
WORDS, WORD, TEXT = 5, 6, 7  # of the small network's queries
SMALL = {"ngf": 2, "num_downs": 5, "heads": 2, "channels": 4, "cond_dim": WORD, "pooled": TEXT}


def filled(network: BimodalUNet) -> BimodalUNet:
    """The network with the formula's weights, ready to run."""
    state = network.state_dict()
    named = {key: x for key, x in state.items() if not key.endswith("num_batches_tracked")}
    state |= {key: torch.from_numpy(formula.values(key, x.shape)) for key, x in named.items()}
    network.load_state_dict(state)
    return network.eval().requires_grad_(False)


def packed(words: Tensor, text: Tensor) -> Tensor:
    """Of (queries, words, word) and (queries, text)."""
    return torch.cat([words.flatten(1), F.normalize(text, dim=-1)], dim=1)


def asked(queries: int, seed: int = 1) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    words = torch.randn(queries, WORDS, WORD, generator=random, dtype=torch.float64)
    return packed(words, torch.randn(queries, TEXT, generator=random, dtype=torch.float64))


def noise(*shape: int) -> Tensor:
    random = torch.Generator().manual_seed(2)
    return 0.1 * torch.randn(*shape, generator=random, dtype=torch.float64)


@pytest.fixture
def net() -> BimodalUNet:
    return filled(BimodalUNet(**SMALL).double())


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many pairs are decoded at once."""
    return lambda pairs: monkeypatch.setattr(bimodal_unet, "PAIRS_AT_ONCE", pairs)


def relative_error(got: Tensor, wanted: np.ndarray) -> float:
    return float(np.linalg.norm(got.numpy() - wanted) / np.linalg.norm(wanted))


def test_keys_shapes_and_golden_outputs() -> None:
    golden = np.load(GOLDEN / "bimodal_16k.npz")
    network = filled(BimodalUNet().double())
    keys = json.loads((GOLDEN / "bimodal_keys.json").read_text())
    state = network.state_dict()
    shapes = {k: list(x.shape) for k, x in state.items() if not k.endswith("batches_tracked")}
    assert shapes == keys
    assert sum(p.numel() for p in network.parameters()) == 87_697_699
    seen: dict[str, Tensor] = {}
    watch(network, seen)
    words = golden["token_gain"] * formula.uniform("tokens", 77 * 768)
    query = packed(
        torch.from_numpy(words)[None], torch.from_numpy(formula.values("pooled", (1, 512)))
    )
    wave = golden["gain"] * formula.signal("mixture", int(golden["samples"]), RATE)
    with torch.inference_mode():
        stems, presence = network(torch.from_numpy(wave)[None, None], query, RATE)
    assert presence is None
    seen["features"] = seen["features"][:, ::16, ::8]
    seen["output"] = stems.flatten()
    errors = {name: relative_error(got, golden[name]) for name, got in seen.items()}
    assert len(errors) == 5
    assert max(errors.values()) < 1e-8, errors


def watch(network: BimodalUNet, seen: dict[str, Tensor]) -> None:
    """Keeps what the attention blocks and the U-Net give."""
    keys = network.state_dict().keys()
    paths = sorted({key.partition(".ca_blocks.")[0] for key in keys if ".ca_blocks." in key})
    for path in paths:
        name = f"attention_level{path.count('submodule')}"
        block = network.get_submodule(f"{path}.ca_blocks.0")
        block.register_forward_hook(lambda *call, name=name: seen.update({name: call[2][0]}))
    network.net_sound.register_forward_hook(lambda *call: seen.update(features=call[2][0]))


@pytest.mark.parametrize(
    ("arguments", "millions"),
    [
        ({"num_res_layers": 0}, 43.7),
        ({"num_res_layers": 2}, 131.7),
        ({"num_downs": 5}, 37.3),
        ({"num_downs": 6}, 62.5),
        ({"num_downs": 8}, 112.9),
    ],
)
def test_sizes_of_the_published_ablations(arguments: dict[str, int], millions: float) -> None:
    with torch.device("meta"):
        network = BimodalUNet(**arguments)
    count = sum(p.numel() for p in network.net_sound.parameters())
    assert count / 1e6 == pytest.approx(millions, abs=0.05)


@pytest.mark.parametrize("pairs", [1, 4, 100])
def test_a_batch_is_its_items_and_queries_one_by_one(
    net: BimodalUNet, patched: Callable[[int], None], pairs: int
) -> None:
    wave, queries = noise(2, 2, 9000), asked(3)
    patched(pairs)
    stems, _ = net(wave, queries, RATE)
    assert stems.shape == (2, 3, 2, 9000)
    for item in range(2):
        for query in range(3):
            for channel in range(2):
                alone, _ = net(wave[item, None, channel, None], queries[query, None], RATE)
                torch.testing.assert_close(stems[item, query, channel], alone[0, 0, 0])
    assert (stems[:, 0] - stems[:, 1]).norm() > 0.01 * stems.norm()


def test_items_may_have_queries_of_their_own(net: BimodalUNet) -> None:
    magnitude, queries = noise(2, BINS, 32).abs(), asked(6).view(2, 3, -1)
    together = net.masks(magnitude, queries)
    assert together.shape == (2, 3, BINS, 32)
    for item in range(2):
        alone = net.masks(magnitude[item, None], queries[item, None])
        torch.testing.assert_close(together[item], alone[0])


def test_queries_share_the_encoder_and_are_decoded_a_few_at_a_time(
    net: BimodalUNet, patched: Callable[[int], None]
) -> None:
    outer: list[int] = []
    inner: list[int] = []
    block = net.net_sound.unet_block
    block.downconv.register_forward_hook(lambda *call: outer.append(len(call[2])))
    block.upconv.register_forward_hook(lambda *call: inner.append(len(call[2])))
    patched(4)
    net(noise(2, 1, 900), asked(3), RATE)
    assert (outer, inner) == ([2, 2], [4, 2])
    net.train()(noise(2, 1, 900), asked(3), RATE)
    assert (outer[2:], inner[2:]) == ([2], [6])


def test_a_convolution_in_parts_is_a_convolution() -> None:
    conv = JointConv2d(5, 5, 3, padding=1).double()
    shared, own = noise(2, 3, 8, 4), noise(6, 2, 8, 4)
    whole = conv(torch.cat([shared.repeat_interleave(3, dim=0), own], dim=1))
    torch.testing.assert_close(conv(shared, own), whole)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_a_residual_block_adds_to_its_input(layers: int) -> None:
    torch.manual_seed(0)
    block = ResBlock(5, layers).double().eval()
    shared, own = noise(2, 3, 8, 4), noise(6, 2, 8, 4)
    x = y = torch.cat([shared.repeat_interleave(3, dim=0), own], dim=1)
    for index, layer in enumerate(block.res_layers):
        conv, norm = layer
        y = F.leaky_relu(y, 0.2) if index else y
        y = norm(F.conv2d(y, conv.weight, conv.bias, padding=1))
    wanted = F.leaky_relu(x + y, 0.2) if layers else x
    torch.testing.assert_close(block(shared, own), wanted)


def test_the_scale_of_a_packed_query_does_not_matter(net: BimodalUNet) -> None:
    wave, queries = noise(1, 1, 4000), asked(2)
    stems, _ = net(wave, queries, RATE)
    scaled, _ = net(wave, queries * torch.tensor([[0.01], [30.0]]), RATE)
    torch.testing.assert_close(scaled, stems)
    words, text = net.unpack(0.02 * queries)
    torch.testing.assert_close(packed(words, text), queries)
    assert words.shape == (2, WORDS, WORD)


@pytest.mark.parametrize("part", [slice(0, WORDS * WORD), slice(WORDS * WORD, None)])
def test_both_words_and_text_matter(net: BimodalUNet, part: slice) -> None:
    wave, queries = noise(1, 1, 4000), asked(1)
    other = queries.clone()
    other[:, part] = asked(1, seed=3)[:, part]
    stems, changed = net(wave, queries, RATE)[0], net(wave, other, RATE)[0]
    assert (changed - stems).norm() > 1e-3 * stems.norm()


@pytest.mark.parametrize("samples", [1, 2, 511, 512, 513, 7937, 20_000])
def test_any_length_and_an_open_mask_passes_everything(net: BimodalUNet, samples: int) -> None:
    wave = noise(1, 1, samples)
    stems, _ = net(wave, asked(1), RATE)
    assert stems.shape == (1, 1, 1, samples)
    assert torch.isfinite(stems).all()
    for bias, mask in ((100.0, 1.0), (0.0, 0.5), (-100.0, 0.0)):
        net.net_synthesizer.scale.fill_(0)
        net.net_synthesizer.bias.fill_(bias)
        torch.testing.assert_close(net(wave, asked(1), RATE)[0][0], mask * wave)


def test_frames_are_padded_with_silence(net: BimodalUNet) -> None:
    magnitude, queries = noise(1, BINS, 33).abs(), asked(1)[None]
    wanted = net.masks(F.pad(magnitude, (0, 31)), queries)
    assert wanted.shape == (1, 1, BINS, 64)
    torch.testing.assert_close(net.masks(magnitude, queries), wanted[..., :33])


def test_spectra_are_those_of_numpy() -> None:
    wave = noise(1, 5 * 256)
    spec = stft(wave)
    assert spec.shape == (1, BINS, 6)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(1022) / 1022)
    frame = np.pad(wave[0].numpy(), 511, mode="reflect")[3 * 256 : 3 * 256 + 1022]
    np.testing.assert_allclose(spec[0, :, 3].numpy(), np.fft.rfft(window * frame), atol=1e-12)


def test_maps_are_weighted_and_summed() -> None:
    head = WeightedSum(2)
    head.load_state_dict({"scale": torch.tensor([2.0, 3.0]), "bias": torch.tensor([0.5])})
    maps = torch.tensor([1.0, 10.0]).view(1, 2, 1, 1).expand(1, 2, 4, 3)
    logits = head(maps, torch.tensor([[0.1, 0.2]]))
    torch.testing.assert_close(logits, torch.full((1, 4, 3), 0.2 + 6.0 + 0.5))


def test_half_precision_stays_close(net: BimodalUNet) -> None:
    wave, queries = noise(1, 1, 4000).float(), asked(2).float()
    stems, _ = net.float()(wave, queries, RATE)
    with torch.autocast("cpu", torch.bfloat16):
        rough, _ = net(wave, queries, RATE)
    assert (rough - stems).norm() < 0.1 * stems.norm()


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_gradients_reach_all_that_is_used(layers: int) -> None:
    net = filled(BimodalUNet(**SMALL | {"num_res_layers": layers}).double())
    dead = {name for name, _ in net.named_parameters() if ".ca_blocks.0.norm1." in name}
    assert len(dead) == 2  # a scale and a shift, in the one level that attends
    for name, parameter in net.named_parameters():
        parameter.requires_grad_(name not in dead)
    stems, _ = net(noise(1, 1, 4000), asked(2), RATE)
    stems.square().sum().backward()
    idle = {n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()}
    assert idle == dead


def test_what_nothing_uses_is_not_trained() -> None:
    frozen = [name for name, p in BimodalUNet(**SMALL).named_parameters() if not p.requires_grad]
    assert len(frozen) == 2
    assert all(".ca_blocks.0.norm1." in name for name in frozen)


def test_it_learns() -> None:
    torch.manual_seed(0)
    net = BimodalUNet(**SMALL)
    assert 0 < net.net_clap.fc.weight.abs().max() < 1e-3
    magnitude, queries = noise(2, BINS, 32).abs().float(), asked(2).float().expand(2, -1, -1)
    low = (torch.arange(BINS) < BINS // 2).float()[:, None].expand(2, 1, -1, 32)
    targets = torch.cat([low, 1 - low], dim=1)  # the one query wants the lows, the other the highs
    optimizer = torch.optim.Adam([p for p in net.parameters() if p.requires_grad], lr=2e-2)
    losses = []
    for _ in range(12):
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(net.masks(magnitude, queries), targets)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.75 * losses[0]  # without asking the query, it cannot fall below 0.95
    assert net.net_sound.bn0.num_batches_tracked == 12
    assert net.net_sound.bn0.running_mean.item() != 0


@pytest.mark.parametrize("arguments", [{"num_downs": 4}, {"num_downs": 10}, {"heads": 3}])
def test_impossible_sizes_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match=r"num_downs must be|cannot share"):
        BimodalUNet(**SMALL | arguments)


def test_another_rate_is_refused(net: BimodalUNet) -> None:
    with pytest.raises(ModelError, match="44100 Hz, not 16000") as caught:
        net(noise(1, 1, 900), asked(1), 44_100)
    assert "sample_rate: 16000" in caught.value.remedy


@pytest.mark.parametrize("size", [3, TEXT, TEXT + WORD + 1])
def test_queries_of_another_encoder_are_refused(net: BimodalUNet, size: int) -> None:
    with pytest.raises(ModelError, match=f"queries of {size}") as caught:
        net(noise(1, 1, 900), torch.ones(1, size, dtype=torch.float64), RATE)
    assert "laion-clap-tokens" in caught.value.remedy


class Tokens:
    """Queries such as "3": packed vectors with that seed."""

    dimension = WORDS * WORD + TEXT

    def embed_texts(self, texts: list[str]) -> Tensor:
        return torch.cat([asked(1, seed=int(text)) for text in texts]).float()


@pytest.fixture
def model(linear: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder with the small network."""
    monkeypatch.setitem(loading.ENCODERS, "laion-clap-tokens", lambda *_: Tokens())
    folder = linear(
        architecture="bimodal-unet",
        arguments=SMALL,
        sample_rate=RATE,
        channels=1,
        query={"encoder": "laion-clap-tokens"},
        windows={"length": 0.8, "context": 0.1, "fade": 0.1},
    )
    state = filled(BimodalUNet(**SMALL)).state_dict()
    counts = [key for key in state if key.endswith("num_batches_tracked")]
    save_file({k: v for k, v in state.items() if k not in counts}, folder / "gains.safetensors")
    return str(folder)


def separated(model: str, wave: np.ndarray, rate: int) -> np.ndarray:
    """(queries, samples, channels), of the queries 3 and 4."""
    soundfile.write("mix.wav", wave, rate, "FLOAT")
    report = sepcli.separate("mix.wav", ["3", "4"], model=model, progress=False, overwrite=True)
    assert report.exit_code == 0
    return np.stack([soundfile.read(f"separated/mix.{q}.wav", always_2d=True)[0] for q in "34"])


def test_a_short_recording_is_one_call(model: str, net: BimodalUNet) -> None:
    wave = noise(1, 1, 12_000)
    stems = separated(model, wave[0].numpy().T, RATE)
    wanted = net(wave, Tokens().embed_texts(["3", "4"]).double(), RATE)[0]
    np.testing.assert_allclose(stems[:, :, 0], wanted[0, :, 0].numpy(), atol=1e-5)


def test_stereo_at_another_rate(model: str) -> None:
    wave = noise(2, 70_000).numpy().T
    stems = separated(model, wave, 44_100)
    assert stems.shape == (2, 70_000, 2)
    assert np.linalg.norm(stems, axis=1).min() > 0.01 * np.linalg.norm(wave[:, 0])
    turned = separated(model, wave[:, ::-1], 44_100)
    np.testing.assert_allclose(turned[:, :, ::-1], stems, atol=1e-5)
