"""The objectives that a config may name."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import TypeAdapter
from weak_lessons import Linear

from sepcli.training.config import ObjectiveConfig
from sepcli.training.mixing.batch import Asking
from sepcli.training.objectives import OBJECTIVES, build_objective
from sepcli.training.objectives.base import Objective

SECTIONS = get_args(get_args(ObjectiveConfig)[0])


def test_every_name_of_the_config_has_an_objective() -> None:
    names = {section.model_fields["name"].annotation for section in SECTIONS}
    assert {get_args(name)[0] for name in names} == set(OBJECTIVES)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_each_is_built_from_its_section(name: str) -> None:
    values = {"name": name} | ({"fraction": 0.5} if name == "semi" else {})
    section = TypeAdapter(ObjectiveConfig).validate_python(values)
    objective = build_objective(section, Linear(12))
    assert isinstance(objective, Objective)
    assert objective.asking != Asking()
    assert type(objective).__name__.lower() == name.replace("-", "")
