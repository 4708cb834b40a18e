"""Which clips a training may use, by their licence.

Publishers write licences in many ways: `CC-BY-3.0`, `Creative Commons Attribution 3.0`, or the
address of its text. They are brought to one spelling close to SPDX's, in lower case, and to a
family without versions and countries. `X or Y` leaves the choice, all else that joins licences asks
for each of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from sepcli.errors import UsageError
from sepcli.sections import suggestion
from sepcli.training.corpora.clip import Clip

OWN = "own"  # licence of what the user recorded or made
PERMISSIVE = (
    "cc0",
    "cc-by",
    "public-domain",
    "mit",
    "bsd",
    "apache",
    "zlib",
    "isc",
    "bsl",
    "wtfpl",
    "unlicense",
    OWN,
)
SHARE_ALIKE = "cc-by-sa"  # what shipped models are published under
OTHERS = (
    "cc-by-nc-sa",
    "cc-by-nc-nd",
    "cc-by-nc",
    "cc-by-nd",
    "cc-sampling+",
    "cc-nc-sampling+",
    "free-art",
    "gpl",
    "lgpl",
    "agpl",
    "mpl",
)
FAMILIES = (*PERMISSIVE, SHARE_ALIKE, *OTHERS)
VERSION = r"(-(v?\d[\d.]*|clause|licen[cs]e|or-later|only|international|unported|[a-z]{2}))*\+?"
SPELLINGS = (  # applied in this order to lower-case text with hyphens for spaces
    (r"^(the-)?creative-commons-|^creativecommons-", "cc-"),
    (r"^(cc-)?(publicdomain-|public-domain-)?zero|^cc-0(?!\d)|^cc-cc0", "cc0"),
    (r"^(cc-)?attribution", "cc-by"),
    (r"non-?commercial", "nc"),
    (r"share-?alike", "sa"),
    (r"no-?deriv(ative)?s?", "nd"),
    (r"sampling(-plus)?\+?", "sampling+"),
    (r"^sampling", "cc-sampling"),
    (r"^(expat|x11)", "mit"),
    (r"^0bsd", "bsd"),
    (r"^(publicdomain|cc-pddc|pd$)", "public-domain"),
    (r"^gnu-", ""),
    (r"(?<=\d)\.0(?!\d)", ""),
)


def select(clips: Iterable[Clip], choice: str | Sequence[str]) -> list[Clip]:
    """The clips that a config's `licences` lets a training use.

    Args:
        clips: of all licences.
        choice: `any`; `shippable`, clips marked so; `permissive`, whose licence asks for no more
            than a name; or names of licences, with or without a version.

    Raises:
        UsageError: if a name is no licence, neither in general nor of a clip.
    """
    clips = list(clips)
    if not isinstance(choice, str):
        refuse_unknown(choice, clips)
        wanted = {spelled(name) for name in choice}
        return [clip for clip in clips if granted(clip.licence, wanted)]
    if choice == "shippable":
        return [clip for clip in clips if clip.ship]
    if choice == "permissive":
        return [clip for clip in clips if permissive(clip.licence)]
    return clips


def refuse_unknown(names: Sequence[str], clips: Sequence[Clip]) -> None:
    """Raise UsageError for the first name that neither the families nor the clips know."""
    used = {spelled(part) for clip in clips for row in parsed(clip.licence) for part in row}
    for name in names:
        if not family(name) and spelled(name) not in used:
            message = f"licences: there is no licence {name}{suggestion(name.lower(), FAMILIES)}"
            known = sorted(used | set(FAMILIES))
            raise UsageError(message, f"choose among {', '.join(known)}")


def permissive(licence: str) -> bool:
    """Whether a licence asks for no more than a name."""
    return granted(licence, PERMISSIVE)


def shippable(licence: str) -> bool:
    """Whether a model trained on a clip under this licence may be published under CC BY-SA."""
    return granted(licence, (*PERMISSIVE, SHARE_ALIKE))


def granted(licence: str, accepted: Collection[str]) -> bool:
    """Whether one of the licences to choose from asks for nothing but accepted ones."""
    return any(
        all(spelled(part) in accepted or family(part) in accepted for part in row)
        for row in parsed(licence)
    )


def parsed(licence: str) -> list[list[str]]:
    """Licences to choose from, each a list of those that hold at once; [] if there is none."""
    text = re.sub(r"https?://\S+", lambda match: of_address(match[0]), licence.lower())
    text = re.sub(r"\([^)]*\)", " ", text)
    text = re.sub(r"\s+or\s+(any\s+)?later\b", "+", text)
    choices = [re.split(r"\band\b|[,/&;]", row) for row in re.split(r"\bor\b(?!-)", text)]
    rows = [[part.strip(" .") for part in row if part.strip(" .")] for row in choices]
    return [row for row in rows if row]


def of_address(address: str) -> str:
    """What the address of a Creative Commons text says, as in `by-nc/3.0`; others as they are."""
    match = re.search(r"creativecommons\.org/(?:licen[cs]es|publicdomain)/([^\s?#]+)", address)
    return f"cc-{match[1].strip('/').replace('/', '-')}" if match else address.replace("/", "-")


def spelled(name: str) -> str:
    """A licence in the one spelling, as in `cc-by-3`."""
    text = re.sub(r"[\s_]+", "-", name.lower().strip(" ."))
    for pattern, replacement in SPELLINGS:
        text = re.sub(pattern, replacement, text)
    return text


def family(name: str) -> str:
    """A licence without version and country; "" if it is none that we know."""
    text = spelled(name)
    fits = (known for known in FAMILIES if re.fullmatch(re.escape(known) + VERSION, text))
    # `cc-by` with the country `sa` is `cc-by-sa`: the longest name is meant.
    return max(fits, key=len, default="")
