"""Retrieval figures against counts by hand."""

from __future__ import annotations

import pytest
import torch

from sepcli.training.clap_figures import recalls


def test_recall_counts_labels_that_are_found_among_the_nearest() -> None:
    # Three labels of which the last has no sound; four sounds of labels 0, 1, 1, 0.
    likeness = torch.tensor(
        [[0.1, 0.9, 0.5], [0.2, 0.8, 0.4], [0.3, 0.1, 0.3], [0.9, 0.3, 0.2]],
    )
    found = recalls(likeness, torch.tensor([0, 1, 1, 0]))
    # Label 0's nearest sound is the fourth, which is right; label 1's is the first, which is not.
    assert found["recall_1"] == pytest.approx(0.5)
    assert found["recall_10"] == 1.0


def test_a_label_whose_sounds_are_far_away() -> None:
    likeness = torch.linspace(1, 0, 12)[:, None]
    found = recalls(likeness, torch.tensor([1] * 10 + [0] * 2))
    assert found == {"recall_1": 0.0, "recall_10": 0.0}
