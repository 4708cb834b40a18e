"""How often captions are split into the phrases that a person would write.

    python benchmarks/captions.py [--write]

tests/data/captions.jsonl holds captions written for this purpose, the phrases that a person wants
of each, and `heads`, the words that name a sound or its source. A caption is right if its phrases
are just those wanted, in their order, letter by letter. A phrase names no sound if it holds none of
the heads of its caption. Rules were written looking at the first half only; whoever wrote them had
also written both halves, so the second half is unseen, not independent.

Whether a place ("in the background") belongs to a phrase is a convention: here it does not, which
the reference, that keeps most of them, could not know. `reference_less_places` forgives it that.

`reference` is the parser of the reference implementation of Mahmud et al. (2024), built again from
a description: a piece is cut at literal substrings, one after another, and all of a few words are
deleted. `--write` writes results/captions.json.
"""

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from sepcli.training.corpora.caption_clauses import without_places
from sepcli.training.corpora.caption_rules import Rules
from sepcli.training.corpora.captions import phrases

HERE = Path(__file__).parent
CAPTIONS = HERE.parent / "tests/data/captions.jsonl"
CUTS = (
    *(" and is followed by", " followed by", " after which", " which is", " proceeded by"),
    *(" at a close distance", " and ", ",", " as ", " while ", " then ", " with ", " before "),
    *(
        " after ",
        " during ",
        " nearby ",
        " over ",
        " among ",
        " precedes ",
        " proceeded ",
        " which ",
    ),
)
UNCUT = (
    *("on and off", "man and woman", "and is", "bells and a horn"),
    *("clanking and clunking", "and continuously"),
)
Rule = Callable[[str], Sequence[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    rows = [json.loads(line) for line in CAPTIONS.read_text(encoding="utf-8").splitlines()]
    figures = {
        half: {
            "captions": len(part),
            "sepcli": shares(part, phrases),
            "reference": shares(part, reference_phrases),
            "reference_less_places": shares(part, less_places),
        }
        for half in ("first", "second")
        if (part := [row for row in rows if row["half"] == half])
    }
    text = json.dumps({**figures, "milliseconds_a_caption": cost(rows)}, indent=1)
    print(text)
    if given.write:
        (HERE / "results/captions.json").write_text(text + "\n")


def shares(rows: list[dict], rule: Rule) -> dict[str, float]:
    """Of captions that are right, and of phrases that name no sound."""
    found = [(list(rule(row["caption"])), row) for row in rows]
    right = sum(got == row["phrases"] for got, row in found)
    silent = [silent_phrase(phrase, row["heads"]) for got, row in found for phrase in got]
    return {
        "right": round(right / len(rows), 4),
        "phrases": len(silent),
        "name_no_sound": round(sum(silent) / len(silent), 4),
    }


def silent_phrase(phrase: str, heads: list[str]) -> bool:
    """Whether no word of a phrase names a sound."""
    return not any(word.strip(".,").lower() in heads for word in phrase.split())


def cost(rows: list[dict]) -> float:
    """CPU time of a caption."""
    start = time.process_time()
    for row in rows:
        phrases(row["caption"])
    return round((time.process_time() - start) / len(rows) * 1e3, 2)


def reference_phrases(caption: str) -> list[str]:
    """The reference's way."""
    pieces = [caption]
    for cut in CUTS:
        pieces = [part for piece in pieces for part in reference_cut(piece, cut)]
    tidy = (reference_tidy(piece) for piece in pieces)
    return [piece for piece in tidy if piece]


def less_places(caption: str) -> list[str]:
    """The reference's phrases without what our lists call a place."""
    words = (tuple(piece.split()) for piece in reference_phrases(caption))
    return [" ".join(kept) for piece in words if (kept := without_places(piece, Rules.load()))]


def reference_cut(piece: str, cut: str) -> list[str]:
    whole = cut == " and " and any(idiom in piece for idiom in UNCUT)
    return [piece] if whole else piece.split(cut)


def reference_tidy(piece: str) -> str:
    bare = piece.strip()
    for word in ("then ", "then", ","):
        bare = bare.replace(word, "")
    return bare.capitalize().replace("And ", "")


if __name__ == "__main__":
    main()
