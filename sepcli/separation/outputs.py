"""What the outputs of a job hold, and what is known of it once all was heard."""

from __future__ import annotations

import numpy as np

from sepcli.audio.windows import Wave
from sepcli.separation.engine import Hearing, Stems
from sepcli.separation.plan import Job, Output

SILENT_DB = -50.0  # RMS of a stem relative to the recording


def presence_of(output: Output, hearing: Hearing) -> float | None:
    """How sure the model is that the output's query is heard."""
    if hearing.presence is None or output.index is None:
        return None
    return float(hearing.presence[output.index])


def of_output(output: Output, block: Stems) -> Wave:
    """(samples, channels): a stem, or the sum of all and the rest at the output's gains."""
    if output.gains is not None:
        gains = np.asarray(output.gains, np.float32)
        mixed: Wave = np.einsum("k,ksc->sc", gains, block)
        return mixed
    stem: Wave = block[-1 if output.index is None else output.index]
    return stem


def levels_of(job: Job, hearing: Hearing) -> dict[Output, float | None]:
    """RMS of every output relative to the recording, dB; None for silence."""
    if not hearing.energy:
        return dict.fromkeys(job.outputs)
    ratios = np.sqrt(hearing.written_energy / hearing.energy).tolist()
    levels = (decibels(ratio) if ratio else None for ratio in ratios)
    return dict(zip(job.outputs, levels, strict=True))


def silent_outputs(job: Job, hearing: Hearing) -> list[Output]:
    """Those of the network's stems that hold nothing worth a file."""
    return [
        output
        for output, level in levels_of(job, hearing).items()
        if output.kind in ("query", "stem") and (level is None or level <= SILENT_DB)
    ]


def decibels(ratio: float) -> float:
    """20 log10, rounded to hundredths."""
    return round(20 * float(np.log10(ratio)), 2)
