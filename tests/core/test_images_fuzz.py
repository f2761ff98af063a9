"""Damage of every kind, the same each time: `decode` gives a valid picture or one of its own errors, never anything else."""

import random
from collections import Counter
from contextlib import suppress

import numpy as np
import pytest

from core import errors, images
from tests.support import pictures
from tests.support.pictures import encode, png, tiff

CHEST = pictures.chest()
SOUND = {
    "jpeg": encode(CHEST, "JPEG"),
    "jpeg-progressive-exif": encode(CHEST, "JPEG", progressive=True, exif=pictures.exif(6)),
    "mpo": pictures.pages("MPO"),
    "png": encode(CHEST, "PNG"),
    "png-palette": encode(pictures.translucent("P")[0], "PNG"),
    "png-exif": encode(CHEST, "PNG", exif=pictures.exif(6)),
    "png-16-bit": png(CHEST.astype(np.uint16) * 257, 16),
    "png-animated": pictures.pages("PNG"),
    "bmp": encode(CHEST, "BMP"),
    "bmp-palette": encode(pictures.palette(), "BMP"),
    "tiff": encode(CHEST, "TIFF"),
    "tiff-16-bit": tiff(CHEST.astype(np.uint16) * 257, ">"),
    "tiff-float": tiff(CHEST.astype(np.float32)),
    "tiff-lzw": encode(CHEST, "TIFF", compression="tiff_lzw"),
    "tiff-jpeg": encode(CHEST, "TIFF", compression="jpeg"),
    "tiff-pages": pictures.pages("TIFF"),
    "webp": encode(CHEST, "WEBP"),
    "webp-lossless": encode(pictures.translucent("RGBA")[0], "WEBP", lossless=True),
    "webp-animated": pictures.pages("WEBP"),
    "gif": pictures.pages("GIF"),
}
MUTATIONS = 600
HEADER_BYTES = 200  # half of the damage goes here, where lengths, offsets and counts stand
TELLING = (0, 1, 2, 4, 7, 8, 16, 127, 128, 254, 255)
NATURAL_LEVELS = 255.001


def mutate(chance: random.Random, data: bytes) -> bytes:
    """Change, drop, insert or overwrite bytes, or cut the end off."""
    damaged = bytearray(data)
    at = chance.randrange(min(len(data), HEADER_BYTES) if chance.random() < 0.5 else len(data))
    length = chance.randrange(1, 40)
    kind = chance.choice(("change", "change", "drop", "insert", "overwrite", "cut"))
    if kind == "change":
        for _ in range(chance.choice((1, 2, 4, 8))):
            damaged[chance.randrange(at + 1)] = chance.choice((*TELLING, chance.randrange(256)))
    elif kind == "cut":
        del damaged[at:]
    else:
        damaged[at : at + (0 if kind == "insert" else length)] = b"" if kind == "drop" else chance.randbytes(length)
    return bytes(damaged)


def check(picture: images.Picture) -> None:
    grey = picture.grey
    assert grey.ndim == 2
    assert grey.dtype in (np.uint8, np.float32)
    assert np.isfinite(grey).all()
    assert grey.min() >= 0.0
    assert grey.max() <= NATURAL_LEVELS
    assert min(picture.width_px, picture.height_px) >= images.MIN_SIDE_PX
    assert picture.reduced or grey.shape == (picture.height_px, picture.width_px)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow says of damaged metadata, and reads on
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", SOUND)
def test_damaged_picture_is_read_or_refused_and_nothing_else_happens(name: str) -> None:
    chance = random.Random(f"seed of {name}")
    outcomes: Counter[str] = Counter()

    for turn in range(MUTATIONS):
        data = mutate(chance, SOUND[name])
        try:
            check(images.decode(data, draft_px=(32, 32) if turn % 3 == 0 else None))
            outcomes["read"] += 1
        except errors.PictureError as error:
            outcomes[error.code] += 1

    assert sum(outcomes.values()) == MUTATIONS
    assert len(outcomes) > 1, "the damage was not varied enough to show anything"


def far_strips() -> bytes:
    """A TIFF that gives the offset of its pixels as a number of 64 bits, and the number is 2**64 - 1."""
    white = np.full((64, 64), 255, np.uint8)
    offset_tag, long, long8 = (number.to_bytes(2, "little") for number in (273, 4, 16))
    return tiff(white).replace(offset_tag + long, offset_tag + long8)


HARMFUL = {
    # Found by fuzzing with more turns than a test run has time for.
    "TIFF whose pixels lie beyond what an offset can hold": far_strips(),
    "float TIFF whose range overflows": tiff(np.linspace(-3.4e38, 3.4e38, 64 * 64, dtype=np.float64).astype(np.float32).reshape(64, 64)),
    "EXIF that is noise": encode(CHEST, "JPEG", exif=b"Exif\0\0" + random.Random(1).randbytes(60)),
}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("data", HARMFUL.values(), ids=HARMFUL.keys())
def test_harmful_picture_is_read_or_refused_and_nothing_else_happens(data: bytes) -> None:
    with suppress(errors.CorruptPicture, errors.TruncatedPicture):
        check(images.decode(data))
