"""The small CLAP from its files, and the cache of embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

import sepcli
from sepcli.nets.clap import AudioTower, TextTower
from sepcli.query.cache import EmbeddingCache
from sepcli.query.encoder import SmallClap
from sepcli.query.tokens import MOST_TOKENS, WordPieces

TOKENIZER = Path(sepcli.__file__).parent / "shipped/tokenizer.json"


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    towers = {"text": TextTower(WordPieces(TOKENIZER).size), "audio": AudioTower()}
    state = {f"{n}.{k}": v.half() for n, t in towers.items() for k, v in t.state_dict().items()}
    save_file(state, tmp_path / "clap.safetensors")
    return tmp_path / "clap.safetensors"


def test_texts(weights: Path) -> None:
    clap = SmallClap(weights, TOKENIZER)
    embeddings = clap.embed_texts(["dog barking", " Dog Barking ", "rain"])
    assert embeddings.shape == (3, clap.dimension)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))
    assert torch.equal(embeddings[0], embeddings[1])
    assert not torch.allclose(embeddings[0], embeddings[2])


def test_long_audio_is_the_mean_of_its_pieces(weights: Path) -> None:
    clap = SmallClap(weights, TOKENIZER)
    wave = np.random.default_rng(0).standard_normal((80_000, 2)).astype(np.float32)
    whole = clap.embed_audio(wave, 8000)
    halves = [clap.embed_audio(part, 8000) for part in (wave[:40_000], wave[40_000:])]
    mean = torch.nn.functional.normalize(torch.stack(halves).mean(0), dim=0)
    torch.testing.assert_close(whole, mean)


def test_what_was_embedded_once_is_read_from_disk(weights: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    first = SmallClap(weights, TOKENIZER, cache).embed_texts(["a", "b"])
    again = SmallClap(weights, TOKENIZER, cache)
    again._text.forward = None  # type: ignore[assignment]
    assert torch.equal(again.embed_texts(["b", "a"]), first.flip(0))
    wave = np.random.default_rng(0).standard_normal((800, 1)).astype(np.float32)
    heard = SmallClap(weights, TOKENIZER, cache).embed_audio(wave, 8000)
    again._audio.forward = None  # type: ignore[assignment]
    assert torch.equal(again.embed_audio(wave, 8000), heard)


def test_caches_of_other_encoders_are_not_mixed_up(tmp_path: Path) -> None:
    one, two = EmbeddingCache(tmp_path, "one"), EmbeddingCache(tmp_path, "two")
    assert one.lookup([b"x"], lambda _: torch.ones(1, 2)).sum() == 2
    assert two.lookup([b"x"], lambda _: torch.zeros(1, 2)).sum() == 0


def test_a_damaged_cache_is_computed_again(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path, "one")
    cache.lookup([b"x"], lambda _: torch.ones(1, 2))
    (file,) = tmp_path.rglob("*.npy")
    file.write_bytes(b"not an array")
    assert cache.lookup([b"x"], lambda _: torch.ones(1, 2)).sum() == 2


def test_a_cache_that_cannot_be_written_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = EmbeddingCache(tmp_path / "file", "one")
    assert cache.lookup([b"x"], lambda _: torch.ones(1, 2)).sum() == 2


def test_tokens() -> None:
    tokens = WordPieces(TOKENIZER)
    ids = tokens(["dog", "a dog barking loudly", "", "\N{DOG FACE}" * 3])
    assert ids.shape[0] == 4
    assert ids[0, 1:].sum() == 0
    assert (ids[:, 0] != 0).all()
    assert tokens(["dog " * 1000]).shape[1] == MOST_TOKENS
    vocabulary = tokens.vocabulary()
    assert vocabulary[int(ids[0, 0])] == "dog"
