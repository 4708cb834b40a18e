"""Which clips' single sources are known in semi-supervised training."""

from __future__ import annotations

from sepcli.errors import UsageError
from sepcli.training.config import MixingConfig
from sepcli.training.corpora.clip import Clip, percentile
from sepcli.training.mixing.pantry import Pantry, is_single

SALT = "single/"  # or the hash that parts training from validation would decide this, too


def is_known(clip: Clip, fraction: float) -> bool:
    """Whether a clip is a single sound that is taken for one."""
    return is_single(clip) and percentile(SALT + clip.origin) < 100 * fraction


def split_pantry(pantry: Pantry, fraction: float) -> tuple[Pantry, Pantry]:
    """Single sounds that are known, decided by a hash of their origin, and all other clips."""
    known = [clip for clip in pantry.clips if is_known(clip, fraction)]
    rest = [clip for clip in pantry.clips if not is_known(clip, fraction)]
    return pantry.among(known), pantry.among(rest)


def kinds(pantry: Pantry) -> int:
    """How many kinds of single sounds can be asked for."""
    return len({pantry.ontology.group(label) for label in pantry.asked})


def refuse_too_few(pantry: Pantry, mixing: MixingConfig, what: str) -> None:
    """Raise unless a pantry can fill all parts of a mixture.

    Args:
        pantry: that mixtures are made of.
        mixing: how they are made.
        what: the pantry's clips, for the message.

    Raises:
        UsageError: if it cannot.
    """
    needed = mixing.parts * min(mixing.sources)
    recordings = len(pantry.recordings)
    if kinds(pantry) < needed and recordings < mixing.parts:
        message = f"{kinds(pantry)} kinds of single sounds and {recordings} recordings among {what}"
        remedy = f"add clips: mixtures need {needed} kinds, or {mixing.parts} recordings"
        raise UsageError(message, remedy)
