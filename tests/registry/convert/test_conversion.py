"""Published layouts in, our networks' keys out: bit for bit, strictly, atomically."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from published_layouts import (
    SMALL,
    State,
    audiosep_state,
    bimodal_content,
    formula_state,
    golden_shapes,
    kernels,
    laion_content,
    lightning,
)
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from sepcli.errors import ModelError, OutputError, UsageError
from sepcli.registry.convert import (
    CONVERTERS,
    ConversionReport,
    convert_file,
    guess_kind,
    write,
)
from sepcli.registry.convert.keys import shapes_of
from sepcli.registry.load import ARCHITECTURES

Saved = Callable[..., Path]
Fault = Callable[[State], object]


@pytest.fixture(scope="module")
def audiosep(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State]:
    """AudioSep's .ckpt in full size, and the tensors that must come out of it."""
    state = formula_state(golden_shapes("audiosep_32k"))
    path = tmp_path_factory.mktemp("audiosep") / "audiosep.ckpt"
    clap = {"text_branch.embeddings.word_embeddings.weight": torch.ones(3, 2)}
    torch.save(lightning(audiosep_state(state, clap)), path)
    return path, state


@pytest.fixture
def bimodal(saved: Saved, small_bimodal: State, small_clap: State) -> Path:
    return saved(bimodal_content(small_bimodal, small_clap), "model_best.pth.tar")


def same(path: Path, state: State) -> bool:
    """Whether a file holds exactly these tensors."""
    found = load_file(path)
    return found.keys() == state.keys() and all(torch.equal(found[k], state[k]) for k in state)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("audiosep", "audiosep_32k"),
        ("audiosep", "audiosep_16k"),
        ("bimodal", "bimodal"),
        ("laion-clap", "laion_clap_htsat_base"),
        ("laion-clap", "laion_clap_htsat_tiny"),
    ],
)
def test_exactly_the_reference_keys_are_expected(kind: str, name: str) -> None:
    shapes = golden_shapes(name)
    assert CONVERTERS[kind].expected(shapes) == shapes


def test_audiosep(audiosep: tuple[Path, State], tmp_path: Path) -> None:
    source, state = audiosep
    report = convert_file("audiosep", source, tmp_path / "separator.safetensors")
    assert same(report.target, state)
    assert report.kind == "audiosep"
    assert report.arguments == {"n_fft": 2048, "hop": 320}
    assert report.size_before == source.stat().st_size
    assert report.size_after == report.target.stat().st_size
    assert report.size_after == pytest.approx(4 * sum(map(torch.numel, state.values())), rel=1e-3)
    assert sorted(report.kept) == sorted(state)
    assert "optimizer_states" in report.dropped.pop("records of training")
    assert report.dropped == {
        "frozen copy of CLAP": [
            "query_encoder.model.text_branch.embeddings.word_embeddings.weight"
        ],
        "counts of training batches": ["ss_model.base.bn0.num_batches_tracked"],
        "STFT and mel kernels": list(kernels("ss_model.base.")),
    }


def test_half_precision(audiosep: tuple[Path, State], tmp_path: Path) -> None:
    source, state = audiosep
    report = convert_file("audiosep", source, tmp_path / "half.safetensors", half=True)
    assert same(report.target, {key: value.half() for key, value in state.items()})
    assert report.size_after == pytest.approx(2 * sum(map(torch.numel, state.values())), rel=1e-3)


def test_the_baseline_at_16_khz_is_told_by_its_bins(audiosep: tuple[Path, State]) -> None:
    shapes = golden_shapes("audiosep_16k")
    network = CONVERTERS["audiosep"].network
    assert network is not None
    assert network.arguments(shapes) == {"n_fft": 1024, "hop": 160}
    assert network.entry({"hop": 160})["sample_rate"] == 16_000
    assert network.entry({"hop": 320})["sample_rate"] == 32_000


def test_bimodal(bimodal: Path, small_bimodal: State, tmp_path: Path) -> None:
    report = convert_file("bimodal", bimodal, tmp_path / "new" / "separator.safetensors")
    assert same(report.target, small_bimodal)
    assert report.arguments == SMALL
    ARCHITECTURES["bimodal-unet"](**report.arguments).load_state_dict(load_file(report.target))
    assert report.dropped["records of training"] == ["epoch", "best_sdr", "history", "optimizer"]
    assert len(report.dropped["STFT and mel kernels"]) == 4
    assert all(key.startswith("net_clap.model.") for key in report.dropped["frozen copy of CLAP"])


def test_laion_clap(saved: Saved, small_clap: State, tmp_path: Path) -> None:
    source = saved(laion_content(small_clap), "clap.pt")
    report = convert_file("laion-clap", source, tmp_path / "clap.safetensors")
    assert same(report.target, small_clap)
    assert report.arguments == {}
    assert len(report.dropped["indices"]) == 3
    assert len(report.dropped["STFT and mel kernels"]) == 5


