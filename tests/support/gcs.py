"""The part of Google Cloud Storage's XML API that obstore uses, in memory: put (with `x-goog-if-generation-match: 0`), get, list.

It is what the documents of that API say, not Google: a check of what we send and of how we read the answers. As a process of its own,
`python -m tests.support.gcs PORT BUCKET FOLDER`, it keeps every object in a folder before it says so: killed, it forgets nothing.
"""

import hashlib
import sys
import threading
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

from core.folder import write


class XmlApi:
    """A server on a loopback port for as long as the block lasts."""

    def __init__(self, bucket: str, port: int = 0, folder: Path | None = None) -> None:
        self.bucket = bucket
        self.folder = folder
        files = [file for file in folder.rglob("*") if file.is_file() and "#" not in file.name] if folder else []
        self.objects = {file.relative_to(folder).as_posix(): file.read_bytes() for file in files if folder}
        self.lock = threading.Lock()
        self.authorizations: list[str | None] = []
        api = self

        class Handler(_Handler):
            service = api

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port: int = self._server.server_address[1]

    def serve(self) -> None:
        """Answer until the process ends."""
        self._server.serve_forever()

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    service: XmlApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out as two writes, and the second would wait 40 ms for the first to be acknowledged

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_PUT(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        key = self._key()
        if key is None:
            return
        with self.service.lock:
            there = key in self.service.objects
            if there and self.headers.get("x-goog-if-generation-match") == "0":
                self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
                return
            if self.service.folder is not None:
                write(self.service.folder, key, data, over=True)
            self.service.objects[key] = data
        self._answer(200, b"", data)

    def do_GET(self) -> None:
        key = self._key()
        if key is None:
            return
        if not key:
            self._list()
            return
        data = self.service.objects.get(key)
        if data is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            self._answer(200, data, data)

    def _key(self) -> str | None:
        """The key that is meant, empty for the bucket itself; None where the bucket is another, which is answered."""
        self.service.authorizations.append(self.headers.get("Authorization"))
        bucket, _, key = urlsplit(self.path).path.lstrip("/").partition("/")
        if bucket != self.service.bucket:
            self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            return None
        return unquote(key)

    def _list(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        with self.service.lock:
            keys = [key for key in sorted(self.service.objects) if key.startswith(prefix)]
        folders = sorted({prefix + key[len(prefix) :].partition("/")[0] + "/" for key in keys if delimiter and "/" in key[len(prefix) :]})
        time = "2026-01-01T00:00:00.000Z"
        contents = [
            f'<Contents><Key>{escape(key)}</Key><LastModified>{time}</LastModified><ETag>"x"</ETag><Size>1</Size></Contents>'
            for key in keys
            if not (delimiter and "/" in key[len(prefix) :])
        ]
        common = [f"<CommonPrefixes><Prefix>{escape(folder)}</Prefix></CommonPrefixes>" for folder in folders]
        self._answer(200, f"<ListBucketResult>{''.join(contents)}{''.join(common)}</ListBucketResult>".encode())

    def _answer(self, status: int, body: bytes, data: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"')
        self.send_header("Last-Modified", formatdate(usegmt=True))
        self.send_header("x-goog-generation", "1")
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    XmlApi(sys.argv[2], int(sys.argv[1]), Path(sys.argv[3])).serve()
