"""What stands in infra/gcp, read by HashiCorp's own parser of HCL."""

import json
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.infra import tools

Body = dict[str, Any]
_INTERPOLATION = re.compile(r"(?<!\$)\$\{")
_ADDRESS = re.compile(r"(?<![\w.\"])((?:data\.)?google_\w+|var|local)\.([\w-]+)(?:\[[^\]]*\])?(?:\.(\w+))?")


class Resource(NamedTuple):
    """A resource or, with `data.` before its type, a data source."""

    type: str
    name: str
    body: Body


class Module(NamedTuple):
    """All files of a folder as one, and each file's text as `terraform fmt` would have it."""

    files: dict[str, Body]
    formatted: dict[str, str]

    def blocks(self, kind: str) -> Iterator[tuple[str, Any]]:
        for content in self.files.values():
            yield from content.get(kind, {}).items()

    def resources(self) -> list[Resource]:
        found = [(kind, name, bodies) for kind, named in self.blocks("resource") for name, bodies in named.items()]
        found += [("data." + kind, name, bodies) for kind, named in self.blocks("data") for name, bodies in named.items()]
        return [Resource(kind, name, body) for kind, name, bodies in found for body in bodies]

    def named(self, kind: str) -> dict[str, Body]:
        """Return variables or outputs by name."""
        return {name: bodies[0] for name, bodies in self.blocks(kind)}

    def locals(self) -> Body:
        return {name: value for content in self.files.values() for each in content.get("locals", []) for name, value in each.items()}


class Reference(NamedTuple):
    """`kind` is var, local, or a type; `attribute` is None where the whole is meant."""

    kind: str
    name: str
    attribute: str | None


def parse(files: Sequence[Path]) -> "subprocess.CompletedProcess[str]":
    """Run the parser; it ends with 1 where a file is no HCL."""
    environ = {**os.environ, "NODE_PATH": str(tools.NODE_MODULES)}
    script = Path(__file__).with_name("read_hcl.cjs")
    return subprocess.run([tools.node(), str(script), *map(str, files)], env=environ, capture_output=True, text=True, timeout=120)


@cache
def read(folder: Path) -> Module:
    done = parse(sorted(folder.glob("*.tf")))
    assert done.returncode == 0, done.stderr
    files = json.loads(done.stdout)
    return Module({name: file["content"] for name, file in files.items()}, {name: file["formatted"] for name, file in files.items()})


def texts(value: Any) -> Iterator[str]:
    """Yield every text below a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


def references(value: Any) -> set[Reference]:
    """Return what the expressions below a value refer to."""
    expressions = [text for text in texts(value) if _INTERPOLATION.search(text)]
    return {Reference(kind, name, attribute or None) for text in expressions for kind, name, attribute in _ADDRESS.findall(text)}
