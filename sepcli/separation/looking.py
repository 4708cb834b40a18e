"""Queries by picture: checked before any work, and put into words for models that only read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sepcli.home import cache_folder
from sepcli.query.clip import Clip
from sepcli.query.labels import audioset_names
from sepcli.query.pictures import read_picture
from sepcli.query.sight import Sight
from sepcli.registry.store import Model
from sepcli.separation.plan import Job
from sepcli.separation.queries import Query


def check_pictures(queries: Iterable[Query]) -> None:
    """Decode all pictures once, so that a damaged one is refused before anything is separated.

    Raises:
        UsageError: if one is missing or damaged, or a video has none at that time.
    """
    for query in queries:
        for picture in query.pictures:
            read_picture(picture)


def put_into_words(jobs: list[Job], model: Model) -> list[Job]:
    """Jobs whose pictures have names of AudioSet's, unless the model understands pictures.

    Raises:
        ModelError: if there is no CLIP to look at them.
    """
    named = in_words((query for job in jobs for query in job.queries), model)
    if not named:
        return jobs
    return [replace(job, queries=tuple(named.get(q, q) for q in job.queries)) for job in jobs]


def in_words(queries: Iterable[Query], model: Model) -> dict[Query, Query]:
    """Those of the queries that have pictures, and the same with names for them.

    They are none if the model understands pictures.

    Raises:
        ModelError: if there is no CLIP to look at them.
    """
    shown = {query for query in queries if query.pictures and query.sight is None}
    if not shown or model.entry.query is None or model.entry.query.encoder == "clip":
        return {}
    clip = Clip(model.clip, cache_folder() / "embeddings")
    return {query: replace(query, sight=seen(query, clip)) for query in shown}


def seen(query: Query, clip: Clip) -> Sight:
    """What a query's pictures show, together."""
    return clip.name([read_picture(picture) for picture in query.pictures], audioset_names())
