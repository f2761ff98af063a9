"""`pneumonia models`: what is in the store, what serves, and how to change it; on the store itself, or by asking a service."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cli.remote import Remote
    from core.contract import Models, Promotion
    from core.manifest import Manifest
    from core.settings import Settings
    from core.store import Store


def register(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("models", help="list, compare, push and activate the models of a store")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--store", metavar="URL", help="the store (default: PNEUMONIA_STORE)")
    asked = argparse.ArgumentParser(add_help=False, parents=[where])
    asked.add_argument("--url", help="ask this service instead; its token comes from PNEUMONIA_ADMIN_TOKEN")
    because = argparse.ArgumentParser(add_help=False)
    because.add_argument("--reason", default="", metavar="TEXT", help="kept with the promotion")

    listed = actions.add_parser("list", parents=[asked], help="versions, which of them is active, and the last promotions")
    listed.set_defaults(run=_list)
    activate = actions.add_parser("activate", parents=[asked, because], help="promote a version, once it has passed its self-test")
    wanted = activate.add_mutually_exclusive_group(required=True)
    wanted.add_argument("version", nargs="?", metavar="VERSION")
    wanted.add_argument("--previous", action="store_true", help="the version that the active one followed")
    activate.set_defaults(run=_activate)
    rollback = actions.add_parser("rollback", parents=[asked, because], help="activate the version that the active one followed")
    rollback.set_defaults(run=_activate, previous=True, version=None)
    diff = actions.add_parser("diff", parents=[where], help="figures and operating points of two versions side by side")
    diff.add_argument("first", metavar="VERSION")
    diff.add_argument("second", metavar="VERSION")
    diff.set_defaults(run=_diff)
    push = actions.add_parser("push", parents=[where], help="bring a package into the store; it is not activated")
    push.add_argument("folder", type=Path, metavar="FOLDER")
    push.set_defaults(run=_push)


def _list(arguments: argparse.Namespace) -> int:
    found = _overview(arguments)
    active = found.active.version if found.active else None
    width = max(7, *(len(version) for version in found.versions)) if found.versions else 7
    for version in found.versions:
        print(f"{version:<{width}}  {'active' if version == active else ''}".rstrip())
    if not found.versions:
        print("no versions")
    if found.serving:
        print(f"\nserving: {found.serving.name} {found.serving.version}")
    if found.promotions:
        print(f"\n{'NUMBER':>6}  {'AT':<20}  {'VERSION':<{width}}  {'BEFORE':<{width}}  BY")
    for entry in found.promotions:
        said = f"{entry.source}: {entry.reason}" if entry.reason else entry.source
        print(f"{entry.number:>6}  {entry.at:<20}  {entry.version:<{width}}  {entry.previous or '-':<{width}}  {said}")
    return 0


def _activate(arguments: argparse.Namespace) -> int:
    version = _previous(_overview(arguments)) if arguments.previous else arguments.version
    entry = _promote(arguments, version)
    print(f"promotion {entry.number}: {entry.version} is active, after {entry.previous or 'none'}")
    return 0


def _diff(arguments: argparse.Namespace) -> int:
    from core import models

    _, store = _open(arguments)
    (first, _), (second, _) = (models.manifest(store, version) for version in (arguments.first, arguments.second))
    rows = [("", first.version, second.version), *_rows(first, second)]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for name, left, right in rows:
        mark = "" if left == right or not name else "  *"
        print(f"{name:<{widths[0]}}  {left:>{widths[1]}}  {right:>{widths[2]}}{mark}")
    return 0


def _push(arguments: argparse.Namespace) -> int:
    from core import models

    _, store = _open(arguments)
    identity = models.push(store, arguments.folder)
    print(f"pushed {identity.name} {identity.version}; activate it with: pneumonia models activate {identity.version}")
    return 0


def _overview(arguments: argparse.Namespace) -> "Models":
    import msgspec

    from core.active import overview
    from core.contract import Models

    if arguments.url:
        return msgspec.json.decode(_remote(arguments).ask("GET", "/models"), type=Models)
    settings, store = _open(arguments)
    return overview(store, settings.model)


def _promote(arguments: argparse.Namespace, version: str) -> "Promotion":
    from urllib.parse import quote

    import msgspec

    from core.active import promote_proven
    from core.contract import Promotion
    from core.quiet import quiet_native_code

    if arguments.url:
        query = {"reason": arguments.reason} if arguments.reason else {}
        answer = _remote(arguments).ask("POST", f"/models/{quote(version, safe='')}/activate", query)
        return msgspec.json.decode(answer, type=Promotion)
    settings, store = _open(arguments)
    from core.models import installed_version

    with quiet_native_code():
        return promote_proven(store, version, arguments.reason, settings, installed_version(settings.model))[1]


def _previous(found: "Models") -> str:
    from core import errors

    if found.active is None or found.active.previous is None:
        raise errors.UnknownVersion("Expected a promotion to go back from. Received: a store without one.")
    return found.active.previous


def _open(arguments: argparse.Namespace) -> "tuple[Settings, Store]":
    """Return this person's settings and the store that they name."""
    from core import errors, settings
    from core.store import open_store

    given = settings.read({**os.environ, **({"PNEUMONIA_STORE": arguments.store} if arguments.store else {})})
    if given.store is None:
        raise errors.NoStore("Expected --store or PNEUMONIA_STORE. Received: neither.")
    return given, open_store(given.store)


def _remote(arguments: argparse.Namespace) -> "Remote":
    from cli.remote import Remote

    return Remote(arguments.url, os.environ)


def _rows(first: "Manifest", second: "Manifest") -> list[tuple[str, str, str]]:
    """Return (name, first, second) for what two manifests say of themselves."""
    sides = [_figures(manifest) for manifest in (first, second)]
    names = list(dict.fromkeys([*sides[0], *sides[1]]))
    return [(name, *(side.get(name, "-") for side in sides)) for name in names]  # type: ignore[misc]


def _figures(manifest: "Manifest") -> dict[str, str]:
    said = {"name": manifest.name, "created": manifest.origin.created, "parent": manifest.origin.parent_version or "-"}
    said |= {"labels": ", ".join(label.name for label in manifest.labels), "temperature": f"{manifest.temperature:.4g}"}
    for name, value in manifest.metrics.items():
        if (shown := _shown(value)) is not None:
            said[name] = shown
    for point in manifest.operating_points:
        said[f"{point.name}: threshold"] = f"{point.threshold:.4f}"
        said[f"{point.name}: indeterminate"] = f"{point.indeterminate_from:.4f} to {point.indeterminate_to:.4f}"
        for name in ("sensitivity", "specificity"):
            measured = getattr(point, name)
            said[f"{point.name}: {name}"] = f"{measured.value:.4f} ({measured.low:.4f} to {measured.high:.4f})" if measured else "-"
    return said


def _shown(value: Any) -> str | None:  # noqa: ANN401 - `metrics` is an open record
    """Return a figure of the manifest as text; None for what is no figure."""
    if isinstance(value, dict) and {"value", "low", "high"} <= value.keys():
        return f"{value['value']:.4f} ({value['low']:.4f} to {value['high']:.4f})"
    return f"{value:.4g}" if isinstance(value, int | float) and not isinstance(value, bool) else None