@pytest.mark.parametrize("carrier", ["audiosep", "bimodal"])
def test_a_clap_out_of_a_separators_checkpoint(
    carrier: str, saved: Saved, small_clap: State, small_bimodal: State, tmp_path: Path
) -> None:
    network = {"base.pre_conv.weight": torch.ones(2), "film.x.bias": torch.ones(2)}
    source = saved(
        lightning(audiosep_state(network, small_clap))
        if carrier == "audiosep"
        else bimodal_content(small_bimodal, small_clap)
    )
    report = convert_file("laion-clap", source, tmp_path / "clap.safetensors")
    assert same(report.target, small_clap)
    assert report.dropped["separator around it"]


def test_what_was_converted_can_be_converted(bimodal: Path, tmp_path: Path) -> None:
    once = convert_file("bimodal", bimodal, tmp_path / "once.safetensors")
    again = convert_file("bimodal", once.target, tmp_path / "again.safetensors")
    assert again.target.read_bytes() == once.target.read_bytes()
    assert again.dropped == {}


def test_kinds_are_told_by_the_keys(
    audiosep: tuple[Path, State], bimodal: Path, saved: Saved, small_clap: State
) -> None:
    assert guess_kind(audiosep[0]) == "audiosep"
    assert guess_kind(bimodal) == "bimodal"
    assert guess_kind(saved(laion_content(small_clap), "clap.pt")) == "laion-clap"
    with pytest.raises(ModelError, match="no checkpoint of a known kind"):
        guess_kind(saved({"a": torch.ones(1)}))


def test_other_kinds(bimodal: Path, saved: Saved, tmp_path: Path) -> None:
    target = tmp_path / "out.safetensors"
    with pytest.raises(UsageError, match=r"did you mean bimodal\?"):
        convert_file("bimodel", bimodal, target)
    with pytest.raises(ModelError, match=r"lacks base\.pre_conv\.weight") as caught:
        convert_file("audiosep", bimodal, target)
    assert caught.value.remedy == "try --kind bimodal"
    with pytest.raises(ModelError, match="no checkpoint of AudioSep") as caught:
        convert_file("audiosep", saved({"a": torch.ones(1)}), target)
    assert "--kind" not in caught.value.remedy


