"""Stems that are the same to the byte do not depend on what a machine has kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from sepcli.batch.plan_file import new_plan, read_plan
from sepcli.batch.plan_row import Row
from sepcli.batch.planning import Planning
from sepcli.batch.worker import Policy, run_plan
from sepcli.home import cache_folder
from sepcli.separation.options import SeparateOptions
from sepcli.separation.queries import text_query


def separated(output: str, policy: Policy) -> bytes:
    """The stem of mix.wav that a plan gives."""
    options = SeparateOptions(("mix.wav",), (text_query("rain"),), output=output, device="cpu")
    planning = Planning(options)
    with new_plan(Path(f"{output}.jsonl"), planning.header) as writer:
        for row in planning.items():
            assert isinstance(row, Row)
            writer.add(row)
    assert list(run_plan(read_plan(Path(f"{output}.jsonl")), None, policy))[-1].exit_code == 0  # type: ignore[union-attr]
    return Path(output, "mix.rain.wav").read_bytes()


@pytest.mark.parametrize("deterministic", [True, False])
def test_deterministic_stems_ignore_kept_embeddings(deterministic: bool) -> None:
    noise = 0.2 * np.random.default_rng(0).standard_normal((4000, 1))
    soundfile.write("mix.wav", noise, 8000, "FLOAT")
    policy = Policy(deterministic=deterministic)
    first = separated("first", Policy())
    (kept,) = (cache_folder() / "embeddings").rglob("*.npy")
    np.save(kept, np.load(kept)[::-1])
    assert (separated("second", policy) == first) is deterministic
