"""What stands in infra/azure, read by the grammar of tree-sitter: Bicep's own compiler is a .NET program that is in no registry of ours."""

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from tests.infra import tools


class Node(NamedTuple):
    """A node of the tree: its named children, its text in the source."""

    type: str
    text: str
    line: int
    children: "tuple[Node, ...]"

    def below(self, *types: str) -> "Iterator[Node]":
        """Yield all nodes of some types, itself among them."""
        if self.type in types:
            yield self
        for child in self.children:
            yield from child.below(*types)


class Expression(NamedTuple):
    """A value that only a deployment knows."""

    node: Node


class Declaration(NamedTuple):
    """A parameter, variable, resource, module or output. `value` is its last part: a default, or the body of a resource or module."""

    kind: str
    name: str
    node: Node
    decorators: dict[str, Any]
    target: str
    value: Node | None

    @property
    def existing(self) -> bool:
        return "existing =" in self.node.text.partition("{")[0]

    @property
    def body(self) -> dict[str, Any]:
        """The object of a resource or module, without its loop or condition."""
        assert self.value is not None
        return dict(value_of(next(self.value.below("object"))))


class Template(NamedTuple):
    """One file."""

    name: str
    tree: Node
    declarations: tuple[Declaration, ...]

    def of(self, kind: str) -> dict[str, Declaration]:
        return {each.name: each for each in self.declarations if each.kind == kind}


_KINDS = {
    "parameter_declaration": "param",
    "variable_declaration": "var",
    "resource_declaration": "resource",
    "module_declaration": "module",
    "output_declaration": "output",
}


def parse(files: Sequence[Path]) -> "subprocess.CompletedProcess[str]":
    """Run the grammar; it ends with 1 where a file is no Bicep."""
    script = Path(__file__).with_name("read_bicep.py")
    return subprocess.run([str(tools.infra_python()), str(script), *map(str, files)], capture_output=True, text=True, timeout=120)


@cache
def deployed() -> dict[str, Template]:
    """Return what stands in infra/azure."""
    return read(tools.AZURE)


def read(folder: Path) -> dict[str, Template]:
    """Return the templates below a folder, and its parameter files, by their path."""
    files = sorted([*folder.rglob("*.bicep"), *folder.rglob("*.bicepparam")])
    done = parse(files)
    assert done.returncode == 0, done.stderr
    trees = json.loads(done.stdout)
    return {str(Path(name).relative_to(folder)): template(Path(name).name, _node(tree)) for name, tree in trees.items()}


def template(name: str, tree: Node) -> Template:
    declarations, decorators = [], dict[str, Any]()
    for node in tree.children:
        if node.type == "decorators":
            calls = [next(child.below("call_expression")) for child in node.children]
            decorators |= {call.children[0].text: [value_of(each) for each in call.children[1].children] for call in calls}
        elif node.type in _KINDS:
            first, *rest = node.children
            target = rest[0].children[0].text if _KINDS[node.type] in ("resource", "module") else ""
            has_value = _KINDS[node.type] not in ("param",) or "=" in node.text
            declarations.append(Declaration(_KINDS[node.type], first.text, node, decorators, target, rest[-1] if has_value else None))
            decorators = {}
    return Template(name, tree, tuple(declarations))


def value_of(node: Node) -> Any:
    """Return a literal as Python has it, and what is none as an Expression."""
    if node.type == "object":
        return {_key(each.children[0]): value_of(each.children[-1]) for each in node.children if each.type == "object_property"}
    if node.type == "array":
        return [value_of(each) for each in node.children if each.type != "comment"]
    if node.type == "string" and not list(node.below("interpolation")):
        return "".join(each.text for each in node.children if each.type in ("string_content", "escape_sequence")).replace("\\'", "'")
    if node.type == "number":
        return int(node.text)
    if node.type == "boolean":
        return node.text == "true"
    return Expression(node)


def used(node: Node) -> set[str]:
    """Return the symbols that a node refers to, without those of its own loops."""
    own = {name.text for loop in node.below("for_statement") for name in _loop_variables(loop)}
    return {name for name in _identifiers(node) if name not in own}


def called(node: Node) -> set[str]:
    """Return the functions of Bicep that a node calls."""
    return {call.children[0].text for call in node.below("call_expression") if call.children[0].type == "identifier"}


def _identifiers(node: Node) -> Iterator[str]:
    if node.type == "identifier":
        yield node.text
    skip = 1 if node.type == "object_property" and node.children[0].type == "identifier" else 0
    skip = 1 if node.type == "call_expression" and node.children[0].type == "identifier" else skip
    for child in node.children[skip:]:
        yield from _identifiers(child)


def _loop_variables(loop: Node) -> Iterator[Node]:
    head = loop.text.partition(" in ")[0]
    names = set(re.findall(r"\w+", head.partition("for")[2]))
    return (name for name in loop.below("identifier") if name.text in names)


def _key(node: Node) -> str:
    return node.text.strip("'")


def _node(raw: list[Any]) -> Node:
    kind, text, line, children = raw
    return Node(kind, text, line, tuple(_node(child) for child in children))
