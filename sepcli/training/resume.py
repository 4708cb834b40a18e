"""Whether a training may write into a folder."""

from __future__ import annotations

from pathlib import Path

from sepcli.errors import UsageError
from sepcli.training.load_config import Config
from sepcli.training.loop.folder import CONFIG, RunFolder

STATES = "*.pt"  # what it took time to train
FREE = {"threads", "memory_gib", "loop.workers", "loop.save_every", "loop.keep"}  # may change


def refuse_to_overwrite(folder: Path, config: Config, resume: bool) -> None:
    """Nothing that was trained is lost, and nobody goes on with the weights of another training.

    A folder in which nothing has been trained is begun anew, with `resume` too: a script may
    always ask for it.

    Raises:
        UsageError: if the folder is none, or not a run's; if something has been trained in it and
            `resume` is false, or the config has changed in other keys than those of `FREE`.
    """
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file", "give the run a folder with --out")
    if any(folder.glob("*")) and not (folder / CONFIG).is_file():
        message = f"{folder} holds files, but no run: there is no {CONFIG}"
        raise UsageError(message, "give the run a folder of its own with --out")
    if not any(folder.glob(STATES)):
        return
    if not resume:
        message = f"{folder} holds a run already"
        raise UsageError(message, "go on with it with --resume, or give another --out")
    if changed := [key for key in RunFolder(folder).changes(config) if key not in FREE]:
        message = f"{folder} was begun with another config: {', '.join(changed)}"
        raise UsageError(message, "set these keys back, or train anew into another --out")
