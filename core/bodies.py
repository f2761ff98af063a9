"""The body of `POST /predict` and `POST /upload-data` to the bytes of pictures: a raw picture, a multipart form, or JSON instances.

Nothing is spooled to disk: a picture of a patient stays in memory.
"""

import io
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from core import errors
from core.contract import JSON_TYPE, Request
from core.settings import Settings

# curl --data-binary sends the form type unless told otherwise: the bytes are a picture all the same.
RAW_TYPES: Final = ("", "application/octet-stream", "application/dicom", "application/x-www-form-urlencoded")
MULTIPART_TYPE: Final = "multipart/form-data"
_FIELDS_BESIDE_PICTURES: Final = 16


class Pictures(NamedTuple):
    """The pictures of one request; `several` asks for a list of answers even where there is one."""

    items: tuple[bytes, ...]
    several: bool
    fields: Mapping[str, str] = {}
    """What else a form says, by name; of repeated fields the last counts."""


class Instance(msgspec.Struct, frozen=True):
    """One picture as Vertex AI and TensorFlow Serving send it."""

    b64: bytes


class Instances(msgspec.Struct, frozen=True):
    """A JSON body of pictures."""

    instances: tuple[Instance, ...]


def read_pictures(request: Request, settings: Settings) -> Pictures:
    """Read and take apart a body.

    Raises:
        errors.RequestError: one of its leaves: media type, length, form, number of pictures.
    """
    content_type = request.headers.get("content-type", "")
    media_type = content_type.partition(";")[0].strip().lower()
    if not (media_type in (*RAW_TYPES, MULTIPART_TYPE, JSON_TYPE) or media_type.startswith("image/")):
        raise errors.UnsupportedMediaType(
            f"Expected Content-Type image/*, application/dicom, application/octet-stream, {MULTIPART_TYPE} or {JSON_TYPE}. "
            f"Received: {media_type[:64]}."
        )
    body = read_body(request, settings.max_body_bytes)
    if media_type == MULTIPART_TYPE:
        items, fields = _from_multipart(body, content_type, settings.max_pictures)
        several = len(items) > 1
    elif media_type == JSON_TYPE:
        items, several, fields = _from_json(body, settings.max_pictures), True, {}
    else:
        return Pictures((body,), several=False)
    if not items:
        raise errors.NoPicture("Expected at least one picture. Received: none.")
    if len(items) > settings.max_pictures:
        raise _too_many(settings.max_pictures)
    return Pictures(items, several, fields)


def read_body(request: Request, limit_bytes: int) -> bytes:
    """Read a whole body, never more than the limit and one byte.

    Raises:
        errors.BodyTooLarge: it is larger than the limit; if it says so itself, none of it is read.
        errors.LengthRequired: it is empty and came without Content-Length. Azure reads no body without one.
        errors.EmptyBody: it is empty.
        errors.MalformedBody: it breaks off, or its chunks are none.
    """
    declared = request.headers.get("content-length")
    if declared is not None and declared.isascii() and declared.isdigit() and (len(declared) > 18 or int(declared) > limit_bytes):
        raise _too_large(limit_bytes, f"{int(declared[:18]):,} bytes")
    try:
        body = request.body.read(limit_bytes + 1)
    except Exception as error:  # each transport has its own: a caller who hangs up, or sends no chunks, is no fault of ours
        raise errors.MalformedBody("Expected a whole body. Received: one that broke off.") from error
    if len(body) > limit_bytes:
        raise _too_large(limit_bytes, "more")
    if not body and declared is None:
        raise errors.LengthRequired("Expected a body, and its Content-Length. Received: neither (Azure drops a body without one).")
    if not body:
        raise errors.EmptyBody("Expected a picture. Received: 0 bytes.")
    return body


def _too_large(limit_bytes: int, received: str) -> errors.BodyTooLarge:
    return errors.BodyTooLarge(f"Expected a body of at most {limit_bytes // 2**20} MiB. Received: {received}.")


def _from_multipart(body: bytes, content_type: str, max_pictures: int) -> tuple[tuple[bytes, ...], dict[str, str]]:
    """Return the files of a form and its other fields."""
    from multipart import MultipartError, MultipartParser, parse_options_header  # 10 ms that only forms pay

    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise errors.MalformedBody(f"Expected {MULTIPART_TYPE} with a boundary. Received: none.")
    parser = MultipartParser(
        io.BytesIO(body),
        boundary,
        content_length=len(body),
        part_limit=len(body),
        spool_limit=len(body),
        memory_limit=len(body),
    )
    items: list[bytes] = []
    fields: dict[str, str] = {}
    try:
        for count, part in enumerate(parser, start=1):
            if count > max_pictures + _FIELDS_BESIDE_PICTURES:  # the rest is not even taken apart
                raise _too_many(max_pictures)
            if part.filename is not None:
                items.append(part.raw)
            else:
                fields[part.name] = part.raw.decode("utf-8", "replace")
    except MultipartError as error:
        raise errors.MalformedBody(f"Expected a well-formed {MULTIPART_TYPE} body. Received: {error}.") from error
    return tuple(items), fields


def _from_json(body: bytes, max_pictures: int) -> tuple[bytes, ...]:
    if body.count(b'"b64"') > max_pictures:  # before millions of objects are made of it
        raise _too_many(max_pictures)
    try:
        instances = msgspec.json.decode(body, type=Instances).instances
    except (msgspec.MsgspecError, RecursionError) as error:
        raise errors.MalformedBody(f'Expected {{"instances": [{{"b64": "…"}}]}}. Received: something else ({error}).') from error
    return tuple(instance.b64 for instance in instances)


def _too_many(max_pictures: int) -> errors.TooManyPictures:
    return errors.TooManyPictures(f"Expected at most {max_pictures} pictures a request. Received: more.")
