"""What is refused, each with its own error: nothing else comes out of `decode`, and no refusal takes memory."""

import numpy as np
import pytest

from core import errors, images, phantom
from tests.support import pictures
from tests.support.pictures import encode, tiff

CHEST = pictures.chest()

REFUSED: dict[str, tuple[bytes, type[errors.PictureError]]] = {
    "nothing": (b"", errors.NotAPicture),
    "one byte": (b"\xff", errors.NotAPicture),
    "text": (b"this is not a picture", errors.NotAPicture),
    "a web page saved as a picture": (b"<!doctype html><html></html>" * 20, errors.NotAPicture),
    "zeros": (bytes(10_000), errors.NotAPicture),
    "PPM": (encode(CHEST, "PPM"), errors.NotAPicture),
    "PDF": (b"%PDF-1.7\n" + bytes(100), errors.UnsupportedFormat),
    "ZIP": (b"PK\x03\x04" + bytes(100), errors.UnsupportedFormat),
    "gzip": (b"\x1f\x8b\x08" + bytes(100), errors.UnsupportedFormat),
    "program": (b"\x7fELF" + bytes(100), errors.UnsupportedFormat),
    "HEIC": (b"\0\0\0\x18ftypheic" + bytes(100), errors.UnsupportedFormat),
    "AVIF": (b"\0\0\0\x18ftypavif" + bytes(100), errors.UnsupportedFormat),
    "JPEG 2000": (encode(CHEST, "JPEG2000"), errors.UnsupportedFormat),
    "still GIF": (encode(CHEST, "GIF"), errors.UnsupportedFormat),
    "animated GIF": (pictures.pages("GIF"), errors.SeveralFrames),
    "animated PNG": (pictures.pages("PNG"), errors.SeveralFrames),
    "animated WebP": (pictures.pages("WEBP"), errors.SeveralFrames),
    "TIFF of two pages": (pictures.pages("TIFF"), errors.SeveralFrames),
    "31 pixels wide": (encode(np.zeros((64, 31), np.uint8), "PNG"), errors.PictureTooSmall),
    "31 pixels high": (encode(np.zeros((31, 64), np.uint8), "JPEG"), errors.PictureTooSmall),
    "float TIFF with NaN": (tiff(np.full((64, 64), np.nan, np.float32)), errors.CorruptPicture),
    "float TIFF with infinity": (tiff(np.full((64, 64), np.inf, np.float32)), errors.CorruptPicture),
    "float TIFF of 64 bits": (tiff(CHEST.astype(np.float64)), errors.UnsupportedFormat),
    **{f"bomb: {bomb.name}": (bomb.data, errors.PictureTooLarge) for bomb in pictures.bombs()},
}


@pytest.mark.parametrize(("data", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_single_readable_picture_is_refused(data: bytes, kind: type[errors.PictureError]) -> None:
    with pytest.raises(errors.PictureError) as caught:
        images.decode(data)

    assert type(caught.value) is kind
    assert "Expected" in str(caught.value)
    assert "Received" in str(caught.value)


@pytest.mark.parametrize("name", ["PDF", "ZIP", "gzip", "HEIC", "AVIF", "JPEG 2000", "GIF"])
def test_refusal_names_the_known_format(name: str) -> None:
    data = REFUSED["still GIF" if name == "GIF" else name][0]

    with pytest.raises(errors.UnsupportedFormat, match=f"Received: {name}"):
        images.decode(data)


def test_smallest_picture_is_read_and_the_limit_on_pixels_is_inclusive() -> None:
    data = encode(np.zeros((32, 40), np.uint8), "PNG")

    assert images.decode(data, max_pixels=32 * 40).grey.shape == (32, 40)
    with pytest.raises(errors.PictureTooLarge, match=r"at most 1,279 pixels\. Received: 40 × 32"):
        images.decode(data, max_pixels=32 * 40 - 1)


WHOLE = {
    "jpeg": encode(CHEST, "JPEG"),
    "jpeg-progressive": encode(CHEST, "JPEG", progressive=True),
    "png": encode(CHEST, "PNG"),
    "png-16-bit": encode(CHEST.astype(np.uint16) * 257, "PNG"),
    "bmp": encode(CHEST, "BMP"),
    "tiff": encode(CHEST, "TIFF"),
    "tiff-deep": tiff(CHEST.astype(np.float32)),
    "webp": encode(CHEST, "WEBP"),
    "webp-lossless": encode(CHEST, "WEBP", lossless=True),
}
every_format = pytest.mark.parametrize("data", WHOLE.values(), ids=WHOLE.keys())
damage = pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # what Pillow says of it, on its way to refusing


@every_format
@damage
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.75, 0.95])
def test_truncated_picture_is_called_truncated(data: bytes, share: float) -> None:
    with pytest.raises(errors.TruncatedPicture):
        images.decode(data[: int(len(data) * share)])


@every_format
@damage
def test_picture_cut_anywhere_is_refused(data: bytes) -> None:
    cuts = sorted({*range(200), *range(200, len(data) - 24, max(1, len(data) // 150))})

    for cut in cuts:
        with pytest.raises(errors.PictureError):
            images.decode(data[:cut])


@damage
@pytest.mark.parametrize("draft_px", [None, (32, 32)], ids=["full", "reduced"])
def test_jpeg_that_lacks_its_last_rows_is_refused_however_it_is_decoded(draft_px: tuple[int, int] | None) -> None:
    data = encode(phantom.chest(3, 256), "JPEG")

    with pytest.raises(errors.TruncatedPicture):
        images.decode(data[:-200], draft_px=draft_px)
