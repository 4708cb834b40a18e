"""Text to the token ids of RoBERTa, which LAION-CLAP's text tower reads.

Byte-level pairs between <s> and </s> (Liu et al., 2019). LAION's checkpoints hold no tokenizer:
it is `tokenizer.json`, or `vocab.json` with `merges.txt`, of the hub's roberta-base.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor

from sepcli.errors import ModelError

START, PAD, END = "<s>", "<pad>", "</s>"
SPECIAL = [START, PAD, END, "<unk>", "<mask>"]
REMEDY = "give tokenizer.json, or vocab.json beside merges.txt, of the hub's roberta-base"


class RobertaTokens:
    """A tokenizer whose rows are padded to the longest.

    Args:
        path: tokenizer.json, vocab.json beside merges.txt, or the folder they are in.
        most: tokens of a text that are read, with <s> and </s>.

    Raises:
        ModelError: if the file is not a RoBERTa tokenizer's.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._tokenizer = read_tokenizer(path)
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(most)
        pad = self._tokenizer.token_to_id(PAD)
        if pad is None:
            raise ModelError(f"{path} has no {PAD} token, so it is not RoBERTa's", REMEDY)
        self.pad = int(pad)

    def __call__(self, texts: Sequence[str], least: int = 0) -> tuple[Tensor, Tensor]:
        """Ids, and where there are any, both (texts, longest); `longest` is at least `least`."""
        rows: list[list[int]] = [row.ids for row in self._tokenizer.encode_batch(list(texts))]
        longest = max([least, *map(len, rows)])
        ids = torch.tensor([row + [self.pad] * (longest - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
        return ids, mask


def read_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a file or folder.

    Raises:
        ModelError: see `RobertaTokens`.
    """
    if path.is_dir():
        whole = path / "tokenizer.json"
        path = whole if whole.is_file() else path / "vocab.json"
    try:
        if path.name == "vocab.json":
            return from_pairs(path, path.with_name("merges.txt"))
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises no narrower class
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{path} is no tokenizer: {reason}", REMEDY) from error


def from_pairs(vocabulary: Path, merges: Path) -> Tokenizer:
    """The tokenizer that RoBERTa's two original files describe."""
    tokenizer = Tokenizer(models.BPE.from_file(str(vocabulary), str(merges)))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    start, end = tokenizer.token_to_id(START), tokenizer.token_to_id(END)
    if start is None or end is None:
        raise ValueError(f"it lacks {START} or {END}")
    tokenizer.post_processor = processors.RobertaProcessing(
        (END, end), (START, start), trim_offsets=True, add_prefix_space=False
    )
    known = [token for token in SPECIAL if tokenizer.token_to_id(token) is not None]
    tokenizer.add_special_tokens(known)
    return tokenizer
