"""The clips that a training hears."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sepcli.errors import UsageError
from sepcli.sections import suggestion
from sepcli.training.config import CorpusConfig, RunConfig
from sepcli.training.corpora.check import usable
from sepcli.training.corpora.clip import Clip, Split
from sepcli.training.corpora.guard import refuse_leaks
from sepcli.training.corpora.licences import select
from sepcli.training.corpora.readers import read_corpus
from sepcli.training.ontology import Ontology


def clips_of(config: RunConfig) -> list[Clip]:
    """The clips that a training may use, with durations: of its licences, never of a test split.

    Raises:
        UsageError: if a corpus is empty or broken, a clip belongs to a test, cannot be heard, or
            there is too little to mix or to validate on.
    """
    listed = [clip for corpus in config.corpora for clip in read(corpus)]
    refuse_leaks(listed)
    open_to_all = [clip for clip in listed if clip.split != "test"]
    clips = select(open_to_all, config.licences)
    if not clips:
        message = f"licences: {config.licences} leaves none of {len(open_to_all)} clips to train on"
        raise UsageError(message, "choose other licences, or add a corpus")
    refuse_too_little(clips, Ontology.read(config.ontology))
    return usable(clips, config.threads)


def read(corpus: CorpusConfig) -> list[Clip]:
    """The clips of a corpus, of the origins and labels that its config keeps, split as it says.

    Raises:
        UsageError: if the corpus or the list of origins cannot be read, or they have nothing in
            common, or no clip has such a label.
    """
    clips = resplit(labelled(read_corpus(corpus.kind, corpus.root), corpus), corpus)
    if corpus.origins is None:
        return clips
    try:
        lines = corpus.origins.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        message = f"cannot read {corpus.origins}: {error}"
        raise UsageError(message, "correct `origins` in the config") from error
    kept = {line.strip() for line in lines if not line.startswith("#")}
    chosen = [clip for clip in clips if clip.origin in kept]
    if not chosen:
        message = f"{corpus.origins} names no origin of {corpus.root}"
        raise UsageError(message, f"its origins are such as {clips[0].origin}")
    return chosen


def labelled(clips: list[Clip], corpus: CorpusConfig) -> list[Clip]:
    """Those with none but the labels that a config keeps.

    Raises:
        UsageError: if a label is that of no clip.
    """
    if corpus.labels is None:
        return clips
    known = {label for clip in clips for label in clip.labels}
    for label in corpus.labels:
        if label not in known:
            message = f"no clip of {corpus.root} is labelled {label}{suggestion(label, known)}"
            raise UsageError(message, "correct `labels` in the config")
    return [clip for clip in clips if clip.labels and set(clip.labels) <= set(corpus.labels)]


def resplit(clips: list[Clip], corpus: CorpusConfig) -> list[Clip]:
    """All but those of test splits either for training or, of the origins named, for validation.

    Raises:
        UsageError: if an origin is that of no clip.
    """
    if corpus.validation is None:
        return clips
    known = {clip.origin for clip in clips}
    for origin in corpus.validation:
        if origin not in known:
            message = f"no clip of {corpus.root} is from {origin}{suggestion(origin, known)}"
            raise UsageError(message, "correct `validation` in the config")
    return [clip if clip.split == "test" else moved(clip, corpus.validation) for clip in clips]


def moved(clip: Clip, validation: Sequence[str]) -> Clip:
    """A clip in the part of training that its origin belongs to."""
    split: Split = "validation" if clip.origin in validation else "train"
    return replace(clip, split=split)


def refuse_too_little(clips: Sequence[Clip], ontology: Ontology) -> None:
    """Raise UsageError if there is nothing to mix, or nothing to validate on."""
    groups = {ontology.group(clip.label) for clip in clips if clip.split == "train"}
    if len(groups) < 2:
        message = f"{len(groups)} kinds of sound in the corpora: nothing to mix"
        raise UsageError(message, "add a corpus with unlike sounds")
    if not any(clip.split == "validation" for clip in clips):
        raise UsageError("no clips to validate on", "add clips: a part of them is set aside")
