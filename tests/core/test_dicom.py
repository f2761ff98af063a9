"""What is read of DICOM, and that it is read right: one picture in every photometric interpretation, depth, table and transfer syntax."""

import numpy as np
import numpy.typing as npt
import pytest

pytest.importorskip("pydicom", reason="needs the extra dicom: pip install '.[dicom]'")

from core import images
from core.codestream import Stream, _read_j2k, _read_jpeg
from tests.support import dicoms
from tests.support.dicoms import deep, file

CHEST = dicoms.chest()


def read(data: bytes) -> npt.NDArray[np.float64]:
    picture = images.decode(data)
    assert picture.format == "dicom"
    assert picture.warnings == ()
    assert (picture.height_px, picture.width_px) == picture.grey.shape == CHEST.shape
    return picture.grey.astype(np.float64)


@pytest.mark.parametrize("inverted", [False, True], ids=["MONOCHROME2", "MONOCHROME1"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 15, 16])
def test_every_depth_in_both_polarities_gives_the_same_picture(bits: int, inverted: bool) -> None:
    pixels = CHEST if bits == 8 else deep(CHEST, bits)
    top = pixels.dtype.type(2**bits - 1)
    data = file(top - pixels if inverted else pixels, bits, PhotometricInterpretation=f"MONOCHROME{2 - inverted}")

    assert np.abs(read(data) - CHEST).max() <= 255.0 / 2 ** min(bits, 15)
    assert images.decode(data).grey.dtype == (np.uint8 if bits == 8 else np.float32)


@pytest.mark.parametrize("bits", [8, 12, 16])
def test_signed_pixels_are_read_as_such(bits: int) -> None:
    half = 2 ** (bits - 1)
    pixels = (deep(CHEST, bits).astype(np.int32) - half).astype(np.int8 if bits == 8 else np.int16)

    assert np.abs(read(file(pixels, bits)) - CHEST).max() <= 0.1


def test_bits_above_the_stored_ones_are_no_part_of_the_picture() -> None:
    overlay = np.uint16(0xA000)

    assert np.abs(read(file(deep(CHEST, 12) | overlay, 12)) - CHEST).max() < 0.1


def test_high_bit_says_where_the_picture_stands_in_its_words() -> None:
    assert np.abs(read(file(deep(CHEST, 12) << 4, 12, HighBit=15)) - CHEST).max() < 0.1


SYNTAXES = {
    "implicit little endian": file(deep(CHEST, 12), 12, dicoms.IMPLICIT),
    "explicit little endian": file(deep(CHEST, 12), 12, dicoms.EXPLICIT),
    "explicit big endian": file(deep(CHEST, 12), 12, dicoms.BIG_ENDIAN),
    "deflated": file(deep(CHEST, 12), 12, dicoms.DEFLATED),
    "RLE": file(deep(CHEST, 12), 12, dicoms.RLE),
    "RLE of 8 bits": file(CHEST, 8, dicoms.RLE),
    "big endian of 8 bits": file(CHEST, 8, dicoms.BIG_ENDIAN),
    "JPEG 2000 of 8 bits": file(CHEST, 8, dicoms.J2K_LOSSLESS),
    "JPEG 2000 of 16 bits": file(deep(CHEST, 16), 16, dicoms.J2K_LOSSLESS),
    "JPEG lossless of 8 bits": dicoms.written(dicoms.dataset(CHEST), dicoms.JPEG_LOSSLESS, dicoms.lossless_jpeg(CHEST, 8)),
    "JPEG lossless of 12 bits": dicoms.written(
        dicoms.dataset(deep(CHEST, 12), 12), dicoms.JPEG_LOSSLESS, dicoms.lossless_jpeg(deep(CHEST, 12), 12)
    ),
    "JPEG lossless of 16 bits": dicoms.written(
        dicoms.dataset(deep(CHEST, 16), 16), "1.2.840.10008.1.2.4.57", dicoms.lossless_jpeg(deep(CHEST, 16), 16)
    ),
    "without preamble, implicit": dicoms.bare(dicoms.dataset(deep(CHEST, 12), 12, PixelData=deep(CHEST, 12).tobytes())),
    "without preamble, explicit": dicoms.bare(dicoms.dataset(deep(CHEST, 12), 12, PixelData=deep(CHEST, 12).tobytes()), implicit=False),
}


