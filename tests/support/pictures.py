"""Encoded pictures, all drawn here: what Pillow writes, and by hand what it cannot write (16-bit RGB, inverted TIFF, bombs)."""

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from core import phantom

Pixels = npt.NDArray[Any]
ByteOrder = Literal["<", ">"]

HEIGHT_PX, WIDTH_PX = 96, 72  # not square, so that a picture on its side shows
ORIENTATION_TAG = 0x0112


def chest(seed: int = 3) -> npt.NDArray[np.uint8]:
    """Draw a small chest: uint8 array (HEIGHT_PX, WIDTH_PX). Its levels reach 255, so that all 8 bits are in use."""
    pixels = phantom.chest(seed, HEIGHT_PX)[:, :WIDTH_PX].copy()
    pixels[0, 0], pixels[0, 1] = 255, 0
    return pixels


def encode(picture: Image.Image | Pixels, file_format: str, **options: Any) -> bytes:
    """Encode a picture, or a uint8 or uint16 array, with Pillow."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def palette() -> Image.Image:
    """The chest as a picture with a palette whose order is not that of the grey levels."""
    image = Image.fromarray(255 - chest())
    image.putpalette([255 - index // 3 for index in range(768)])
    return image


def translucent(mode: Literal["RGBA", "LA", "P"]) -> tuple[Image.Image, npt.NDArray[np.uint8]]:
    """The chest with a transparent upper half, and what it should look like: black above, where it lies on air."""
    expected = chest()
    alpha = np.full_like(expected, 255)
    alpha[: HEIGHT_PX // 2] = 0
    if mode == "P":
        indices = np.maximum(expected, 1)  # index 0 is the transparent one
        indices[: HEIGHT_PX // 2] = 0
        image = Image.fromarray(indices)
        image.putpalette([255, 255, 255, *(index // 3 for index in range(3, 768))])
        image.info["transparency"] = 0
        expected = indices
    else:
        image = Image.fromarray(expected).convert(mode)
        image.putalpha(Image.fromarray(alpha))
        expected[: HEIGHT_PX // 2] = 0
    return image, expected


def lying(orientation: int) -> Image.Image:
    """The chest as a camera stores it that says "turn me": read upright, it is `chest()` again."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = Image.fromarray(chest())
    return image.transpose(undo[orientation]) if orientation in undo else image


def exif(orientation: int) -> Image.Exif:
    """EXIF data with an orientation."""
    data = Image.Exif()
    data[ORIENTATION_TAG] = orientation
    return data


def pages(file_format: str, **options: Any) -> bytes:
    """Two chests in one file: an animation, or a document of two pages."""
    first, second = (Image.fromarray(chest(seed)) for seed in (1, 2))
    return encode(first, file_format, save_all=True, append_images=[second], **options)


def png(pixels: Pixels, depth: int = 8) -> bytes:
    """A PNG by hand: any array (height, width) or (height, width, channels) of 1, 2, 4, 8 or 16 bits a sample."""
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    colour_type = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    if depth < 8:
        bits = np.unpackbits(pixels.astype(np.uint8)[:, :, np.newaxis], axis=2)[:, :, 8 - depth :]
        rows = np.packbits(bits.reshape(height, -1), axis=1)
    else:
        rows = pixels.reshape(height, -1).astype(">u2" if depth == 16 else np.uint8)
    return _png(width, height, depth, colour_type, (b"\0" + row.tobytes() for row in rows))


def tiff(
    pixels: Pixels,
    byte_order: ByteOrder = "<",
    white_is_zero: bool = False,
    size: tuple[int, int] | None = None,
) -> bytes:
    """An uncompressed TIFF by hand, from an array (height, width) or (height, width, 3) of any whole or floating type.

    Args:
        pixels: the samples as they are stored.
        byte_order: "<" little (II), ">" big (MM).
        white_is_zero: PhotometricInterpretation 0.
        size: (width, height) to claim instead of the true one.
    """
    height, width = pixels.shape[:2]
    claimed_width, claimed_height = size or (width, height)
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    data = pixels.astype(pixels.dtype.newbyteorder(byte_order)).tobytes()
    sample_format = {"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]
    short, long = 3, 4
    entries = 11
    beyond = 8 + 2 + entries * 12 + 4  # where values that do not fit into an entry stand
    bits = pixels.dtype.itemsize * 8
    if channels == 1:
        bits_field = struct.pack(byte_order + "HH", bits, 0)
        extra = b""
    else:
        bits_field = struct.pack(byte_order + "I", beyond)
        extra = struct.pack(f"{byte_order}{channels}H", *[bits] * channels)
    strip = beyond + len(extra)

    def number(kind: int, value: int) -> bytes:
        return struct.pack(byte_order + ("HH" if kind == short else "I"), *((value, 0) if kind == short else (value,)))

    table = [
        (256, long, 1, number(long, claimed_width)),
        (257, long, 1, number(long, claimed_height)),
        (258, short, channels, bits_field),
        (259, short, 1, number(short, 1)),
        (262, short, 1, number(short, 0 if white_is_zero else 2 if channels == 3 else 1)),
        (273, long, 1, number(long, strip)),
        (277, short, 1, number(short, channels)),
        (278, long, 1, number(long, claimed_height)),
        (279, long, 1, number(long, len(data))),
        (284, short, 1, number(short, 1)),
        (339, short, 1, number(short, sample_format)),
    ]
    head = (b"II*\0" if byte_order == "<" else b"MM\0*") + struct.pack(byte_order + "I", 8)
    directory = struct.pack(byte_order + "H", entries)
    directory += b"".join(struct.pack(byte_order + "HHI", tag, kind, count) + value for tag, kind, count, value in table)
    return head + directory + struct.pack(byte_order + "I", 0) + extra + data


class Bomb(NamedTuple):
    """A small file that claims to be a huge picture."""

    name: str
    data: bytes


def bombs(side_px: int = 30_000) -> list[Bomb]:
    """Files of less than a megabyte that decode, or claim to decode, to hundreds of megabytes."""
    black = b"\0" * (side_px + 1)
    small = np.zeros((64, 64), np.uint8)
    bmp = bytearray(encode(small, "BMP"))
    bmp[18:26] = struct.pack("<ii", side_px, side_px)
    jpeg = bytearray(encode(small, "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    jpeg[frame + 5 : frame + 9] = struct.pack(">HH", side_px, side_px)
    webp = bytearray(encode(Image.new("RGB", (64, 64)), "WEBP", lossless=True))
    most = 16_383  # a WebP holds 14 bits of each side, minus one
    webp[21:25] = struct.pack("<I", most | (most << 14))
    return [
        Bomb("png", _png(side_px, side_px, 8, 0, (black for _ in range(side_px)))),
        Bomb("bmp", bytes(bmp)),
        Bomb("tiff", tiff(small, size=(side_px, side_px))),
        Bomb("jpeg", bytes(jpeg)),
        Bomb("webp", bytes(webp)),
    ]


def _png(width: int, height: int, depth: int, colour_type: int, rows: Iterable[bytes]) -> bytes:
    packer = zlib.compressobj(9)
    data = b"".join([*(packer.compress(row) for row in rows), packer.flush()])

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")
