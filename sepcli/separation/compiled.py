"""A network translated for its device, by torch.compile.

The translation takes its time where no earlier run has left it in torch's cache, so it can pay in
long batches only. It changes the order of sums, and so the last bits of stems.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from sepcli.errors import ModelError, is_memory
from sepcli.registry.load import Network


class Compiled:
    """A `Network` that is translated when it first hears a window, and for every other length.

    Args:
        network: what is translated.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._translated = torch.compile(network)

    def __call__(
        self, mixture: Tensor, queries: Tensor | None, rate: int
    ) -> tuple[Tensor, Tensor | None]:
        """See `Network`.

        Raises:
            ModelError: if there is no compiler for the device, or it cannot translate this.
        """
        from torch._dynamo.exc import TorchDynamoException

        # Of interleaved channels torch lays a spectrogram out otherwise than its compiler expects.
        mixture = mixture.contiguous()
        try:
            stems: tuple[Tensor, Tensor | None] = self._translated(mixture, queries, rate)
        except TorchDynamoException as error:
            if is_memory(error):
                raise
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            message = f"the network cannot be compiled for {mixture.device.type}: {reason:.200}"
            need = "Triton" if mixture.device.type == "cuda" else "a C++ compiler, such as g++"
            raise ModelError(message, f"leave --compile out, or install {need}") from error
        return stems

    def to(self, device: torch.device) -> Any:
        """Move to a device; there it is translated anew."""
        self._network.to(device)
        return self
