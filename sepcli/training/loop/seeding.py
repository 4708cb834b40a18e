"""Random numbers that depend on where a run stands, and not on how it came there.

Generators are seeded anew for every batch. No state of theirs needs to be kept: a resumed run
draws what an unbroken one does, whatever validated or loaded data in between.
"""

from __future__ import annotations

import hashlib
import random

import numpy as np
import torch


def seed_everything(*place: object) -> None:
    """Seed Python's, NumPy's and torch's generators by a hash of, say, (seed, draw, rank)."""
    digest = hashlib.sha256("/".join(map(str, place)).encode()).digest()
    random.seed(digest)
    np.random.seed(int.from_bytes(digest[:4], "big"))
    torch.manual_seed(int.from_bytes(digest[:8], "big", signed=True))
