"""Semi-supervised learning: each part sees its own items, and the network is asked once."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
import torch
from lessons import Free, Spectra, batch_of, learnt, signs, tone
from recordings import mixture
from torch import Tensor

from sepcli.training import config
from sepcli.training.mixing.batch import Batch, Role
from sepcli.training.objectives import build_objective
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.mean_teacher import MeanTeacher
from sepcli.training.objectives.semi import Semi, only
from sepcli.training.objectives.supervised import Supervised
from sepcli.training.objectives.weak import Weak
from sepcli.training.teacher import Teacher, load_teacher

LOW, HIGH, TOP, MIDDLE = (tone(pitch) for pitch in (400.0, 2000.0, 5000.0, 1000.0))


@pytest.fixture(scope="module")
def clap() -> Teacher:
    return load_teacher("model:everyday")


def section(**changes: Any) -> config.Semi:
    return config.Semi.model_validate({"name": "semi", "fraction": 0.5, **changes})


def batch(captions: bool = True, absent: str = "nothing") -> Batch:
    """Two mixtures of known sources around two of unknown ones."""
    items = [
        [[("low", LOW)], [("high", HIGH)]],
        [[("low", LOW), ("high", HIGH)], [("top", TOP)]],
        [[("middle", MIDDLE), ("top", TOP)], [("low", LOW)]],
        [[("middle", MIDDLE)], [("top", TOP)]],
    ]
    asked = batch_of(items, lambda texts: unit(signs(texts)), captions, absent=absent)
    return hidden(asked, [1, 2])


def unit(embeddings: Tensor) -> Tensor:
    """As long as those of the small CLAP."""
    return torch.nn.functional.pad(embeddings, (0, 256 - embeddings.shape[-1]))


def hidden(asked: Batch, items: list[int]) -> Batch:
    """Nobody recorded the sources of these items alone."""
    unknown = torch.zeros_like(asked.known)
    unknown[items] = asked.asks(Role.PHRASE)[items]
    answers = asked.answers.masked_fill(unknown[..., None], 0.0)
    return replace(asked, known=asked.known & ~unknown, answers=answers)


def cut(asked: Batch, items: list[int]) -> Batch:
    """Some items alone."""
    return Batch(**{f.name: getattr(asked, f.name)[items] for f in fields(asked)})


def masks(asked: Batch) -> Tensor:
    bins, frames = Spectra().spectrogram(asked.mixture).shape[1:]
    generator = torch.Generator().manual_seed(3)
    return torch.rand(*asked.role.shape, bins, frames, generator=generator)


def figures(objective: Objective, asked: Batch, said: Tensor) -> dict[str, Tensor]:
    with torch.no_grad():
        answered: dict[str, Tensor] = objective(Free(said), asked)
    return answered


@pytest.mark.parametrize("setting", ["ours", "paper"])
def test_each_part_is_what_it_is_on_its_items_alone(clap: Teacher, setting: str) -> None:
    weak = config.Weak(setting=setting)  # type: ignore[arg-type]
    asked = batch(absent="nothing" if setting == "ours" else "")
    objective = Semi(section(lambda_s=0.7, lambda_u=0.2, weak=weak), clap)
    both, said = figures(objective, asked, masks(asked)), masks(asked)
    known = figures(Supervised(config.Supervised()), cut(asked, [0, 3]), said[[0, 3]])
    unknown = figures(Weak(weak, clap), cut(asked, [1, 2]), said[[1, 2]])
    for part, alone in (("known", known), ("unknown", unknown)):
        for name, value in alone.items():
            assert both[f"{part}_{name}"].item() == pytest.approx(value.item(), rel=1e-5), name
    expected = 0.7 * known["loss"] + 0.2 * unknown["loss"]
    assert both["loss"].item() == pytest.approx(expected.item(), rel=1e-5)


@pytest.mark.parametrize("changes", [{"lambda_s": 0.0}, {"lambda_u": 0.0}])
def test_items_of_the_other_kind_have_no_gradient(clap: Teacher, changes: dict[str, float]) -> None:
    asked = batch()
    masker = Free(masks(asked))
    Semi(section(**changes), clap)(masker, asked)["loss"].backward()
    assert masker.masks.grad is not None
    moved = masker.masks.grad.abs().sum((1, 2, 3)) > 0
    assert moved.tolist() == (
        [False, True, True, False] if "lambda_s" in changes else [True, False, False, True]
    )


@pytest.mark.parametrize("unknown", [[], [0, 1, 2, 3]])
def test_a_process_may_see_one_kind_only(clap: Teacher, unknown: list[int]) -> None:
    asked = batch()
    whole = replace(asked, known=asked.known | asked.asks(Role.PHRASE))
    masker = Free(masks(asked))
    found = Semi(section(), clap)(masker, hidden(whole, unknown))
    found["loss"].backward()
    assert all(value.isfinite().all() for value in found.values())
    assert found[f"{'known' if unknown else 'unknown'}_loss"].item() == 0
    assert masker.masks.grad is not None
    assert masker.masks.grad.isfinite().all()


def test_the_network_is_asked_once(clap: Teacher) -> None:
    calls = []
    asked = batch()

    class Counted(Free):
        def forward(self, mixture: Tensor, queries: Tensor) -> Tensor:
            calls.append(queries.shape)
            return super().forward(mixture, queries)

    Semi(section(), clap)(Counted(masks(asked)), asked)
    assert calls == [asked.queries.shape]


def test_only_keeps_the_size_and_the_sounds() -> None:
    asked = batch()
    kept = only(asked, torch.tensor([False, True, False, True]))
    for name in ("mixture", "parts", "queries", "targets", "answers"):
        assert torch.equal(getattr(kept, name), getattr(asked, name))
    for name, nothing in {"role": Role.PADDING, "part": -1, "known": 0, "weight": 0}.items():
        assert torch.equal(getattr(kept, name)[[1, 3]], getattr(asked, name)[[1, 3]])
        assert (getattr(kept, name)[[0, 2]] == nothing).all()
    assert (kept.meaning[[0, 2]] == -1).all()


def test_it_asks_what_its_unsupervised_part_needs(clap: Teacher) -> None:
    weak = Semi(section(weak=config.Weak(absent=2)), clap)
    assert weak.asking == Weak(config.Weak(absent=2), clap).asking
    teacher = Semi(section(semi="mean-teacher"), clap)
    assert teacher.asking == MeanTeacher.asking
    assert teacher.asking.phrases


def test_the_mean_teacher_follows_the_network(clap: Teacher) -> None:
    objective = Semi(section(semi="mean-teacher", teacher_decay=0.0), clap)
    masker = Free(torch.zeros(1, 1, 1, 1))
    objective.begin(masker)
    masker.masks.data.fill_(1.0)
    objective.after_step(masker)
    assert isinstance(objective.unsupervised, MeanTeacher)
    assert objective.unsupervised.network.masks.item() == 1.0
    Semi(section(), clap).after_step(masker)  # and without one nothing happens


@pytest.mark.parametrize("semi", ["weak", "mean-teacher"])
def test_a_network_learns_it(clap: Teacher, semi: str) -> None:
    items = [
        mixture(("dog barking",), ("rain",)),
        mixture(("ticking clock", "helicopter"), ("rain",)),
    ]
    objective = build_objective(section(semi=semi), clap)
    asked = batch_of(items, clap.texts, captions=semi == "weak", absent="a violin")
    first, last = learnt(objective, [hidden(asked, [1])], clap)
    assert last < first - 2
