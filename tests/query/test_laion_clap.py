"""LAION-CLAP as an encoder: files, cache, padding, long sounds, gradients, tokens, refusals."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.query.encoder import QueryEncoder
from sepcli.query.laion_clap import TOKENS, LaionClap, LaionClapTokens
from sepcli.query.laion_file import LaionFile
from sepcli.query.laion_keys import audio_settings, text_settings
from sepcli.query.laion_mel import RATE
from sepcli.query.laion_tokens import from_pairs
from sepcli.query.laion_towers import AudioTower, TextTower
from sepcli.registry.load import load
from sepcli.registry.store import read_model_folder

Write = Callable[[dict[str, Tensor]], Path]


@pytest.fixture
def encoder(laion_weights: Path, roberta: Path) -> LaionClap:
    return LaionClap(laion_weights, roberta)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a state to a file."""

    def make(state: dict[str, Tensor]) -> Path:
        save_file(state, tmp_path / "other.safetensors")
        return tmp_path / "other.safetensors"

    return make


def hub_folder(file: LaionFile, folder: Path) -> Path:
    """The same weights as transformers itself would write them."""
    from transformers import ClapAudioConfig, ClapConfig, ClapModel, ClapTextConfig

    text, audio = file.state("text"), file.state("audio")
    towers = ClapTextConfig(**text_settings(text)), ClapAudioConfig(**audio_settings(audio))
    parts = [tower.to_dict() for tower in towers]
    model = ClapModel(ClapConfig(text_config=parts[0], audio_config=parts[1]))
    assert not model.load_state_dict({**text, **audio}, strict=False).unexpected_keys
    model.save_pretrained(folder)
    return folder


def sound(seconds: float, rate: int = RATE, channels: int = 1) -> np.ndarray:
    wave = np.random.default_rng(0).standard_normal((round(seconds * rate), channels))
    return (0.1 * wave).astype(np.float32)


def test_embeddings_are_unit_vectors(encoder: LaionClap) -> None:
    texts = encoder.embed_texts(["a dog barks", " a dog barks ", "rain"])
    assert texts.shape == (3, encoder.dimension) == (3, 512)
    torch.testing.assert_close(texts.norm(dim=1), torch.ones(3))
    torch.testing.assert_close(texts[0], texts[1])
    assert (texts[0] - texts[2]).norm() > 0.01
    heard = encoder.embed_audio(sound(1.0), RATE)
    assert heard.shape == (512,)
    torch.testing.assert_close(heard.norm(), torch.tensor(1.0))


def test_padding_changes_nothing(encoder: LaionClap) -> None:
    alone = encoder.embed_texts(["rain"])[0]
    beside = encoder.embed_texts(["rain", "a dog barks loudly while an engine idles " * 5])[0]
    assert (alone - beside).abs().max() < 1e-6
    assert encoder._tokens(["rain"])[0].shape[1] < 10


def test_many_texts_are_read_in_batches(encoder: LaionClap) -> None:
    texts = [f"dog {number}" for number in range(40)]
    together = encoder.embed_texts(texts)
    assert (together[35] - encoder.embed_texts(texts[35:36])[0]).norm() < 1e-6


def test_long_sound_is_the_mean_of_its_windows(encoder: LaionClap) -> None:
    wave = sound(50.0)
    parts = [
        encoder.embed_audio(wave[at : at + 10 * RATE], RATE)
        for at in range(0, len(wave), 10 * RATE)
    ]
    mean = F.normalize(torch.stack(parts).mean(dim=0), dim=0)
    torch.testing.assert_close(encoder.embed_audio(wave, RATE), mean)
    assert (mean - parts[0]).norm() > 1e-4


