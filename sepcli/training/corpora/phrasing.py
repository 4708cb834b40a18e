"""What captioned clips are asked for by."""

from __future__ import annotations

from dataclasses import replace

from sepcli.errors import UsageError
from sepcli.training.corpora.captions import phrases
from sepcli.training.corpora.clip import Clip


def described(clip: Clip) -> Clip:
    """The clip with phrases, if it has a caption; phrases that it has already stay.

    Raises:
        UsageError: if there are no words about the clip.
    """
    told = clip.phrases or phrases(clip.caption)
    if not (clip.labels or told):
        message = f"{clip.path} has no label, and no caption with words: {clip.caption!r}"
        raise UsageError(message, "label it, or drop its row")
    return replace(clip, phrases=told)
