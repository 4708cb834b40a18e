"""A training from its config to the model it leaves behind."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import nn

from sepcli.errors import UsageError
from sepcli.query.tokens import WordPieces
from sepcli.training.clap import LESSON, Clap, ClapTask, learn_words, read_lesson
from sepcli.training.config import ClapConfig, SeparatorConfig
from sepcli.training.corpora.clip import Clip, Split
from sepcli.training.corpora.select import clips_of
from sepcli.training.corpora.sounds import RATE, Sounds
from sepcli.training.export import Finished, export
from sepcli.training.loop.distributed import from_first, joined, local_device, rank
from sepcli.training.loop.events import Event, Noted, Started, Stepped, Validated
from sepcli.training.loop.folder import RunFolder
from sepcli.training.loop.log import Log
from sepcli.training.loop.memory import keep_freed_memory
from sepcli.training.loop.trainer import Trainer
from sepcli.training.mixing.examiner import Examiner
from sepcli.training.mixing.pantry import Pantry
from sepcli.training.networks import BandUNetMasker, rate_of
from sepcli.training.objectives import build_objective
from sepcli.training.ontology import Ontology
from sepcli.training.presence import Cases, Verdict, cases_of, learning, together, train_judge
from sepcli.training.separator import Examiners, SeparatorTask, Trainable
from sepcli.training.teacher import SmallTeacher, Teacher, load_teacher

Config = ClapConfig | SeparatorConfig

READING, PRESENCE = "learning words", "presence score"  # titles of parts of a run
JUDGE = "presence.pt"
VALIDATION_SHARE = 4  # batches that the presence score learns from, for one that judges it


@dataclass(frozen=True)
class Prepared:
    """What a training works on.

    Attributes:
        config: of the run.
        clips: all but those of test splits.
    """

    config: Config
    clips: list[Clip]

    @property
    def rate(self) -> int:
        """Of the sounds, in Hz, as the network hears them."""
        return RATE if isinstance(self.config, ClapConfig) else rate_of(self.config.network)

    @cached_property
    def sounds(self) -> Sounds:
        """The clips' sounds."""
        return Sounds(self.clips, self.rate, self.config.memory_gib)

    def pantry(self, split: Split) -> Pantry:
        """What to mix from."""
        clips = [clip for clip in self.clips if clip.split == split]
        return Pantry(clips, self.sounds, Ontology.read(self.config.ontology), self.config.emphasis)


def prepare(config: Config) -> Prepared:
    """Look for everything a training needs, without training.

    Raises:
        UsageError: if there is nothing to mix, or a clip must not be trained on.
    """
    return Prepared(config, clips_of(config))


def train(config: Config, out: Path, device: str = "auto") -> Iterator[Event]:
    """Run a training in a folder, going on from its checkpoint.

    Args:
        config: of the run.
        out: its folder; in the end it is a model, unless a CLAP was trained.
        device: auto, cpu, cuda or mps.

    Raises:
        SepcliError: see `Trainer`, `prepare` and `load_teacher`.
    """
    torch.set_num_threads(config.threads)
    keep_freed_memory()
    here = local_device(device)
    with joined(here):
        prepared, folder = prepare(config), RunFolder(out)
        if isinstance(config, ClapConfig):
            yield from clap_training(config, prepared, folder, here)
        else:
            yield from separator_training(config, prepared, folder, here)


def clap_training(
    config: ClapConfig, prepared: Prepared, folder: RunFolder, device: torch.device
) -> Iterator[Event]:
    """Learn words from the sentence encoder, then sounds."""
    torch.manual_seed(config.seed)
    from_first(lambda: folder.describe(config, device))
    train, validation = prepared.pantry("train"), prepared.pantry("validation")
    tokens = WordPieces(config.tokenizer)
    clap = Clap(tokens.size)
    if not (folder.path / LESSON).exists():
        yield Noted("asking the sentence encoder what words mean takes some minutes")
    lesson = from_first(lambda: read_lesson(config, folder.path, tokens, train.ontology.texts()))
    yield Started(0, config.distil_steps, count(clap.text), "cpu", 1, title=READING)
    for step, loss in enumerate(learn_words(config, clap, lesson, folder.path)):
        yield Stepped(step + 1, config.distil_steps, {"loss": loss}, 0.0, 0.0)
    task = ClapTask(config, clap, lesson, train, validation)
    yield from Trainer(task, config, folder, device, title="sounds").run()


