"""From a registry entry to a network on a device."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from sepcli.errors import ModelError, UsageError
from sepcli.hashing import sha256_of
from sepcli.home import cache_folder
from sepcli.nets.band_unet import BandUNet
from sepcli.nets.bimodal_unet import BimodalUNet
from sepcli.nets.clipsep import ClipSep
from sepcli.nets.resunet30 import ResUNet30
from sepcli.nets.slots import SlottedBandUNet
from sepcli.nets.tiger import Tiger, TigerDnr
from sepcli.query.clip import Clip
from sepcli.query.encoder import QueryEncoder, SmallClap
from sepcli.query.laion_clap import LaionClap, LaionClapTokens
from sepcli.query.laion_package import LaionPackage
from sepcli.registry.store import Model
from sepcli.registry.verify import verify
from sepcli.sections import suggestion

ARCHITECTURES: dict[str, Callable[..., nn.Module]] = {
    "band-unet": BandUNet,
    "slotted-band-unet": SlottedBandUNet,
    "resunet30": ResUNet30,
    "bimodal-unet": BimodalUNet,
    "clipsep": ClipSep,
    "tiger": Tiger,
    "tiger-dnr": TigerDnr,
}
ENCODERS: dict[str, Callable[[Path, Path, Path | None], QueryEncoder]] = {
    "small-clap": SmallClap,
    "laion-clap": LaionClap,
    "laion-clap-tokens": LaionClapTokens,
    "laion-clap-package": LaionPackage,
}
OTHER_MODEL = "choose another --model"
FALLBACK_RATE = 44_100  # Hz, for recordings whose own rate a network cannot filter


class Network(Protocol):
    """What the engine needs of a separator.

    Called with (batch, channels, samples), (queries, embedding) or None, and the sample rate,
    it returns stems (batch, stems, channels, samples) and either the presence of every query
    (batch, queries) or None.
    """

    def __call__(
        self, mixture: Tensor, queries: Tensor | None, rate: int
    ) -> tuple[Tensor, Tensor | None]: ...

    def to(self, device: torch.device) -> Any:
        """Move to a device."""
        ...


@dataclass(frozen=True)
class LoadedModel:
    """A model ready to run.

    Attributes:
        model: its registry entry.
        network: in evaluation mode.
        fingerprint: changes whenever the weights, or how they are used, do.
    """

    model: Model
    network: Network
    fingerprint: str
    encoder_maker: Callable[[], QueryEncoder] | None = None

    @cached_property
    def encoder(self) -> QueryEncoder:
        """What turns queries into embeddings; loaded when first asked for."""
        if self.encoder_maker is None:
            stems = ", ".join(self.model.entry.stems or [])
            message = f"model {self.model.name} answers no queries"
            raise ModelError(message, f"it always gives {stems}: leave the queries out")
        return self.encoder_maker()

    def grid(self, rate: int) -> int:
        """Samples, at a rate in Hz, that the network pools into one.

        Windows best start at multiples of it.
        """
        own = getattr(self.network, "grid", None)
        return 1 if own is None else int(own(rate))

    @property
    def tells_presence(self) -> bool:
        """Whether the network says how sure it is of what it is asked for."""
        return getattr(self.network, "presence", None) is not None

    def rate_for(self, rate: int) -> int:
        """The sample rate, in Hz, at which a recording of `rate` Hz is separated."""
        if self.model.entry.sample_rate is not None:
            return self.model.entry.sample_rate
        return rate if BandUNet.accepts(rate) else FALLBACK_RATE


def fingerprint(model: Model) -> str:
    """A hash of all the files and settings that decide what a model does."""
    digest = hashlib.sha256(
        model.entry.model_dump_json(include={"architecture", "arguments", "windows"}).encode()
    )
    if model.entry.query is not None and model.entry.query.encoder == "clip":
        digest.update(model.clip.encode())
    if model.entry.unordered:
        digest.update(b"unordered")
    for role in sorted(model.entry.files):
        digest.update(sha256_of(model.path(role)).encode())
    return digest.hexdigest()


def encoder_fingerprint(model: Model) -> str:
    """A hash of the encoder of a model's queries: models that share one share its embeddings.

    Raises:
        UsageError: if the model answers no queries.
    """
    query = model.entry.query
    if query is None:
        stems = ", ".join(model.entry.stems or [])
        raise UsageError(f"model {model.name} answers no queries, it gives {stems}", OTHER_MODEL)
    digest = hashlib.sha256(query.encoder.encode())
    if query.encoder == "clip":
        digest.update(model.clip.encode())
    for role in query.roles:
        digest.update(sha256_of(model.path(role)).encode())
    return digest.hexdigest()


def load(model: Model) -> LoadedModel:
    """Check a model's files and build its network, on the CPU.

    Raises:
        ModelError: if a file is missing or not the one the entry names, or does not fit.
    """
    for role in model.entry.files:
        verify(model, role)
    return LoadedModel(model, build(model), fingerprint(model), encoder_maker(model))


def encoder_maker(model: Model, keep: bool = True) -> Callable[[], QueryEncoder] | None:
    """What makes the encoder of a model's queries; None if it answers none.

    Args:
        model: whose encoder.
        keep: whether embeddings are kept in the user's cache; not those of hours of windows.
    """
    if model.entry.query is None:
        return None
    cache = cache_folder() / "embeddings" if keep else None
    if model.entry.query.encoder == "clip":
        return partial(Clip, model.clip, cache)
    encoder = ENCODERS[model.entry.query.encoder]
    return partial(encoder, model.path("clap"), model.path("tokenizer"), cache)


def load_encoder(model: Model, keep: bool = True) -> QueryEncoder:
    """The encoder of a model's queries, without its network.

    Args:
        model: whose encoder.
        keep: as for `encoder_maker`.

    Raises:
        UsageError: if the model answers no queries.
        ModelError: if a file is missing or damaged.
    """
    encoder_fingerprint(model)
    for role in model.entry.query.roles if model.entry.query else ():
        verify(model, role)
    maker = encoder_maker(model, keep)
    assert maker is not None
    return maker()


def build(model: Model) -> Network:
    """The network with its weights, strictly: every tensor fits, and none is left over."""
    entry = model.entry
    if entry.architecture not in ARCHITECTURES:
        hint = suggestion(entry.architecture, ARCHITECTURES)
        message = f"model {model.name}: unknown architecture {entry.architecture}{hint}"
        raise ModelError(message, f"known are {', '.join(ARCHITECTURES)}")
    try:
        network = ARCHITECTURES[entry.architecture](**entry.arguments)
        state = {key: value.float() for key, value in load_file(model.path("separator")).items()}
        network.load_state_dict(state)
    except (TypeError, ValueError, RuntimeError, SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())[:300]
        message = f"model {model.name}: its weights cannot be loaded: {reason}"
        raise ModelError(message, "the file is damaged or of another architecture") from error
    return network.eval().requires_grad_(False)
