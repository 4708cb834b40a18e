"""How much memory a recording takes while it is in flight.

A recording streams: it holds some blocks that are decoded, the windows of one batch with their
stems, and stems that wait to be encoded, however long it is. A short one holds no more than all
of itself.
"""

from __future__ import annotations

from sepcli.registry.load import LoadedModel
from sepcli.separation.engine import DECODE_AHEAD, STEMS_AHEAD
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import Job

BUDGET = 128 << 20  # bytes of samples in flight, for every window of a batch
SAMPLE = 4  # bytes
COPIES = 2  # of a stem, at most: it is joined, resampled, summed up


def held_bytes(job: Job, loaded: LoadedModel, options: SeparateOptions, batch: int) -> int:
    """Bytes of samples that a recording holds at most while it streams.

    Args:
        job: the recording.
        loaded: its model.
        options: whose window counts.
        batch: windows of it that the device takes at once.
    """
    window = options.window or loaded.model.entry.windows.length
    seconds = DECODE_AHEAD + (batch + STEMS_AHEAD) * window
    if job.seconds:  # which not all headers tell
        seconds = min(seconds, job.seconds)
    stems = len(loaded.model.entry.stems or (*job.queries, *options.negatives)) + 1  # and the rest
    return round(seconds * job.info.rate) * job.info.channels * SAMPLE * (1 + COPIES * stems)
