"""Texts are read once, and forgotten when there are too many."""

from __future__ import annotations

import pytest
import torch
from conftest import Reader

from sepcli.training.mixing import embedding
from sepcli.training.mixing.embedding import Embedder, moved


def test_a_text_is_read_once() -> None:
    reader = Reader()
    embedder = Embedder(reader)
    assert embedder.text("dog") is embedder.text("dog")
    assert reader.read == ["dog"]
    assert torch.equal(embedder.text("rain").target, reader.texts(["rain"])[0])


def test_what_was_not_asked_for_longest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "HELD", 64)  # two texts, a query and a target of 16 each
    reader = Reader()
    embedder = Embedder(reader)
    for text in ("dog", "rain", "dog", "wind", "dog", "rain"):
        embedder.text(text)
    assert reader.read == ["dog", "rain", "wind", "rain"]


def test_neighbours_are_at_a_distance() -> None:
    query, direction = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 5.0]])
    expected = torch.tensor([[1.0, 0.2]]) / 1.04**0.5
    torch.testing.assert_close(moved(query, 0.2, direction), expected)
    torch.testing.assert_close(moved(query, 0.0, direction), query)
