"""submitit's jobs: run here as processes by its own local executor, and as text for sbatch."""

from __future__ import annotations

import os
import signal
import stat
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGINT, SIGTERM, SIGUSR2

import pytest
from small_plans import PYTHONPATH, Deadly, duty_for, fates, leftovers, outcome, stems

from sepcli.batch.launchers import launch, slurm
from sepcli.batch.launchers.slurm import SlurmCrew, do_chunk, executor
from sepcli.batch.launchers.supervise import supervise
from sepcli.batch.lock import Identity, batch_lock
from sepcli.batch.plan_file import Plan
from sepcli.batch.shards import Shard
from sepcli.batch.worker import Policy
from sepcli.errors import OutputError, UsageError
from sepcli.separation.events import Progress, Started

pytest.importorskip("submitit")
# The local executor leaves its processes to themselves once they have their result.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
Make = Callable[..., Plan]
ONCE = Counter(["Finished"])
OUT = Path("out")


@pytest.fixture(autouse=True)
def jobs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Jobs find what the tests tell them to do, and can be cancelled.

    The local executor cancels by SIGINT, which is ignored below a shell's background command.
    """
    monkeypatch.setenv("PYTHONPATH", PYTHONPATH)
    before = {name: signal.getsignal(name) for name in (SIGINT, SIGTERM, SIGUSR2)}
    signal.signal(SIGINT, signal.default_int_handler)
    yield
    for name, handler in before.items():
        signal.signal(name, handler)


def crew(plan: Plan, size: int, **deaths: str) -> SlurmCrew:
    """Jobs on this machine."""
    return SlurmCrew(duty_for(plan, Deadly, **deaths), size, OUT, None, "local")


def test_jobs_share_a_plan_and_a_lost_one_s_rows_are_submitted_again(plan: Make) -> None:
    made = plan(4)
    events = list(supervise(made, range(4), crew(made, 2, once="r1.wav"), Policy()))
    assert fates(events) == {f"r{n}.wav": ONCE for n in range(4)}
    starts = Counter(Path(event.path).name for event in events if isinstance(event, Started))
    assert starts == {f"r{n}.wav": 1 for n in range(4)} | {"r1.wav": 2}
    assert outcome(events).exit_code == 0
    assert len(stems()) == 4
    assert not leftovers()


def test_jobs_are_cancelled_with_the_command(plan: Make) -> None:
    made = plan(1, seconds=60.0)
    events = supervise(made, range(1), crew(made, 1), Policy())
    assert any(isinstance(event, Progress) for event in events)
    events.close()
    assert not stems()
    with batch_lock(OUT, Identity(made.digest)):
        pass  # no job is left that would hold it


def test_jobs_of_a_command_that_died_keep_others_out(plan: Make) -> None:
    made = plan(1)
    with batch_lock(OUT, Identity(made.digest, Shard(0, slurm.MOST_JOBS))):
        with pytest.raises(OutputError, match="is writing to out"):
            list(launch("slurm", made, workers=1))
        with pytest.raises(OutputError, match="is writing to out"):
            list(launch("local", made, workers=1))


COMMANDS = {
    # Runs an array's tasks here, and remembers which of them are over.
    "sbatch": """
        cp "$1" {folder}/script.sh
        last=$(sed -n 's/^#SBATCH --array=0-\\([0-9]*\\).*/\\1/p' "$1")
        for task in $(seq 0 $last); do
            (SLURM_JOB_ID=$((70 + task)) SLURM_ARRAY_JOB_ID=7 SLURM_ARRAY_TASK_ID=$task \\
                bash "$1"; touch {folder}/over.$task) > /dev/null 2>&1 &
        done
        echo "Submitted batch job 7"
    """,
    "srun": """
        shift 5  # --unbuffered, and where output and errors go
        exec "$@"
    """,
    "sacct": """
        echo "JobID|State|NodeList"
        for task in 0 1; do
            state=RUNNING
            [ -e {folder}/over.$task ] && state=COMPLETED
            echo "7_$task|$state|here"
        done
    """,
    "scancel": "exit 0",
}


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Slurm's commands, as far as submitit uses them; returns a folder with the last script."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    for name, text in COMMANDS.items():
        path = folder / name
        path.write_text("#!/bin/bash\n" + text.replace("{folder}", str(folder)))
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setitem(slurm.WAIT_SECONDS, "slurm", 0.1)
    return folder


def test_a_plan_is_submitted_to_slurm_as_one_array(plan: Make, cluster: Path) -> None:
    events = list(launch("slurm", plan(3), workers=2))
    assert fates(events) == {f"r{n}.wav": ONCE for n in range(3)}
    assert outcome(events).exit_code == 0
    options = [
        line.removeprefix("#SBATCH --").split("=")
        for line in (cluster / "script.sh").read_text().splitlines()
        if line.startswith("#SBATCH")
    ]
    given = {name: value for name, *rest in options for value in rest}
    assert given["array"] == "0-1%2"
    assert given["job-name"] == "sepcli"
    assert "time" not in given  # SBATCH_TIMELIMIT, or the partition's


def test_what_slurm_needs_is_asked_for(plan: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    made = plan(1)
    with pytest.raises(UsageError, match="needs a number of jobs"):
        list(launch("slurm", made))
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UsageError, match="no Slurm here"):
        executor(OUT, "slurm")
    monkeypatch.setattr(slurm, "import_module", missing)
    with pytest.raises(UsageError, match="needs submitit"):
        executor(OUT, "slurm")


def missing(name: str) -> None:
    raise ImportError(name)


def test_an_output_folder_that_is_a_file_is_refused(plan: Make) -> None:
    made = plan(1)
    OUT.write_text("a file")
    with pytest.raises(OutputError, match="cannot make"):
        crew(made, 1)


def test_a_job_that_cannot_have_the_lock_says_so(plan: Make) -> None:
    made = plan(1)
    identity = Identity(made.digest, Shard(0, 2))
    with batch_lock(OUT, identity):
        do_chunk(duty_for(made), [0], Path("events"), OUT, identity)
    (error,) = slurm.EventReader(Path("events")).read()
    assert "is writing to out" in str(error)
