"""Stored values of a DICOM picture to grey levels, as PS3.3 C.11 and PS3.14 describe it. Called by `core.dicom`.

Modality LUT, VOI LUT or window, polarity: all of it depends on the stored value alone. So it is worked out once for each of the 256 or
65,536 values that a pixel can have, and looked up for each pixel: exact, and no copy of the picture in floating point but the answer.
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from core.grey import Grey

Stored = npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
Values = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

NARROW: Final = 0.25  # of the full range: values that use less of it are stretched
FLAT: Final = 0.02  # of the grey scale: a window that shows less than this of the values misses them
_TAIL: Final = 0.005  # of the pixels at either end: markers, hot pixels
_SAMPLES: Final = 512  # a side, at most, to find the range
_STRIP: Final = 1 << 18  # pixels looked up at once


class Samples(NamedTuple):
    """Pixels as they came: 2-D array, uint8 or uint16. The value of one is `(pixel >> shift) - offset`, as two's complement if signed."""

    pixels: Stored
    bits: int
    signed: bool
    shift: int = 0
    offset: int = 0


class Lut(NamedTuple):
    """A lookup table: what the values from `first` on become; float64 array (n,), whole numbers."""

    first: int
    values: Values


class Window(NamedTuple):
    """The part of the values that is to be seen. `function` is LINEAR, LINEAR_EXACT or SIGMOID."""

    centre: float
    width: float
    function: str = "LINEAR"


class Tones(NamedTuple):
    """What a header says of grey levels."""

    white_is_low: bool = False
    inverse: bool | None = None
    slope: float = 1.0
    intercept: float = 0.0
    modality_lut: Lut | None = None
    voi_lut: Lut | None = None
    window: Window | None = None
    padding: tuple[int, int] | None = None


def render(samples: Samples, tones: Tones) -> tuple[Grey, tuple[str, ...]]:
    """Return the picture in grey, 0 black, and the codes of what that took.

    Returns:
        uint8 array (height, width) from pixels of 8 bits, else float32, values in [0, 255].
    """
    stored = _stored(samples)
    padded = np.zeros(stored.shape, dtype=bool) if tones.padding is None else (stored >= tones.padding[0]) & (stored <= tones.padding[1])
    spread_out = _spread_out(samples.pixels)
    seen = spread_out[~padded[spread_out]]
    shown, codes = _shown(stored, padded, seen if seen.size else spread_out, samples, tones)
    if tones.white_is_low or tones.inverse:
        shown = 1.0 - shown
    if tones.inverse is not None and tones.inverse != tones.white_is_low:
        codes = (*codes, "polarity_contradicted")
    shown[padded] = 0.0  # no part of the picture: air
    return _look_up(samples.pixels, shown * 255.0), codes


def _stored(samples: Samples) -> Values:
    """Return the value of each pixel that there can be: float64 array (256,) or (65536,), whole numbers."""
    found = (np.arange(1 << (8 * samples.pixels.itemsize), dtype=np.int64) >> samples.shift) - samples.offset
    if not samples.offset:  # else the sign is applied already
        found &= (1 << samples.bits) - 1
        if samples.signed:
            half = 1 << (samples.bits - 1)
            found = (found ^ half) - half
    return found.astype(np.float64)


def _spread_out(pixels: Stored) -> Places:
    """Return some pixels from all over the picture, in no order."""
    steps = [max(1, side // _SAMPLES) for side in pixels.shape]
    return pixels[:: steps[0], :: steps[1]].ravel().astype(np.int64)


def _shown(stored: Values, padded: Mask, seen: Places, samples: Samples, tones: Tones) -> tuple[Values, tuple[str, ...]]:
    """Return for each pixel that there can be how bright it is, in [0, 1], and the codes of what that took."""
    values = _through(stored, tones.modality_lut) if tones.modality_lut else stored * tones.slope + tones.intercept
    asked: Values | None = None
    if tones.voi_lut is not None:
        asked = _through(values, tones.voi_lut) / _top(tones.voi_lut)
    elif tones.window is not None:
        asked = _windowed(values, tones.window)
    if asked is not None and not _is_flat(asked[seen]):
        return asked, ()
    low, high, codes = _range(values, _extremes(stored, padded, samples.pixels), seen, samples, tones)
    spread: Values = np.clip((values - low) / max(high - low, 1e-12), 0.0, 1.0)
    if asked is None:
        return spread, codes
    return (asked, ()) if _is_flat(spread[seen]) else (spread, ("window_ignored", *codes))  # what is blank is blank either way


def _windowed(values: Values, window: Window) -> Values:
    """Apply a window: PS3.3 C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID), C.11.2.1.3.2 (LINEAR_EXACT)."""
    shown: Values
    if window.function == "SIGMOID":
        shown = 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - window.centre) / window.width, -700.0, 700.0)))
        return shown
    if window.function == "LINEAR_EXACT":
        shown = np.clip((values - window.centre) / window.width + 0.5, 0.0, 1.0)
        return shown
    shown = np.clip((values - (window.centre - 0.5)) / max(window.width - 1.0, 1e-6) + 0.5, 0.0, 1.0)
    return shown


