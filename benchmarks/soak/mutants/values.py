"""Files that are as their headers say, but at the edge of what there is."""

from collections.abc import Iterator

import numpy as np

from benchmarks.soak.mutants.case import Must, Mutant, Wave
from benchmarks.soak.mutants.originals import aac, encoded, real_sound

NOT_NUMBERS = {"nan": np.nan, "inf": np.inf, "minus-inf": -np.inf}
COUNTS = (0, 1, 2, 100)
LOSSLESS = {"wav": "PCM_16", "flac": "PCM_16", "aiff": "PCM_16", "w64": "FLOAT", "caf": "PCM_24"}
LOSSY = {"ogg": "VORBIS", "mp3": "MPEG_LAYER_III"}
CHANNELS = (1, 3, 5, 6, 8, 16, 24, 31, 32, 33, 64, 65, 255, 1024)
MOST_CHANNELS = 64
RATES = (
    500, 999, 1000, 8000, 11025, 12000, 16000, 22050, 24000, 32000, 44055, 47999, 48000, 88200,
    96000, 176400, 192000, 352800, 384000, 768000, 768001, 2000000,
)  # fmt: skip
LOWEST, HIGHEST = 1000, 768_000  # Hz
LOW = np.hanning(129) / np.hanning(129).sum()  # a filter
RESAMPLED = 2**-11  # largest difference that two conversions leave


def not_numbers() -> Iterator[Mutant]:
    """NaN and infinity, alone among many samples; and numbers that are only nearly infinite."""
    for name, value in NOT_NUMBERS.items():
        for place, at in {"first": 0, "middle": 30_000, "last": -1}.items():
            for container in ("WAV", "AIFF", "CAF"):
                wave = real_sound().copy()
                wave[at, 1] = value
                file = f"{name}-{place}.{container.lower()}"
                content = encoded(wave, container, "FLOAT")
                yield Mutant("NaN or Inf", file, content, Must.refused)
    for value, must in ((1e300, Must.refused), (-1e39, Must.refused), (1e38, Must.honest)):
        wave = real_sound().astype(np.float64)
        wave[20_000] = value
        content = encoded(wave, "WAV", "DOUBLE")
        held = wave.astype(np.float32) if must is Must.honest else None
        yield Mutant("NaN or Inf", f"huge{value:g}.wav", content, must, held)
    tiny = (1e-40 * real_sound()).astype(np.float32)
    content = encoded(tiny, "WAV", "FLOAT")
    yield Mutant("NaN or Inf", "denormal.wav", content, Must.whole, tiny)


def few_samples() -> Iterator[Mutant]:
    """Recordings of 0, 1, 2 and 100 samples."""
    for container, subtype in (LOSSLESS | LOSSY).items():
        for count in COUNTS:
            wave = real_sound()[:count]
            content = encoded(wave, container.upper(), subtype)
            yield _few(container, count, content, wave if container in LOSSLESS else None)
    for count in COUNTS[1:]:
        yield _few("m4a", count, aac(real_sound()[:count], "ipod"), None)


def _few(extension: str, count: int, content: bytes, wave: Wave | None) -> Mutant:
    must = Must.refused if count == 0 else Must.honest if wave is None else Must.whole
    return Mutant("0 and 1 sample", f"{count}-samples.{extension}", content, must, wave)


def many_channels() -> Iterator[Mutant]:
    """1 to 1024 channels."""
    for count in CHANNELS:
        wave = real_sound(0.5, count)
        must = Must.whole if count <= MOST_CHANNELS else Must.refused
        content = encoded(wave, "WAV", "PCM_16")
        yield Mutant("channels", f"{count}-channels.wav", content, must, wave)
    for count in (4, 8):
        wave = real_sound(0.5, count)
        content = encoded(wave, "FLAC", "PCM_24")
        yield Mutant("channels", f"{count}-channels.flac", content, Must.whole, wave)
    wave = real_sound(0.5, 6)
    content = encoded(wave, "OGG", "VORBIS")
    yield Mutant("channels", "6-channels.ogg", content, Must.whole)  # decoders differ in order


def many_rates() -> Iterator[Mutant]:
    """0.5 kHz to 2 MHz; a sound that survives being resampled, as some rates are."""
    wave = soft(real_sound(0.3))
    for rate in RATES:
        must = Must.whole if LOWEST <= rate <= HIGHEST else Must.refused
        content = encoded(wave, "WAV", "PCM_16", rate)
        yield Mutant("sample rates", f"{rate}-hz.wav", content, must, wave, RESAMPLED)
        if rate < 655_350 and (rate <= 65_535 or rate % 10 == 0):  # what a FLAC header holds
            content = encoded(wave, "FLAC", "PCM_16", rate)
            yield Mutant("sample rates", f"{rate}-hz.flac", content, must, wave, RESAMPLED)


def soft(wave: Wave) -> Wave:
    """A wave without high frequencies, that begins and ends with silence."""
    low = np.stack([np.convolve(channel, LOW, "same") for channel in wave.T], axis=1)
    faded: Wave = (low * np.hanning(len(low))[:, None]).astype(np.float32)
    return faded
