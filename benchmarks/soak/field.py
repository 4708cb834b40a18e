"""A few recordings in a folder, what separates them, and what must be left of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import soundfile

from benchmarks import linear
from benchmarks.soak.harness import QUERY, Outcome
from benchmarks.soak.mutants.originals import encoded, real_sound
from benchmarks.soak.row import Observed

PARTIAL = ".sepcli-partial-"
SECONDS = (1.0, 2.0, 3.0)  # of the recordings
COMMAND = ("separate", "inputs", "--query", QUERY, "--model", "model", "--output", "stems")


def field(folder: Path, seconds: tuple[float, ...] = SECONDS, subtype: str = "FLOAT") -> Path:
    """A folder with a model, and with recordings in `inputs`."""
    (folder / "inputs").mkdir(parents=True)
    linear.write_model(folder / "model")
    for number, length in enumerate(seconds):
        content = encoded(real_sound(length), "WAV", subtype)
        (folder / f"inputs/{number}.wav").write_bytes(content)
    return folder


def again(folder: Path) -> None:
    """Forget all stems."""
    shutil.rmtree(folder / "stems", ignore_errors=True)


def half_written(stems: Path) -> Iterator[str]:
    """Files that are not whole stems of recordings of the field, by name."""
    for path in stems.rglob("*"):
        if path.name.startswith(PARTIAL) or (path.suffix == ".wav" and not whole(path)):
            yield path.name


def whole(stem: Path) -> bool:
    """Whether a stem can be read and is as long as its recording."""
    recording = stem.parent.parent / "inputs" / f"{stem.name.split('.')[0]}.wav"
    try:
        frames = len(soundfile.read(stem)[0])
        return not recording.exists() or frames == soundfile.info(recording).frames
    except soundfile.LibsndfileError:
        return False


def expect(
    outcome: Outcome, code: int, what: str, stems: Path | None, seen: Observed, said: str = ""
) -> None:
    """Count what is not as it must be after a command; counts: see `begin`.

    Args:
        outcome: of the command.
        code: it must end with.
        what: it was.
        stems: the folder in which there may be no half files; None if others still write there.
        seen: where to count.
        said: what its lines must hold.
    """
    seen.tried("commands")
    told = f"{what}: {outcome.code}, {outcome.err[-300:]!r}"
    seen.expect(not outcome.hung, "hangs", what)
    seen.expect(outcome.code == code, "wrong codes", told)
    seen.expect(outcome.clear and said in outcome.err, "unclear lines", told)
    for name in half_written(stems) if stems else ():
        seen.happened("half files", f"{what}: {name}")


def begin() -> Observed:
    """Nothing seen yet, of what `expect` counts."""
    seen = Observed()
    seen.never("wrong codes", "unclear lines", "half files", "hangs")
    return seen