@pytest.mark.parametrize("data", SYNTAXES.values(), ids=SYNTAXES.keys())
def test_every_lossless_transfer_syntax_gives_the_same_picture(data: bytes) -> None:
    assert np.abs(read(data) - CHEST).max() < 0.1


LOSSY = {
    "JPEG baseline": (dicoms.JPEG, dicoms.jpeg(CHEST)),
    "JPEG extended of 8 bits": ("1.2.840.10008.1.2.4.51", dicoms.jpeg(CHEST)),
    "JPEG 2000": (dicoms.J2K, dicoms.j2k(CHEST, irreversible=True, quality_mode="dB", quality_layers=[45])),
}


@pytest.mark.parametrize(("syntax", "frame"), LOSSY.values(), ids=LOSSY.keys())
def test_every_lossy_transfer_syntax_gives_nearly_the_same_picture(syntax: str, frame: bytes) -> None:
    assert np.abs(read(dicoms.written(dicoms.dataset(CHEST), syntax, frame)) - CHEST).mean() < 2.0


def test_rle_whose_runs_cross_the_rows_is_read() -> None:
    flat = np.zeros((64, 40), np.uint8)
    flat[30:] = 200
    runs = bytes([129, 0]) * (30 * 40 // 128) + bytes([257 - 48, 0]) + bytes([129, 200]) * (34 * 40 // 128) + bytes([257 - 80, 200])
    frame = (1).to_bytes(4, "little") + (64).to_bytes(4, "little") + bytes(56) + runs

    assert np.array_equal(images.decode(dicoms.written(dicoms.dataset(flat), dicoms.RLE, frame)).grey, flat)


def test_frame_in_several_fragments_is_put_together() -> None:
    frame = dicoms.j2k(CHEST)
    pieces = [frame[at : at + 1000] for at in range(0, len(frame), 1000)]
    whole = dicoms.written(dicoms.dataset(CHEST), dicoms.J2K_LOSSLESS, frame)
    head, end = whole[: whole.index(b"\xfe\xff\x00\xe0")], b"\xfe\xff\xdd\xe0\0\0\0\0"
    items = b"".join(b"\xfe\xff\x00\xe0" + len(piece).to_bytes(4, "little") + piece for piece in (b"", *pieces))

    assert np.array_equal(read(head + items + end), CHEST)


@pytest.mark.parametrize("side", [64, 97, 98, 129, 130, 131, 132, 133, 255, 257, 258, 259, 260, 261, 262, 263, 264])
def test_jpeg_2000_of_any_size_can_be_decoded_at_a_fraction(side: int) -> None:
    grey = np.ascontiguousarray(np.broadcast_to(np.linspace(0, 65535, side).astype(np.uint16), (side + 3, side)))
    data = file(grey, 16, dicoms.J2K_LOSSLESS)

    picture = images.decode(data, draft_px=(16, 16))

    assert picture.reduced
    assert min(picture.grey.shape) >= 32
    assert (picture.width_px, picture.height_px) == (side, side + 3)
    assert abs(float(picture.grey.mean()) - float(images.decode(data).grey.mean())) < 4.0


def test_headers_of_streams_are_read() -> None:
    assert _read_jpeg(dicoms.jpeg(CHEST)) == Stream(120, 100, 1, 8, 0xC0)
    assert _read_jpeg(dicoms.jpeg(CHEST, "RGB", progressive=True)) == Stream(120, 100, 3, 8, 0xC2)
    assert _read_j2k(dicoms.j2k(deep(CHEST, 16), num_resolutions=4)) == Stream(120, 100, 1, 16, levels=3)


def test_picture_alone_decides_about_memory() -> None:
    """8 bits come out as 8 bits, without a copy where nothing is to be changed."""
    assert np.array_equal(images.decode(file(CHEST)).grey, CHEST)
