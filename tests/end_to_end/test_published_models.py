"""A published model from a server to stems: pull, verify, convert, separate.

The weights follow from a formula, so this proves the path and says nothing of quality.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from loopback import Site
from published_layouts import (
    audiosep_state,
    formula_state,
    golden_shapes,
    laion_content,
    lightning,
)
from tokenizers import ByteLevelBPETokenizer

from sepcli.registry.store import Registry

Sepcli = Callable[..., int]
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
RATE = 44_100


def saved(content: object) -> bytes:
    """A file as torch writes it."""
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def tokenizer() -> bytes:
    """RoBERTa's kind of tokenizer, with few words."""
    words = ByteLevelBPETokenizer()
    words.train_from_iterator(["dog barking", "rain"], 300, special_tokens=SPECIAL)
    return words.to_str().encode()


@pytest.fixture
def registry(site: Site) -> Path:
    """A registry in which AudioSep's files are on this machine's server."""
    clap = formula_state(golden_shapes("laion_clap_htsat_tiny"))
    network = formula_state(golden_shapes("audiosep_32k"))
    checkpoint = saved(lightning(audiosep_state(network, {})))
    Path("published.ckpt").write_bytes(checkpoint)
    entry = Registry().find("audiosep").entry.model_dump(exclude_none=True)
    contents = {
        "separator": site.add("/audiosep.ckpt", checkpoint),
        "clap": site.add("/clap.pt", saved(laion_content(clap))),
        "tokenizer": site.add("/tokenizer.json", tokenizer()),
    }
    for role, url in contents.items():
        entry["files"][role] |= {"source": url, "mirrors": []}
        for known in ("sha256", "size"):
            entry["files"][role].pop(known, None)
    path = Path("registry.yaml")
    path.write_text(yaml.safe_dump({"version": 1, "models": {"audiosep": entry}}))
    return path


def test_pull_verify_convert_separate(
    registry: Path, sepcli: Sepcli, capsys: pytest.CaptureFixture[str], site: Site
) -> None:
    given = ("--registry", registry)
    assert sepcli("separate", "mix.wav", "-q", "dog", "-m", "audiosep", *given) != 0

    assert sepcli("models", "pull", "audiosep", *given) == 0
    assert "audiosep: downloaded" in capsys.readouterr().out
    assert sepcli("models", "verify", "audiosep", *given) == 0
    files = {role: Registry(registry).find("audiosep").path(role) for role in ("separator", "clap")}
    assert {path.suffix for path in files.values()} == {".safetensors"}
    assert files["separator"].stat().st_size < Path("published.ckpt").stat().st_size

    assert sepcli("models", "convert", "published.ckpt", "-o", "made") == 0
    assert Path("made/separator.safetensors").read_bytes() == files["separator"].read_bytes()

    rng = np.random.default_rng(0)
    mixture = 0.1 * rng.standard_normal((2 * RATE + 17, 2))
    mixture[:, 1] *= np.linspace(0.2, 1, len(mixture))
    soundfile.write("mix.wav", mixture, RATE, "FLOAT")
    words = ("separate", "mix.wav", "-q", "dog barking", "-q", "rain", "--residual", "-o", "out")
    requests = len(site.requests)
    assert sepcli(*words, "-m", "audiosep", *given) == 0
    assert len(site.requests) == requests
    stems = {path.stem: soundfile.read(path)[0] for path in Path("out").glob("*.wav")}
    assert set(stems) == {"mix.dog-barking", "mix.rain", "mix.residual"}
    assert all(wave.shape == mixture.shape for wave in stems.values())
    assert np.abs(sum(stems.values()) - mixture).max() < 1e-5
    dog, rain = stems["mix.dog-barking"], stems["mix.rain"]
    assert np.std(dog) > 1e-4
    assert np.std(dog[:, 0] - dog[:, 1]) > 1e-4  # stereo is kept
    assert np.std(dog - rain) > 1e-6  # and the query matters

    content = bytearray(files["separator"].read_bytes())
    content[-1] ^= 1
    files["separator"].write_bytes(content)
    assert sepcli("models", "verify", "audiosep", *given) == 3
    assert sepcli(*words, "-m", "audiosep", "--overwrite", *given) == 3
