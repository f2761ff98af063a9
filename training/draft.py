"""How far scaled JPEG decoding moves an answer: `input.draft_margin` of the manifest.

Serving decodes large JPEGs at 1/2, 1/4 or 1/8 and decodes in full only where the difference could change a decision. How near to a
threshold that is, is measured here.
"""

import io
import math
from typing import Final

import numpy as np
from PIL import Image
from tqdm import tqdm

from core import images
from core.classifier import Classifier, log_odds
from core.grey import Grey
from training.kept import NOTHING, Kept
from training.pictures import GreyStack

_ENLARGEMENT: Final = 4  # 896 px from 224, so that JPEG is decoded at 1/2 scale
_JPEG_QUALITY: Final = 92
_SAFETY: Final = 2.0
_MOST_PICTURES: Final = 300


def margin(classifier: Classifier, grey: GreyStack, progress: bool = True, kept: Kept = NOTHING) -> float:
    """Return twice the largest change of the log-odds of pneumonia over these pictures, enlarged and stored as JPEG.

    Args:
        classifier: with its temperature already chosen.
        grey: uint8 array (N, height, width); at most 300 are used, evenly spread. 200 or more make the maximum trustworthy.
        progress: show a progress bar.
        kept: of this classifier.
    """
    change = kept.remember("draft margin", lambda data: _change(classifier, data), float)
    rows = np.unique(np.linspace(0, len(grey) - 1, min(len(grey), _MOST_PICTURES)).astype(int))
    changes = [change(enlarge(grey[row])) for row in tqdm(rows, "draft margin", unit="picture", disable=not progress)]
    return math.ceil(_SAFETY * max(changes) * 1000.0) / 1000.0


def enlarge(grey: Grey) -> bytes:
    """Return the picture four times as wide and high, as JPEG."""
    image = Image.fromarray(grey)
    large = image.resize((image.width * _ENLARGEMENT, image.height * _ENLARGEMENT), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    large.save(stream, "JPEG", quality=_JPEG_QUALITY)
    return stream.getvalue()


def _change(classifier: Classifier, data: bytes) -> float:
    contract = classifier.manifest.input
    scaled, whole = (images.decode(data, draft_px=size).grey for size in (images.draft_px(contract), None))
    return abs(_log_odds(classifier, scaled) - _log_odds(classifier, whole))


def _log_odds(classifier: Classifier, grey: Grey) -> float:
    probabilities, _ = classifier.probabilities(grey)
    return log_odds(1.0 - float(probabilities[classifier.manifest.negative_index]))
