"""Which function answers a path: the rules of Azure's host, which are not those of other routers. Used by `function_azure.host`.

- Functions are tried in the order of their names and the first that matches answers. The more specific route does not win
  (azure-functions-host, issue 9876).
- Where the method does not fit, the next one is tried; where none fits, that is a 404 and not a 405.
- Case does not count, a slash at the end neither. `{*path}` also matches nothing, and is then left out of the parameters.
- An empty route is the function's name; `{name:maxlength(0)?}` is how a function has `/` alone.
- `/admin` and `/runtime` belong to the host.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from function_azure.worker import Function, WorkerError

RESERVED = frozenset({"admin", "runtime"})


class Route(NamedTuple):
    """A function and the paths that reach it."""

    function: Function
    template: str
    pattern: re.Pattern[str]


def compile_routes(functions: Iterable[Function], prefix: str) -> tuple[Route, ...]:
    """Return the routes in the order in which they are tried.

    Raises:
        WorkerError: a route has another constraint, a default or an optional parameter, which this host does not know.
    """
    return tuple(_compile(function, prefix) for function in sorted(functions, key=lambda function: function.name.lower()))


def find(routes: Iterable[Route], method: str, path: str) -> tuple[Function, Mapping[str, str]] | None:
    """Return the function that answers, and its route parameters."""
    if path.split("/")[1].lower() in RESERVED:
        return None
    for function, _template, pattern in routes:
        match = pattern.fullmatch(path)
        if match and (not function.methods or method in function.methods):
            return function, {name: value for name, value in match.groupdict().items() if value}
    return None


def _compile(function: Function, prefix: str) -> Route:
    segments = [segment for part in (prefix, function.route or function.name) for segment in part.strip("/").split("/") if segment]
    pattern = "".join(_compile_segment(segment, function) for segment in segments)
    return Route(function, "/" + "/".join(segments), re.compile(pattern + "/?", re.IGNORECASE | re.DOTALL))


def _compile_segment(segment: str, function: Function) -> str:
    if "{" not in segment:
        return "/" + re.escape(segment)
    if re.fullmatch(r"\{\w+:maxlength\(0\)\?\}", segment):
        return ""
    parameter = re.fullmatch(r"\{(\*?)(\w+)\}", segment)
    if parameter is None:
        raise WorkerError(f"Expected {{name}} or {{*name}} in the route of {function.name}. Received: {segment}.")
    catch_all, name = parameter.groups()
    return f"(?:/(?P<{name}>.*))?" if catch_all else f"/(?P<{name}>[^/]+)"
