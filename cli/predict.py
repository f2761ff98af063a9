"""`pneumonia predict`: the third door. Files become requests to the same `Service`, answers become a table or JSON lines."""

import argparse
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any

import msgspec

from core.contract import Request, Response
from core.shares import percent

STANDARD_INPUT = "-"
SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".dcm", ".dicom")
NO_PICTURE_AT_FAULT = ("invalid_parameter", "invalid_settings", "model_unavailable")  # the next picture would fare no better
# A terminal has no front door: no key to show, no body that a stranger chose.
LOCAL = {"PNEUMONIA_LOG_LEVEL": "CRITICAL", "PNEUMONIA_MAX_BODY_MB": "1024"}

Answer = dict[str, Any]


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "predict",
        help="read pictures: a table, or JSON with --json",
        description=f"Reads each FILE, each picture below each folder ({', '.join(SUFFIXES)}), and standard input for `-`.",
        epilog="Exit status: 0 all were read, 1 some could not be or were refused by the guard, 2 the command could not be carried out.",
    )
    parser.add_argument("files", nargs="+", metavar="FILE", help="a picture, a folder, or - for standard input")
    parser.add_argument("--json", action="store_true", help="one JSON object a line: the answer of POST /predict with `file` added")
    parser.add_argument("--operating-point", metavar="NAME", help="another operating point of the package than its default")
    parser.add_argument("--heatmap", action="store_true", help="with --json: add the heat map (PNG, base64)")
    parser.add_argument("--guard", choices=("advise",), help="advise: read also what the guard refuses, and show its verdict")
    parser.add_argument("--model", metavar="FOLDER", help="another model package (default: the one that came with the installation)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Answer for each file in turn; return 0, 1 where a picture could not be read or was refused, 2 where nothing could be done."""
    from core import settings
    from core.bootstrap import bootstrap  # NumPy, Pillow and LiteRT: `pneumonia --help` does without

    files = list(_expand(arguments.files))
    if not files:
        print(f"error: no_picture: Expected pictures ({', '.join(SUFFIXES)}). Received: folders without any.", file=sys.stderr)
        return 2
    if arguments.heatmap and not arguments.json:
        print("error: invalid_parameter: Expected --heatmap together with --json. Received: --heatmap alone.", file=sys.stderr)
        return 2
    environ = _environment(arguments.model)
    settings.read(environ)  # what is wrong there is one sentence at the terminal, not lines of a service's log as well
    service = bootstrap(environ)
    query = {"operating_point": arguments.operating_point} if arguments.operating_point else {}
    if arguments.heatmap:
        query["explain"] = "heatmap"
    if arguments.guard:
        query["guard"] = arguments.guard
    report: JsonLines | Table = JsonLines() if arguments.json else Table([shown(file) for file in files])
    failed = False
    for file in files:
        answer = _ask(service.handle, file, query)
        if answer.get("code") in NO_PICTURE_AT_FAULT:
            print(f"error: {answer['code']}: {answer['detail']}", file=sys.stderr)
            return 2
        failed |= answer["status"] != "ok"
        report.add(shown(file), answer)
    report.close()
    return 1 if failed else 0


class JsonLines:
    """One answer a line, as the HTTP doors give it, with `file` in front."""

    def add(self, file: str, answer: Answer) -> None:
        """Print one answer."""
        print(msgspec.json.encode({"file": file, **answer}).decode(), flush=True)

    def close(self) -> None:
        """Nothing is left to say: each line holds the notice."""


class Table:
    """Answers for people: a row a picture as it is read, then the model and the notice."""

    def __init__(self, files: list[str]) -> None:
        self._width = max(4, *(len(file) for file in files))
        self._last: Answer | None = None
        self._started = False
        self._rejected = False

    def add(self, file: str, answer: Answer) -> None:
        """Print one row, the first below the heading."""
        if not self._started:
            print(f"{'FILE':<{self._width}}  {'DECISION':<13}  PNEUMONIA  IF SO, MOST PROBABLY")
            self._started = True
        if answer["status"] == "rejected":
            print(f"{file:<{self._width}}  {'refused':<13}  {_because(answer['guard'])}{_noted(answer)}", flush=True)
            self._rejected = True
            return
        if answer["status"] != "ok":
            print(f"{file:<{self._width}}  {'not read':<13}  {answer['code']}: {answer['detail']}", flush=True)
            return
        self._last = answer
        pneumonia, kind = answer["pneumonia"], answer["most_probable"]
        share = percent(pneumonia["probability"])
        named = f"{kind['label']} ({percent(kind['confidence'], 0)})" if kind else ""
        warned = f"  guard: {_because(answer['guard'])}" if answer["guard"]["verdict"] in ("warn", "refuse") else ""
        print(f"{file:<{self._width}}  {pneumonia['decision']:<13}  {share:>9}  {named}{warned}{_noted(answer)}".rstrip(), flush=True)

    def close(self) -> None:
        """Say which model and threshold decided, and what this is not."""
        if self._rejected:
            print("\nRefused: the model was not made for such pictures. --guard advise reads them all the same.")
        if self._last is None:
            return
        model, point = self._last["model"], self._last["pneumonia"]["operating_point"]
        rates = [f"{name} {percent(point[name])}" for name in ("sensitivity", "specificity") if point[name] is not None]
        measured = f"measured {', '.join(rates)}" if rates else "not measured"
        print(
            f"\nModel {model['name']} {model['version']}, operating point {point['name']}: threshold {percent(point['threshold'])}, "
            f"{measured}; indeterminate from {percent(point['indeterminate_from'])} to {percent(point['indeterminate_to'])}."
        )
        if self._last["guard"]["verdict"] == "unchecked":
            print("Not checked: whether these are chest X-rays at all. A photograph gets a probability, too.")
        print(self._last["notice"])


def _noted(answer: Answer) -> str:
    """Say what the decoder found out of the ordinary, by the codes of docs/api.md, written as words: of DICOM also whose picture it is."""
    codes = answer["image"]["warnings"]
    return f"  note: {', '.join(code.replace('_', ' ') for code in codes)}" if codes else ""


def _because(guard: Answer) -> str:
    """Say in words why the guard warns or refuses."""
    from core.guard import REASONS

    return "; ".join(REASONS[reason][1] if reason in REASONS else reason for reason in guard["reasons"])


def _expand(names: list[str]) -> Iterator[str]:
    """Yield files as they were named, and the pictures below folders, in order."""
    for name in names:
        if name != STANDARD_INPUT and Path(name).is_dir():
            yield from (str(path) for path in sorted(Path(name).rglob("*")) if path.suffix.lower() in SUFFIXES and path.is_file())
        else:
            yield name


def shown(file: str) -> str:
    """A file name as text: on old disks some are not UTF-8, and none may command the terminal."""
    text = os.fsencode(file).decode("utf-8", "backslashreplace")
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


def _environment(model: str | None) -> Mapping[str, str]:
    """The person's own settings, without a front door's."""
    environ = {**LOCAL, **os.environ}
    environ.pop("PNEUMONIA_API_KEY", None)
    if model is None:
        return environ
    environ.pop("PNEUMONIA_STORE", None)  # who names a package means that one, not the promoted one
    return {**environ, "PNEUMONIA_MODEL": model}


def _ask(handle: Callable[[Request], Response], file: str, query: Mapping[str, str]) -> Answer:
    try:
        data = sys.stdin.buffer.read() if file == STANDARD_INPUT else Path(file).read_bytes()
    except OSError as error:
        return {"status": "error", "code": "unreadable_file", "detail": f"Expected a readable file. Received: {error.strerror}."}
    headers = {"content-length": str(len(data))}
    response = handle(Request(method="POST", path="/predict", query=query, headers=headers, body=io.BytesIO(data)))
    answer: Answer = msgspec.json.decode(response.body)
    if response.status == HTTPStatus.OK or answer.get("status") == "rejected":
        return answer
    # As among several pictures of one request: `status` is a word there, not a number.
    return {"status": "error", **{name: answer[name] for name in ("request_id", "code", "detail")}}
