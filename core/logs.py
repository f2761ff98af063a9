"""One JSON object a line, which Cloud Logging and Application Insights both read.

Never a picture's bytes, a file's name or an identifier.
"""

import logging
import re
import sys
from collections.abc import Mapping
from typing import Final

import msgspec

_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")  # W3C Trace Context
LOGGER = logging.getLogger("pneumonia")
_SEVERITY = {logging.DEBUG: "DEBUG", logging.INFO: "INFO", logging.WARNING: "WARNING", logging.ERROR: "ERROR", logging.CRITICAL: "CRITICAL"}


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: `severity`, `message`, and the fields given as `extra={"fields": {…}}`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line."""
        fields: Mapping[str, object] = getattr(record, "fields", {})
        line: dict[str, object] = {"severity": _SEVERITY.get(record.levelno, "DEFAULT"), "message": record.getMessage(), **fields}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


def configure(level: str) -> None:
    """Send the service's lines, and what Pillow says of damaged pictures, to standard error, each once however often this is called."""
    logging.captureWarnings(True)  # to "py.warnings"
    LOGGER.setLevel(level)
    logging.getLogger("PIL").setLevel(logging.WARNING)  # below, it writes out what stands in a picture: names, too
    for logger in (LOGGER, logging.getLogger("py.warnings"), logging.getLogger("PIL")):
        if not logger.handlers:
            handler = logging.StreamHandler(sys.stderr)
            handler.setFormatter(JsonFormatter())
            logger.addHandler(handler)
            logger.propagate = False


def log_request(headers: Mapping[str, str], fields: Mapping[str, object], status: int) -> None:
    """Write the one line of a request: a warning where we refused, an error where we failed."""
    trace = _TRACEPARENT.fullmatch(headers.get("traceparent", ""))
    traced = {"trace": trace[1]} if trace else {}
    level = logging.INFO if status < 400 else logging.WARNING if status < 500 else logging.ERROR
    LOGGER.log(level, "request", extra={"fields": {**fields, **traced}})
