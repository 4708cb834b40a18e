"""Licences, in the many ways in which they are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sepcli.errors import UsageError
from sepcli.training.corpora.clip import Clip
from sepcli.training.corpora.licences import family, permissive, select, shippable, spelled

AClip = Callable[..., Clip]


@pytest.mark.parametrize(
    ("written", "spelling", "kin"),
    [
        ("CC0-1.0", "cc0-1", "cc0"),
        ("Creative Commons Zero 1.0..", "cc0-1", "cc0"),
        ("Creative Commons 0", "cc0", "cc0"),
        ("CC-BY-3.0", "cc-by-3", "cc-by"),
        ("CC-BY-3", "cc-by-3", "cc-by"),
        ("CC BY 4.0", "cc-by-4", "cc-by"),
        ("Creative Commons Attribution 3.0", "cc-by-3", "cc-by"),
        ("Attribution", "cc-by", "cc-by"),
        ("Attribution NonCommercial", "cc-by-nc", "cc-by-nc"),
        ("Creative Commons Attribution-ShareAlike 4.0", "cc-by-sa-4", "cc-by-sa"),
        ("Creative Commons Attribution-NoDerivs 3.0", "cc-by-nd-3", "cc-by-nd"),
        ("CC-BY-SA-3.0-AU", "cc-by-sa-3-au", "cc-by-sa"),
        ("CC-BY-SA-3.0+", "cc-by-sa-3+", "cc-by-sa"),
        ("CC BY-NC-SA 4.0 International", "cc-by-nc-sa-4-international", "cc-by-nc-sa"),
        ("CC-Sampling+", "cc-sampling+", "cc-sampling+"),
        ("CC-sampling-plus-1.0", "cc-sampling+-1", "cc-sampling+"),
        ("Sampling+", "cc-sampling+", "cc-sampling+"),
        ("public domain", "public-domain", "public-domain"),
        ("Expat", "mit", "mit"),
        ("MIT License", "mit-license", "mit"),
        ("BSD-3-clause", "bsd-3-clause", "bsd"),
        ("0BSD", "bsd", "bsd"),
        ("Apache License 2.0", "apache-license-2", "apache"),
        ("LGPL-3.0-or-later", "lgpl-3-or-later", "lgpl"),
        ("GNU GPL v2", "gpl-v2", "gpl"),
        ("MPL-2.0", "mpl-2", "mpl"),
        ("all rights reserved", "all-rights-reserved", ""),
        ("GPLish", "gplish", ""),
        ("?", "?", ""),
    ],
)
def test_spellings(written: str, spelling: str, kin: str) -> None:
    assert spelled(written) == spelling
    assert family(written) == kin


@pytest.mark.parametrize(
    ("licence", "for_a_name", "for_shipping"),
    [
        ("CC0", True, True),
        ("CC-BY-3.0 or CC0 (game content)", True, True),
        ("CC-BY-3.0 and CC0-1.0", True, True),
        ("Expat or GPL-2 or GPL-3", True, True),
        ("http://creativecommons.org/licenses/by/3.0/", True, True),
        ("https://creativecommons.org/publicdomain/zero/1.0/", True, True),
        ("http://creativecommons.org/licenses/by-nc/3.0/", False, False),
        ("http://creativecommons.org/licenses/sampling+/1.0/", False, False),
        ("see https://example.org/licence", False, False),
        ("CC-BY-SA-3.0", False, True),
        ("CC-BY-SA-3.0 and MIT", False, True),
        ("GPL-2/CC-BY-SA-3.0", False, False),
        ("CC0, GPL-2", False, False),
        ("CC0 (BigSoundBank) in GPL-3+ package", False, False),
        ("GPL-2 or later", False, False),
        ("own", True, True),
        ("", False, False),
    ],
)
def test_what_a_licence_asks_for(licence: str, for_a_name: bool, for_shipping: bool) -> None:
    assert permissive(licence) is for_a_name
    assert shippable(licence) is for_shipping


@pytest.fixture
def clips(a_clip: AClip) -> list[Clip]:
    return [
        a_clip("a", licence="CC0", ship=True),
        a_clip("b", licence="CC-BY-SA-3.0", ship=True),
        a_clip("c", licence="CC-BY-SA-4.0", ship=True),
        a_clip("d", licence="GPL-2+ or MIT", ship=False),
        a_clip("e", licence="House terms", ship=False),
    ]


@pytest.mark.parametrize(
    ("choice", "chosen"),
    [
        ("any", "abcde"),
        ("shippable", "abc"),
        ("permissive", "ad"),
        (["CC-BY-SA"], "bc"),
        (["CC-BY-SA-3"], "b"),
        (["cc0", "GPL"], "ad"),
        (["House terms"], "e"),
        ([], ""),
    ],
)
def test_selection(clips: list[Clip], choice: str | list[str], chosen: str) -> None:
    assert "".join(str(clip.path) for clip in select(clips, choice)) == chosen


def test_unknown_licences_are_refused(clips: list[Clip]) -> None:
    with pytest.raises(UsageError, match=r"no licence CC-BI \(did you mean cc-by\?\)") as caught:
        select(clips, ["CC0", "CC-BI"])
    assert "house-terms" in caught.value.remedy
    assert "cc-by-sa-3" in caught.value.remedy
