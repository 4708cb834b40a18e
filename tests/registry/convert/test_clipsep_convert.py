"""CLIPSep's checkpoints: keys, sizes, and what lies beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import yaml
from published_layouts import formula_state, golden_shapes, prefixed
from safetensors.torch import load_file
from torch import Tensor

from sepcli.errors import ModelError, UsageError
from sepcli.nets.clipsep import ClipSep
from sepcli.registry.convert import convert_file, guess_kind
from sepcli.registry.convert.clipsep import arguments, expected
from sepcli.registry.convert.folder import FolderOptions, make_folder
from sepcli.registry.load import ARCHITECTURES, build, fingerprint
from sepcli.registry.store import Registry, read_model_folder

SMALL = {"layers": 6, "channels": 4, "ngf": 2}
TRAINED = {  # as the training script writes it, shorter
    "out_dir": "exp/vggsound/clipsep_nit",
    "image_model": "clipsepnit",
    "fusion": "late",
    "audio_rate": 16_000,
    "n_fft": 1024,
    "hop_len": 256,
    "layers": 6,
    "channels": 4,
    "binary_mask": True,
    "log_freq": True,
}


def checkpoint(
    path: Path = Path("exp/checkpoints/best_model.pt"), noise_heads: bool = True
) -> Path:
    """As DataParallel leaves one."""
    state = ClipSep(**SMALL, noise_heads=noise_heads).state_dict()
    shapes = {k: tuple(x.shape) for k, x in state.items() if not k.endswith("batches_tracked")}
    counts: dict[str, Tensor] = {"sound_net.bn0.num_batches_tracked": torch.tensor(7)}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(prefixed({**formula_state(shapes), **counts}, "module."), path)
    return path


def test_the_published_sizes_show_in_the_shapes() -> None:
    shapes = golden_shapes("clipsep_nit")
    sizes = {"embedding": 512, "layers": 7, "channels": 32, "ngf": 64, "noise_heads": True}
    assert arguments(shapes) == sizes
    assert expected(shapes) == shapes


@pytest.mark.parametrize("noise_heads", [True, False])
def test_a_checkpoint_becomes_a_model_that_needs_no_clap(noise_heads: bool) -> None:
    source = checkpoint(noise_heads=noise_heads)
    Path("exp/train-args.json").write_text(json.dumps({**TRAINED, "hop_len": 200, "n_fft": 800}))
    assert guess_kind(source) == "clipsep"
    made = make_folder(FolderOptions(source, Path("model")))
    assert made.missing == {}
    assert made.to_pull == []
    entry = yaml.safe_load(Path("model/model.yaml").read_text())
    assert entry["query"] == {"encoder": "clip"}
    assert entry["arguments"] == {
        **SMALL,
        "embedding": 512,
        "noise_heads": noise_heads,
        "n_fft": 800,
        "hop": 200,
    }
    assert entry["sample_rate"] == 16_000
    network = build(read_model_folder(Path("model")))
    assert isinstance(network, ClipSep)
    assert network.grid(16_000) == 64 * 200
    kept = load_file("model/separator.safetensors")
    assert torch.equal(kept["synth_net.scale"], torch.load(source)["module.synth_net.scale"])


def test_settings_may_lie_beside_the_checkpoint_or_be_missing() -> None:
    source = checkpoint(Path("best_model.pt"))
    without = convert_file("clipsep", source, Path("a.safetensors"))
    assert "hop" not in without.arguments
    Path("train-args.json").write_text(json.dumps(TRAINED))
    beside = convert_file("clipsep", source, Path("b.safetensors"))
    assert beside.arguments == {**without.arguments, "n_fft": 1024, "hop": 256}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fusion": "early"}, "not supported: fusion early"),
        ({"binary_mask": False}, "not supported: binary_mask False"),
        ({"log_freq": False}, "not supported: log_freq False"),
        ({"audio_rate": 11_025}, "not supported: audio_rate 11025"),
        ({"hop_len": "often"}, "is not CLIPSep's"),
    ],
)
def test_variants_that_are_no_network_here(change: dict[str, object], message: str) -> None:
    source = checkpoint()
    Path("exp/train-args.json").write_text(json.dumps({**TRAINED, **change}))
    with pytest.raises(ModelError, match=message) as caught:
        convert_file("clipsep", source, Path("model.safetensors"))
    assert caught.value.remedy
    assert not Path("model.safetensors").exists()


@pytest.mark.parametrize(("text", "message"), [("{", "cannot read"), ("[]", "no object")])
def test_settings_that_are_damaged(text: str, message: str) -> None:
    source = checkpoint()
    Path("exp/train-args.json").write_text(text)
    with pytest.raises(ModelError, match=message):
        convert_file("clipsep", source, Path("model.safetensors"))


def test_a_checkpoint_that_lacks_a_tensor() -> None:
    source = checkpoint()
    state = torch.load(source)
    del state["module.sound_net.unet_block.model.4.bias"]
    torch.save(state, source)
    with pytest.raises(ModelError, match=r"1 missing: sound_net\.unet_block\.model\.4\.bias"):
        convert_file("clipsep", source, Path("model.safetensors"))


def test_it_takes_no_clap() -> None:
    source = checkpoint()
    with pytest.raises(UsageError, match="needs no CLAP"):
        make_folder(FolderOptions(source, Path("model"), clap=source))


def test_the_published_entry_is_got_by_hand_and_fits_the_network() -> None:
    model = Registry().find("clipsep")
    with torch.device("meta"):
        network = ARCHITECTURES[model.entry.architecture](**model.entry.arguments)
    assert model.entry.sample_rate == 16_000
    assert model.entry.windows.length * 16_000 == 255 * network.hop
    assert model.clip == "openai/clip-vit-base-patch32"
    with pytest.raises(ModelError, match="no address") as caught:
        model.path("separator")
    assert "github.com/sony/CLIPSep" in caught.value.remedy


def test_weights_or_another_clip_change_the_fingerprint() -> None:
    make_folder(FolderOptions(checkpoint(), Path("model")))
    model = read_model_folder(Path("model"))
    prints = {fingerprint(model), fingerprint(model.with_clip("other/clip"))}
    assert len(prints) == 2
    assert fingerprint(model.with_clip(None)) in prints
