"""RoBERTa's tokenizer from either of its forms, against transformers' own."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer, models
from transformers import RobertaTokenizer

from sepcli.errors import ModelError
from sepcli.query.laion_tokens import RobertaTokens, from_pairs

TEXTS = ["a dog barks", "Rain, on a  roof", "", "\N{DOG FACE}<mask>"]


def test_ids_are_those_of_transformers(roberta: Path) -> None:
    ids, mask = RobertaTokens(roberta, 77)(TEXTS)
    theirs = RobertaTokenizer.from_pretrained(roberta, local_files_only=True)(TEXTS, padding=True)
    assert ids.tolist() == theirs["input_ids"]
    assert mask.tolist() == theirs["attention_mask"]


@pytest.mark.parametrize("name", ["vocab.json", "tokenizer.json", ""])
def test_forms_of_the_tokenizer_agree(name: str, roberta: Path, tmp_path: Path) -> None:
    for file in ("vocab.json", "merges.txt"):
        (tmp_path / file).write_bytes((roberta / file).read_bytes())
    whole = from_pairs(roberta / "vocab.json", roberta / "merges.txt")
    whole.save(str(tmp_path / "tokenizer.json"))
    ids, _ = RobertaTokens(tmp_path / name, 77)(TEXTS)
    assert ids.tolist() == RobertaTokens(roberta, 77)(TEXTS)[0].tolist()


def test_rows_are_padded_to_the_longest_or_to_least_and_cut_at_most(roberta: Path) -> None:
    tokens = RobertaTokens(roberta, 8)
    ids, mask = tokens(["a", "a dog"])
    assert ids.shape == mask.shape == (2, int(mask.sum(dim=1).max()))
    assert (ids[mask == 0] == tokens.pad).all()
    assert tokens(["a"], least=8)[0].shape == (1, 8)
    long, all_there = tokens(["dog " * 100])
    assert long.shape == (1, 8)
    assert all_there.all()
    assert int(long[0, -1]) == int(ids[0, mask[0].sum() - 1])  # </s> stays


def test_other_files_are_refused(roberta: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no tokenizer"):
        RobertaTokens(tmp_path / "tokenizer.json", 77)
    (tmp_path / "vocab.json").write_text('{"a": 0}')
    (tmp_path / "merges.txt").write_text("#version: 0.2\n")
    with pytest.raises(ModelError, match="lacks <s>") as caught:
        RobertaTokens(tmp_path, 77)
    assert "roberta-base" in caught.value.remedy
    Tokenizer(models.BPE({"a": 0}, [])).save(str(tmp_path / "other.json"))
    with pytest.raises(ModelError, match="no <pad> token"):
        RobertaTokens(tmp_path / "other.json", 77)
