"""What all tests of the loop share."""

from __future__ import annotations

import pytest

from sepcli.training.loop import curves


@pytest.fixture(autouse=True)
def no_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take longer to draw than all else here, and have tests of their own."""
    monkeypatch.setattr(curves, "plot", lambda folder: folder)
