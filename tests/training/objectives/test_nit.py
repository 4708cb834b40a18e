"""CLIPSep's objective: its formulas in NumPy, and lessons on real sounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from lessons import batch_of, signs
from numpy.typing import NDArray
from pydantic import ValidationError
from recordings import mixture
from tiny_clip import DIMENSION, write_clip
from torch import Tensor, nn

import sepcli
from sepcli.errors import UsageError
from sepcli.nets.clipsep import ROWS
from sepcli.sections import Section
from sepcli.training import config, separator
from sepcli.training.load_config import load_config
from sepcli.training.loop.events import Stepped
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.networks import ClipSepMasker, build_masker, rate_of
from sepcli.training.objectives import build_objective
from sepcli.training.objectives.clipsep import ClipSep, binary_masks, captions, ratio_masks
from sepcli.training.recipe import train
from sepcli.training.teacher import ClipTeacher, load_teacher

Array = NDArray[np.float64]
DATA = Path(__file__).parents[2] / "data"
EXAMPLE = Path(__file__).parents[3] / "examples/audio/dog_and_rain.flac"
TINY = {"name": "clipsep", "layers": 5, "channels": 4, "ngf": 2}
NETWORK = config.ClipSepConfig(name="clipsep", layers=5, channels=4, ngf=2)


def section(**values: Any) -> config.ClipSep:
    return config.ClipSep(name="clipsep", **values)


def lesson() -> Batch:
    items = [
        mixture(("dog barking",), ("rain",)),
        mixture(("ticking clock",), ("helicopter",)),
        mixture(("rain",), ("ticking clock",)),
    ]
    return batch_of(items, signs, captions=True, phrases=False)


def first(count: int, batch: Batch) -> Batch:
    """Of a batch's mixtures."""
    return Batch(**{key: value[:count] for key, value in vars(batch).items()})


def say(masker: ClipSepMasker, logits: Tensor, noise: Tensor) -> None:
    """In place of a network's answers, logits that are known."""
    masker.network.logits_and_noise = lambda rows, queries: (logits, noise)  # type: ignore[method-assign]


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def log_rows(magnitude: Array) -> Array:
    """The warp by NumPy's own interpolation, (bins, frames) -> (256, frames)."""
    places = (21 ** (np.arange(ROWS) / (ROWS - 1)) - 1) / 20 * (len(magnitude) - 1)
    bins = np.arange(len(magnitude))
    return np.stack([np.interp(places, bins, frame) for frame in magnitude.T], axis=1)


def cross_entropy(mask: Array, wanted: Array, weight: Array) -> float:
    values = wanted * np.log(mask) + (1 - wanted) * np.log(1 - mask)
    return float(-(weight * values).mean())


def by_the_formulas(
    batch: Batch, masker: ClipSepMasker, logits: Array, noise: Array, mask: str, nit: bool
) -> float:
    """The loss, one mixture, part and pairing after another."""
    losses = []
    for item in range(len(batch.mixture)):
        mixed, first, second = (
            masker.spectrogram(wave).abs().double().numpy()
            for wave in (batch.mixture[item], *batch.parts[item])
        )
        whole, each = log_rows(mixed + 1e-10), [log_rows(first), log_rows(second)]
        weight = np.clip(np.log1p(whole), 1e-3, 10)
        wanted = [x > whole / 2 if mask == "binary" else x / (each[0] + each[1]) for x in each]
        answers, claims = sigmoid(logits[item]), sigmoid(noise[item])
        pairings = ([claims[0], claims[1]], [claims[1], claims[0]]) if nit else ([0, 0],)
        losses.append(
            min(
                np.mean(
                    [
                        cross_entropy(np.minimum(1, answers[n] + heads[n]), wanted[n] * 1.0, weight)
                        for n in (0, 1)
                    ]
                )
                for heads in pairings
            )
        )
    claimed = sigmoid(noise).sum(axis=1).mean()
    return float(np.mean(losses)) + (0.3 * max(0.0, claimed - 0.2) if nit else 0.0)


@pytest.mark.parametrize("mask", ["binary", "ratio"])
@pytest.mark.parametrize("nit", [True, False])
def test_the_loss_is_its_formula(mask: str, nit: bool) -> None:
    batch, masker = lesson(), build_masker(NETWORK, 16)
    assert isinstance(masker, ClipSepMasker)
    frames = masker.spectrogram(batch.mixture).shape[-1]
    random = torch.Generator().manual_seed(3)
    # So low that answer and noise never sum to more than 1, where the logarithm is cut.
    logits = (torch.randn(3, 2, ROWS, frames, generator=random) - 2).clamp(max=-0.1)
    noise = (torch.randn(3, 2, ROWS, frames, generator=random) - 1.5).clamp(max=-0.1)
    say(masker, logits, noise)
    values = section(mask=mask, noise_invariant=nit, noise_weight=0.3, noise_level=0.2)
    figures = ClipSep(values)(masker, batch)
    wanted = by_the_formulas(
        batch, masker, logits.double().numpy(), noise.double().numpy(), mask, nit
    )
    assert float(figures["loss"]) == pytest.approx(wanted, rel=1e-4)
    assert set(figures) == {"loss", "snr", *(["noise"] if nit else [])}
    if nit:
        assert float(figures["noise"]) == pytest.approx(float(noise.sigmoid().sum(1).mean()))


