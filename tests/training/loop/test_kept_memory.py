"""Freed memory is kept: a tensor as large as the last one faults no pages in."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import resource, sys
import numpy as np
from sepcli.training.loop.memory import keep_freed_memory

def faults() -> int:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        np.ones(1 << 23)  # 64 MiB, 16,384 pages
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

faults()
print(faults())
print(keep_freed_memory())
faults()
print(faults())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's doing")
def test_pages_are_faulted_in_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    before, kept, after = done.stdout.split()
    assert kept == "True"
    assert int(after) < 0.01 * int(before)


def test_other_systems_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    from sepcli.training.loop.memory import keep_freed_memory

    monkeypatch.setattr(sys, "platform", "darwin")
    assert not keep_freed_memory()
