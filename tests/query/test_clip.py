"""CLIP as an encoder: transformers' own path as the judge, with random weights."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pictures import HIGH, WIDE, shade, write_image, write_video
from PIL import Image
from safetensors.torch import load_file, save_file
from tiny_clip import DIMENSION, SIDE, write_clip
from torch.nn import functional as F
from transformers import CLIPImageProcessorPil, CLIPModel, CLIPTokenizer

from sepcli.errors import ModelError, UsageError
from sepcli.query.clip import PLAIN, TEMPLATES, Clip
from sepcli.query.clip_files import find_clip
from sepcli.query.pictures import prepared, read_picture
from sepcli.query.sight import Picture


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture(scope="module")
def clip(folder: Path) -> Clip:
    return Clip(str(folder))


@pytest.fixture
def images() -> list[Image.Image]:
    sizes = [(90, 61), (40, 133), (32, 32), (20, 25)]
    return [
        read_picture(Picture(write_image(Path(f"{n}.png"), n, *size)))
        for n, size in enumerate(sizes)
    ]


def judged(folder: Path, texts: list[str], images: list[Image.Image]) -> Any:
    """What transformers makes of texts and images by itself."""
    square = {"height": SIDE, "width": SIDE}
    processor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=square)
    tokens = CLIPTokenizer.from_pretrained(folder)(texts, padding=True, return_tensors="pt")
    network = CLIPModel.from_pretrained(folder).eval()
    with torch.no_grad():
        return network(**tokens, **processor(images, return_tensors="pt"))


def test_pictures_are_prepared_as_clip_does(images: list[Image.Image]) -> None:
    square = {"height": SIDE, "width": SIDE}
    processor = CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=square)
    for image in images:
        wanted = processor(image, return_tensors="pt")["pixel_values"][0]
        torch.testing.assert_close(prepared(image, SIDE), wanted, atol=1e-5, rtol=0)


def test_texts_and_pictures_are_what_transformers_says(
    clip: Clip, folder: Path, images: list[Image.Image]
) -> None:
    texts = ["a dog", "rain falling on a tin roof"]
    wanted = judged(folder, texts, images)
    units = (wanted.text_embeds, wanted.image_embeds)
    for got, unit in zip((clip.embed_plain(texts), clip.embed_images(images)), units, strict=True):
        assert got.shape == (len(unit), DIMENSION) == (len(unit), clip.dimension)
        torch.testing.assert_close(F.normalize(got, dim=-1), unit, atol=1e-5, rtol=0)
    # Lengths are kept: they are not 1.
    assert (clip.embed_plain(texts).norm(dim=-1) - 1).abs().min() > 0.05


def test_a_text_is_the_mean_of_its_templates(clip: Clip) -> None:
    assert len(TEMPLATES) == 5
    assert len(set(TEMPLATES)) == 4
    rows = clip.embed_plain([template.format("dog") for template in TEMPLATES])
    torch.testing.assert_close(clip.embed_texts([" dog ", "cat"])[0], rows.mean(dim=0))


def test_a_picture_gets_the_name_that_transformers_would_give(
    clip: Clip, folder: Path, images: list[Image.Image]
) -> None:
    labels = ["Dog", "Rain", "Speech", "Violin, fiddle", "Engine", "Silence"]
    wanted = judged(folder, [PLAIN.format(label) for label in labels], images[:1])
    chances = wanted.logits_per_image.softmax(dim=-1)[0]
    order = [labels[i] for i in chances.argsort(descending=True)]
    sight = clip.name(images[:1], labels)
    assert (sight.label, *sight.others) == tuple(order[:5])
    assert sight.probability == pytest.approx(float(chances.max()), rel=1e-3)
    assert clip.name(images[:1], ["Dog"]).others == ()


def test_several_pictures_count_together(clip: Clip, images: list[Image.Image]) -> None:
    labels = [f"thing {n}" for n in range(8)]
    mean = F.normalize(clip.embed_images(images).mean(dim=0), dim=-1)
    texts = F.normalize(clip.embed_plain([PLAIN.format(label) for label in labels]), dim=-1)
    assert clip.name(images, labels).label == labels[int((texts @ mean).argmax())]


def test_long_texts_are_cut(clip: Clip) -> None:
    assert clip.embed_plain(["bark " * 60]).isfinite().all()


def test_more_at_once_than_fit_at_once(clip: Clip) -> None:
    texts = [f"sound {n}" for n in range(35)]
    torch.testing.assert_close(
        clip.embed_plain(texts)[33], clip.embed_plain(texts[33:34])[0], atol=1e-5, rtol=1e-4
    )


def test_what_is_kept_needs_no_network(
    folder: Path, images: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Clip(str(folder), Path("cache"))
    kept = first.embed_texts(["dog"]), first.embed_images(images)
    monkeypatch.setattr("sepcli.query.clip.load_clip", lambda _: pytest.fail("loaded"))
    again = Clip(str(folder), Path("cache"))
    assert torch.equal(again.embed_texts(["dog"]), kept[0])
    assert torch.equal(again.embed_images(images), kept[1])


def test_clip_is_deaf(clip: Clip) -> None:
    with pytest.raises(ModelError, match="no example sounds"):
        clip.embed_audio(np.zeros((10, 1), np.float32), 16_000)


# Files that are no CLIP


def test_a_clip_that_is_not_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="CLIP nobody/has-it is not on this machine") as caught:
        find_clip("nobody/has-it")
    assert "hf download openai/clip-vit-base-patch32" in caught.value.remedy
    assert "--clip" in caught.value.remedy
    with pytest.raises(ModelError, match="is not on this machine"):
        find_clip("no folder: and no name")


def test_a_folder_without_a_clip(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json and model\.safetensors are needed"):
        find_clip(str(tmp_path))


def copied(folder: Path, to: Path) -> Path:
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


def test_weights_that_do_not_fit(folder: Path, tmp_path: Path) -> None:
    broken = copied(folder, tmp_path)
    state = load_file(broken / "model.safetensors")
    del state["text_projection.weight"]
    state["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(state, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(ModelError, match="1 tensors missing, 0 left over: text_projection"):
        Clip(str(broken)).embed_texts(["dog"])
    (broken / "model.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="no CLIP fits it"):
        Clip(str(broken)).embed_texts(["dog"])


@pytest.mark.parametrize("config", ["{", "[]", '{"projection_dim": "wide"}'])
def test_a_config_that_is_not_clips(folder: Path, tmp_path: Path, config: str) -> None:
    broken = copied(folder, tmp_path)
    (broken / "config.json").write_text(config)
    with pytest.raises(ModelError, match=r"config\.json is not CLIP's"):
        Clip(str(broken))


def test_sizes_that_a_config_leaves_out(folder: Path, tmp_path: Path) -> None:
    plain = copied(folder, tmp_path)
    (plain / "config.json").write_text(json.dumps({"vision_config": None}))
    assert Clip(str(plain)).dimension == 512


def test_without_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any) -> Any:
        if name == "transformers":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(ModelError, match="needs the package transformers") as caught:
        find_clip("openai/clip-vit-base-patch32")
    assert caught.value.remedy == "pip install 'sepcli[clip]'"


# Pictures


@pytest.mark.parametrize(("at", "frame"), [(0, 0), (0.09, 0), (0.1, 1), (0.55, 5), (0.99, 9)])
def test_the_frame_that_is_on_the_screen(at: float, frame: int) -> None:
    video = write_video(Path("video.mp4"))
    image = read_picture(Picture(video, at))
    assert image.size == (WIDE, HIGH)
    assert np.asarray(image).mean() == pytest.approx(shade(frame), abs=4)


@pytest.mark.parametrize("kind", ["avi", "mkv", "mov"])
def test_videos_in_other_containers(kind: str) -> None:
    image = read_picture(Picture(write_video(Path(f"video.{kind}")), 0.55))
    assert np.asarray(image).mean() == pytest.approx(shade(5), abs=4)


def test_a_video_that_was_filmed_upright() -> None:
    turned = np.asarray(read_picture(Picture(write_video(Path("turned.mp4"), 2, 90), 0)))
    assert turned.shape == (WIDE, HIGH, 3)
    assert turned[-8:].mean() > 200 > 100 > turned[:8].mean()  # what was left is below


def test_a_photograph_that_was_turned() -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: to be turned clockwise by a quarter
    Image.fromarray(pixels).save("turned.png", exif=exif)
    upright = np.asarray(read_picture(Picture(Path("turned.png"))))
    assert upright.shape == (40, 20, 3)
    assert upright[:15].mean() == 255
    assert upright[25:].mean() == 0


def missing() -> Picture:
    return Picture(Path("nowhere.png"))


def corrupt() -> Picture:
    path = write_image(Path("photo.png"))
    path.write_bytes(path.read_bytes()[:300])
    return Picture(path)


def no_image() -> Picture:
    Path("text.jpg").write_text("no image")
    return Picture(Path("text.jpg"))


def past_the_end() -> Picture:
    return Picture(write_video(Path("short.mp4")), 1.2)


def no_video() -> Picture:
    import soundfile

    soundfile.write("sound.wav", np.zeros(1600), 16_000)
    return Picture(Path("sound.wav"), 0.0)


def damaged_video() -> Picture:
    Path("video.mp4").write_bytes(b"no video" * 20)
    return Picture(Path("video.mp4"), 0.0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (missing, "no such picture: nowhere.png"),
        (corrupt, "cannot read photo.png as an image"),
        (no_image, "cannot read text.jpg as an image"),
        (past_the_end, "short.mp4 has no picture at 1.2 s: it lasts 0.90 s"),
        (no_video, "no video in sound.wav"),
        (damaged_video, "cannot read video.mp4 as a video"),
    ],
)
def test_pictures_that_cannot_be_read(make: Callable[[], Picture], message: str) -> None:
    with pytest.raises(UsageError, match=message.replace(".", r"\.")) as caught:
        read_picture(make())
    assert caught.value.remedy


def test_a_cover_is_no_video() -> None:
    import av
    import mutagen.flac
    import soundfile

    soundfile.write("song.flac", np.zeros(1600), 16_000)
    write_image(Path("cover.png"))
    song = mutagen.flac.FLAC("song.flac")
    cover = mutagen.flac.Picture()
    cover.data, cover.mime, cover.type = Path("cover.png").read_bytes(), "image/png", 3
    song.add_picture(cover)
    song.save()
    with av.open("song.flac") as container:
        assert container.streams.video
    with pytest.raises(UsageError, match=r"no video in song\.flac"):
        read_picture(Picture(Path("song.flac"), 0.0))
