"""Prints Bicep files as JSON: {file: tree}. Run by tests/infra/bicep.py with the Python of .venv-infra, which has the grammar.

A node is [type, text, line, children]; text is that of the source, children are the named ones. A file that the grammar refuses ends it.
"""

import json
import sys
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_bicep

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_bicep.language()))


def as_list(node: Any, source: bytes, file: str) -> list[Any]:
    line = node.start_point[0] + 1
    text = source[node.start_byte : node.end_byte].decode()
    if node.is_error or node.is_missing:
        sys.exit(f"{file}:{line}: Expected Bicep. Received: {text[:60]!r}.")
    return [
        node.type,
        text,
        line,
        [as_list(child, source, file) for child in node.children if child.is_named or child.is_missing or child.is_error],
    ]


def read(path: Path) -> list[Any]:
    # The grammar knows no parameter files: their lines are those of variables, after the first.
    text = path.read_text("utf-8")
    if path.suffix == ".bicepparam":
        first, _, rest = text.partition("\n")
        assert first.startswith("using '"), first
        text = "\n" + "\n".join("var" + line[len("param") :] if line.startswith("param ") else line for line in rest.splitlines()) + "\n"
    source = text.encode()
    return as_list(PARSER.parse(source).root_node, source, path.name)


sys.stdout.write(json.dumps({path: read(Path(path)) for path in sys.argv[1:]}))
