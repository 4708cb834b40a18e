"""What is read off TIGER's shapes."""

from __future__ import annotations

import pytest
from published_layouts import golden_shapes

from sepcli.registry.convert import CONVERTERS


@pytest.mark.parametrize(
    ("kind", "name", "frames"),
    [
        ("tiger", "tiger_speech", (640, 160, 2, 16_000, 128)),
        ("tiger-dnr", "tiger_dnr", (2048, 512, 3, 44_100, 132)),
    ],
)
def test_the_references_keys_are_expected(kind: str, name: str, frames: tuple[int, ...]) -> None:
    shapes = golden_shapes(name)
    converter = CONVERTERS[kind]
    assert converter.expected(shapes) == shapes
    assert converter.network is not None
    sizes = converter.network.arguments(shapes)
    keys = ("win", "stride", "num_sources", "sample_rate", "out_channels")
    assert tuple(sizes[key] for key in keys) == frames
    same = {"in_channels": 256, "upsampling_depth": 5, "att_n_head": 4, "att_hid_chan": 4}
    assert same.items() <= sizes.items()
