"""One recording through a model: decode, cut, separate, join, and give out stems with a rest.

Everything runs as a chain of generators over blocks, two of them in threads of their own, so
that decoding, the network and encoding overlap and memory does not grow with the recording.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from sepcli.audio.reader import AudioInfo, blocks
from sepcli.audio.resample import StemResampler, resampled
from sepcli.audio.windows import Joiner, Layout, Wave, Window, cut
from sepcli.errors import ItemError, ModelError
from sepcli.query.clip import Clip
from sepcli.query.encoder import QueryEncoder
from sepcli.query.pictures import read_picture
from sepcli.registry.load import LoadedModel, encoder_fingerprint
from sepcli.separation.background import in_background
from sepcli.separation.examples import direction_of, excerpt
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import Job
from sepcli.separation.queries import Query
from sepcli.separation.runner import Answer, Question, Runner, in_order

Stems = NDArray[np.float32]  # (stems, samples, channels)

DECODE_AHEAD = 4  # blocks of about a second
STEMS_AHEAD = 2  # joined windows


@dataclass
class Hearing:
    """What is learnt of a recording while it streams by."""

    presence: NDArray[np.float32] | None = None  # (stems,), highest of any window
    mismatch: float = 0.0  # peak of recording - (stems + rest)
    energy: float = 0.0  # of the recording
    written_energy: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))  # of outputs

    def hear(self, answer: Answer) -> None:
        """Take note of a window's presences."""
        if answer.presence is not None:
            before = answer.presence if self.presence is None else self.presence
            self.presence = np.maximum(before, answer.presence)

    def write(self, given: Stems) -> None:
        """Take note of what is written, (outputs, samples, channels)."""
        energy = np.square(given, dtype=np.float64).sum(axis=(1, 2))
        self.written_energy = self.written_energy + energy


def ask(job: Job, loaded: LoadedModel, options: SeparateOptions) -> Question:
    """Embed a job's queries and the negatives."""
    channels, unordered = loaded.model.entry.channels, loaded.model.entry.unordered
    if loaded.model.entry.query is None:
        return Question(None, compete=options.compete, channels=channels, unordered=unordered)
    encoder = loaded.encoder
    identity = encoder_fingerprint(loaded.model)
    rows = [embed(query, job.info, encoder, identity) for query in job.queries]
    if options.negatives:
        rows += list(encoder.embed_texts(options.negatives))
    negatives = len(options.negatives)
    return Question(torch.stack(rows), negatives, options.compete, channels)


def embed(query: Query, info: AudioInfo, encoder: QueryEncoder, fingerprint: str) -> torch.Tensor:
    """(embedding,): the mean direction of all that the query says, and the mean length.

    The encoder's fingerprint tells whether an embedding that was kept is one of its own.
    The length is 1 for all encoders but CLIP, whose lengths a network may have learnt.
    """
    rows = [direction_of(example, encoder, fingerprint) for example in query.examples]
    if query.span is not None:
        start, end = query.span
        rows.append(encoder.embed_audio(*excerpt(info, start, end - start)))
    if query.text is not None:
        rows.append(encoder.embed_texts([query.text])[0])
    if query.sight is not None:
        rows.append(encoder.embed_texts([query.sight.label])[0])
    elif query.pictures:
        rows += looked_at(query, encoder)
    said = torch.stack(rows)
    lengths: torch.Tensor = said.norm(dim=-1)
    return torch.nn.functional.normalize(said.mean(dim=0), dim=-1) * lengths.mean()


def looked_at(query: Query, encoder: QueryEncoder) -> list[torch.Tensor]:
    """Embeddings of a query's pictures, (embedding,) each.

    Raises:
        ModelError: if the model does not understand pictures, and nobody put them into words.
    """
    if not isinstance(encoder, Clip):
        raise ModelError("this model understands no pictures", "ask with words")
    return list(encoder.embed_images([read_picture(picture) for picture in query.pictures]))


def separate(
    job: Job,
    question: Question,
    loaded: LoadedModel,
    runner: Runner,
    options: SeparateOptions,
    hearing: Hearing,
) -> Generator[Stems]:
    """Blocks of all stems and, last, the rest: (stems + 1, samples, channels).

    Concatenated they are as long as the recording, and sum to it.
    """
    info = job.info
    decoded = in_background(blocks(info, job.start, job.duration), DECODE_AHEAD)
    passed: deque[Wave] = deque()  # decoded, and waiting for its stems

    def tapped() -> Iterator[Wave]:
        for block in decoded:
            passed.append(block)
            yield block

    stems = separated(
        tapped(), info.rate, info.channels, question, loaded, runner, options, hearing
    )
    joined = in_background(stems, STEMS_AHEAD)
    try:
        wanted = joined if job.stems is None else (s[list(job.stems)] for s in joined)
        yield from with_rest(wanted, passed, [q.inverted for q in job.queries], hearing)
    finally:
        joined.close()
        decoded.close()


