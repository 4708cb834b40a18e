"""Pictures to ask with: image files and frames of videos, as CLIP sees them.

CLIP (Radford et al., 2021, arXiv 2103.00020) looks at a square: the shorter side is scaled to its
size with bicubic interpolation, the middle is cut out, and red, green and blue are normalised by
their mean and deviation over its training images.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from sepcli.audio.reader import local_only
from sepcli.errors import UsageError
from sepcli.query.sight import Picture

if TYPE_CHECKING:
    from PIL.Image import Image

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
IMAGE_REMEDY = "give a JPEG, PNG or WebP file"


def read_picture(picture: Picture) -> Image:
    """Decode a picture, red, green and blue.

    Raises:
        UsageError: if it is missing or damaged, or the video has no picture at that time.
    """
    if not picture.path.is_file():
        raise UsageError(f"no such picture: {picture.path}", "check the path")
    if picture.at is None:
        return _read_image(picture.path)
    return _read_frame(picture.path, picture.at)


def _read_image(path: Path) -> Image:
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            return upright.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"cannot read {path} as an image: {reason}", IMAGE_REMEDY) from error


def _read_frame(path: Path, at: float) -> Image:
    import av

    try:
        with av.open(str(path), options=local_only()) as container:
            streams = [s for s in container.streams.video if not _is_cover(s)]
            if not streams:
                raise UsageError(f"no video in {path}", "give a video, or --image with an image")
            frame = _frame_at(container, streams[0], at, path)
            image: Image = frame.to_image().rotate(frame.rotation, expand=True)
            return image
    except (av.FFmpegError, ValueError, OSError) as error:
        message = f"cannot read {path} as a video: {error}"
        raise UsageError(message, "convert it to MP4 first, or give --image") from error


def _is_cover(stream: Any) -> bool:
    """Whether a stream is the picture of an album."""
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _frame_at(container: Any, stream: Any, at: float, path: Path) -> Any:
    """The frame that is on the screen `at` seconds after the first.

    Seeking ends at the key frame before, from which frames are decoded one by one. The last frame
    is on the screen for as long as frames are on average.
    """
    begin = float((stream.start_time or 0) * stream.time_base)
    container.seek(int((begin + at) / stream.time_base), stream=stream)
    shown = None
    for frame in container.decode(stream):
        if shown is not None and frame.time - begin > at:
            return shown
        shown = frame
    if shown is None or at > shown.time - begin + 1 / (stream.average_rate or 1):
        length = f"lasts {shown.time - begin:.2f} s" if shown else "holds no frames"
        raise UsageError(f"{path} has no picture at {at:g} s: it {length}", "give an earlier time")
    return shown


def prepared(image: Image, size: int) -> Tensor:
    """What CLIP sees of an image, (3, size, size).

    Args:
        image: red, green and blue.
        size: of the square, in pixels.
    """
    from PIL.Image import Resampling

    shorter = min(image.size)
    # The longer side is cut to a whole number of pixels, as in CLIP's own preparation.
    wide, high = (max(size, size * side // shorter) for side in image.size)
    scaled = image.resize((wide, high), Resampling.BICUBIC)
    left, top = (wide - size) // 2, (high - size) // 2
    square = scaled.crop((left, top, left + size, top + size))
    values = torch.from_numpy(np.asarray(square, np.float32) / 255)
    normal = (values - torch.tensor(MEAN)) / torch.tensor(DEVIATION)
    return normal.permute(2, 0, 1)
