"""A CLIP of a few thousand random weights with its tokenizer, as the hub lays one out."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPConfig, CLIPModel

DIMENSION, SIDE = 12, 32  # of embeddings; of pictures, pixels
SPECIAL = ("<|startoftext|>", "<|endoftext|>")
SMALL = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
}


def write_clip(folder: Path, dimension: int = DIMENSION) -> Path:
    """A folder with config.json, model.safetensors and a tokenizer of single letters."""
    letters = sorted(ByteLevel.alphabet())
    words = [*letters, *(letter + "</w>" for letter in letters), *SPECIAL]
    end = len(words) - 1
    ids = {"bos_token_id": end - 1, "eos_token_id": end, "pad_token_id": end}
    torch.manual_seed(0)
    config = CLIPConfig(
        text_config={**SMALL, **ids, "vocab_size": len(words), "max_position_embeddings": 77},
        vision_config={**SMALL, "image_size": SIDE, "patch_size": 8},
        projection_dim=dimension,
    )
    network = CLIPModel(config)
    for weight in network.parameters():  # far from the little that new ones begin with
        weight.data += 0.3 * torch.randn_like(weight)
    network.save_pretrained(folder)
    vocabulary = {word: number for number, word in enumerate(words)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return folder
