"""What a browser needs beside the answers: the pages, a sample, and a view of pictures that it cannot decode itself."""

import io
import threading
from typing import Final

import numpy as np
from PIL import Image

from core import bodies, errors, images, pages, phantom
from core.contract import Request
from core.endpoints import Endpoints, Outcome
from core.grey import Grey

LONGEST_SIDE_PX: Final = 1024  # more than a page shows, and below 1 MB whatever the picture
_SLOTS: Final = threading.BoundedSemaphore(2)  # pictures are the largest things in memory


def page(_endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Give the web page."""
    return _as_html(pages.web())


def docs(_endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Give the page that explains the routes and tries them."""
    return _as_html(pages.docs())


def sample(_endpoints: Endpoints, _request: Request, _request_id: str) -> Outcome:
    """Give a synthetic picture to try the service with."""
    return Outcome(phantom.jpeg(), "image/jpeg")


def preview(endpoints: Endpoints, request: Request, _request_id: str) -> Outcome:
    """Give one picture as the model's decoder sees it: upright, grey, as a PNG that every browser shows."""
    pictures = bodies.read_pictures(request, endpoints.settings)
    if len(pictures.items) != 1:
        raise errors.TooManyPictures(f"Expected one picture. Received: {len(pictures.items)}.")
    with _SLOTS:
        picture = images.decode(pictures.items[0], endpoints.settings.max_pixels, (LONGEST_SIDE_PX, LONGEST_SIDE_PX))
        return Outcome(_png(picture.grey), "image/png")


def _png(grey: Grey) -> bytes:
    """Draw a grey picture, its longest side `LONGEST_SIDE_PX` or less.

    Args:
        grey: 2-D array (height, width), uint8 or float32, values in [0, 255].
    """
    image = Image.fromarray(np.rint(grey).astype(np.uint8))
    image.thumbnail((LONGEST_SIDE_PX, LONGEST_SIDE_PX))
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=3)
    return stream.getvalue()


def _as_html(page: pages.Page) -> Outcome:
    return Outcome(page.html, "text/html; charset=utf-8", headers=page.headers)
