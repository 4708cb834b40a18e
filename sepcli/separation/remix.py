"""From an instruction to a separation that writes one mix, of what is named and of the rest.

With stems S_k at gains g_k, and the rest R = X - sum_k S_k at gain r, the mix is
sum_k g_k S_k + r R: with all gains at 0 dB it is the recording X itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sepcli.audio.formats import EXTENSIONS
from sepcli.errors import UsageError
from sepcli.instructions.reading import Reading
from sepcli.registry.store import Model
from sepcli.sections import suggestion
from sepcli.separation.naming import slug
from sepcli.separation.options import STREAM, SeparateOptions
from sepcli.separation.queries import text_query


def remix(
    options: SeparateOptions, reading: Reading, instruction: str, model: Model
) -> SeparateOptions:
    """Options that carry out a reading.

    Args:
        options: all others; `output` is a folder, a file for a single recording, or "-".
        reading: of the instruction.
        instruction: as it was given; the mix is called by it.
        model: that separates.

    Raises:
        UsageError: if the model has fixed stems and others are named, or many recordings would be
            written to one file.
    """
    named = placed(options, slug(instruction))
    factors = {name: factor_of(gain) for name, gain in reading.gains}
    rest = factor_of(reading.rest)
    if model.entry.stems is not None:
        gains = gains_of_stems(model.entry.stems, factors, rest)
        return replace(named, gains=(*gains, rest))
    queries = tuple(replace(text_query(name), name=name, inverted=False) for name in factors)
    return replace(named, queries=queries, gains=(*factors.values(), rest), compete=True)


def gains_of_stems(
    stems: Sequence[str], factors: dict[str, float], rest: float
) -> tuple[float, ...]:
    """A factor for each of a model's fixed stems.

    Raises:
        UsageError: if a name is none of them.
    """
    for name in factors:
        if name not in stems:
            message = f"this model has no stem {name}{suggestion(name, stems)}"
            raise UsageError(message, f"it has {', '.join(stems)}; or choose another --model")
    return tuple(factors.get(stem, rest) for stem in stems)


def placed(options: SeparateOptions, called: str) -> SeparateOptions:
    """Options with the name of the mix, and its format if the output is a file.

    Raises:
        UsageError: if many recordings would be written to one file.
    """
    path = Path(options.output)
    container = path.suffix.lower().lstrip(".")
    if options.output == STREAM or path.is_dir() or not path.suffix:
        return replace(options, template=f"{{input}}.{called}.{{ext}}")
    if container not in EXTENSIONS:
        message = f"cannot write {container} files{suggestion(container, EXTENSIONS)}"
        raise UsageError(message, f"end -o in {', '.join(EXTENSIONS)}, or name a folder")
    only = len(options.inputs) == 1 and not Path(options.inputs[0]).is_dir()
    if not only:
        raise UsageError(f"many recordings, and one file {path}", "name a folder with -o")
    literal = path.name.replace("{", "{{").replace("}", "}}")
    return replace(
        options,
        output=str(path.parent),
        template=literal,
        container=options.container or container,
    )


def factor_of(gain: float) -> float:
    """Of amplitude, of a gain in dB; minus infinity gives 0."""
    return float(10 ** (gain / 20))
