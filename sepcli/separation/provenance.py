"""What a stem was made from, so that work already done can be recognised."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sepcli
from sepcli.audio.tags import Tags, read_provenance, write_tags
from sepcli.audio.writer import output_errors
from sepcli.errors import ItemError
from sepcli.hashing import sha256_of
from sepcli.registry.load import LoadedModel
from sepcli.separation.example_files import example_files
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import Job, Output
from sepcli.whole_file import written_whole

SIDECAR = ".sepcli.json"  # beside a stem whose container takes no tags


def work_key(job: Job, fingerprint: str, options: SeparateOptions) -> str:
    """A hash of everything that decides a job's stems: input, model and options.

    Raises:
        ItemError: if the input or an example or picture has gone since the batch was planned.
    """
    given = [example for query in job.queries for example in query.examples]
    examples = [path for example in given for path in example_files(example)]
    pictures = [picture.path for query in job.queries for picture in query.pictures]
    try:
        heard = [job.content or sha256_of(job.info.path)]
        heard += [sha256_of(path) for path in (*examples, *pictures)]
    except OSError as error:
        message = f"cannot read {error.filename}: {error.strerror}"
        raise ItemError(
            message, "it was there when the batch was planned: bring it back"
        ) from error
    facts = {
        "input": heard[0],
        "examples": heard[1:],
        "model": fingerprint,
        "queries": [[q.text, q.span, q.inverted, len(q.examples)] for q in job.queries],
        "pictures": [[q.sight and q.sight.label, *(p.at for p in q.pictures)] for q in job.queries],
        "negatives": options.negatives,
        "outputs": [[output.name, output.kind, output.gains] for output in job.outputs],
        "compete": options.compete,
        "drop_silent": options.drop_silent,
        "encoding": [job.encoding.container, job.encoding.subtype],
        "part": [job.start, job.duration],
        "window": options.window,
        "precision": options.precision,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def describe(
    job: Job,
    output: Output,
    loaded: LoadedModel,
    key: str,
    presence: float | None,
    silent: Sequence[Output] = (),
) -> dict[str, Any]:
    """The note that goes into a stem's tags; `silent` are those that are not written."""
    return {
        "version": sepcli.__version__,
        "model": loaded.model.name,
        "fingerprint": loaded.fingerprint,
        "source": job.info.path.name,
        "stem": output.name,
        "kind": output.kind,
        "presence": None if presence is None else round(presence, 4),
        "start": job.start,
        "duration": job.duration,
        "key": key,
        **({"silent": [other.name for other in silent]} if silent else {}),
    }


def note(partial: Path, final: Path, tags: Tags, provenance: dict[str, Any]) -> None:
    """Write the note into a finished stem, or beside it if the container takes no tags.

    Raises:
        OutputError: if the disk is full or read-only.
    """
    sidecar = final.with_name(final.name + SIDECAR)
    with output_errors(final):
        if write_tags(partial, tags, provenance):
            sidecar.unlink(missing_ok=True)
            return
        # A stem that is there is of other work: were it left, the new note would speak for it.
        final.unlink(missing_ok=True)
        with written_whole(sidecar) as whole:
            whole.write_text(json.dumps(provenance), encoding="utf-8")


def read(path: Path) -> dict[str, Any] | None:
    """A stem's note, from its tags or from beside it; None if it has none."""
    found = read_provenance(path)
    sidecar = path.with_name(path.name + SIDECAR)
    if found is None and sidecar.is_file():
        try:
            data = json.loads(sidecar.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return data if isinstance(data, dict) else None
    return found


def is_done(job: Job, key: str) -> bool:
    """Whether all stems of a job are there, but silent ones, and were made by the same work."""
    notes = {o.name: read(o.path) for o in job.outputs if o.path.is_file()}
    if not notes or any(note is None or note.get("key") != key for note in notes.values()):
        return False
    silent = {name for note in notes.values() if note for name in note.get("silent", ())}
    return all(output.name in notes or output.name in silent for output in job.outputs)


def forget(path: Path) -> None:
    """Remove a stem that an earlier run left, and its note.

    Raises:
        OutputError: if the folder is read-only.
    """
    with output_errors(path):
        for old in (path, path.with_name(path.name + SIDECAR)):
            old.unlink(missing_ok=True)
