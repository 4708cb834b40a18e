"""LAION-CLAP's names of tensors, and transformers' names of the same tensors.

LAION's non-fusion checkpoints hold an HTSAT audio branch, a RoBERTa text branch, and two
projections into the common space. transformers calls the branches models, spells out what LAION
abbreviates, and keeps the attention's query, key and value apart where HTSAT stacks them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from torch import Tensor

Tower = Literal["text", "audio"]

RENAMED = (  # in this order, each wherever it occurs
    ("text_branch.", "text_model."),
    ("audio_branch.bn0.", "audio_model.audio_encoder.batch_norm."),
    ("audio_branch.", "audio_model.audio_encoder."),
    (".norm1.", ".layernorm_before."),
    (".norm2.", ".layernorm_after."),
    (".attn.relative_position_bias_table", ".attention.self.relative_position_bias_table"),
    (".attn.qkv.", ".attention.self.qkv."),
    (".attn.proj.", ".attention.output.dense."),
    (".mlp.fc1.", ".intermediate.dense."),
    (".mlp.fc2.", ".output.dense."),
    ("_projection.0.", "_projection.linear1."),
    ("_projection.2.", "_projection.linear2."),
)

UNUSED = re.compile(
    r"^logit_scale_[at]$"
    r"|^(text|audio)_transform\."  # only in LAION's second training loss
    r"|^audio_branch\.(tscam_conv|head)\."  # classify AudioSet
    r"|^audio_branch\.(spectrogram_extractor|logmel_extractor)\."  # see laion_mel
    r"|\.(attn_mask|relative_position_index|position_ids|token_type_ids|num_batches_tracked)$"
)

FUSION = re.compile(r"patch_embed\.(mel_conv2d|fusion_model)\.")  # only checkpoints with fusion

PREFIXES: dict[Tower, tuple[str, ...]] = {
    "text": ("text_branch.", "text_projection.", "text_model."),
    "audio": ("audio_branch.", "audio_projection.", "audio_model."),
}

ROBERTA_HEAD = 64  # width of an attention head of RoBERTa
ROBERTA_EPSILON = 1e-5  # of its layer norms; transformers' own CLAP conversions have 1e-12
STEM = "audio_model.audio_encoder."


def of_tower(keys: list[str], tower: Tower) -> list[str]:
    """The tensors one tower needs, under either set of names."""
    return [key for key in keys if key.startswith(PREFIXES[tower]) and not UNUSED.search(key)]


def renamed(key: str, value: Tensor) -> Iterator[tuple[str, Tensor]]:
    """A LAION tensor under transformers' name or names; those are returned as they are."""
    for old, new in RENAMED:
        key = key.replace(old, new)
    if ".qkv." not in key:
        yield key, value
        return
    for part, rows in zip(("query", "key", "value"), value.chunk(3), strict=True):
        yield key.replace(".qkv.", f".{part}."), rows


def text_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """What ClapTextConfig must say of a text tower with these tensors, in transformers' names."""
    embeddings = "text_model.embeddings."
    words, width = state[embeddings + "word_embeddings.weight"].shape
    return {
        "vocab_size": words,
        "hidden_size": width,
        "num_attention_heads": width // ROBERTA_HEAD,
        "num_hidden_layers": _count(state, r"text_model\.encoder\.layer\.(\d+)\."),
        "intermediate_size": len(state["text_model.encoder.layer.0.intermediate.dense.bias"]),
        "max_position_embeddings": len(state[embeddings + "position_embeddings.weight"]),
        "projection_dim": len(state["text_projection.linear2.bias"]),
        "layer_norm_eps": ROBERTA_EPSILON,
    }


def audio_settings(state: Mapping[str, Tensor]) -> dict[str, Any]:
    """What ClapAudioConfig must say of an audio tower with these tensors: HTSAT-base or -tiny."""
    tables = [
        state[f"{STEM}layers.{stage}.blocks.0.attention.self.relative_position_bias_table"]
        for stage in range(_count(state, r"audio_encoder\.layers\.(\d+)\."))
    ]
    blocks = [rf"layers\.{stage}\.blocks\.(\d+)\." for stage in range(len(tables))]
    return {
        "patch_embeds_hidden_size": len(state[STEM + "patch_embed.proj.bias"]),
        "hidden_size": len(state[STEM + "norm.bias"]),
        "depths": [_count(state, pattern) for pattern in blocks],
        "num_attention_heads": [table.shape[1] for table in tables],
        # Two patches of a window w wide are -(w - 1) to w - 1 apart: (2w - 1)^2 offsets.
        "window_size": (math.isqrt(len(tables[0])) + 1) // 2,
        "projection_dim": len(state["audio_projection.linear2.bias"]),
    }


def _count(state: Mapping[str, Tensor], pattern: str) -> int:
    found = (re.search(pattern, key) for key in state)
    return 1 + max(int(match[1]) for match in found if match)
