"""How well a model separates, on the seeded mixtures of benchmarks/manifests.

    python benchmarks/quality.py DATA [--model NAME] [--write]

DATA holds `esc10/` and `sounds/`. Reported are SDRi and SI-SDRi against the scaled sources
(44.1 kHz, "0 dB"), with 95 % bootstrap intervals over mixtures; for ESC-10 also the loss by
paraphrasing, the presence score's AUC, and how far below the mixture an absent query's stem is.
--write puts the figures into benchmarks/results/quality.json. Fold 4 is a test fold: score it
only for a model about to be released, and log the score in docs/training-log.md.
"""

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import yaml

from sepcli.evaluation.metrics import sdr, si_sdr
from sepcli.evaluation.mixtures import RATE, Pair, read_pairs, sources_of, window
from sepcli.registry.load import LoadedModel, load
from sepcli.registry.store import Registry
from sepcli.training.ontology import Ontology

HERE = Path(__file__).parent
RESAMPLINGS = 2000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    loaded = load(Registry().find(given.model))
    queries = yaml.safe_load((HERE / "manifests/esc10_queries.yaml").read_text())
    names = {label: [row[0]] for label, row in Ontology.load().phrases.items()}
    figures = {
        "model": loaded.model.name,
        "fingerprint": loaded.fingerprint,
        "esc10_fold4": score(loaded, "esc10_fold4_0db", given.data / "esc10", queries),
        "package_disjoint": score(loaded, "package_disjoint_0db", given.data / "sounds", names),
        "zero_shot_esc10_fold4": zero_shot(loaded, given.data / "esc10", queries),
    }
    text = json.dumps(figures, indent=1)
    print(text)
    if given.write:
        (HERE / "results").mkdir(exist_ok=True)
        (HERE / "results/quality.json").write_text(text + "\n")


def score(
    loaded: LoadedModel, manifest: str, root: Path, queries: dict[str, list[str]]
) -> dict[str, object]:
    """All figures of one manifest."""
    rows = [
        row
        for pair in read_pairs(HERE / f"manifests/{manifest}.jsonl")
        for row in score_pair(loaded, pair, root, queries)
    ]
    plain = [r for r in rows if r["query"] == 0]
    figures: dict[str, object] = {"mixtures": len(plain) // 2, "targets": len(plain)}
    for metric in ("sdri", "si_sdri"):
        values = np.array([r[metric] for r in plain])
        figures[metric] = summary(values)
        figures[f"{metric}_by_class"] = by_class(plain, metric)
        figures[f"{metric}_macro"] = round(
            float(np.mean(list(by_class(plain, metric).values()))), 3
        )
        if len(rows) > len(plain):
            others = [r[metric] for r in rows if r["query"] != 0]
            figures[f"{metric}_paraphrases"] = round(float(np.mean(others)), 3)
    present = [r["presence"] for r in plain]
    absent = [r["absent_presence"] for r in plain[::2]]
    figures["presence_auc"] = round(auc(present, absent), 4)
    figures["presence_at_threshold"] = thresholded(loaded, present, absent)
    figures["absent_level_db"] = round(float(np.mean([r["absent_db"] for r in plain[::2]])), 2)
    return figures


@torch.inference_mode()
def score_pair(
    loaded: LoadedModel, pair: Pair, root: Path, queries: dict[str, list[str]]
) -> list[dict[str, float | str]]:
    """A row for every source and query of a mixture."""
    sources = sources_of(pair, root)
    mixture = sources.sum(axis=0)
    texts = [text for label in (*pair.labels, pair.absent) for text in queries[label]]
    embeddings = loaded.encoder.embed_texts(texts)
    stems, presence = loaded.network(torch.from_numpy(mixture)[None, None], embeddings, RATE)
    assert presence is not None
    estimates, heard = stems[0, :, 0].numpy(), presence[0].tolist()
    first_absent = sum(len(queries[label]) for label in pair.labels)
    absent = {
        "absent_presence": heard[first_absent],
        "absent_db": sdr.ratio_db(
            float(np.square(estimates[first_absent]).sum()), float(np.square(mixture).sum())
        ),
    }
    rows, at = [], 0
    for source, label in zip(sources, pair.labels, strict=True):
        for number in range(len(queries[label])):
            estimate = estimates[at]
            rows.append(
                {
                    "label": label,
                    "query": number,
                    "sdri": sdr.improvement(source, estimate, mixture),
                    "si_sdri": si_sdr.improvement(source, estimate, mixture),
                    "presence": heard[at],
                    **absent,
                }
            )
            at += 1
    return rows


def zero_shot(loaded: LoadedModel, root: Path, queries: dict[str, list[str]]) -> float:
    """Share of fold 4's clips whose own class's query is the nearest to them."""
    names = list(queries)
    texts = loaded.encoder.embed_texts([queries[name][0] for name in names])
    files = {
        (name, label)
        for pair in read_pairs(HERE / "manifests/esc10_fold4_0db.jsonl")
        for name, label in zip(pair.files, pair.labels, strict=True)
    }
    hits = [
        names[
            int((texts @ loaded.encoder.embed_audio(window(root / name)[:, None], RATE)).argmax())
        ]
        == label
        for name, label in sorted(files)
    ]
    return round(float(np.mean(hits)), 4)


def summary(values: np.ndarray) -> dict[str, float]:
    """Mean with its interval, and median."""
    rng = np.random.default_rng(0)
    pairs = values.reshape(-1, 2).mean(axis=1)  # both sources of a mixture go together
    means = rng.choice(pairs, (RESAMPLINGS, len(pairs))).mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    figures = {"mean": values.mean(), "low": low, "high": high, "median": np.median(values)}
    return {name: round(float(value), 3) for name, value in figures.items()}


def by_class(rows: Sequence[dict[str, float | str]], metric: str) -> dict[str, float]:
    """Mean of every class."""
    values = defaultdict(list)
    for row in rows:
        values[str(row["label"])].append(row[metric])
    return {label: round(float(np.mean(row)), 3) for label, row in sorted(values.items())}


def auc(present: Sequence[float], absent: Sequence[float]) -> float:
    """Chance that a present query scores above an absent one (Mann-Whitney)."""
    one, two = np.array(present)[:, None], np.array(absent)[None]
    return float((one > two).mean() + 0.5 * (one == two).mean())


def thresholded(
    loaded: LoadedModel, present: Sequence[float], absent: Sequence[float]
) -> dict[str, float]:
    """Share of present and of absent queries that are called present."""
    query = loaded.model.entry.query
    assert query is not None
    at = query.presence_threshold
    rates = {"present": np.mean(np.array(present) >= at), "absent": np.mean(np.array(absent) >= at)}
    return {"threshold": at, **{name: round(float(rate), 4) for name, rate in rates.items()}}


if __name__ == "__main__":
    main()
