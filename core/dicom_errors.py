"""Why a DICOM file is not read, each with a stable code. What is wrong with pictures of any kind stands in `core.errors`."""

from core.errors import PictureError


class DicomSupportMissing(PictureError):
    """The picture is DICOM, and this installation is without what reads it; the sentence names it."""

    code = "dicom_support_missing"


class UnsupportedTransferSyntax(PictureError):
    """DICOM whose pixels are stored in a way that is not read, such as video."""

    code = "unsupported_transfer_syntax"


class NotARadiograph(PictureError):
    """DICOM of another modality or kind of object than a plain radiograph."""

    code = "not_a_radiograph"


class NotForPresentation(PictureError):
    """DICOM with raw data of a detector, which are to be processed before anybody looks at them."""

    code = "not_for_presentation"


class NotAChest(PictureError):
    """DICOM whose header names another part of the body."""

    code = "not_a_chest"


class NotFrontal(PictureError):
    """DICOM whose header says that the view is lateral, oblique or decubitus."""

    code = "not_frontal"


class NoPixelData(PictureError):
    """DICOM without a picture: a report, a directory, or pixel data of floating point."""

    code = "no_pixel_data"


class ColourPicture(PictureError):
    """DICOM in colour; radiographs are grey."""

    code = "colour_picture"


class BurnedInAnnotation(PictureError):
    """DICOM whose header says that text is burned into the pixels: such a picture is read, and not stored."""

    code = "burned_in_annotation"
