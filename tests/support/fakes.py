"""Recorded fakes of `docker`, `gcloud`, `az` and `terraform` on a PATH that has nothing else but coreutils.

A play is the list of calls that a script must make, argument by argument and in this order, each with what the real program would say. A
call that is not the next one of the play ends with 97; the record holds what was called, with what came on standard input. A lenient stage
takes every call.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("docker", "gcloud", "az", "terraform")
NEEDED = ("bash", "sh", "sed", "tr", "od", "git", "cat", "dirname", "make", "env", "cp", "curl", "touch")
UNEXPECTED = 97
PROGRAM = """#!{python} -IS
import json, os, pathlib, sys
place = pathlib.Path({place!r})
play = json.loads((place / "play.json").read_text())
record = json.loads((place / "record.json").read_text())
argv = [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]
wanted = play[len(record)] if len(record) < len(play) else None
stdin = sys.stdin.read() if wanted and wanted["stdin"] else ""
record.append(dict(argv=argv, stdin=stdin, token=os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN", "")))
(place / "record.json").write_text(json.dumps(record))
if wanted is None or wanted["argv"] != argv:
    print("unexpected call:", *argv, file=sys.stderr)
    sys.exit({unexpected})
sys.stdout.write(wanted["says"])
sys.stderr.write(wanted["complains"])
sys.exit(wanted["code"])
"""


class Call(NamedTuple):
    """One call of a play. `stdin` says that it is given something there."""

    argv: tuple[str, ...]
    says: str = ""
    code: int = 0
    stdin: bool = False
    complains: str = ""


class Done(NamedTuple):
    """What a script did. `calls` are all that were made, `stdin` what each was given."""

    code: int
    out: str
    err: str
    calls: list[tuple[str, ...]]
    stdin: list[str]
    tokens: list[str]


def call(line: str, *more: str, says: str = "", code: int = 0, stdin: bool = False, complains: str = "") -> Call:
    """Return a call of a line that is split at blanks, and more arguments that may hold some."""
    return Call((*line.split(), *more), says, code, stdin, complains)


class Stage:
    """A folder with the fakes, in which plays are run."""

    def __init__(self, folder: Path, without: Sequence[str] = (), lenient: bool = False) -> None:
        self.folder = folder
        self.path = folder / "bin"
        self.path.mkdir(parents=True, exist_ok=True)
        for name in NEEDED:
            found = shutil.which(name)
            if found:
                (self.path / name).symlink_to(found)
        for name in PROGRAMS:
            if name not in without:
                program = self.path / name
                program.write_text(PROGRAM.format(python=sys.executable, place=str(folder), unexpected=0 if lenient else UNEXPECTED))
                program.chmod(0o755)

    def run(self, command: Sequence[str], play: Sequence[Call], cwd: Path = ROOT, environ: Mapping[str, str] | None = None) -> Done:
        """Run a command against a play."""
        (self.folder / "play.json").write_text(json.dumps([one._asdict() for one in play]))
        (self.folder / "record.json").write_text("[]")
        clean = {"PATH": str(self.path), "HOME": str(self.folder), "LC_ALL": "C.UTF-8", **(environ or {})}
        done = subprocess.run(
            command, cwd=cwd, env=clean, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL
        )
        record = json.loads((self.folder / "record.json").read_text())
        calls = [tuple(one["argv"]) for one in record]
        return Done(done.returncode, done.stdout, done.stderr, calls, [one["stdin"] for one in record], [one["token"] for one in record])


def checkout(folder: Path) -> Path:
    """Copy what the scripts need into a folder of their own: a deployment writes into it."""
    shutil.copytree(ROOT / "infra", folder / "infra")
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    return folder
