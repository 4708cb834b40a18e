"""What a second of 44.1 kHz stereo costs on one core besides the network, and where.

    python -m benchmarks.front_end [--write]

Two minutes of the example mixture, tiled, 16 bit. `whole`: `sepcli separate` with the default
model's transform and, in place of its layers, a mask of 0.5 everywhere; from the file to the stem
under its own name, with hash, tags and levels. `whole_resampled`: the same for a model that wants
32 kHz, to which the recording is converted, and its stem back. `stages`: what the whole is made of,
each by itself over all windows. CPU milliseconds of one thread for a second of audio, the best of
several runs; the limit is 10. --write puts them into benchmarks/results/front_end.json.
"""

import argparse
import json
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

import soundfile
import torch
from torch import Tensor

from benchmarks.speed import RATE, tile
from sepcli.audio.formats import Encoding
from sepcli.audio.reader import blocks, probe
from sepcli.audio.resample import StemResampler, resampled
from sepcli.audio.stft import stft
from sepcli.audio.windows import Joiner, Layout, Wave, Window, cut
from sepcli.audio.writer import StemWriter
from sepcli.hashing import sha256_of
from sepcli.nets.band_unet import BandUNet, filtered
from sepcli.nets.bands import BINS, common_magnitude
from sepcli.nets.presence import Answer
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry
from sepcli.separation.engine import Hearing, Stems, layout_for, with_rest
from sepcli.separation.inputs import expand
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import plan
from sepcli.separation.queries import text_query
from sepcli.separation.run import Batch

HERE = Path(__file__).parent
SECONDS = 120
RUNS = 5
LIMIT = 10.0  # ms for a second
OTHER_RATE = 32_000  # Hz, that of AudioSep
WAV, FLAC = Encoding("WAV", "PCM_16", "wav"), Encoding("FLAC", "PCM_16", "flac")


class Halves(BandUNet):
    """A BandUNet that leaves out all of its layers."""

    def answer(self, magnitude: Tensor, queries: Tensor) -> Answer:
        """A mask of 0.5, made of nothing."""
        masks = magnitude.new_full((*queries.shape[:2], *magnitude.shape[1:]), 0.5)
        return Answer(magnitude, queries, masks, masks, masks, masks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        figures = measure(Path(folder))
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results/front_end.json").write_text(text + "\n")


def measure(folder: Path) -> dict[str, object]:
    """All figures."""
    wav, flac = folder / "mix.wav", folder / "mix.flac"
    tile(wav, SECONDS)
    soundfile.write(flac, soundfile.read(wav, dtype="int16")[0], RATE, "PCM_16")
    loaded = replace(load(Registry().find(None)), network=Halves(presence="none").eval())
    entry = loaded.model.entry.model_copy(update={"sample_rate": OTHER_RATE})
    other = replace(loaded, model=replace(loaded.model, entry=entry))
    return {
        "seconds": SECONDS,
        "limit": LIMIT,
        "whole": {path.suffix[1:]: best(separated(path, loaded)) for path in (wav, flac)},
        "whole_resampled": {path.suffix[1:]: best(separated(path, other)) for path in (wav, flac)},
        "stages": stages(wav, flac, loaded),
    }


def best(call: Callable[[], object]) -> float:
    """CPU milliseconds for a second of audio."""
    times = []
    for _ in range(RUNS):
        start = time.process_time()
        call()
        times.append(time.process_time() - start)
    return round(1000 * min(times) / SECONDS, 2)


def separated(
    path: Path, loaded: LoadedModel, words: Sequence[str] = ("dog barking",)
) -> Callable[[], object]:
    """A run that separates a file, warmed up."""
    numbers = count()

    def run() -> None:
        options = SeparateOptions(
            (str(path),),
            tuple(map(text_query, words)),
            output=str(path.parent / f"out{next(numbers)}"),
        )
        jobs, _ = plan(expand(options.inputs, recursive=False), options, loaded.model)
        path.touch()  # its hash is not remembered
        for _ in Batch(options, loaded).work(jobs, []):
            pass

    run()
    return run


def stages(wav: Path, flac: Path, loaded: LoadedModel) -> dict[str, float]:
    """Each by itself, on what the one before made."""
    decoded = list(blocks(probe(wav)))
    layout = layout_for(loaded, SeparateOptions(()), RATE)
    windows = list(cut(decoded, layout))
    waves = [torch.from_numpy(window.wave.T.copy())[None] for window in windows]
    spectra = [stft(wave, RATE) for wave in waves]
    given = joined(windows, decoded, layout)
    return {
        "decode_wav": best(lambda: deque(blocks(probe(wav)), 0)),
        "decode_flac": best(lambda: deque(blocks(probe(flac)), 0)),
        "hash": best(lambda: digest(wav)),
        "cut": best(lambda: deque(cut(decoded, layout), 0)),
        "stft": best(lambda: [common_magnitude(stft(wave, RATE)) for wave in waves]),
        "istft": best(lambda: [halved(spec, layout.window) for spec in spectra]),
        "join": best(lambda: joined(windows, decoded, layout)),
        "encode_wav": best(lambda: encode(wav.with_name("o.wav"), given, WAV)),
        "encode_flac": best(lambda: encode(flac.with_name("o.flac"), given, FLAC)),
        "resample": best(lambda: there_and_back(decoded)),
    }


def digest(path: Path) -> str:
    """A file's hash, of which none is remembered."""
    path.touch()
    return sha256_of(path)


def halved(spec: Tensor, samples: int) -> Tensor:
    """A spectrogram (1, channels, bins, frames) filtered by a mask of 0.5."""
    return filtered(spec, spec.real.new_full((1, 1, BINS, spec.shape[-1]), 0.5), RATE, samples)


def joined(windows: list[Window], decoded: list[Wave], layout: Layout) -> list[Stems]:
    """Blocks of the stem, cross-faded, with the rest and the levels taken note of."""
    joiner, hearing = Joiner(layout), Hearing()
    stems = (joiner.add(window, window.wave[None]) for window in windows)
    given = [block[:1] for block in with_rest(stems, deque(decoded), [False], hearing)]
    for block in given:
        hearing.write(block)
    return given


def encode(path: Path, given: list[Stems], encoding: Encoding) -> None:
    """Blocks of a stem into a file."""
    with StemWriter([path], None, RATE, 2, encoding) as writer:
        for block in given:
            writer.write(block)
        writer.finish()
        writer.commit()


def there_and_back(decoded: list[Wave]) -> None:
    """To the other rate, and as a stem to that of the recording."""
    back = StemResampler(1, 2, OTHER_RATE, RATE)
    *blocks_before, last = resampled(decoded, RATE, OTHER_RATE, 2)
    for block in blocks_before:
        back.add(block[None], last=False)
    back.add(last[None], last=True)


if __name__ == "__main__":
    main()