def _range(values: Values, extremes: tuple[int, int], seen: Places, samples: Samples, tones: Tones) -> tuple[float, float, tuple[str, ...]]:
    """Return the values that become black and white where the header does not say: the range of the bits in use.

    As in PNG and TIFF of 16 bits (`core.grey`), so that one picture reads the same in all of them. Where a few pixels make the range far
    wider than the picture, the picture's own range is taken.
    """
    lowest, highest = extremes
    signed = lowest < 0
    bits = max(8, highest.bit_length() + signed, (~lowest).bit_length() + 1 if signed else 0)
    if tones.modality_lut:
        low, high = 0.0, _top(tones.modality_lut)
    else:
        ends = (-float(1 << (bits - 1)), float((1 << (bits - 1)) - 1)) if signed else (0.0, float((1 << bits) - 1))
        low, high = sorted(end * tones.slope + tones.intercept for end in ends)
    darkest, brightest = _ends(values[seen])
    if 0.0 < brightest - darkest < NARROW * (high - low):
        return darkest, brightest, ("scaled_by_range",)
    return low, high, (("scaled_by_bits_in_use",) if bits < samples.bits and not tones.modality_lut else ())


def _through(values: Values, table: Lut) -> Values:
    """Send values through a lookup table; those beyond its ends become what the ends do."""
    places = np.clip(np.rint(values) - table.first, 0, table.values.size - 1)
    found: Values = table.values[places.astype(np.int64)]
    return found


def _top(table: Lut) -> float:
    """Return the largest value that a table can give: of the bits in use, since headers claim 16 where 12 are."""
    return float((1 << max(8, int(table.values.max()).bit_length())) - 1)


def _ends(values: Values) -> tuple[float, float]:
    """Return the values that all but a few lie between."""
    low, high = np.quantile(values, (_TAIL, 1.0 - _TAIL))
    return float(low), float(high)


def _is_flat(shown: Values) -> bool:
    low, high = _ends(shown)
    return high - low < FLAT


def _extremes(stored: Values, padded: Mask, pixels: Stored) -> tuple[int, int]:
    """Return the lowest and the highest value that a pixel has, padding left out."""
    first, last = int(pixels.min()), int(pixels.max())
    if not padded.any() and (np.diff(stored[first : last + 1]) >= 0.0).all():  # as nearly always: the rest of this takes 40 ms
        return int(stored[first]), int(stored[last])
    counts = np.zeros(stored.size, dtype=np.int64)
    for strip in _strips(pixels):
        counts += np.bincount(strip.ravel(), minlength=stored.size)
    there = stored[(counts > 0) & ~padded]
    return (int(there.min()), int(there.max())) if there.size else (0, 0)


def _look_up(pixels: Stored, levels: Values) -> Grey:
    """Return the grey level of each pixel."""
    if pixels.dtype == np.uint8:
        table = np.rint(levels).astype(np.uint8)
        return (
            pixels.astype(np.uint8, copy=False)
            if np.array_equal(table, np.arange(256))
            else np.asarray(Image.fromarray(pixels).point(table.tolist()))
        )
    deep = levels.astype(np.float32)
    grey = np.empty(pixels.shape, np.float32)
    for strip, target in zip(_strips(pixels), _strips(grey), strict=True):
        np.take(deep, strip, out=target, mode="clip")
    return grey


def _strips(array: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    """Yield an array a few rows at a time: the indices of a whole picture would take eight bytes a pixel."""
    rows = max(1, _STRIP // array.shape[1])
    for start in range(0, array.shape[0], rows):
        yield array[start : start + rows]
