"""The cases of the guard, on a package that knows two phantoms: accepted, warned and refused, alone, among others and in an upload."""

import io

import numpy as np
from PIL import Image

from core import phantom
from tests.contract import bodies
from tests.contract.deployments import ADMIN, JSON, MULTIPART, Case, predict
from tests.contract.doors import Ask
from tests.support import packages


def png(pixels: object, mode: str | None = None) -> bytes:
    """Encode an array as PNG."""
    stream = io.BytesIO()
    image = Image.fromarray(np.asarray(pixels, dtype=np.uint8))
    (image if mode is None else image.convert(mode)).save(stream, "PNG")
    return stream.getvalue()


def faint() -> bytes:
    """A phantom with hardly any contrast: a warning."""
    return png(100 + phantom.chest(0) * 0.15)


def blank() -> bytes:
    """All of one grey: refused."""
    return png(np.full((300, 300), 90))


def coloured() -> bytes:
    """Red beside green: refused."""
    pixels = np.zeros((300, 300, 3))
    pixels[:, :150, 0] = pixels[:, 150:, 1] = np.linspace(0, 255, 300)[:, np.newaxis]
    return png(pixels)


def _cases() -> list[Case]:
    good, far = bodies.jpeg(), png(packages.noise())
    advise = {"guard": "advise"}

    def upload(body: bytes, **query: str) -> Ask:
        return Ask("POST", "/upload-data", body, ADMIN, {"label": "normal", **query})

    cases = [
        Case("accepts a phantom", predict(good), 200, verdict="accept"),
        Case("accepts a phantom in grey RGB", predict(bodies.encoded("JPEG", "RGB")), 200, verdict="accept"),
        Case("warns of a faint phantom", predict(faint()), 200, verdict="warn"),
        Case("rejects noise", predict(far), 422, verdict="refuse"),
        Case("rejects a blank picture", predict(blank()), 422, verdict="refuse"),
        Case("rejects a coloured picture", predict(coloured()), 422, verdict="refuse"),
        Case("rejects a picture although a heat map is asked for", predict(far, query={"explain": "heatmap"}), 422, verdict="refuse"),
        Case("rejects one file in a form", predict(bodies.multipart(far), MULTIPART), 422, verdict="refuse"),
        Case("reads noise where the guard may only advise", predict(far, query=advise), 200, verdict="refuse"),
        Case("rejects one of two files in a form", predict(bodies.multipart(far, good), MULTIPART), 200, verdict="refuse"),
        Case("rejects one of two instances", predict(bodies.instances(far, good), JSON), 200, verdict="refuse"),
        Case("refuses an unknown word for the guard", predict(good, query={"guard": "off"}), 400, "invalid_parameter"),
        Case("refuses to store noise", upload(far), 422, "picture_rejected"),
        Case("stores noise where the guard may only advise", upload(far, guard="advise"), 200, verdict="refuse"),
        Case("stores a faint phantom with its warning", upload(faint()), 200, verdict="warn"),
        Case("refuses to store with an unknown word for the guard", upload(good, guard="off"), 400, "invalid_parameter"),
    ]
    return [case._replace(deployment="guarded") for case in cases]


CASES = tuple(_cases())
