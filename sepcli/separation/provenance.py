"""What a stem was made from, so that work already done can be recognised."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import sepcli
from sepcli.audio.tags import Tags, read_provenance, write_tags
from sepcli.errors import ItemError
from sepcli.hashing import sha256_of
from sepcli.registry.load import LoadedModel
from sepcli.separation.options import SeparateOptions
from sepcli.separation.plan import Job, Output

SIDECAR = ".sepcli.json"  # beside a stem whose container takes no tags


def work_key(job: Job, fingerprint: str, options: SeparateOptions) -> str:
    """A hash of everything that decides a job's stems: input, model and options.

    Raises:
        ItemError: if the input or an example has gone since the batch was planned.
    """
    examples = [path for query in job.queries for path in query.examples]
    try:
        heard = [sha256_of(path) for path in (job.info.path, *examples)]
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
        "negatives": options.negatives,
        "outputs": [[output.name, output.kind] for output in job.outputs],
        "compete": options.compete,
        "encoding": [job.encoding.container, job.encoding.subtype],
        "part": [job.start, job.duration],
        "window": options.window,
        "precision": options.precision,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def describe(
    job: Job, output: Output, loaded: LoadedModel, key: str, presence: float | None
) -> dict[str, Any]:
    """The note that goes into a stem's tags."""
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
    }


def note(partial: Path, final: Path, tags: Tags, provenance: dict[str, Any]) -> None:
    """Write the note into a finished stem, or beside it if the container takes no tags."""
    sidecar = final.with_name(final.name + SIDECAR)
    if write_tags(partial, tags, provenance):
        sidecar.unlink(missing_ok=True)
    else:
        sidecar.write_text(json.dumps(provenance, ensure_ascii=False), encoding="utf-8")


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
    """Whether all stems of a job are there and were made by the same work."""
    for output in job.outputs:
        found = read(output.path) if output.path.is_file() else None
        if found is None or found.get("key") != key:
            return False
    return True
