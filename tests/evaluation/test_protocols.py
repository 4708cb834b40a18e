"""Protocols say what a figure means."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from sepcli.errors import UsageError
from sepcli.evaluation.metrics.catalogue import METRICS
from sepcli.evaluation.protocols import Protocol, find_protocol, protocols


@pytest.mark.parametrize("name", protocols())
def test_every_protocol_names_metrics_that_give_its_primary_column(name: str) -> None:
    protocol = protocols()[name]
    columns = {column for metric in protocol.metrics for column in METRICS[metric].columns}
    assert protocol.primary in columns
    if protocol.remainder is not None:
        assert protocol.stems is not None
        assert set(protocol.stems) == {*protocol.prompts, protocol.remainder}


def test_the_digest_changes_with_any_part() -> None:
    base = find_protocol("lass/audiosep-sdri")
    for change in ({"rate": 16000}, {"compat": "mdx"}, {"mono": False}, {"prompts": {"a": "b"}}):
        assert Protocol(**{**base.model_dump(), **change}).digest != base.digest
    assert Protocol(**base.model_dump()).digest == base.digest


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"did you mean musdb18hq/mdx-usdr\?"):
        find_protocol("musdb18hq/mdx-sdr")


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError):
        Protocol(**{**find_protocol("folder/si-sdr").model_dump(), "epsilon": 1})
