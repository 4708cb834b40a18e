"""Windows in which there is nothing to hear, and which no network has to hear.

Their stems are silence. What there is, were it below the threshold and not quite nothing, is left
to the rest, so stems and rest still sum to the recording.
"""

from __future__ import annotations

import numpy as np

from sepcli.audio.windows import Wave
from sepcli.separation.runner import Answer, Question

SILENT_PEAK = 1e-5  # -100 dBFS; a step of 16 bit is three times as large


def is_silent(wave: Wave) -> bool:
    """Whether no sample of a window (samples, channels) is above the threshold."""
    return max(float(wave.max()), -float(wave.min())) <= SILENT_PEAK


def silence(wave: Wave, question: Question) -> Answer:
    """What is heard in a silent window: stems of zeros; and nothing that was asked for is there."""
    stems = np.zeros((question.stems, *wave.shape), np.float32)
    return Answer(stems, np.zeros(len(stems), np.float32) if question.judges else None)
