"""Plans of short recordings, for the model that ships with sepcli."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from small_plans import RATE, planned

from sepcli.batch.plan_file import Plan

Planned = Callable[..., Plan]


@pytest.fixture
def plan() -> Planned:
    """Makes a plan for recordings that are written first: `r0.wav`, `r1.wav` and so on."""

    def make(count: int, seconds: float = 0.4, output: str = "out", **options: object) -> Plan:
        rng = np.random.default_rng(1)
        Path("in").mkdir(exist_ok=True)
        for number in range(count):
            wave = 0.2 * rng.standard_normal((round(seconds * RATE), 2))
            soundfile.write(f"in/r{number}.wav", wave, RATE, "FLOAT")
        return planned(output, **options)

    return make
