"""What `pneumonia smoke` sends: a good picture in every wrapping, and one of each kind that must be refused. All small, all drawn here."""

import io
import struct
import zlib

import msgspec
from PIL import Image

from core import phantom

_BOUNDARY = "pneumonia-smoke"
MULTIPART = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
JSON = {"Content-Type": "application/json"}
_HUGE_SIDE_PX = 30_000  # 900 megapixels, more than any deployment can allow


def form(*files: bytes) -> bytes:
    """Return a form with files, as a browser sends it."""
    head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="picture"\r\n\r\n'.encode()
    return b"".join(head + file + b"\r\n" for file in files) + f"--{_BOUNDARY}--\r\n".encode()


def instances(*pictures: bytes) -> bytes:
    """Return pictures as Vertex AI and TensorFlow Serving send them."""
    return msgspec.json.encode({"instances": [{"b64": picture} for picture in pictures]})  # msgspec writes bytes as base64


def blank_picture() -> bytes:
    """Return a picture of one grey, which every guard refuses."""
    return _encoded(Image.new("L", (256, 256), 128), "PNG")


def broken_pictures() -> dict[str, tuple[bytes, int, str]]:
    """Return what must be refused: a name, the bytes, the status and the code."""
    sound = phantom.jpeg()
    png = _encoded(Image.fromarray(phantom.chest(side_px=64)), "PNG")
    return {
        "an empty body": (b"", 400, "empty_body"),
        "text": (b"this is not a picture", 422, "not_a_picture"),
        "half a JPEG": (sound[: len(sound) // 2], 422, "truncated_picture"),
        "a damaged PNG": (_damaged(png), 422, "corrupt_picture"),
        "a header of 900 megapixels": (_header_of_a_huge_png(), 413, "picture_too_large"),
        "16 x 16 pixels": (_encoded(Image.new("L", (16, 16)), "PNG"), 422, "picture_too_small"),
        "an animation": (_animation(), 422, "several_frames"),
        "a PDF": (b"%PDF-1.7 and so on", 415, "unsupported_format"),
    }


def _encoded(picture: Image.Image, file_format: str) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, file_format)
    return stream.getvalue()


def _damaged(png: bytes) -> bytes:
    """Flip bytes in the middle of the pixels, so that the checksum is wrong."""
    middle = len(png) // 2
    return png[:middle] + bytes(255 - value for value in png[middle : middle + 64]) + png[middle + 64 :]


def _animation() -> bytes:
    first, second = (Image.fromarray(phantom.chest(seed, 64)) for seed in (1, 2))
    stream = io.BytesIO()
    first.save(stream, "GIF", save_all=True, append_images=[second])
    return stream.getvalue()


def _header_of_a_huge_png() -> bytes:
    """Return a PNG that says it is huge and holds one row: who decodes before looking fails otherwise."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", _HUGE_SIDE_PX, _HUGE_SIDE_PX, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(_HUGE_SIDE_PX + 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
