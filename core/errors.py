"""What can go wrong, each with a stable code and a sentence that a person can act on.

Raised everywhere in `core`, turned into HTTP answers by the one table in `core.routes`. An error carries a code, never an HTTP number.
"""

from typing import ClassVar, Final

_OF_SERVING: Final = (__name__, "core.dicom_errors")


class PneumoniaError(Exception):
    """Base of all errors that a caller can meet; `code` is part of the contract, `str(error)` is the sentence."""

    code: ClassVar[str]


class RequestError(PneumoniaError):
    """The request itself cannot be served."""


class UnknownRoute(RequestError):
    """No route has this path."""

    code = "unknown_route"


class UnknownVersion(RequestError):
    """The store has no whole model package of this version."""

    code = "unknown_version"


class UnknownFile(RequestError):
    """The model package has no such file, or none that is handed out."""

    code = "unknown_file"


class PackageRefused(RequestError):
    """The version is there, and its package cannot be loaded or fails its self-test: it is not promoted."""

    code = "package_refused"


class MethodNotAllowed(RequestError):
    """The route exists, but not with this method; the `Allow` header has those it takes."""

    code = "method_not_allowed"

    def __init__(self, detail: str, allowed: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allowed = allowed


class Unauthorized(RequestError):
    """The API key is missing or wrong."""

    code = "unauthorized"


class AdminRoutesOff(RequestError):
    """The route changes something, and the deployment has set no `PNEUMONIA_ADMIN_TOKEN`."""

    code = "admin_routes_off"


class AdminUnauthorized(RequestError):
    """The admin token is missing or wrong."""

    code = "admin_unauthorized"


class JobRunning(RequestError):
    """One retraining at a time, and one waits or runs."""

    code = "job_running"


class UnknownJob(RequestError):
    """No retraining has this id."""

    code = "unknown_job"


class InvalidParameter(RequestError):
    """A query parameter has a value that is none of those it may have."""

    code = "invalid_parameter"


class LengthRequired(RequestError):
    """An empty body came without Content-Length: Azure reads no body without one."""

    code = "length_required"


class BodyTooLarge(RequestError):
    """The body is larger than `PNEUMONIA_MAX_BODY_MB`."""

    code = "body_too_large"


class EmptyBody(RequestError):
    """The body has no bytes."""

    code = "empty_body"


class MalformedBody(RequestError):
    """A multipart form or a JSON body cannot be taken apart."""

    code = "malformed_body"


class NoPicture(RequestError):
    """A form or a list of instances holds no picture."""

    code = "no_picture"


class TooManyPictures(RequestError):
    """One request holds more than `PNEUMONIA_MAX_PICTURES`."""

    code = "too_many_pictures"


class UnsupportedMediaType(RequestError):
    """The Content-Type is none that can hold a picture."""

    code = "unsupported_media_type"


class UnknownLabel(RequestError):
    """The label is none of the model's, nor one that `PNEUMONIA_EXTRA_LABELS` allows."""

    code = "unknown_label"


class LabelConflict(RequestError):
    """The same bytes are stored under another label already; the sentence says which."""

    code = "label_conflict"


class PictureError(PneumoniaError):
    """The bytes of one picture cannot be read."""


class NotAPicture(PictureError):
    """The bytes are no format that is known."""

    code = "not_a_picture"


class UnsupportedFormat(PictureError):
    """The format is known and not read; the sentence names it."""

    code = "unsupported_format"


class SeveralFrames(PictureError):
    """An animation or a document of several pages: which one is meant?"""

    code = "several_frames"


class TruncatedPicture(PictureError):
    """The picture ends too early."""

    code = "truncated_picture"


class CorruptPicture(PictureError):
    """The picture is damaged."""

    code = "corrupt_picture"


class PictureTooLarge(PictureError):
    """More pixels than `PNEUMONIA_MAX_PIXELS`, found in the header before memory is taken for them."""

    code = "picture_too_large"


class PictureTooSmall(PictureError):
    """Too few pixels to tell a lung from noise."""

    code = "picture_too_small"


class PictureRejected(PictureError):
    """The guard refuses the picture: the model was not made for such a one. `?guard=advise` stores it all the same."""

    code = "picture_rejected"


class ServiceError(PneumoniaError):
    """The service cannot answer, whatever the request."""


class InvalidSettings(ServiceError):
    """The deployment set something that cannot be."""

    code = "invalid_settings"


class ModelUnavailable(ServiceError):
    """The model package is missing, altered, inconsistent or fails its self-test."""

    code = "model_unavailable"


class NoStore(ServiceError):
    """The route needs an object store, and the deployment has set none."""

    code = "no_store"


class StoreUnavailable(ServiceError):
    """The object store does not answer, or refuses what was asked of it."""

    code = "store_unavailable"


class LauncherFailed(ServiceError):
    """The job could not be started; it is marked failed, and another may be asked for."""

    code = "launcher_failed"


class InternalError(ServiceError):
    """A fault of ours; the log line with the same request id says more."""

    code = "internal_error"


def leaves(kind: type[PneumoniaError] = PneumoniaError) -> list[type[PneumoniaError]]:
    """Return the errors of serving that can be raised, those below a class with a code of their own. Training has more, elsewhere."""
    below = [leaf for child in kind.__subclasses__() if child.__module__ in _OF_SERVING for leaf in leaves(child)]
    return below or [kind]
