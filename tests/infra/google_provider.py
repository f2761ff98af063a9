"""What the Google provider takes and gives, from the typings that HashiCorp generated from its schema (provider 6.50.0)."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

_INTERFACE = re.compile(r"^export interface (\w+) (extends cdktf\.TerraformMetaArguments )?\{")
_LINK = re.compile(r"\{@link \S+#(\w+) ")
_PROPERTY = re.compile(r"^    readonly (\w+)(\??): (.*)$")
_NESTED = re.compile(r"^([A-Z]\w+)(\[\])?(?: \| (?:cdktf\.IResolvable|[A-Z]\w+\[\]))*;")
_GETTER = re.compile(r"^    get (\w+)\(\):")


class Argument(NamedTuple):
    """An argument or block: whether it must be there, and the name of the block's own shape, None for a plain value."""

    required: bool
    block: str | None
    plain_list: bool


Shape = dict[str, Argument]


class Typing(NamedTuple):
    """Of one resource: its arguments, the shapes of its blocks, and the names, in camel case, of all it can be asked for."""

    arguments: Shape
    blocks: dict[str, Shape]
    attributes: frozenset[str]


@cache
def typing_of(folder: Path, kind: str) -> Typing | None:
    """Return the typing of `google_…` or `data.google_…`; None where the provider has no such thing."""
    place = kind.removeprefix("data.").removeprefix("google_").replace("_", "-")
    path = folder / (f"data-google-{place}" if kind.startswith("data.") else place) / "index.d.ts"
    if not path.exists():
        return None
    lines = path.read_text("utf-8").splitlines()
    shapes: dict[str, Shape] = {}
    top = current = snake = ""
    for line in lines:
        if found := _INTERFACE.match(line):
            current = found[1]
            shapes[current] = {}
            top = current if found[2] else top
        elif found := _LINK.search(line):
            snake = found[1]
        elif found := _PROPERTY.match(line):
            if current and snake:
                nested = _NESTED.match(found[3])
                block = nested[1] if nested else None
                shapes[current][snake] = Argument(not found[2], block, found[3].startswith(("string[]", "number[]")))
            snake = ""
        elif line == "}":
            current = ""
    return Typing(shapes[top], shapes, frozenset(found[1] for line in lines if (found := _GETTER.match(line))))


def camel(name: str) -> str:
    """Return a name as the typings write it."""
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)