def test_rate_and_channels_do_not_matter(encoder: LaionClap) -> None:
    t = np.arange(3 * RATE) / RATE
    high = (0.3 * np.sin(2 * np.pi * 440 * t)).astype(np.float32)[:, None]
    low = high[::2]  # 440 Hz is far below 12 kHz
    expected = encoder.embed_audio(high, RATE)
    assert (encoder.embed_audio(np.hstack([low * 2, low * 0]), RATE // 2) - expected).norm() < 0.02
    assert (encoder.embed_audio(np.roll(high, 1) * 0.01, RATE) - expected).norm() > 0.1


def test_gradients_reach_the_waveform(laion_weights: Path) -> None:
    tower = AudioTower(LaionFile(laion_weights)).double()
    torch.manual_seed(1)
    target = F.normalize(torch.randn(512, dtype=torch.float64), dim=0)
    wave = 0.1 * torch.randn(1, 24_000, dtype=torch.float64)
    direction = torch.randn_like(wave)
    wave.requires_grad_()
    (tower(wave) @ target).sum().backward()
    assert wave.grad is not None
    step = 1e-6
    with torch.no_grad():
        ends = [float(tower(wave + sign * step * direction) @ target) for sign in (1, -1)]
    slope = (ends[0] - ends[1]) / (2 * step)
    assert abs(slope) > 1e-6
    assert float((wave.grad * direction).sum()) == pytest.approx(slope, rel=1e-4)


def test_tokens_are_states_and_then_the_embedding(laion_weights: Path, roberta: Path) -> None:
    encoder, file = LaionClapTokens(laion_weights, roberta), LaionFile(laion_weights)
    text = "a dog barks"
    rows = torch.cat([encoder.embed_texts([one]) for one in (text, "rain " * 200)])
    assert rows.shape == (2, encoder.dimension) == (2, TOKENS * file.width + 512)
    pooled = LaionClap(laion_weights, roberta).embed_texts([text])[0]
    assert (rows[0, -512:] - pooled).norm() < 1e-6
    ids, mask = encoder._tokens([text], least=TOKENS)
    count = int(mask.sum())
    expected = TextTower(file)(ids[:, :count], mask[:, :count])[0][0]
    states = rows[0, :-512].unflatten(0, (TOKENS, file.width))
    torch.testing.assert_close(states[:count], expected, atol=1e-5, rtol=1e-5)
    assert (states[count:] - states[-1]).abs().max() < 1e-5  # padding tells nothing of its place
    assert (states[-1] - expected[-1]).norm() > 0.1


def test_tokens_of_sounds_are_refused(laion_weights: Path, roberta: Path) -> None:
    with pytest.raises(ModelError) as caught:
        LaionClapTokens(laion_weights, roberta).embed_audio(sound(1.0), RATE)
    assert caught.value.remedy == "ask with words"


def test_what_is_in_the_cache_needs_no_network(
    laion_weights: Path, roberta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def embed(encoder: type[LaionClap]) -> list[Tensor]:
        clap = encoder(laion_weights, roberta, tmp_path)
        return [*clap.embed_texts(["rain", "a dog"])]

    first = {encoder: embed(encoder) for encoder in (LaionClap, LaionClapTokens)}
    heard = LaionClap(laion_weights, roberta, tmp_path).embed_audio(sound(1.0), RATE)
    monkeypatch.setitem(sys.modules, "transformers", None)
    for encoder, rows in first.items():
        assert all(map(torch.equal, embed(encoder), rows))
    clap = LaionClap(laion_weights, roberta, tmp_path)
    assert torch.equal(clap.embed_audio(sound(1.0), RATE), heard)
    with pytest.raises(ModelError, match="needs the package transformers") as caught:
        clap.embed_texts(["wind"])
    assert caught.value.remedy == "pip install 'sepcli[laion]'"


@pytest.mark.parametrize("named", ["folder", "file"])
def test_a_folder_of_the_hub(
    named: str, encoder: LaionClap, laion_weights: Path, roberta: Path, tmp_path: Path
) -> None:
    folder = hub_folder(LaionFile(laion_weights), tmp_path / "hub")
    hub = LaionClap(folder if named == "folder" else folder / "model.safetensors", roberta)
    torch.testing.assert_close(hub.embed_texts(["rain"]), encoder.embed_texts(["rain"]))
    if named == "folder":
        ours, theirs = (clap.embed_audio(sound(2.0), RATE) for clap in (encoder, hub))
        torch.testing.assert_close(theirs, ours)
        before = hub._identity()
        (folder / "config.json").write_text("{}")
        assert hub._identity() != before
        (folder / "config.json").unlink()
        with pytest.raises(ModelError, match=r"needs the hub's config\.json"):
            LaionFile(folder)


def test_a_config_that_does_not_fit(laion_weights: Path, roberta: Path, tmp_path: Path) -> None:
    folder = hub_folder(LaionFile(laion_weights), tmp_path / "hub")
    (folder / "config.json").write_text('{"model_type": "clap"}')
    with pytest.raises(ModelError, match="no text tower fits it"):
        LaionClap(folder, roberta).embed_texts(["rain"])


def test_half_precision_is_widened(
    encoder: LaionClap, laion_state: dict[str, Tensor], roberta: Path, write: Write
) -> None:
    path = write({key: value.half() for key, value in laion_state.items()})
    half = LaionClap(path, roberta).embed_texts(["rain"])
    assert half.dtype == torch.float32
    assert 0 < (half - encoder.embed_texts(["rain"])).norm() < 0.05


def test_missing_and_left_over_tensors_are_named(
    laion_state: dict[str, Tensor], write: Write
) -> None:
    state = dict(laion_state)
    bias = state.pop("text_branch.pooler.dense.bias")
    with pytest.raises(ModelError, match=r"1 tensors missing.*text_model\.pooler\.dense\.bias"):
        TextTower(LaionFile(write(state)))
    state["text_branch.odd"] = bias
    with pytest.raises(ModelError, match=r"1 left over.*text_model\.odd"):
        TextTower(LaionFile(write(state)))


def test_a_file_without_an_audio_tower_still_reads_words(
    laion_state: dict[str, Tensor], roberta: Path, write: Write
) -> None:
    clap = LaionClap(write({k: v for k, v in laion_state.items() if k[:4] == "text"}), roberta)
    assert clap.embed_texts(["rain"]).shape == (1, 512)
    with pytest.raises(ModelError, match="holds no audio tower"):
        clap.embed_audio(sound(1.0), RATE)


def test_a_tower_of_another_build_is_refused(laion_state: dict[str, Tensor], write: Write) -> None:
    state = {key: value for key, value in laion_state.items() if "pos" not in key}
    with pytest.raises(ModelError, match=r"KeyError.*position_embeddings"):
        TextTower(LaionFile(write(state)))


def test_other_files_are_refused(
    laion_state: dict[str, Tensor], write: Write, tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no safetensors file"):
        LaionFile(tmp_path / "nothing")
    (tmp_path / "pickle.pt").write_bytes(b"\x80\x02" + b"." * 20)
    with pytest.raises(ModelError, match="no safetensors file") as caught:
        LaionFile(tmp_path / "pickle.pt")
    assert "models convert" in caught.value.remedy
    with pytest.raises(ModelError, match="no text projection"):
        LaionFile(write({"gains": torch.ones(2)}))
    fusion = {"audio_branch.patch_embed.mel_conv2d.bias": torch.ones(8)}
    with pytest.raises(ModelError, match="with fusion"):
        LaionFile(write({**laion_state, **fusion}))


def test_tables_of_integers_may_be_in_the_file(
    encoder: LaionClap, laion_state: dict[str, Tensor], roberta: Path, write: Write
) -> None:
    tables = {
        "text_branch.embeddings.position_ids": torch.zeros(1, 514, dtype=torch.int64),
        "audio_branch.bn0.num_batches_tracked": torch.tensor(7),
        "audio_branch.layers.0.blocks.1.attn_mask": torch.zeros(64, 64, 64),
    }
    other = LaionClap(write({**laion_state, **tables}), roberta)
    for ours in (encoder, other):  # the tables' zeros would give every token the same place
        assert (ours.embed_texts(["a dog"]) - ours.embed_texts(["dog a"])).norm() > 1e-3
    torch.testing.assert_close(other.embed_texts(["rain"]), encoder.embed_texts(["rain"]))
    heard = [clap.embed_audio(sound(1.0), RATE) for clap in (encoder, other)]
    torch.testing.assert_close(*heard)


def test_nothing_is_drawn_at_random_while_loading(laion_weights: Path) -> None:
    before = torch.get_rng_state()
    TextTower(LaionFile(laion_weights))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("name", "kind", "dimension"),
    [("laion-clap", LaionClap, 512), ("laion-clap-tokens", LaionClapTokens, TOKENS * 64 + 512)],
)
def test_a_registry_entry_chooses_its_encoder(
    name: str,
    kind: type[QueryEncoder],
    dimension: int,
    linear: Callable[..., Path],
    laion_weights: Path,
    roberta: Path,
) -> None:
    folder = linear(query={"encoder": name})
    (folder / "clap.safetensors").write_bytes(laion_weights.read_bytes())
    whole = from_pairs(roberta / "vocab.json", roberta / "merges.txt")
    whole.save(str(folder / "tokenizer.json"))
    encoder = load(read_model_folder(folder)).encoder
    assert type(encoder) is kind
    assert encoder.dimension == dimension
