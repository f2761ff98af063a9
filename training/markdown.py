"""Pieces of Markdown that the card of a package is put together from."""

from collections.abc import Sequence

from training.shelf import REPORT_FOLDER


def section(title: str, body: str) -> str:
    """Return a section of the second level."""
    return f"## {title}\n\n{body}"


def subsection(title: str, body: str) -> str:
    """Return a section of the third level."""
    return f"### {title}\n\n{body}"


def code(text: str) -> str:
    """Return a span of code; two backticks begin and end one in which there is a single one."""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def by(command: str) -> str:
    """Say which command gives what stands below."""
    return f"By {code(command)}:\n\n"


def drawing(name: str, alt: str, command: str) -> str:
    """Show a drawing of the report, and say which command draws it."""
    return f"![{alt}]({REPORT_FOLDER}/{name}.svg)\n\nDrawn by {code(command)}."


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """Return a table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