def separator_training(
    config: SeparatorConfig, prepared: Prepared, folder: RunFolder, device: torch.device
) -> Iterator[Event]:
    """Train a separator, then the judge of its answers; leave a model."""
    torch.manual_seed(config.seed)
    teacher = load_teacher(config.clap)
    # Questions are read on the CPU, where it mixes; answers are heard where the network is.
    heard_by = teacher if device.type == "cpu" else load_teacher(config.clap).to(device)
    objective = build_objective(config.objective, heard_by, config.network)
    train, validation = (
        Examiner(config, prepared.pantry(split), teacher, objective.asking, prepared.rate)
        for split in ("train", "validation")
    )
    _ = train.pools  # refused before the first step if there is too little to mix
    task = SeparatorTask(config, Examiners(train, validation.validation()), teacher, objective)
    trainer = Trainer(task, config, folder, device)
    yield from trainer.run()
    if rank() > 0:
        return
    module = finished_module(task, trainer)
    verdict = None
    if isinstance(module.masker, BandUNetMasker) and module.masker.network.presence is not None:
        load_ear(module.masker, teacher)
        examiners = Examiners(train.doubting(), validation.doubting())
        verdict = yield from presence_training(config, module.masker, examiners, folder, device)
    export(
        Finished(config, module, prepared.clips, verdict, last_figures(folder.log, task.select)),
        folder.path,
    )


def finished_module(task: SeparatorTask, trainer: Trainer) -> Trainable:
    """What was trained, with the averaged weights."""
    module = task.module.eval()
    assert isinstance(module, Trainable)
    module.load_state_dict(trainer.stepper.average.state)
    return module


def presence_training(
    config: SeparatorConfig,
    masker: BandUNetMasker,
    examiners: Examiners,
    folder: RunFolder,
    device: torch.device,
) -> Generator[Event, None, Verdict]:
    """Train the judge of a finished network, unless that is done."""
    judge = masker.network.presence
    assert judge is not None
    if (kept := folder.load(JUDGE)) is not None:
        judge.load_state_dict(kept["judge"])
        return Verdict(kept["auc"], kept["threshold"])
    size = sum(p.numel() for p in learning(judge))
    yield Started(0, config.presence_steps, size, str(device), 1, title=PRESENCE)
    cases: list[Cases] = []
    for examiner, draws in (
        (examiners.train, config.presence_steps),
        (examiners.validation, max(1, config.presence_steps // VALIDATION_SHARE)),
    ):
        batches = (examiner.batch(d, 0, config.batch).to(device) for d in range(draws))
        rows: list[Cases] = []
        for step, case in enumerate(cases_of(masker, batches)):
            rows.append(case)
            yield Stepped(step + 1, draws, {}, 0.0, 0.0)
        cases.append(together(rows))
    verdict = train_judge(judge, *cases, seed=config.seed)
    folder.save(
        {"judge": judge.state_dict(), "auc": verdict.auc, "threshold": verdict.threshold}, JUDGE
    )
    figures = {"presence_auc": verdict.auc, "presence_threshold": verdict.threshold}
    folder.tell(config.steps, **figures)
    yield Validated(config.steps, figures, best=True)
    return verdict


def last_figures(log: Log, select: str) -> dict[str, float]:
    """The newest validation figures, recognised by the one that is selected by."""
    lines = [line for line in log.lines() if line.get(select) is not None]
    if not lines:
        return {}
    return {k: v for k, v in lines[-1].items() if k not in ("step", "seconds") and v is not None}


def load_ear(masker: BandUNetMasker, teacher: Teacher) -> None:
    """Give the presence score the ear of the CLAP that the queries come from.

    Raises:
        UsageError: if that CLAP is not a small one.
    """
    presence = masker.network.presence
    if presence is None or presence.ear is None:
        return
    if not isinstance(teacher, SmallTeacher):
        message = "network.presence: hears needs a small CLAP"
        raise UsageError(message, "set it to `sees`, or `clap` to a run of kind clap")
    presence.ear.load_state_dict(teacher.ear.state_dict())


def count(module: nn.Module) -> int:
    """Numbers that are trained."""
    return sum(p.numel() for p in module.parameters() if p.requires_grad)
