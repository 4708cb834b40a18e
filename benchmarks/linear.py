"""A network of which everything is known: its stems are the recording times a gain.

    python -m benchmarks.linear separate mix.wav --model FOLDER --query "a gain of 0.5"

runs `sepcli` with such a network; `write_model(FOLDER)` makes the model. All else is real, so
that what goes wrong around a network can be watched at the speed of the disk.
"""

import os
import time
from pathlib import Path

import torch
import yaml
from safetensors.torch import save_file
from torch import Tensor, nn

from sepcli.audio.windows import Wave
from sepcli.cli.main import main
from sepcli.registry import load as loading

ARCHITECTURE = "linear"
ENTRY = {
    "summary": "multiplies",
    "architecture": ARCHITECTURE,
    "query": {"encoder": "small-clap"},
    "windows": {"length": 2.0, "context": 0.25, "fade": 0.25},
    "files": {
        "separator": {"source": "none.safetensors"},
        "clap": {"source": "clap.safetensors"},
        "tokenizer": {"source": "tokenizer.json"},
    },
    "licence": {"code": "Apache-2.0", "weights": "CC0-1.0"},
    "training_data": "none",
}


class Linear(nn.Module):
    """Multiplies by what the query says: an embedding is parallel to (gain, 1).

    Attributes:
        most: values of a mixture at which memory is said to run out.
        pause: seconds that every call takes at least.
    """

    most = 10**12
    pause = float(os.environ.get("SEPCLI_LINEAR_PAUSE", "0"))

    def __init__(self) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, mixture: Tensor, queries: Tensor, _rate: int) -> tuple[Tensor, None]:
        """(batch, channels, samples) -> (batch, queries, channels, samples)."""
        if mixture.numel() > self.most:
            raise torch.OutOfMemoryError("out of memory (pretended)")
        time.sleep(self.pause)
        gains = queries[:, 0] / queries[:, 1]
        return mixture[:, None] * gains[:, None, None], None


class Numbers:
    """Reads "a gain of 0.5"; any other words ask for a gain of 1."""

    dimension = 2

    def embed_texts(self, texts: list[str]) -> Tensor:
        """(texts, 2), each of length 1."""
        rows = torch.tensor([[gain_in(text), 1.0] for text in texts])
        return nn.functional.normalize(rows, dim=-1)

    def embed_audio(self, _wave: Wave, _rate: int) -> Tensor:
        """(2,): an example asks for all there is."""
        return nn.functional.normalize(torch.ones(2), dim=-1)


def gain_in(text: str) -> float:
    """The first number of a text, 1 if there is none."""
    numbers = (word for word in text.split() if word.replace(".", "", 1).isdecimal())
    return float(next(numbers, "1"))


def write_model(folder: Path) -> Path:
    """A model folder for `--model`."""
    folder.mkdir(parents=True, exist_ok=True)
    save_file({"unused": torch.zeros(1)}, folder / "none.safetensors")
    (folder / "clap.safetensors").write_bytes(b"none")
    (folder / "tokenizer.json").write_bytes(b"none")
    (folder / "model.yaml").write_text(yaml.safe_dump(ENTRY))
    return folder


# At import, so that processes which start this module anew know the network, too.
loading.ARCHITECTURES[ARCHITECTURE] = Linear
loading.ENCODERS["small-clap"] = lambda *_: Numbers()

if __name__ == "__main__":
    main()
