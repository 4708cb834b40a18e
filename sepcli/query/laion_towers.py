"""LAION-CLAP's two towers, RoBERTa and HTSAT, as transformers builds them.

Each is loaded by itself: words need no audio tower.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from sepcli.errors import ModelError
from sepcli.query.laion_file import REMEDY, LaionFile
from sepcli.query.laion_keys import Tower, audio_settings, text_settings
from sepcli.query.laion_mel import log_mel, ten_seconds

WINDOWS_AT_ONCE = 4  # of 10 s; bounds the memory that a long recording needs
NAMED = 5  # tensors that an error lists
DRAWS = {"normal_", "uniform_", "trunc_normal_", "kaiming_uniform_"}
NETWORKS: dict[Tower, str] = {
    "text": "ClapTextModelWithProjection",
    "audio": "ClapAudioModelWithProjection",
}


class TextTower(nn.Module):
    """RoBERTa and a projection.

    Raises:
        ModelError: if the file lacks a part of it, or transformers is not installed.
    """

    def __init__(self, file: LaionFile) -> None:
        super().__init__()
        self.network = load_network(file, "text")

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Read texts.

        Args:
            ids: (texts, tokens)
            mask: (texts, tokens), 0 at padding, to which no token attends.

        Returns:
            last hidden states (texts, tokens, width), and embeddings (texts, dimension) of
            length 1.
        """
        output = self.network.text_model(input_ids=ids, attention_mask=mask)
        projected = self.network.text_projection(output.pooler_output)
        return output.last_hidden_state, F.normalize(projected, dim=-1)


class AudioTower(nn.Module):
    """Log-mel spectrogram, HTSAT and a projection; differentiable in the waveform.

    Raises:
        ModelError: if the file lacks a part of it, or transformers is not installed.
    """

    def __init__(self, file: LaionFile) -> None:
        super().__init__()
        self.network = load_network(file, "audio")

    def pooled(self, windows: Tensor) -> Tensor:
        """(batch, samples) at 48 kHz, of ten seconds each -> (batch, width)."""
        output = self.network.audio_model(input_features=log_mel(windows)[:, None])
        pooled: Tensor = output.pooler_output
        return pooled

    def forward(self, wave: Tensor) -> Tensor:
        """(batch, samples) at 48 kHz -> embeddings (batch, dimension) of length 1.

        Of a wave longer than ten seconds, the mean of its windows' embeddings.
        """
        windows = ten_seconds(wave)
        parts = windows.flatten(0, 1).split(WINDOWS_AT_ONCE)
        rows = torch.cat([self.network.audio_projection(self.pooled(part)) for part in parts])
        units = F.normalize(rows, dim=-1).unflatten(0, windows.shape[:2])
        return F.normalize(units.mean(dim=1), dim=-1)


def load_network(file: LaionFile, tower: Tower) -> Any:
    """A tower of transformers with its weights, frozen, on the CPU.

    Raises:
        ModelError: if a tensor is missing or left over, or transformers is not installed.
    """
    transformers = import_transformers()
    state = file.state(tower)
    try:
        config = read_config(transformers, file, tower, state)
        with DrawNothing():
            network = getattr(transformers, NETWORKS[tower])(config)
        missing, left = network.load_state_dict(state, strict=False, assign=True)
    except Exception as error:  # what config.json may say wrong has classes of the hub's own
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        raise ModelError(f"{file.path}: no {tower} tower fits it: {reason}", REMEDY) from error
    refuse_misfits(file, network, missing, left)
    return network.eval().requires_grad_(False)


def import_transformers() -> Any:
    """The package, which takes seconds to import and so is imported when it is used.

    Raises:
        ModelError: if it is not installed.
    """
    try:
        import transformers
    except ImportError as error:
        message = "LAION-CLAP needs the package transformers"
        raise ModelError(message, "pip install 'sepcli[laion]'") from error
    return transformers


def read_config(
    transformers: Any, file: LaionFile, tower: Tower, state: Mapping[str, Tensor]
) -> Any:
    """A tower's settings: from config.json, or else from the shapes of its tensors."""
    if file.config is not None:
        return getattr(transformers.ClapConfig.from_json_file(file.config), f"{tower}_config")
    if tower == "text":
        return transformers.ClapTextConfig(**text_settings(state))
    return transformers.ClapAudioConfig(**audio_settings(state))


def refuse_misfits(
    file: LaionFile, network: nn.Module, missing: Sequence[str], left: Sequence[str]
) -> None:
    """Refuse a file that lacks a tensor or has one too many.

    Tables of integers follow from the architecture: a file may have them or not.

    Raises:
        ModelError: naming the tensors.
    """
    tables = {name for name, table in network.named_buffers() if not table.is_floating_point()}
    lacking = [name for name in missing if name not in tables]
    if lacking or left:
        names = ", ".join([*lacking, *left][:NAMED])
        message = f"{file.path}: {len(lacking)} tensors missing, {len(left)} left over: {names}"
        raise ModelError(message, REMEDY)


class DrawNothing(TorchFunctionMode):
    """Leaves new tensors as they are: 125 million random numbers, soon replaced, cost seconds."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Skip what fills a tensor at random; call all else."""
        kwargs = kwargs or {}
        if func.__name__ in DRAWS:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)
