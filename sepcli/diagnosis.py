"""What can be wrong with an installation, and how to mend it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from sepcli.errors import SepcliError
from sepcli.home import cache_folder

NEEDED_SPACE = 1e9  # bytes


@dataclass(frozen=True)
class Finding:
    """One thing that was checked."""

    subject: str
    ok: bool
    found: str
    remedy: str = ""


def diagnose() -> Iterator[Finding]:
    """All checks, one after another; one that breaks is a finding too."""
    checks: dict[str, Callable[[], Finding]] = {
        "torch": check_torch,
        "device": check_device,
        "codecs": check_codecs,
        "cache": check_cache,
        "disk": check_disk,
        "model": check_model,
    }
    for subject, check in checks.items():
        try:
            yield check()
        except Exception as error:  # a broken installation may raise anything
            yield Finding(subject, False, f"{type(error).__name__}: {error}", "reinstall sepcli")


def check_torch() -> Finding:
    """torch and torchaudio must be of the same release."""
    remedy = "pip install 'torch>=2.8,<2.12' 'torchaudio>=2.8,<2.12'"
    try:
        pair = version("torch"), version("torchaudio")
    except PackageNotFoundError as error:
        return Finding("torch", False, str(error), remedy)
    releases = [text.split("+")[0].rsplit(".", 1)[0] for text in pair]
    found = f"torch {pair[0]}, torchaudio {pair[1]}"
    if releases[0] != releases[1]:
        return Finding("torch", False, f"{found} do not belong together", remedy)
    import torchaudio  # noqa: F401 - fails if the two were built differently

    return Finding("torch", True, found)


def check_device() -> Finding:
    """A GPU that is there must work; having none is fine."""
    import torch

    if torch.cuda.is_available():
        torch.zeros(8, device="cuda").sum().item()
        return Finding("device", True, f"GPU: {torch.cuda.get_device_name()}")
    if torch.backends.mps.is_available():
        return Finding("device", True, "GPU: Apple silicon")
    if shutil.which("nvidia-smi"):
        remedy = "install a torch build for your CUDA driver, see pytorch.org"
        return Finding("device", False, "an NVIDIA driver, but torch cannot use it", remedy)
    return Finding("device", True, f"no GPU; CPU with {torch.get_num_threads()} threads")


def check_codecs() -> Finding:
    """libsndfile with FLAC, Ogg and MP3, and PyAV for the rest."""
    import av
    import soundfile

    formats = soundfile.available_formats()
    missing = [name for name in ("WAV", "FLAC", "OGG", "MP3") if name not in formats]
    found = f"libsndfile {soundfile.__libsndfile_version__}, PyAV {av.__version__}"
    if missing:
        remedy = "pip install --force-reinstall soundfile"
        return Finding("codecs", False, f"{found}, without {', '.join(missing)}", remedy)
    return Finding("codecs", True, found)


def check_cache() -> Finding:
    """The cache must be writable."""
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        remedy = "make it writable, or set SEPCLI_HOME to another folder"
        return Finding("cache", False, f"{folder}: {error.strerror}", remedy)
    return Finding("cache", True, str(folder))


def check_disk() -> Finding:
    """Some space where the cache is."""
    folder = cache_folder()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    remedy = "free some space, or set SEPCLI_HOME to another disk"
    return Finding("disk", free > NEEDED_SPACE, f"{free / 1e9:.1f} GB free", remedy)


def check_model() -> Finding:
    """The default model must load and be the one the registry names."""
    from sepcli.registry.load import load
    from sepcli.registry.store import Registry

    try:
        model = Registry().find(None)
        load(model)
    except SepcliError as error:
        return Finding("model", False, str(error), error.remedy)
    return Finding("model", True, f"{model.name}: {model.entry.summary}")
