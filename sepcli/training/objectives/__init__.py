"""What a network learns from, one objective per file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sepcli.training.config import ObjectiveConfig
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.mix_and_separate import MixAndSeparate
from sepcli.training.objectives.mixit import MixIt
from sepcli.training.objectives.pit import Pit
from sepcli.training.objectives.semi import Semi
from sepcli.training.objectives.slots import slots
from sepcli.training.objectives.supervised import Supervised
from sepcli.training.objectives.weak import Weak
from sepcli.training.teacher import Teacher

# Those that a config may name, from its section and the CLAP.
OBJECTIVES: dict[str, Callable[[Any, Teacher], Objective]] = {
    "supervised": lambda section, _: Supervised(section),
    "mix-and-separate": lambda section, _: MixAndSeparate(section),
    "weak": Weak,
    "semi": Semi,
    "mixit": lambda section, teacher: MixIt(slots(section.outputs, teacher)),
    "pit": lambda section, teacher: Pit(section, slots(section.outputs, teacher)),
}


def build_objective(section: ObjectiveConfig, teacher: Teacher) -> Objective:
    """What a config names.

    Args:
        section: of the config.
        teacher: the CLAP, for objectives that learn from what it hears.
    """
    return OBJECTIVES[section.name](section, teacher)
