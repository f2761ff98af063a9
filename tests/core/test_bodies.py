"""Bodies to pictures: raw, form and JSON, and everything that can be wrong with them."""

import base64
import io

import msgspec
import pytest

from core import bodies, errors
from core.contract import Request
from core.settings import Settings

LIMIT = Settings(max_body_mb=1, max_pictures=3)
MIB = 1024 * 1024
FORM = "multipart/form-data; boundary=XX"


def request(body: bytes, content_type: str | None = None, length: str | None = "true") -> Request:
    headers = {} if content_type is None else {"content-type": content_type}
    if length is not None:
        headers["content-length"] = str(len(body)) if length == "true" else length
    return Request(method="POST", path="/predict", query={}, headers=headers, body=io.BytesIO(body))


def form(*parts: tuple[str, bytes], boundary: str = "XX", end: bytes = b"--XX--\r\n") -> bytes:
    """A form of parts (what follows `form-data;`, content)."""
    return (
        b"".join(f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n" for head, body in parts) + end
    )


def file(body: bytes, name: str = "files", filename: str = "a.jpg") -> tuple[str, bytes]:
    return f'name="{name}"; filename="{filename}"', body


def instances(*pictures: bytes) -> bytes:
    return msgspec.json.encode({"instances": [{"b64": base64.b64encode(picture).decode()} for picture in pictures]})


def read(body: bytes, content_type: str | None = None, limits: Settings = LIMIT) -> bodies.Pictures:
    return bodies.read_pictures(request(body, content_type), limits)


RAW_TYPES = (
    None,
    "",
    "image/jpeg",
    "image/png",
    "IMAGE/PNG",
    "image/jpeg; charset=binary",
    "image/whatever",
    "application/octet-stream",
    "application/dicom",
    "application/x-www-form-urlencoded",
)


@pytest.mark.parametrize("content_type", RAW_TYPES)
def test_raw_body_is_one_picture_as_it_came(content_type: str | None) -> None:
    body = b"\0\r\n--XX\xff" * 100

    assert read(body, content_type) == bodies.Pictures((body,), several=False)


@pytest.mark.parametrize("content_type", ["text/plain", "text/html", "application/xml", "video/mp4", "imagejpeg", "image", "application"])
def test_type_that_holds_no_picture_is_refused_unread(content_type: str) -> None:
    untouched = request(b"x" * 10, content_type)

    with pytest.raises(errors.UnsupportedMediaType, match=f"Received: {content_type}"):
        bodies.read_pictures(untouched, LIMIT)
    assert untouched.body.read(10) == b"x" * 10


def test_form_of_one_file_is_one_picture() -> None:
    assert read(form(file(b"one")), FORM) == bodies.Pictures((b"one",), several=False)


def test_form_of_files_keeps_their_order_whatever_their_fields_are_called() -> None:
    body = form(file(b"1", "files"), file(b"2", "picture", ""), file(b"3", "x", "ünï.png"))

    assert read(body, FORM) == bodies.Pictures((b"1", b"2", b"3"), several=True)


def test_fields_beside_files_are_let_by() -> None:
    body = form(('name="note"', b"hello"), file(b"one"), ('name="more"', b""))

    assert read(body, FORM) == bodies.Pictures((b"one",), several=False, fields={"note": "hello", "more": ""})


def test_file_with_line_ends_and_dashes_in_it_stays_whole() -> None:
    picture = b"\r\n--X\r\n\r\n--\r\n\0\xff--XY\r\n"

    assert read(form(file(picture)), FORM).items == (picture,)


def test_file_as_large_as_the_limit_stays_in_memory_and_whole() -> None:
    picture = bytes(range(256)) * (3 * MIB // 4 // 256)

    assert read(form(file(picture)), FORM).items == (picture,)


@pytest.mark.parametrize(
    "content_type",
    ['multipart/form-data; boundary="XX"', "Multipart/Form-Data; boundary=XX", "multipart/form-data; charset=utf-8; boundary=XX"],
)
def test_form_type_may_be_written_in_other_ways(content_type: str) -> None:
    assert read(form(file(b"one")), content_type).items == (b"one",)


BROKEN_FORMS = {
    "no boundary": (form(file(b"one")), "multipart/form-data"),
    "empty boundary": (form(file(b"one")), 'multipart/form-data; boundary=""'),
    "another boundary": (form(file(b"one")), "multipart/form-data; boundary=YY"),
    "no form at all": (b"\xff\xd8\xff picture", FORM),
    "no end": (form(file(b"one"), end=b""), FORM),
    "no header of a part": (b"--XX\r\n\r\nbody\r\n--XX--\r\n", FORM),
    "a header that is none": (b"--XX\r\nnonsense\r\n\r\nbody\r\n--XX--\r\n", FORM),
    "a name that is not UTF-8": (b'--XX\r\nContent-Disposition: form-data; name="\xff"; filename="a"\r\n\r\nx\r\n--XX--\r\n', FORM),
    "a very long header": (form((f'name="{"a" * 100_000}"; filename="a"', b"x")), FORM),
    "a length of its own that is wrong": (
        b'--XX\r\nContent-Disposition: form-data; name="f"; filename="a"\r\nContent-Length: 9\r\n\r\nx\r\n--XX--\r\n',
        FORM,
    ),
}


@pytest.mark.parametrize(("body", "content_type"), BROKEN_FORMS.values(), ids=BROKEN_FORMS.keys())
def test_broken_form_is_malformed(body: bytes, content_type: str) -> None:
    with pytest.raises(errors.MalformedBody):
        read(body, content_type)


@pytest.mark.parametrize("body", [form(), form(('name="files"', b"text"))], ids=["no parts", "a field only"])
def test_form_without_a_file_holds_no_picture(body: bytes) -> None:
    with pytest.raises(errors.NoPicture):
        read(body, FORM)


def test_empty_file_in_a_form_is_a_picture_that_the_decoder_will_refuse() -> None:
    assert read(form(file(b"")), FORM).items == (b"",)


@pytest.mark.parametrize("content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
@pytest.mark.parametrize("pictures", [(b"one",), (b"1", b"2", b"3")], ids=["one", "three"])
def test_instances_are_several_even_where_there_is_one(content_type: str, pictures: tuple[bytes, ...]) -> None:
    assert read(instances(*pictures), content_type) == bodies.Pictures(pictures, several=True)


BROKEN_JSON = {
    "cut off": b'{"instances": [',
    "no object": b"[]",
    "no instances": b"{}",
    "instances that are no list": b'{"instances": {"b64": ""}}',
    "an instance that is a string": b'{"instances": ["aGk="]}',
    "an address instead of a picture": b'{"instances": [{"url": "http://localhost/x.png"}]}',
    "b64 that is none": b'{"instances": [{"b64": "!!!"}]}',
    "b64 without its padding": b'{"instances": [{"b64": "aGk"}]}',
    "b64 that is a number": b'{"instances": [{"b64": 1}]}',
    "bytes that are not UTF-8": b'{"instances": [{"b64": "\xff"}]}',
    "a byte order mark": b"\xef\xbb\xbf" + instances(b"x"),
    "very deep": b'{"instances": ' + b"[" * 100_000,
    "null": b"null",
}


@pytest.mark.parametrize("body", BROKEN_JSON.values(), ids=BROKEN_JSON.keys())
def test_broken_json_is_malformed(body: bytes) -> None:
    with pytest.raises(errors.MalformedBody):
        read(body, "application/json")


def test_no_instances_hold_no_picture() -> None:
    with pytest.raises(errors.NoPicture):
        read(instances(), "application/json")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [(instances(b"1", b"2", b"3", b"4"), "application/json"), (form(*[file(b"x")] * 4), FORM), (form(*[file(b"x")] * 200), FORM)],
    ids=["instances", "files", "very many files"],
)
def test_more_pictures_than_allowed_are_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(errors.TooManyPictures, match="at most 3 pictures"):
        read(body, content_type)


class Stream:
    """A body that counts what is read of it."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.read_bytes = 0

    def read(self, size: int, /) -> bytes:
        given = min(size, self.left)
        self.left -= given
        self.read_bytes += given
        return bytes(given)


def ask(stream: Stream, **headers: str) -> Request:
    return Request(method="POST", path="/predict", query={}, headers={k.replace("_", "-"): v for k, v in headers.items()}, body=stream)


def test_body_that_says_it_is_too_large_is_not_read_at_all() -> None:
    stream = Stream(10 * MIB)

    with pytest.raises(errors.BodyTooLarge, match="10,485,760 bytes"):
        bodies.read_body(ask(stream, content_length=str(10 * MIB)), MIB)
    assert stream.read_bytes == 0


@pytest.mark.parametrize(
    "headers", [{}, {"content_length": "10"}, {"content_length": "nonsense"}, {"content_length": "-5"}, {"content_length": "٣"}]
)
def test_body_that_lies_about_its_length_is_read_no_further_than_the_limit(headers: dict[str, str]) -> None:
    stream = Stream(10 * MIB)

    with pytest.raises(errors.BodyTooLarge):
        bodies.read_body(ask(stream, **headers), MIB)
    assert stream.read_bytes == MIB + 1


def test_body_of_exactly_the_limit_is_read() -> None:
    assert len(bodies.read_body(ask(Stream(MIB), content_length=str(MIB)), MIB)) == MIB


@pytest.mark.parametrize(
    ("headers", "kind"), [({"content_length": "0"}, errors.EmptyBody), ({}, errors.LengthRequired)], ids=["length 0", "no length"]
)
def test_no_bytes_are_refused_by_what_was_promised(headers: dict[str, str], kind: type[errors.RequestError]) -> None:
    with pytest.raises(kind):
        bodies.read_body(ask(Stream(0), **headers), MIB)
