"""How large the traps are that docs/metrics.md warns of, on the real clips of tests/data/esc10.

    python benchmarks/metric_traps.py

prints a table: what was done, and what a metric then said. Figures are medians over the mixtures
of every clip with the next one, both at one RMS, mono. Takes about three minutes of CPU time, most
of them in ViSQOL.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import soundfile

from sepcli.evaluation.metrics.aura_stft import aura_stft
from sepcli.evaluation.metrics.bleedless import bleedless_fullness
from sepcli.evaluation.metrics.bss_eval_v3 import bss_eval_sources
from sepcli.evaluation.metrics.clap_score import default_encoder, embed
from sepcli.evaluation.metrics.fad import fad, fad_infinity, gaussian
from sepcli.evaluation.metrics.l1_freq import l1_freq
from sepcli.evaluation.metrics.log_wmse import log_wmse
from sepcli.evaluation.metrics.loudness import loudness_error
from sepcli.evaluation.metrics.mapss import mapss
from sepcli.evaluation.metrics.mapss_backbones import raw
from sepcli.evaluation.metrics.oracles import binary_masked, ratio_masked
from sepcli.evaluation.metrics.sdr import sdr
from sepcli.evaluation.metrics.si_sdr import si_sdr
from sepcli.evaluation.metrics.stoi import stoi
from sepcli.evaluation.metrics.visqol import visqol
from sepcli.evaluation.scene import Array
from sepcli.evaluation.scoring import median_of_frames

CLIPS = Path(__file__).parents[1] / "tests/data/esc10"
RATE = 44_100
LEVEL = 0.05  # RMS of every source
Trap = Callable[[Array, Array], float]
"""A source and what it is mixed with, (1, samples) each -> figure."""


def pairs() -> Iterator[tuple[Array, Array]]:
    """Every clip with the next one."""
    waves = [soundfile.read(path)[0] for path in sorted(CLIPS.glob("*.ogg"))]
    waves = [LEVEL * wave / np.sqrt(np.square(wave).mean()) for wave in waves]
    for one, other in zip(waves, waves[1:] + waves[:1], strict=True):
        length = min(len(one), len(other))
        yield one[None, :length], other[None, :length]


def tone(like: Array, hertz: float) -> Array:
    """A sine as loud as every source."""
    return np.sqrt(2) * LEVEL * np.sin(2 * np.pi * hertz * np.arange(like.shape[-1]) / RATE)[None]


def noise(like: Array, level: float = LEVEL) -> Array:
    """White noise of an RMS."""
    return level * np.random.default_rng(0).standard_normal(like.shape)


def good(s: Array, n: Array) -> Array:
    """An estimate with a tenth of the other source's energy."""
    return s + np.sqrt(0.1) * n


def forgiven(s: Array, n: Array) -> float:
    """v3 SDR of an estimate that came 2 ms late."""
    late = np.roll(s, 88)
    return float(bss_eval_sources(np.stack([s[0], n[0]]), np.stack([late[0], n[0]])).sdr[0])


def masked(s: Array, n: Array, mask: Callable[..., Array]) -> float:
    """SDR of an oracle."""
    return sdr(s, mask(np.stack([s, n]), s + n, RATE)[0])


def heard(one: Array, other: Array) -> float:
    """Cosine of two signals' CLAP embeddings."""
    return float(embed(default_encoder(), one, RATE) @ embed(default_encoder(), other, RATE))


def opinion(s: Array, e: Array) -> float:
    """ViSQOL of two seconds."""
    return visqol(s[..., : 2 * RATE], e[..., : 2 * RATE], RATE)


def manifold(s: Array, n: Array, seed: int) -> float:
    """Median PM of one second."""
    references = np.stack([s, n])[..., :RATE]
    estimates = np.stack([good(s, n), good(n, s)])[..., :RATE]
    _, pm = mapss(references, estimates, RATE, raw, seed)
    return median_of_frames(pm[0])


TRAPS: dict[str, Trap] = {
    "sdr: perfect but 1 dB too loud": lambda s, _: sdr(s, s * 10 ** (1 / 20)),
    "sdr: perfect but one sample late": lambda s, _: sdr(s, np.roll(s, 1)),
    "si_sdr: perfect but one sample late": lambda s, _: si_sdr(s, np.roll(s, 1)),
    "sdr: 2 ms late": lambda s, _: sdr(s, np.roll(s, 88)),
    "sdr_v3: 2 ms late": forgiven,
    "log_wmse: plus a tone at 1 kHz": lambda s, n: log_wmse(s, s + tone(s, 1000), s + n, RATE),
    "log_wmse: plus a tone at 40 Hz": lambda s, n: log_wmse(s, s + tone(s, 40), s + n, RATE),
    "loudness_error: noise": lambda s, _: loudness_error(s, noise(s), RATE),
    "stoi: a tenth of the other's energy": lambda s, n: stoi(s, good(s, n), RATE),
    "stoi: plus a tone at 6 kHz, 10 dB louder": lambda s, _: stoi(
        s, s + np.sqrt(10) * tone(s, 6000), RATE
    ),
    "l1_freq: mixture": lambda s, n: l1_freq(s, s + n),
    "l1_freq: mixture, all 20 dB down": lambda s, n: l1_freq(0.1 * s, 0.1 * (s + n)),
    "bleedless: mixture": lambda s, n: bleedless_fullness(s, s + n, RATE)[0],
    "fullness: mixture": lambda s, n: bleedless_fullness(s, s + n, RATE)[1],
    "bleedless: silence": lambda s, _: bleedless_fullness(s, 0 * s, RATE)[0],
    "bleedless: perfect but 1 dB too loud": lambda s, _: bleedless_fullness(s, 1.122 * s, RATE)[0],
    "aura_stft: a tenth of the other's energy": lambda s, n: aura_stft(s, good(s, n)),
    "aura_stft: plus noise of -66 dBFS": lambda s, _: aura_stft(s, s + noise(s, 0.0005)),
    "sdr: plus noise of -66 dBFS": lambda s, _: sdr(s, s + noise(s, 0.0005)),
    "visqol: mixture": lambda s, n: opinion(s, s + n),
    "visqol: noise": lambda s, _: opinion(s, noise(s)),
    "mapss_pm: seed 42": lambda s, n: manifold(s, n, 42),
    "mapss_pm: seed 43": lambda s, n: manifold(s, n, 43),
    "clap_score_a: mixture": lambda s, n: heard(s, s + n),
    "clap_score_a: the other source": heard,
    "clap_score_a: perfect but clipped at a third of its RMS": lambda s, _: heard(
        s, np.clip(s, -LEVEL / 3, LEVEL / 3)
    ),
    "sdr: oracle-irm": lambda s, n: masked(s, n, ratio_masked),
    "sdr: oracle-ibm": lambda s, n: masked(s, n, binary_masked),
}


def bias(count: int) -> tuple[float, float]:
    """FAD and FAD-infinity of two equal distributions of 64 dimensions and unit variance."""
    one, two = np.random.default_rng(0).standard_normal((2, count, 64))
    return fad(one, two), fad_infinity(gaussian(one), two)


def main() -> None:
    """Print all figures."""
    mixtures = list(pairs())
    print("| trap | figure |\n|---|---|")
    for name, trap in TRAPS.items():
        print(f"| {name} | {np.nanmedian([trap(*pair) for pair in mixtures]):.3f} |", flush=True)
    for count in (100, 1000, 10_000):
        print(
            "| fad, fad_infinity: {} equal samples | {:.2f}, {:.2f} |".format(count, *bias(count))
        )


if __name__ == "__main__":
    main()
