"""LAION-CLAP computed by its authors' own package, `laion-clap`, to compare with ours.

The package reads checkpoints by unpickling, so it is given the tensors of our file instead. On
import it fetches three tokenizers, and RoBERTa's own weights when it is built, unless they are in
the hub's local cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from sepcli.errors import ModelError
from sepcli.query.laion_clap import LaionClap
from sepcli.query.laion_file import REMEDY
from sepcli.query.laion_keys import UNUSED
from sepcli.query.laion_mel import ten_seconds

NAMES = {96: "HTSAT-tiny", 128: "HTSAT-base"}  # by the width of the patches
PATCHES = "audio_branch.patch_embed.proj.bias"


class LaionPackage(LaionClap):
    """As `LaionClap`, by the package's networks and its own tokenizer.

    Raises:
        ModelError: as `LaionClap`; on the first query, if the package is not installed or cannot
            fetch what it needs.
    """

    name = "laion-clap-package"

    @cached_property
    def _module(self) -> Any:
        state = load_file(self._file.path)
        if PATCHES not in state or len(state[PATCHES]) not in NAMES:
            raise ModelError(f"{self._file.path} has no HTSAT that laion-clap knows", REMEDY)
        module = build(NAMES[len(state[PATCHES])])
        missing, left = module.model.load_state_dict(state, strict=False)
        if wrong := [name for name in [*missing, *left] if not UNUSED.search(name)]:
            message = f"{self._file.path} does not fit laion-clap: {', '.join(wrong[:5])}"
            raise ModelError(message, REMEDY)
        return module

    def _read(self, texts: Sequence[str]) -> Tensor:
        embeddings: Tensor = self._module.get_text_embedding(list(texts), use_tensor=True)
        return embeddings

    def _hear(self, wave: Tensor) -> Tensor:
        windows = ten_seconds(wave)[0]
        rows = self._module.get_audio_embedding_from_data(windows, use_tensor=True)
        return F.normalize(rows.mean(dim=0, keepdim=True), dim=-1)


def build(name: str) -> Any:
    """The package's network, without the checkpoint's weights, on the CPU.

    Args:
        name: of its audio branch.

    Raises:
        ModelError: if the package is not installed, or cannot fetch what it needs.
    """
    try:
        import laion_clap

        return laion_clap.CLAP_Module(enable_fusion=False, device="cpu", amodel=name)
    except ImportError as error:
        message = f"the package laion-clap cannot be imported: {error}"
        raise ModelError(message, "pip install 'sepcli[laion-clap]'") from error
    except OSError as error:  # the hub's, offline
        reason = " ".join(str(error).split())[:200]
        message = f"laion-clap cannot fetch RoBERTa: {reason}"
        raise ModelError(message, "run it once online, or use the encoder laion-clap") from error
