"""Bodies to send: good ones in every form, and bad ones of every kind. All drawn here."""

import base64
import io
import struct
import zlib
from functools import cache

import msgspec
from PIL import Image

from core import phantom

BOUNDARY = "a-boundary-of-our-own"


def multipart(*files: bytes, boundary: str = BOUNDARY, field: str = "note", value: str = "nothing") -> bytes:
    """A form with files, as a browser sends it, and one field beside them."""
    head = 'Content-Disposition: form-data; name="files"; filename="p{}.jpg"\r\nContent-Type: image/jpeg'
    parts = [f"--{boundary}\r\n{head.format(index)}\r\n\r\n".encode() + file + b"\r\n" for index, file in enumerate(files)]
    beside = f'--{boundary}\r\nContent-Disposition: form-data; name="{field}"\r\n\r\n{value}\r\n'.encode()
    return b"".join([*parts, beside, f"--{boundary}--\r\n".encode()])


def fields(count: int, boundary: str = BOUNDARY) -> bytes:
    """A form of text fields and no file."""
    field = f'--{boundary}\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
    return (field * count + f"--{boundary}--\r\n").encode()


def instances(*pictures: bytes) -> bytes:
    """Pictures as Vertex AI and TensorFlow Serving send them."""
    return msgspec.json.encode({"instances": [{"b64": base64.b64encode(picture).decode()} for picture in pictures]})


@cache
def jpeg() -> bytes:
    """A sound picture."""
    return phantom.jpeg(3)


@cache
def encoded(file_format: str, mode: str = "L") -> bytes:
    """The same phantom in another format or mode; `I;16` has 16 bits."""
    grey = phantom.chest(3)
    picture = Image.fromarray(grey.astype("uint16") * 257) if mode == "I;16" else Image.fromarray(grey).convert(mode)
    stream = io.BytesIO()
    picture.save(stream, file_format, lossless=True)  # only WebP knows the option, the others leave it
    return stream.getvalue()


@cache
def animation(file_format: str) -> bytes:
    """Two phantoms, one after the other."""
    first, second = (Image.fromarray(phantom.chest(seed, 64)) for seed in (1, 2))
    stream = io.BytesIO()
    first.save(stream, file_format, save_all=True, append_images=[second])
    return stream.getvalue()


@cache
def huge_png(side: int = 30_000) -> bytes:
    """A PNG of side x side black pixels, made row by row: of 30,000 a side about 900 kB that would decode to 900 MB."""
    packer = zlib.compressobj(9)
    row = b"\0" * (side + 1)
    data = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")
