"""How well a model separates, by `sepcli eval` on the project's own sets.

    python benchmarks/quality.py DATA [--model NAME] [--write]

DATA holds `sounds/`. Runs `sepcli eval` four times and keeps what it says, together with the
share of fold 4's clips whose own class's query is nearest to them (zero-shot accuracy of the
CLAP), and how many heard and unheard queries are called present at the model's threshold.
--write puts the figures into benchmarks/results/quality.json. Fold 4 is a test fold: score it
only for a model about to be released, and log the score in docs/training-log.md.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from sepcli.evaluation.datasets.zero_db import DEMO, DEMO_SET, esc10_words
from sepcli.evaluation.mixtures import RATE, window
from sepcli.evaluation.options import EvalOptions
from sepcli.evaluation.outcome import finish
from sepcli.evaluation.plan import plan
from sepcli.evaluation.results import ABSENT, SYSTEM, Row
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry

HERE = Path(__file__).parent
RUNS = {  # name -> data set and protocol
    "fold4": ("demo", "sepcli/queries"),
    "fold4_like": ("demo", "sepcli/like"),
    "fold4_many": ("demo-many", "sepcli/zero-db"),
    "disjoint": ("package-disjoint", "sepcli/queries"),
}
KEPT = ("notes", "dataset", "items", "items_hash", "headline", "columns", "stems", "groups")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    loaded = load(Registry().find(given.model))
    figures = {
        "model": loaded.model.name,
        "fingerprint": loaded.fingerprint,
        "zero_shot": zero_shot(loaded),
        "runs": {name: evaluated(loaded, given, *run) for name, run in RUNS.items()},
    }
    text = json.dumps(figures, indent=1, ensure_ascii=False)
    print(text)
    if given.write:
        (HERE / "results/quality.json").write_text(text + "\n")


def evaluated(
    loaded: LoadedModel, given: argparse.Namespace, dataset: str, protocol: str
) -> dict[str, Any]:
    """What one run of `sepcli eval` says."""
    root = given.data / "sounds" if dataset == "package-disjoint" else None
    with tempfile.TemporaryDirectory() as folder:
        options = EvalOptions(
            dataset=dataset,
            root=root,
            protocol=protocol,
            model=given.model,
            report=Path(folder),
            references=False,
        )
        planned = plan(options)
        list(planned.evaluation.run())
        summary = finish(planned).summary
        rows = planned.evaluation.sorted_rows()
    kept = {key: summary[key] for key in KEPT} | {"protocol": summary["protocol"]["id"]}
    if "query" in summary:
        query = {k: v for k, v in summary["query"].items() if k not in ("roc", "confusion")}
        kept["query"] = query | {"called_present": called_present(loaded, rows)}
    return kept


def called_present(loaded: LoadedModel, rows: list[Row]) -> dict[str, float]:
    """Share of heard, and of unlike, queries that are called present at the model's threshold."""
    query = loaded.model.entry.query
    assert query is not None
    at = query.presence_threshold
    heard = [row.scores["presence"] >= at for row in rows if row.system == SYSTEM]
    unlike = [
        row.scores["presence"] >= at
        for row in rows
        if row.system == ABSENT and row.facts["unlike"] == "True"
    ]
    shares = {"heard": np.mean(heard), "unlike": np.mean(unlike)}
    return {"threshold": at, **{name: round(float(share), 4) for name, share in shares.items()}}


def zero_shot(loaded: LoadedModel) -> float:
    """Share of fold 4's clips whose own class's query is the nearest to them."""
    words = esc10_words()
    texts = loaded.encoder.embed_texts([row[0] for row in words.values()])
    hits = [
        list(words)[
            int((texts @ loaded.encoder.embed_audio(window(DEMO / file)[:, None], RATE)).argmax())
        ]
        == label
        for label, files in DEMO_SET.clips.items()
        for file in files
    ]
    return round(float(np.mean(hits)), 4)


if __name__ == "__main__":
    main()
