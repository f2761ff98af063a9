"""`pneumonia upload`: sends a folder of labelled pictures to a service's `POST /upload-data`.

What was sent before comes back as a duplicate, so that an upload which broke off is simply started again.
"""

import argparse
import http.client
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

import msgspec

from cli.predict import SUFFIXES, shown

TOKEN_VARIABLE = "PNEUMONIA_ADMIN_TOKEN"  # noqa: S105 - the name of a variable
MOST_FILES, MOST_BYTES = 16, 8 * 2**20  # of one request: an answer within seconds, and little to send again
TRIES, PAUSE_S = 5, 1.0
TIMEOUT_S = 240.0  # Azure answers within 230 s


class Batch(NamedTuple):
    """Files of one label that go in one request."""

    label: str
    files: tuple[Path, ...]


class Failure(Exception):
    """The service cannot be reached, or refuses a whole request: `code` and a sentence."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "upload",
        help="send labelled pictures to a service, for retraining",
        description=f"Sends the pictures ({', '.join(SUFFIXES)}) below each folder in FOLDER under that folder's name as the label, or all "
        f"below FOLDER under --label. The admin token is read from {TOKEN_VARIABLE}. What was sent before is not stored twice: after a "
        "break, start it again.",
        epilog="Exit status: 0 all are stored, 1 some were refused, 2 the command could not be carried out.",
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder of pictures, or of one folder per label")
    parser.add_argument("--url", required=True, help="where the service is: http://localhost:8080")
    parser.add_argument("--label", metavar="NAME", help="the label of all pictures (default: the names of the folders)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Send everything; return 0, 1 where a picture was refused, 2 where nothing could be done."""
    token = os.environ.get(TOKEN_VARIABLE, "")
    if not token:
        return _cannot("admin_unauthorized", f"Expected the admin token in {TOKEN_VARIABLE}. Received: none.")
    address = urlsplit(arguments.url)
    if address.scheme not in ("http", "https") or not address.hostname:
        return _cannot("invalid_parameter", f"Expected --url http://… or https://…. Received: {arguments.url[:64]!r}.")
    batches = list(_batches(arguments.folder, arguments.label))
    if not batches:
        return _cannot(
            "no_picture", f"Expected pictures ({', '.join(SUFFIXES)}) in folders named after labels, or --label. Received: none."
        )
    progress = Progress(sum(len(batch.files) for batch in batches))
    outcomes: Counter[str] = Counter()
    try:
        for batch in batches:
            answers = _send(arguments.url.rstrip("/"), token, batch)
            for file, answer in zip(batch.files, answers, strict=True):
                outcomes[answer["outcome"]] += 1
                if answer["outcome"] in ("refused", "conflict"):
                    progress.say(f"{shown(str(file))}: {answer['code']}: {answer['detail']}")
            progress.step(len(batch.files), outcomes)
    except Failure as failure:
        progress.close()
        return _cannot(failure.code, f"{failure} {_summary(outcomes)} are kept; start the command again to send the rest.")
    progress.close()
    print(_summary(outcomes))
    return 1 if outcomes["refused"] or outcomes["conflict"] else 0


class Progress:
    """A bar on standard error where that is a terminal; refusals in any case."""

    WIDTH = 30

    def __init__(self, total: int) -> None:
        self._total, self._done, self._shows = total, 0, sys.stderr.isatty()

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        print(f"\r\x1b[K{line}" if self._shows else line, file=sys.stderr, flush=True)

    def step(self, files: int, outcomes: Counter[str]) -> None:
        """Move on by some files."""
        self._done += files
        if self._shows:
            full = self.WIDTH * self._done // self._total
            bar = "█" * full + "░" * (self.WIDTH - full)
            print(f"\r\x1b[K{bar} {self._done}/{self._total}  {_summary(outcomes)}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        """End the line of the bar."""
        if self._shows:
            print(file=sys.stderr)


def _batches(folder: Path, label: str | None) -> Iterator[Batch]:
    """Yield the pictures in requests of a size, label by label, in order."""
    labelled = {label: folder} if label else {below.name: below for below in sorted(folder.glob("*")) if below.is_dir()}
    for name, place in labelled.items():
        files = sorted(path for path in place.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
        batch: list[Path] = []
        size = 0
        for file in files:
            length = file.stat().st_size
            if batch and (len(batch) == MOST_FILES or size + length > MOST_BYTES):
                yield Batch(name, tuple(batch))
                batch, size = [], 0
            batch.append(file)
            size += length
        if batch:
            yield Batch(name, tuple(batch))


def _send(url: str, token: str, batch: Batch) -> Sequence[dict[str, Any]]:
    """Send one request, again where the service is away for a moment: what it stored meanwhile is a duplicate then.

    Raises:
        Failure: the request is refused, or nobody answers.
    """
    boundary = secrets.token_hex(16)
    body = _form([file.read_bytes() for file in batch.files], boundary)
    headers = {"X-Admin-Token": token, "Content-Type": f"multipart/form-data; boundary={boundary}"}
    address = urlsplit(f"{url}/upload-data")
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    problem: dict[str, Any] = {}
    for attempt in range(TRIES):
        if attempt:
            time.sleep(PAUSE_S * 2 ** (attempt - 1))
        connection = kind(str(address.hostname), address.port, timeout=TIMEOUT_S)
        try:
            connection.request("POST", f"{address.path}?label={quote(batch.label)}", body, headers)
            response = connection.getresponse()
            answer = _read(response.read())
        except OSError as error:
            problem = {"code": "unreachable", "detail": f"Expected the service to answer. Received: {error}."}
            continue
        except http.client.HTTPException as error:
            problem = {"code": "unreachable", "detail": f"Expected a whole answer. Received: {type(error).__name__}."}
            continue
        finally:
            connection.close()
        if response.status == HTTPStatus.OK:
            return list(answer["uploads"])
        problem = {"code": "unexpected_answer", "detail": f"Expected the service's answer. Received: status {response.status}.", **answer}
        if len(batch.files) == 1 and response.status in _OF_ONE_PICTURE:
            outcome = "conflict" if response.status == HTTPStatus.CONFLICT else "refused"
            return [{"outcome": outcome, "code": problem["code"], "detail": problem["detail"]}]
        if response.status < HTTPStatus.INTERNAL_SERVER_ERROR and response.status != HTTPStatus.TOO_MANY_REQUESTS:
            break
    raise Failure(str(problem["code"]), str(problem["detail"]))


# What a picture that comes alone is refused with: the next one may fare better.
_OF_ONE_PICTURE = (
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


def _read(body: bytes) -> dict[str, Any]:
    try:
        answer = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _form(pictures: Sequence[bytes], boundary: str) -> bytes:
    """Build a form without the files' names: they may name a patient."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="files"; filename="picture"\r\n\r\n'.encode()
    return b"".join([*(head + picture + b"\r\n" for picture in pictures), f"--{boundary}--\r\n".encode()])


def _summary(outcomes: Counter[str]) -> str:
    return ", ".join(f"{outcomes[outcome]} {word}" for outcome, word in _WORDS.items() if outcomes[outcome]) or "0 stored"


_WORDS = {"stored": "stored", "duplicate": "stored before", "refused": "refused", "conflict": "stored under another label"}


def _cannot(code: str, detail: str) -> int:
    print(f"error: {code}: {detail}", file=sys.stderr)
    return 2