def separated(
    source: Iterable[Wave],
    rate: int,
    channels: int,
    question: Question,
    loaded: LoadedModel,
    runner: Runner,
    options: SeparateOptions,
    hearing: Hearing,
) -> Iterator[Stems]:
    """Blocks of stems of a recording that comes in blocks of `rate` Hz, at that same rate."""
    inner = loaded.rate_for(rate)
    layout = layout_for(loaded, options, inner)
    windows = cut(resampled(source, rate, inner, channels), layout)
    answers = answered(windows, question, runner, inner, hearing)
    ordered = in_order(answers, question, inner)
    return joined_stems(ordered, layout, StemRates(channels, inner, rate))


def layout_for(loaded: LoadedModel, options: SeparateOptions, rate: int) -> Layout:
    """Window lengths in samples; a window given by the user shrinks the overlap with it."""
    windows = loaded.model.entry.windows
    scale = 1.0 if options.window is None else min(1.0, options.window / windows.length)
    length = options.window or windows.length
    context, fade = windows.context * scale, windows.fade * scale
    return Layout.of(rate, length, context, fade, loaded.grid(rate))


def answered(
    windows: Iterable[Window], question: Question, runner: Runner, rate: int, hearing: Hearing
) -> Iterator[tuple[Window, Stems]]:
    """Every window with its stems, asked in batches of windows of one length."""
    batch: list[Window] = []
    for window in windows:
        if batch and len(window.wave) != len(batch[0].wave):
            yield from answered_batch(batch, question, runner, rate, hearing)
            batch = []
        batch.append(window)
        if len(batch) >= runner.batch:
            yield from answered_batch(batch, question, runner, rate, hearing)
            batch = []
    if batch:
        yield from answered_batch(batch, question, runner, rate, hearing)


def answered_batch(
    batch: Sequence[Window], question: Question, runner: Runner, rate: int, hearing: Hearing
) -> Iterator[tuple[Window, Stems]]:
    """A batch's windows with their stems."""
    answers = runner.answer([window.wave for window in batch], question, rate)
    for window, answer in zip(batch, answers, strict=True):
        if not np.isfinite(answer.stems).all():
            raise ItemError("the network gave values that are not numbers", "try --precision fp32")
        hearing.hear(answer)
        yield window, answer.stems


@dataclass(frozen=True)
class StemRates:
    """Channels of stems, and the rates in Hz at which they are made and wanted."""

    channels: int
    made: int
    wanted: int


def joined_stems(
    answers: Iterable[tuple[Window, Stems]], layout: Layout, rates: StemRates
) -> Iterator[Stems]:
    """Stems at the recording's own rate, cross-faded where windows meet."""
    joiner, resampler = Joiner(layout), None
    for window, stems in answers:
        if resampler is None:
            resampler = StemResampler(len(stems), rates.channels, rates.made, rates.wanted)
        yield resampler.add(joiner.add(window, stems), window.last)


def with_rest(
    joined: Iterable[Stems], passed: deque[Wave], inverted: Sequence[bool], hearing: Hearing
) -> Iterator[Stems]:
    """Append the rest to the stems and turn round those of which everything else is wanted."""
    stems = None
    for stems in joined:
        mixture = take(passed, stems.shape[1])
        yield complete(mixture, stems[:, : len(mixture)], inverted, hearing)
    # A resampled stem may be a few samples short in the end: silence fills it.
    if passed and stems is not None:
        mixture = np.concatenate(list(passed))
        passed.clear()
        silence = np.zeros((len(stems), *mixture.shape), np.float32)
        yield complete(mixture, silence, inverted, hearing)


def complete(mixture: Wave, stems: Stems, inverted: Sequence[bool], hearing: Hearing) -> Stems:
    """(stems + 1, samples, channels): the stems, inverted where asked, and the rest."""
    rest = mixture - stems.sum(axis=0)
    error = mixture.astype(np.float64) - stems.sum(axis=0, dtype=np.float64) - rest
    hearing.mismatch = max(hearing.mismatch, float(np.abs(error).max(initial=0.0)))
    given = [mixture - s if turn else s for s, turn in zip(stems, inverted, strict=False)]
    given += list(stems[len(inverted) :])
    block: Stems = np.stack([*given, rest])
    hearing.energy += float(np.square(mixture, dtype=np.float64).sum())
    return block


def take(passed: deque[Wave], samples: int) -> Wave:
    """Up to `samples` of what has passed, removed from it."""
    parts: list[Wave] = []
    while samples and passed:
        block = passed.popleft()
        if len(block) > samples:
            passed.appendleft(block[samples:])
            block = block[:samples]
        parts.append(block)
        samples -= len(block)
    return np.concatenate(parts) if parts else np.zeros((0, 1), np.float32)
