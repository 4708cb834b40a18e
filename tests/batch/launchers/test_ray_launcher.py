"""Ray, really started: two cores, and an object store that hardly holds a waveform."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile
from small_plans import PYTHONPATH, Deadly, duty_for, fates, leftovers, outcome, planned, stems

from sepcli.batch.launchers import launch
from sepcli.batch.launchers import ray as module
from sepcli.batch.launchers.ray import RayCrew, installed_ray
from sepcli.batch.launchers.supervise import supervise
from sepcli.batch.plan_file import Plan
from sepcli.batch.worker import Policy, run_plan
from sepcli.errors import UsageError
from sepcli.separation.events import Progress, Started

Make = Callable[..., Plan]
ONCE = Counter(["Finished"])
SMALLEST_STORE = 78_643_200  # bytes that Ray accepts


@pytest.fixture(scope="module")
def ray(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """A cluster that lives as long as these tests."""
    found = pytest.importorskip("ray")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", PYTHONPATH)
        patch.setenv("SEPCLI_HOME", str(tmp_path_factory.mktemp("home")))
        found.init(
            num_cpus=2,
            num_gpus=0,
            object_store_memory=SMALLEST_STORE,
            include_dashboard=False,
            log_to_driver=False,
        )
        yield found
        found.shutdown()


def test_splits_of_a_plan_give_the_same_stems(plan: Make, ray: ModuleType) -> None:
    exact = Policy(deterministic=True)
    plans = {"alone": plan(3, seconds=1.5, output="alone")}
    plans |= {name: planned(name) for name in ("local", "ray", "free")}
    runs = {
        "alone": run_plan(plans["alone"], None, exact),
        "local": launch("local", plans["local"], None, exact, 2),
        "ray": launch("ray", plans["ray"], None, exact, 2),
        "free": launch("ray", plans["free"], None, Policy(batch_size=2), 1),
    }
    told = {name: fates(run) for name, run in runs.items()}
    assert all(fate == {f"r{n}.wav": ONCE for n in range(3)} for fate in told.values())
    expected = stems("alone")
    assert len(expected) == 3
    assert stems("local") == expected
    assert stems("ray") == expected
    for name in expected:
        ours, theirs = (soundfile.read(Path(folder, name))[0] for folder in ("free", "alone"))
        assert np.abs(theirs).max() > 1e-3
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
    assert not any(map(leftovers, plans))


def test_a_killed_actor_s_rows_go_to_the_others(plan: Make, ray: ModuleType) -> None:
    duty = duty_for(made := plan(4), Deadly, once="r1.wav")
    events = list(supervise(made, range(4), RayCrew(duty, 1), Policy()))
    assert fates(events) == {f"r{n}.wav": ONCE for n in range(4)}
    starts = Counter(Path(event.path).name for event in events if isinstance(event, Started))
    assert starts["r1.wav"] == 2
    assert outcome(events).exit_code == 0


def test_actors_are_stopped_cleanly(plan: Make, ray: ModuleType) -> None:
    made = plan(1, seconds=60.0)
    events = supervise(made, range(1), RayCrew(duty_for(made), None), Policy())
    assert any(isinstance(event, Progress) for event in events)
    events.close()
    assert not stems()
    assert not leftovers()


def test_ray_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr(module, "import_module", missing)
    with pytest.raises(UsageError, match="needs Ray"):
        installed_ray()
