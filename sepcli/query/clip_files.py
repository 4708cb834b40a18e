"""A CLIP on disk, as the hub publishes it: a folder, or a name in the hub's local cache.

Nothing is downloaded here: a separation does not depend on what a server has on that day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sepcli.errors import ModelError

PUBLISHED = "openai/clip-vit-base-patch32"  # the one that CLIPSep was trained with
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
NAMED = 5  # tensors that an error lists
COMPUTED = ("position_ids",)  # tables in older files, which the architecture says


@dataclass(frozen=True)
class ClipFiles:
    """Where a CLIP is.

    Attributes:
        folder: with config.json, weights and a tokenizer.
        weights: the file.
    """

    folder: Path
    weights: Path


def find_clip(source: str) -> ClipFiles:
    """Look for a CLIP.

    Args:
        source: a folder, or a name in the hub's cache.

    Raises:
        ModelError: if it is not there, or transformers is not installed.
    """
    folder = Path(source) if Path(source).is_dir() else _cached(source)
    weights = next((folder / name for name in WEIGHTS if (folder / name).is_file()), None)
    if weights is None or not (folder / "config.json").is_file():
        message = f"no CLIP in {folder}: config.json and {WEIGHTS[0]} are needed"
        raise ModelError(message, f"give the folder of a CLIP, such as {PUBLISHED}, with --clip")
    return ClipFiles(folder, weights)


def _cached(name: str) -> Path:
    import_transformers()
    import huggingface_hub

    try:
        return Path(huggingface_hub.snapshot_download(name, local_files_only=True))
    except (OSError, ValueError) as error:  # not there, or no name that the hub could have
        message = f"CLIP {name} is not on this machine"
        remedy = f"hf download {PUBLISHED}, or give a folder with --clip or SEPCLI_CLIP"
        raise ModelError(message, remedy) from error


def load_clip(files: ClipFiles) -> tuple[Any, Any]:
    """transformers' network, frozen, on the CPU, and its tokenizer.

    Raises:
        ModelError: if the files are no CLIP, or tensors are missing or left over.
    """
    transformers = import_transformers()
    try:
        network, report = transformers.CLIPModel.from_pretrained(
            files.folder, local_files_only=True, output_loading_info=True
        )
        tokenizer = transformers.CLIPTokenizer.from_pretrained(files.folder, local_files_only=True)
    except Exception as error:  # what a stranger's files say wrong has classes of the hub's own
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        message = f"{files.folder}: no CLIP fits it: {reason}"
        raise ModelError(message, f"give one as published, such as {PUBLISHED}") from error
    refuse_misfits(files, list(report["missing_keys"]), list(report["unexpected_keys"]))
    return network.float().eval().requires_grad_(False), tokenizer


def refuse_misfits(files: ClipFiles, missing: Sequence[str], left: Sequence[str]) -> None:
    """Refuse a file in place of whose tensors random ones would do the work.

    Raises:
        ModelError: naming the tensors.
    """
    strange = [name for name in left if not name.endswith(COMPUTED)]
    if missing or strange:
        names = ", ".join([*missing, *strange][:NAMED])
        counts = f"{len(missing)} tensors missing, {len(strange)} left over"
        message = f"{files.weights} is no CLIP: {counts}: {names}"
        raise ModelError(message, f"give one as published, such as {PUBLISHED}")


def import_transformers() -> Any:
    """The package, which takes seconds to import and so is imported when it is used.

    Raises:
        ModelError: if it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        message = "CLIP needs the package transformers"
        raise ModelError(message, "pip install 'sepcli[clip]'") from error
    return transformers
