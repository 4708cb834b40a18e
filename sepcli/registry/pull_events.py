"""What happens while models are downloaded, as a stream that displays and programs read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planned:
    """What a model asks for, before anything is fetched.

    Attributes:
        model: its name.
        size: bytes to fetch, as far as the registry knows.
        unknown: files whose size only the server knows.
        code: licence of the network's code, an SPDX name.
        weights: licence of the weights.
    """

    model: str
    size: int
    unknown: int
    code: str
    weights: str


@dataclass(frozen=True)
class Started:
    """A file is about to be fetched."""

    file: str
    source: str


@dataclass(frozen=True)
class Progress:
    """Bytes of a file that are here, and of how many if the server said so."""

    file: str
    received: int
    size: int | None


@dataclass(frozen=True)
class Notice:
    """Something worth knowing that stops nothing."""

    message: str


@dataclass(frozen=True)
class Fetched:
    """A file is whole and checked; sizes in bytes, time in seconds."""

    file: str
    size: int
    took: float


@dataclass(frozen=True)
class Converted:
    """A file was converted; sizes in bytes."""

    file: str
    before: int
    after: int


@dataclass(frozen=True)
class Ready:
    """All files of a model are here.

    Attributes:
        model: its name.
        files: where they are, by role.
        fetched: whether anything had to be fetched or converted.
    """

    model: str
    files: dict[str, str]
    fetched: bool


@dataclass(frozen=True)
class Failed:
    """A model could not be had."""

    model: str
    error: str
    help: str


Event = Planned | Started | Progress | Notice | Fetched | Converted | Ready | Failed
