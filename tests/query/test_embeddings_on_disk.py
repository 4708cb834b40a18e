"""Embeddings that users keep, and examples that are folders of recordings."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch.nn.functional import normalize

from sepcli.errors import ItemError, UsageError
from sepcli.query.embedding_file import LARGEST, read_embedding, write_embedding
from sepcli.registry.load import encoder_fingerprint, load_encoder
from sepcli.registry.store import Registry, read_model_folder
from sepcli.separation.engine import embed
from sepcli.separation.examples import direction_of
from sepcli.separation.queries import Query

Run = Callable[..., int]
Make = Callable[..., Path]

UNIT = torch.tensor([0.6, 0.0, 0.8])


def barks(*peaks: float) -> Path:
    """A folder of tones with given peaks, which are what the linear encoder hears."""
    folder = Path("barks")
    folder.mkdir(exist_ok=True)
    for n, peak in enumerate(peaks):
        soundfile.write(folder / f"{n}.wav", np.full((800, 1), peak), 8000, "FLOAT")
    return folder


def direction(*peaks: float) -> torch.Tensor:
    """What the linear encoder makes of them: the mean of unit vectors, of length 1."""
    rows = normalize(torch.tensor([[peak, 1.0, 1.0] for peak in peaks]), dim=-1)
    return normalize(rows.mean(dim=0), dim=-1)


def test_what_is_kept_comes_back() -> None:
    write_embedding(Path("a.safetensors"), UNIT, "e1", ["bark.wav", "ä bark"])
    assert torch.equal(read_embedding(Path("a.safetensors"), "e1"), UNIT)
    with safe_open("a.safetensors", "pt") as file:
        assert json.loads(file.metadata()["made_of"]) == ["bark.wav", "ä bark"]


def test_another_encoder_refuses_it() -> None:
    write_embedding(Path("a.safetensors"), UNIT, "e1", [])
    with pytest.raises(UsageError, match="another encoder") as caught:
        read_embedding(Path("a.safetensors"), "e2")
    assert "sepcli embed" in caught.value.remedy


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "damaged"),
        (b"\xff" * 8 + b"{}", "a header of 18446744073709551615 bytes"),
        ((100).to_bytes(8, "little") + b"{}", "a header of 100 bytes in a file of 10"),
        ((2).to_bytes(8, "little") + b"!!", "damaged"),
        (bytes(LARGEST + 1), "is no embedding"),
    ],
)
def test_damaged_files_are_refused(content: bytes, said: str) -> None:
    Path("a.safetensors").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        read_embedding(Path("a.safetensors"), "e1")


@pytest.mark.parametrize(
    ("tensors", "facts"),
    [
        ({"embedding": UNIT}, {}),
        ({"weights": UNIT}, {"encoder": "e1"}),
        ({"embedding": UNIT, "more": UNIT.clone()}, {"encoder": "e1"}),
        ({"embedding": 2 * UNIT}, {"encoder": "e1"}),
        ({"embedding": torch.tensor([float("nan"), 0, 1])}, {"encoder": "e1"}),
        ({"embedding": UNIT[None]}, {"encoder": "e1"}),
        ({"embedding": torch.tensor([1])}, {"encoder": "e1"}),
    ],
)
def test_other_tensors_are_refused(tensors: dict[str, torch.Tensor], facts: dict[str, str]) -> None:
    save_file(tensors, "a.safetensors", facts)
    with pytest.raises(UsageError, match="holds no embedding"):
        read_embedding(Path("a.safetensors"), "e1")


def test_a_folder_is_the_mean_of_its_recordings(linear: Make) -> None:
    model = read_model_folder(linear())
    heard = direction_of(barks(0.1, 0.9), load_encoder(model), "")
    torch.testing.assert_close(heard, direction(0.1, 0.9))
    assert heard.norm() == pytest.approx(1)


def test_a_kept_embedding_weighs_as_much_as_its_folder(linear: Make, sepcli: Run) -> None:
    folder, model = linear(), read_model_folder(linear())
    assert sepcli("embed", barks(0.1, 0.9), "-o", "bark.safetensors", "--model", folder) == 0
    encoder, fingerprint = load_encoder(model), encoder_fingerprint(model)
    words = "a gain of 0.5"
    rows = [
        embed(Query("bark", words, (Path(example),)), None, encoder, fingerprint)  # type: ignore[arg-type]
        for example in ("barks", "bark.safetensors")
    ]
    torch.testing.assert_close(*rows)
    text = encoder.embed_texts([words])[0]
    torch.testing.assert_close(rows[0], normalize(direction(0.1, 0.9) + text, dim=-1))


def test_texts_are_a_part_of_it(linear: Make, sepcli: Run) -> None:
    folder = linear()
    words = ("--text", "a gain of 0.5", "--text", "a gain of 0.25")
    assert sepcli("embed", barks(0.9), *words, "-o", "b.safetensors", "--model", folder) == 0
    kept = read_embedding(Path("b.safetensors"), encoder_fingerprint(read_model_folder(folder)))
    torch.testing.assert_close(kept, direction(0.9, 0.5, 0.25))


def test_separating_with_it(linear: Any, sepcli: Run, recording: Make) -> None:
    folder = linear()
    sepcli("embed", barks(0.3), "-o", "bark.safetensors", "--model", folder)
    mix = recording()
    assert sepcli("separate", mix, "--like", "bark.safetensors", "-m", folder) == 0
    stem, whole = (soundfile.read(p)[0] for p in ("separated/mix.like-bark.wav", mix))
    np.testing.assert_allclose(stem, 0.3 * whole, atol=1e-6)
    write_embedding(Path("bark.safetensors"), UNIT, "another", [])
    arguments = ("--like", "bark.safetensors", "-m", folder, "--overwrite")
    assert sepcli("separate", mix, *arguments) == 2
    assert len(linear.networks) == 1  # the second time, nothing was loaded


def test_new_examples_are_new_work(linear: Make, sepcli: Run, recording: Make) -> None:
    folder, mix = linear(), recording()
    arguments = ("separate", mix, "--like", barks(0.3), "-m", folder, "--skip-existing")
    assert sepcli(*arguments) == 0
    barks(0.3, 0.9)
    assert sepcli(*arguments) == 0
    stem, whole = (soundfile.read(p)[0] for p in ("separated/mix.like-barks.wav", mix))
    gain = float(direction(0.3, 0.9)[0] / direction(0.3, 0.9)[2])
    np.testing.assert_allclose(stem, gain * whole, atol=1e-6)


def test_what_cannot_be_embedded(
    linear: Make, sepcli: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = linear()
    Path("empty").mkdir()
    Path("there.safetensors").write_bytes(b"x")
    silent = Path("silent.wav")
    soundfile.write(silent, np.zeros((800, 1)), 8000)
    for words, code, said in [
        ((), 2, "nothing to embed"),
        (("empty",), 2, "no recordings in empty"),
        (("none.wav",), 2, "no such example"),
        ((silent,), 1, "no sound in the example"),
        ((barks(0.3), "-o", "there.safetensors"), 2, "there already"),
        ((barks(0.3), "-o", "bark.wav"), 2, "no name for an embedding"),
    ]:
        assert sepcli("embed", "-o", "out.safetensors", "-m", folder, *words) == code
        assert said in capsys.readouterr().err
    assert not Path("out.safetensors").exists()
    stems = linear(stems=["a", "b"], name="fixed")
    assert sepcli("embed", barks(0.3), "-o", "out.safetensors", "-m", stems) == 2


def test_an_emptied_folder_is_an_items_failure(linear: Make) -> None:
    encoder = load_encoder(read_model_folder(linear()))
    with pytest.raises(UsageError, match="no such example"):
        direction_of(Path("gone"), encoder, "")
    Path("bad.wav").write_bytes(b"no audio")
    with pytest.raises(ItemError):
        direction_of(Path("bad.wav"), encoder, "")


def test_the_fingerprint_is_the_encoders_own(linear: Make) -> None:
    one, two = (read_model_folder(linear(name=name)) for name in ("one", "two"))
    assert encoder_fingerprint(one) == encoder_fingerprint(two)
    (two.folder / "clap.safetensors").write_bytes(b"others")
    assert encoder_fingerprint(one) != encoder_fingerprint(two)


def test_the_shipped_encoder_hears_alike_sounds_alike() -> None:
    model = Registry().find("everyday")
    truth = Path(__file__).parents[2] / "examples/audio/truth"
    dog, rain = (truth / f"dog_and_rain.{name}.flac" for name in ("dog-barking", "rain"))
    encoder, fingerprint = load_encoder(model), encoder_fingerprint(model)
    heard = direction_of(dog, encoder, fingerprint)
    write_embedding(Path("dog.safetensors"), heard, fingerprint, [dog.name])
    kept = direction_of(Path("dog.safetensors"), encoder, fingerprint)
    words = encoder.embed_texts(["dog barking", "rain"])
    assert float(kept @ words[0]) > float(kept @ words[1])
    assert float(direction_of(rain, encoder, fingerprint) @ words[1]) > float(kept @ words[1])


def test_what_cannot_be_read_is_no_embedding() -> None:
    Path("folder.safetensors").mkdir()
    with pytest.raises(UsageError, match=r"cannot read folder\.safetensors"):
        read_embedding(Path("folder.safetensors"), "ours")
