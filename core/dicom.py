"""Bytes of a DICOM file to a grey array. Called by `core.images.decode`; pydicom comes in with the first file.

Of the header only the elements that `core.elements` lists are read: no name, no identifier. What pydicom says of a file, in warnings or in
its log, is silenced, since it quotes. docs/dicom.md says what is read, what is refused and what never leaves.
"""

import logging
import re
import struct
import warnings
from typing import Final, NamedTuple

from core import attributes, codestream, dicom_errors, dicom_file, errors, radiograph, tones
from core.codestream import Layout
from core.dicom_file import PLAIN, RLE, SYNTAX, DicomFile, has_preamble
from core.grey import Grey, check_size
from core.tones import Samples

# JPEG baseline, extended, lossless, lossless SV1; JPEG-LS, near-lossless; JPEG 2000, lossy; HTJ2K, RPCL, lossy.
_COMPRESSED: Final = frozenset(f"{SYNTAX}.4.{end}" for end in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203))
_GREY: Final = ("MONOCHROME1", "MONOCHROME2", "")
_COLOUR: Final = re.compile(r"RGB|ARGB|HSV|CMYK|YBR_\w+|PALETTE COLOR|XYB")
_DECODER_ERRORS: Final = (ArithmeticError, EOFError, LookupError, OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error)
_SILENT: Final = ("ignore", None, Warning, re.compile("pydicom"), 0)
_LOGGERS: Final = ("pydicom", "pylibjpeg", "libjpeg")


class Rendered(NamedTuple):
    """A picture as `core.images.Picture` has it."""

    grey: Grey
    width_px: int
    height_px: int
    warnings: tuple[str, ...]
    reduced: bool


def decode(data: bytes, max_pixels: int, draft_px: tuple[int, int] | None) -> Rendered:
    """Decode one frontal chest radiograph to grey, as its header says that it is to be shown.

    Args:
        data: a DICOM file, with or without preamble.
        max_pixels: larger pictures are refused from their header.
        draft_px: (width, height) that JPEG 2000 must keep when it is decoded at 1/2, 1/4 or 1/8 scale; None decodes in full.

    Raises:
        errors.PictureError: one of its leaves, each with its own code.
    """
    _quieten()
    try:
        file = dicom_file.read(data, max_pixels)
    except errors.PictureError:
        raise
    except Exception as error:  # pydicom's errors have no base in common, and it meets what anybody sends
        raise _unreadable(data) from error
    if attributes.is_empty(file.dataset):
        raise _unreadable(data, file.cut)
    try:
        codes = radiograph.check(attributes.subject(file.dataset))
        layout = _check_picture(file, max_pixels)
        samples = _samples(file, layout, draft_px)
        grey, more = tones.render(samples, attributes.tones(file.dataset, layout))
        uneven = () if attributes.shape(file.dataset).square else ("pixels_not_square",)
    except _DECODER_ERRORS as error:
        raise errors.CorruptPicture("Expected a readable DICOM file. Received: damaged data.") from error
    return Rendered(grey, layout.columns, layout.rows, (*codes, *uneven, *more), reduced=grey.shape != (layout.rows, layout.columns))


def _quieten() -> None:
    """Import pydicom, and let nothing out of it: its warnings and its log quote values of the header.

    `warnings.catch_warnings` is no way for threads, which share one list of filters: so a filter is put there, and put back if it is gone.
    """
    try:
        import pydicom.config
    except ImportError as error:
        raise dicom_errors.DicomSupportMissing(
            "Expected the extra `dicom` (pip install 'pneumonia-functions[dicom]'). Received: DICOM, and an installation without it."
        ) from error
    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    if _SILENT not in warnings.filters:
        warnings.filterwarnings("ignore", module="pydicom")
    for name in _LOGGERS:
        logging.getLogger(name).disabled = True


def _unreadable(data: bytes, cut: bool = False) -> errors.PictureError:
    """Return why nothing that a picture has was found."""
    if not has_preamble(data):
        return errors.NotAPicture(f"Expected a picture. Received: {len(data):,} bytes of something else.")
    if cut:
        return errors.TruncatedPicture(f"Expected a whole DICOM file. Received: {len(data):,} bytes that end within the header.")
    return errors.CorruptPicture("Expected DICOM with Modality, SOPClassUID or Rows. Received: none of them.")


def _check_picture(file: DicomFile, max_pixels: int) -> Layout:
    """Return how the pixels lie, once the header promises one grey picture of sane size in a form that is read."""
    shape = attributes.shape(file.dataset)
    if file.pixels is None:
        if file.cut:
            raise errors.TruncatedPicture("Expected a whole DICOM file. Received: one that ends within the header.")
        raise dicom_errors.NoPixelData("Expected a DICOM file with pixel data of whole numbers. Received: one without.")
    if shape.frames > 1:
        raise errors.SeveralFrames("Expected one picture. Received: DICOM with several frames.")
    if shape.samples != 1 or _COLOUR.fullmatch(shape.photometric):
        raise dicom_errors.ColourPicture("Expected a grey picture (MONOCHROME1 or MONOCHROME2). Received: colour.")
    if shape.photometric not in _GREY:
        raise errors.CorruptPicture("Expected MONOCHROME1 or MONOCHROME2. Received: another photometric interpretation.")
    layout = attributes.layout(file.dataset)
    check_size(layout.columns, layout.rows, max_pixels)
    if file.syntax not in (*PLAIN, RLE, *_COMPRESSED):
        raise dicom_errors.UnsupportedTransferSyntax("Expected a transfer syntax that docs/dicom.md lists. Received: another one.")
    if file.cut:
        raise errors.TruncatedPicture("Expected whole pixel data. Received: data that end too early.")
    return layout


def _samples(file: DicomFile, layout: Layout, draft_px: tuple[int, int] | None) -> Samples:
    """Return the stored values."""
    pixels = file.pixels or memoryview(b"")
    if file.syntax in PLAIN and not file.items:
        return codestream.plain(pixels, layout, file.order, file.words)
    frame = codestream.encapsulated(pixels)
    return codestream.run_length(frame, layout) if file.syntax == RLE else codestream.compressed(frame, layout, draft_px)