def test_noise_heads_may_take_either_side() -> None:
    batch, masker = lesson(), build_masker(NETWORK, 16)
    assert isinstance(masker, ClipSepMasker)
    frames = masker.spectrogram(batch.mixture).shape[-1]
    logits, noise = torch.randn(2, 3, 2, ROWS, frames, generator=torch.Generator().manual_seed(4))
    losses = []
    for heads in (noise - 4, noise.flip(1) - 4):
        say(masker, logits - 4, heads)
        losses.append(ClipSep(section())(masker, batch)["loss"])
    torch.testing.assert_close(*losses)


def test_answer_and_noise_are_one_at_most() -> None:
    batch, masker = lesson(), build_masker(NETWORK, 16)
    assert isinstance(masker, ClipSepMasker)
    sure = torch.full((3, 2, ROWS, 38), 20.0)
    say(masker, sure, sure)
    loss = ClipSep(section(noise_weight=0))(masker, batch)["loss"]
    assert torch.isfinite(loss)
    assert float(loss) > 0


def test_masks_of_known_parts() -> None:
    parts = torch.tensor([3.0, 1.0, 0.0, 2.0]).view(1, 2, 2, 1)  # two rows of two parts
    mixture = torch.tensor([4.0, 2.5]).view(1, 1, 2, 1)
    assert binary_masks(mixture, parts).flatten().tolist() == [1, 0, 0, 1]
    shares = ratio_masks(mixture, parts).flatten().tolist()
    assert shares == pytest.approx([1, 1 / 3, 0, 2 / 3])
    half = torch.full((1, 2, 1, 1), 1.0)
    assert binary_masks(2 * half[:, :1], half).sum() == 0  # a part must exceed half the mixture
    silence = torch.zeros(1, 2, 1, 1)
    assert ratio_masks(silence[:, :1], silence).sum() == 0


def test_every_part_is_asked_for_by_its_caption() -> None:
    batch = lesson()
    queries, asked = captions(batch)
    assert asked.tolist() == [True] * 3
    texts = signs(["dog barking", "rain", "ticking clock", "helicopter"])
    torch.testing.assert_close(queries[:2], texts.view(2, 2, -1))
    role = batch.role.clone()
    role[1, 0] = Role.PADDING
    fewer = Batch(**{**vars(batch), "role": role})
    assert captions(fewer)[1].tolist() == [True, False, True]


def test_mixtures_that_lack_a_caption_do_not_count() -> None:
    batch, masker = lesson(), build_masker(NETWORK, 16)
    masker.eval()
    role = batch.role.clone()
    role[2] = Role.PADDING
    figures = ClipSep(section(noise_weight=0))(masker, Batch(**{**vars(batch), "role": role}))
    wanted = ClipSep(section(noise_weight=0))(masker, first(2, batch))
    torch.testing.assert_close(figures["loss"], wanted["loss"])
    torch.testing.assert_close(figures["snr"], wanted["snr"])


def test_the_masker_goes_there_and_back() -> None:
    masker = build_masker(NETWORK, 16).eval()
    assert rate_of(NETWORK) == masker.rate == 16_000
    wave = lesson().parts
    spec = masker.spectrogram(wave)
    assert spec.shape == (3, 2, 513, 38)
    torch.testing.assert_close(masker.waveform(spec, wave.shape[-1]), wave, atol=1e-5, rtol=0)
    masks = masker(spec[:, 0], torch.randn(3, 2, 16))
    assert masks.shape == (3, 2, 513, 38)
    assert ((masks >= 0) & (masks <= 1)).all()


def test_masks_in_training_are_those_of_separation() -> None:
    masker = build_masker(NETWORK, 16).eval()
    wave, queries = lesson().mixture[:1], torch.randn(2, 16)
    mixture = masker.spectrogram(wave)
    filtered = masker(mixture, queries[None]) * mixture[:, None]
    stems, _ = masker.network(wave[:, None], queries, masker.rate)
    torch.testing.assert_close(masker.waveform(filtered, wave.shape[-1]), stems[:, :, 0])


@pytest.mark.parametrize("values", [{}, {"mask": "ratio", "noise_invariant": False}])
def test_a_hundred_steps_lower_the_loss(values: dict[str, Any]) -> None:
    torch.manual_seed(0)
    masker, batch = build_masker(NETWORK, 16), first(2, lesson())
    objective = ClipSep(section(**values))
    optimizer = torch.optim.Adam(masker.parameters(), 3e-3)
    losses, snr = [], []
    for _ in range(100):
        figures = objective(masker, batch)
        optimizer.zero_grad()
        figures["loss"].backward()
        nn.utils.clip_grad_norm_(masker.parameters(), 1.0)
        optimizer.step()
        losses.append(float(figures["loss"].detach()))
        snr.append(float(figures["snr"]))
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:20])
    if not objective.section.noise_invariant:  # else noise heads take what they may
        assert np.mean(snr[-20:]) > np.mean(snr[:20]) + 1  # dB


