"""What a network learns from, one objective per file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sepcli.training.config import BandUNetConfig, NetworkConfig, ObjectiveConfig
from sepcli.training.objectives.base import Objective
from sepcli.training.objectives.clipsep import ClipSep
from sepcli.training.objectives.mix_and_separate import MixAndSeparate
from sepcli.training.objectives.mixit import MixIt
from sepcli.training.objectives.pit import Pit
from sepcli.training.objectives.semi import Semi
from sepcli.training.objectives.slots import outputs_of
from sepcli.training.objectives.supervised import Supervised
from sepcli.training.objectives.weak import Weak
from sepcli.training.teacher import Teacher

# Those that a config may name, from its section, the CLAP and the network's section.
OBJECTIVES: dict[str, Callable[[Any, Teacher, NetworkConfig], Objective]] = {
    "supervised": lambda section, *_: Supervised(section),
    "mix-and-separate": lambda section, *_: MixAndSeparate(section),
    "clipsep": lambda section, *_: ClipSep(section),
    "weak": lambda section, teacher, _: Weak(section, teacher),
    "semi": lambda section, teacher, _: Semi(section, teacher),
    "mixit": lambda section, teacher, net: MixIt(outputs_of(net, section.outputs, teacher)),
    "pit": lambda section, teacher, net: Pit(section, outputs_of(net, section.outputs, teacher)),
}
USUAL = BandUNetConfig()


def build_objective(
    section: ObjectiveConfig, teacher: Teacher, network: NetworkConfig = USUAL
) -> Objective:
    """What a config names.

    Args:
        section: of the config.
        teacher: the CLAP, for objectives that learn from what it hears.
        network: that is trained.
    """
    return OBJECTIVES[section.name](section, teacher, network)