DEEP = "net_sound.unet_block.submodule.downconv.weight"
FAULTS: dict[str, tuple[Fault, str]] = {
    "missing": (lambda s: s.pop("net_clap.fc.bias"), r"; 1 missing: net_clap\.fc\.bias$"),
    "left over": (lambda s: s.update(x=torch.ones(1)), r"; 1 left over: x$"),
    "renamed": (
        lambda s: s.update(y=s.pop("net_clap.fc.bias")),
        r"1 missing: net_clap\.fc\.bias; 1 left over: y$",
    ),
    "wrapped in part": (
        lambda s: s.update({"module.net_clap.fc.bias": s.pop("net_clap.fc.bias")}),
        r"1 missing: net_clap\.fc\.bias; 1 left over: module\.net_clap\.fc\.bias$",
    ),
    "shape": (
        lambda s: s.update({DEEP: torch.ones(16, 8, 3, 3)}),
        r"1 of another shape: .*downconv\.weight \[16, 8, 3, 3\] instead of \[16, 8, 4, 4\]$",
    ),
    "integers": (
        lambda s: s.update({DEEP: s[DEEP].int()}),
        r"1 no real numbers: .*downconv\.weight \(torch\.int32\)$",
    ),
    "huge": (
        lambda s: s.update({DEEP: torch.ones(1).expand(10**6, 10**6)}),
        r"1 of another shape: .* \[1000000, 1000000\] instead",
    ),
    "no level": (
        lambda s: s.pop("net_sound.unet_block.downconv.weight"),
        r"lacks net_sound\.unet_block\.downconv\.weight",
    ),
    "shallow": (
        lambda s: [s.pop(key) for key in list(s) if ".submodule." in key],
        "no bimodal-unet has the sizes of this checkpoint: num_downs must be",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_named(
    fault: str, saved: Saved, small_bimodal: State, tmp_path: Path
) -> None:
    state = dict(small_bimodal)
    FAULTS[fault][0](state)
    with pytest.raises(ModelError, match=FAULTS[fault][1]):
        convert_file("bimodal", saved({"state_dict": state}), tmp_path / "new" / "x.safetensors")
    assert not (tmp_path / "new").exists()


def test_ten_of_many_are_named_and_all_counted(
    saved: Saved, small_bimodal: State, tmp_path: Path
) -> None:
    extra = {f"extra{number:02}": torch.ones(1) for number in range(12)}
    with pytest.raises(ModelError, match=r"12 left over: extra00, .*extra09, …$") as caught:
        convert_file("bimodal", saved({**small_bimodal, **extra}), tmp_path / "x.safetensors")
    assert "extra10" not in str(caught.value)


def test_film_of_another_width_is_not_audiosep(saved: Saved, tmp_path: Path) -> None:
    """Relatives of AudioSep are asked by other encoders."""
    shapes = golden_shapes("audiosep_16k")
    state = {key: torch.ones(1).expand(shape) for key, shape in shapes.items()}
    for key in state:
        if key.startswith("film.") and key.endswith("weight"):
            state[key] = torch.ones(1).expand(shapes[key][0], 527)
    with pytest.raises(ModelError, match=r"38 of another shape: .* 527\] instead of .* 512\]"):
        convert_file("audiosep", saved(state), tmp_path / "x.safetensors")


def test_other_claps(saved: Saved, small_clap: State, tmp_path: Path) -> None:
    target = tmp_path / "x.safetensors"
    wide = {**small_clap, "audio_branch.patch_embed.proj.weight": torch.ones(256, 1, 4, 4)}
    with pytest.raises(ModelError, match="256 wide, neither HTSAT-base"):
        convert_file("laion-clap", saved(wide), target)
    fusion = {**small_clap, "audio_branch.patch_embed.mel_conv2d.weight": torch.ones(1)}
    with pytest.raises(ModelError, match=r"1 left over: .*mel_conv2d\.weight"):
        convert_file("laion-clap", saved(fusion), target)


def test_two_tensors_of_one_name(saved: Saved, tmp_path: Path) -> None:
    state = {"ss_model.base.pre_conv.weight": torch.ones(1), "base.pre_conv.weight": torch.ones(1)}
    with pytest.raises(ModelError, match=r"two tensors are called base\.pre_conv\.weight"):
        convert_file("audiosep", saved(state), tmp_path / "x.safetensors")


def test_other_types_and_strides(saved: Saved, small_bimodal: State, tmp_path: Path) -> None:
    """Doubles, transposed and shared memory come out as plain float32."""
    down, bias = "net_sound.unet_block.downconv.weight", "net_clap.fc.bias"
    state = {**small_bimodal, down: small_bimodal[down].double().transpose(2, 3)}
    state[bias] = state["net_synthesizer.scale"]
    report = convert_file("bimodal", saved(state), tmp_path / "x.safetensors")
    found = load_file(report.target)
    assert torch.equal(found[down], small_bimodal[down].transpose(2, 3))
    assert torch.equal(found[bias], small_bimodal["net_synthesizer.scale"])
    assert {value.dtype for value in found.values()} == {torch.float32}


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Within, writing fails as on a full disk."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def attempt(source: Path, target: Path) -> OutputError:
    with pytest.raises(OutputError, match="cannot write") as caught:
        convert_file("bimodal", source, target)
    return caught.value


def test_a_file_that_cannot_be_finished(bimodal: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    with files_of_at_most(10_000):
        error = attempt(bimodal, folder / "x.safetensors")
    assert error.exit_code == 5
    assert not list(folder.iterdir())


def test_a_full_disk(bimodal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fill(state: State, path: Path, **_: object) -> None:
        path.write_bytes(b"part")
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(write, "save_file", fill)
    target = tmp_path / "new" / "x.safetensors"
    target.parent.mkdir()
    target.write_bytes(b"older")
    assert attempt(bimodal, target).remedy == "free some space"
    assert [path.read_bytes() for path in target.parent.iterdir()] == [b"older"]


def test_a_folder_that_cannot_be_made(bimodal: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    error = attempt(bimodal, tmp_path / "file" / "x.safetensors")
    assert error.remedy == "choose another folder for it"


def test_reports_name_the_files(bimodal: Path, tmp_path: Path) -> None:
    report = convert_file("bimodal", bimodal, tmp_path / "x.safetensors")
    assert isinstance(report, ConversionReport)
    assert (report.source, report.target) == (bimodal, tmp_path / "x.safetensors")


def test_the_small_layouts_are_whole(small_bimodal: State, small_clap: State) -> None:
    assert CONVERTERS["bimodal"].expected(shapes_of(small_bimodal)) == shapes_of(small_bimodal)
    fewer = 10 * 16 + 7 * 13  # text layers and their tensors, Swin blocks and theirs
    assert len(small_clap) == len(golden_shapes("laion_clap_htsat_tiny")) - fewer


def test_safetensors_of_the_publisher(small_bimodal: State, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    save_file({f"module.{key}": value for key, value in small_bimodal.items()}, path)
    report = convert_file("bimodal", path, tmp_path / "x.safetensors")
    assert same(report.target, small_bimodal)
