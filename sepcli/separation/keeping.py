"""Queries made once and kept in a file, to be asked with again."""

from __future__ import annotations

from pathlib import Path

from sepcli.errors import UsageError
from sepcli.query.embedding_file import SUFFIX, write_embedding
from sepcli.registry.load import encoder_fingerprint, load_encoder
from sepcli.registry.store import Model
from sepcli.separation.example_files import check_example, example_files
from sepcli.separation.examples import direction_of, mean_direction
from sepcli.separation.queries import text_query


def keep_embedding(
    examples: tuple[Path, ...], texts: tuple[str, ...], target: Path, model: Model, replace: bool
) -> int:
    """Write the mean direction of examples and texts.

    Args:
        examples: recordings, folders of them, or embeddings that were kept.
        texts: descriptions.
        target: the file.
        model: whose encoder is used.
        replace: whether a file that is there may go.

    Returns:
        how many recordings were listened to.

    Raises:
        UsageError: if there is nothing to embed, something is missing, or the target is there.
        ItemError: if a recording cannot be read, or is silent.
        OutputError: if the disk is full or read-only.
    """
    if not examples and not texts:
        raise UsageError("nothing to embed", "give recordings, a folder, or --text")
    if target.suffix.lower() != SUFFIX or target.is_dir():
        raise UsageError(f"{target} is no name for an embedding", f"end -o in {SUFFIX}")
    if target.exists() and not replace:
        raise UsageError(f"{target} is there already", "give --overwrite, or another -o")
    for example in examples:
        check_example(example)
    words = [query.text or query.name for query in map(text_query, texts)]
    encoder, identity = load_encoder(model), encoder_fingerprint(model)
    rows = [direction_of(example, encoder, identity) for example in examples]
    rows += list(encoder.embed_texts(words)) if words else []
    files = [file for example in examples for file in example_files(example)]
    made_of = [*(file.name for file in files), *words]
    write_embedding(target, mean_direction(rows), identity, made_of)
    return len(files)