# Configs


def problem(**values: Any) -> str:
    data = {
        "kind": "separator",
        "clap": "model:everyday",
        "corpora": [{"kind": "esc10", "root": "x"}],
        "steps": 1,
        "batch": 1,
        "seconds": 1.0,
        "lr": 1e-3,
        "network": TINY,
        "objective": {"name": "clipsep"},
        "mixing": {"parts": 2},
        **values,
    }
    model: type[Section] = config.SeparatorConfig
    try:
        model.model_validate(data)
    except ValidationError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, ""),
        ({"network": {"name": "band-unet"}}, "objective clipsep needs `network: {name: clipsep}`"),
        ({"network": {**TINY, "noise_heads": False}}, "needs `noise_heads: true`"),
        ({"mixing": {"parts": 3}}, "noise_invariant needs `mixing: {parts: 2}`"),
        ({"mixing": {"parts": 1}}, "objective clipsep needs `mixing: {parts: 2}`"),
        ({"objective": {"name": "clipsep", "mask": "soft"}}, "'binary' or 'ratio'"),
        ({"network": {**TINY, "layers": 9}}, "less than or equal to 8"),
    ],
)
def test_what_a_config_may_say(values: dict[str, Any], message: str) -> None:
    found = problem(**values)
    assert message in found
    assert bool(message) == bool(found)


def test_three_parts_do_without_noise_heads() -> None:
    objective = {"name": "clipsep", "noise_invariant": False}
    network = {**TINY, "noise_heads": False}
    assert not problem(mixing={"parts": 3}, objective=objective, network=network)


# A whole training, told by CLIP


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """One batch is enough to validate with."""
    monkeypatch.setattr(separator, "VALIDATION_BATCHES", 1)


def run_config(clap: str) -> Any:
    text = {
        "kind": "separator",
        "corpora": [{"kind": "esc10", "root": str(DATA / "esc10")}],
        "clap": clap,
        "network": TINY,
        "objective": {"name": "clipsep"},
        "mixing": {"parts": 2, "sources": {1: 1.0}},
        "steps": 4,
        "batch": 2,
        "seconds": 0.64,
        "lr": 1e-3,
        "threads": 1,
        "loop": {"save_every": 4},
    }
    Path("run.yaml").write_text(yaml.safe_dump(text))
    return load_config(Path("run.yaml"))


@pytest.mark.usefixtures("brief")
def test_a_network_that_clip_told_in_training_is_asked_by_clip() -> None:
    write_clip(Path("clip"))
    found = run_config("clip:clip")
    assert found.clap == f"clip:{Path('clip').absolute()}"
    events = list(train(found, Path("run")))
    assert sum(isinstance(event, Stepped) and bool(event.figures) for event in events) == 4
    entry = yaml.safe_load(Path("run/model.yaml").read_text())
    assert entry["query"] == {"encoder": "clip", "clip": str(Path("clip").absolute())}
    assert entry["architecture"] == "clipsep"
    assert entry["arguments"]["embedding"] == DIMENSION
    assert (entry["sample_rate"], entry["channels"]) == (16_000, 1)
    assert list(entry["files"]) == ["separator"]
    report = sepcli.separate(EXAMPLE, "dog barking", model="run", progress=False)
    assert report.exit_code == 0
    assert isinstance(load_teacher("model:run"), ClipTeacher)


@pytest.mark.usefixtures("brief")
def test_any_clap_will_do() -> None:
    list(train(run_config("model:everyday"), Path("run")))
    entry = yaml.safe_load(Path("run/model.yaml").read_text())
    assert entry["query"]["encoder"] == "small-clap"
    assert entry["arguments"]["embedding"] == 256
    assert sepcli.separate(EXAMPLE, "dog", model="run", progress=False).exit_code == 0


def test_clip_as_a_teacher(tmp_path: Path) -> None:
    teacher = load_teacher(f"clip:{write_clip(tmp_path / 'clip')}")
    assert isinstance(teacher, ClipTeacher)
    assert isinstance(build_objective(section(), teacher), ClipSep)
    assert teacher.to(torch.device("cpu")) is teacher
    queries, texts = teacher.queries(["dog"]), teacher.texts(["dog"])
    torch.testing.assert_close(nn.functional.normalize(queries, dim=-1), texts)
    assert float(texts.norm()) == pytest.approx(1)
    with pytest.raises(UsageError, match="CLIP hears nothing"):
        teacher.audio(torch.zeros(1, 100), 16_000)


def test_a_name_in_the_hubs_cache_stays_a_name() -> None:
    assert run_config("clip:openai/clip-vit-base-patch32").clap.endswith("patch32")
    assert run_config("clip:openai/clip-vit-base-patch32").clap.startswith("clip:openai")
