"""BSS Eval by mir_eval and museval themselves, to compare our figures with.

mir_eval (Raffel et al., 2014, "mir_eval: A transparent implementation of common MIR metrics")
has v3; its separation module is announced to leave with release 0.9. museval (Stöter, Liutkus and
Ito, 2018, "The 2018 Signal Separation Evaluation Campaign") has v4. museval wants ffmpeg and
ffprobe on the path even where no file is decoded. Columns are those of `bss_eval_v3` and
`bss_eval_v4`.

Both refuse an item with a silent signal; all its figures are NaN here. What they are blind to is
what our own are blind to. With numpy 2.4 and later, both fail where references are exactly
dependent: they name an exception that numpy no longer has.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np

from sepcli.errors import ItemError, UsageError
from sepcli.evaluation.metrics import bss_eval_v3
from sepcli.evaluation.metrics.framing import undefined
from sepcli.evaluation.metrics.validation import validate
from sepcli.evaluation.scene import Array, Compat, Scene, Scores

OURS = "leave out --backend: sepcli's own metrics give the same figures"


def evaluate_mir_eval(scene: Scene, compat: Compat = "museval") -> Scores:
    """Columns sdr_v3, sir_v3 and sar_v3 in dB, by mir_eval, without permutation.

    Raises:
        ItemError: see `bss_eval_v3.validate`; or mir_eval cannot score the item.
        UsageError: if mir_eval has no separation module.
    """
    bss_eval_v3.validate(scene)
    columns = "sdr_v3", "sir_v3", "sar_v3"
    score = imported("mir_eval.separation", "mir_eval>=0.8,<0.9").bss_eval_sources
    return scored(
        scene, columns, lambda: score(scene.references[:, 0], scene.estimates[:, 0], False)
    )


def evaluate_mir_eval_images(scene: Scene, compat: Compat = "museval") -> Scores:
    """Columns sdr_images_v3, isr_v3, sir_images_v3 and sar_images_v3 in dB, by mir_eval.

    Raises:
        ItemError: see `validate`; or mir_eval cannot score the item.
        UsageError: if mir_eval has no separation module.
    """
    validate(scene)
    columns = "sdr_images_v3", "isr_v3", "sir_images_v3", "sar_images_v3"
    score = imported("mir_eval.separation", "mir_eval>=0.8,<0.9").bss_eval_images
    return scored(scene, columns, lambda: score(*samples_first(scene), False))


def evaluate_museval(scene: Scene, compat: Compat = "museval") -> Scores:
    """Columns sdr_v4, isr_v4, sir_v4 and sar_v4 in dB, of every second, by museval.

    Raises:
        ItemError: see `validate`; or museval cannot score the item.
        UsageError: if museval is not installed, or does not find ffmpeg.
    """
    validate(scene)
    columns = "sdr_v4", "isr_v4", "sir_v4", "sar_v4"
    score = imported("museval.metrics", "museval>=0.4.1").bss_eval
    second = scene.rate
    return scored(scene, columns, lambda: score(*samples_first(scene), second, second))


def samples_first(scene: Scene) -> tuple[Array, Array]:
    """References and estimates as (stems, samples, channels)."""
    return scene.references.swapaxes(1, 2), scene.estimates.swapaxes(1, 2)


def scored(scene: Scene, columns: Iterable[str], score: Callable[[], Iterable[Any]]) -> Scores:
    """The first results under the names of their columns; NaN if the item would be refused."""
    if undefined(scene.references, scene.estimates, bss_eval_v3.WHOLE, "museval").any():
        return {column: np.full(len(scene.stems), np.nan) for column in columns}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # mir_eval's, at every call
            results = score()
    except AttributeError as error:
        message = "references are exactly dependent, which the original cannot score"
        raise ItemError(f"{message} with this numpy ({error})", OURS) from error
    return dict(zip(columns, map(np.asarray, results), strict=False))


def imported(module: str, requirement: str) -> ModuleType:
    """An original's module.

    Raises:
        UsageError: if it cannot be imported, for want of the package or of ffmpeg.
    """
    package = module.split(".")[0]
    try:
        return import_module(module)
    except ImportError as error:
        remedy = f"pip install '{requirement}', or {OURS}"
        raise UsageError(f"{package} cannot be imported ({error})", remedy) from error
    except RuntimeError as error:
        remedy = f"install ffmpeg, or {OURS}"
        raise UsageError(f"{package} cannot be imported ({error})", remedy) from error
