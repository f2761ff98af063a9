"""The pictures that are posted: phantoms of a radiograph's size, or a folder of real ones."""

import io
from pathlib import Path
from typing import Final

from PIL import Image

from core import phantom

SIDE_PX: Final = 1340  # 1.8 megapixels, the mean of the public chest X-rays of children
QUALITY: Final = 90
SUFFIXES: Final = (".jpg", ".jpeg")


def draw(seed: int, side_px: int = SIDE_PX) -> bytes:
    """Return a phantom as a grey JPEG file of side_px × side_px."""
    stream = io.BytesIO()
    Image.fromarray(phantom.chest(seed, side_px)).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def read(folder: Path) -> list[bytes]:
    """Return the JPEG files of a folder and all below it, in the order of their names."""
    return [path.read_bytes() for path in sorted(folder.rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file()]


def megapixels(picture: bytes) -> float:
    """Return the size of an encoded picture."""
    with Image.open(io.BytesIO(picture)) as image:
        return image.width * image.height / 1e6
