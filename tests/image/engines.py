"""What builds and runs images here: a Docker engine, or buildah with runc, which need no engine but root.

Both run a container as a process in the foreground that hands signals on, on the network of this machine.
"""

import contextlib
import json
import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "infra" / "image" / "build.sh"
# What Docker leaves to root in a container.
CAPABILITIES: tuple[str, ...] = (
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "NET_RAW",
    "SETFCAP",
    "SETGID",
)
CAPABILITIES += ("SETPCAP", "SETUID", "SYS_CHROOT")
# A process of its own, memory of its own, files of its own; the network is the machine's, of which the tests use loopback.
NAMESPACES = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]


class Options(NamedTuple):
    """How a container runs. As `user` it has no capabilities; `scratch` is a /tmp in memory where it may not write otherwise."""

    command: Sequence[str] = ()
    environ: Mapping[str, str] = {}
    user: int | None = None
    memory_mib: int = 1024
    writable: bool = False
    scratch: bool = True


class Running(NamedTuple):
    """A container that can be started once, by `command`. `pid` tells its first process, as this machine counts it."""

    command: Sequence[str]
    pid: Callable[[], int]
    written: Callable[[], list[str]]
    """The files that it has written or changed on disk."""


class Layer(NamedTuple):
    """A layer, the step that made it, and its size before compression."""

    step: str
    size_bytes: int


class Engine(Protocol):
    """Builds, inspects, runs."""

    name: str
    alone: bool
    """Whether the time of a start is the container's alone, with no daemon and no shim to be started first."""

    def has(self, tag: str) -> bool: ...
    def settings(self, tag: str) -> dict[str, Any]: ...
    def layers(self, tag: str) -> list[Layer]: ...
    def running(self, tag: str, options: Options) -> contextlib.AbstractContextManager[Running]: ...


def build(tag: str, target: str, folder: Path, base: str | None, *options: str) -> None:
    """Build with the script that `make image` calls."""
    environ = {name: value for name, value in os.environ.items() if name != "BASE"} | ({"BASE": base} if base else {})
    done = subprocess.run([BUILD, tag, target, folder, *options], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def find() -> Engine | None:
    """Return the engine that the script would take, None where there is none that runs containers too."""
    if shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0:
        return Docker()
    if os.getuid() == 0 and shutil.which("buildah") and shutil.which("runc"):
        return Buildah()
    return None


def newer(root: Path, mark: Path) -> list[str]:
    """Return the files below a folder that are newer than a file."""
    return output("find", root, "-xdev", "-type", "f", "-newer", mark).splitlines()


def output(*command: str | Path) -> str:
    """Run a command; return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout.strip()


class Buildah:
    """Images by buildah, containers by runc."""

    name = "buildah and runc"
    alone = True

    def has(self, tag: str) -> bool:
        return bool(json.loads(output("buildah", "images", "--json", "--filter", f"reference={tag}") or "null"))

    def settings(self, tag: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(output("buildah", "inspect", "--type", "image", tag))["Docker"]["config"]
        return found

    def layers(self, tag: str) -> list[Layer]:
        image = json.loads(output("buildah", "inspect", "--type", "image", tag))
        steps = [entry["created_by"] for entry in image["OCIv1"]["history"] if not entry.get("empty_layer")]
        with tempfile.TemporaryDirectory() as folder:
            output("buildah", "push", "--disable-compression", tag, f"dir:{folder}")
            blobs = json.loads((Path(folder) / "manifest.json").read_text())["layers"]
        return [Layer(step, blob["size"]) for step, blob in zip(steps, blobs, strict=True)]

    @contextlib.contextmanager
    def running(self, tag: str, options: Options) -> Iterator[Running]:
        container = output("buildah", "from", "--pull-never", tag)
        name = f"image-test-{uuid.uuid4().hex[:8]}"
        try:
            root = Path(output("buildah", "mount", container))
            with tempfile.TemporaryDirectory() as folder:
                bundle = Path(folder)
                output("runc", "spec", "--bundle", bundle)
                written = self._bundle(json.loads((bundle / "config.json").read_text()), self.settings(tag), root, options)
                (bundle / "config.json").write_text(json.dumps(written))
                pid_file = bundle / "pid"
                command = ["runc", "run", "--bundle", folder, "--pid-file", str(pid_file), name]
                yield Running(command, lambda: int(pid_file.read_text()), lambda: newer(root, bundle / "config.json"))
        finally:
            subprocess.run(["runc", "delete", "--force", name], capture_output=True, check=False)
            output("buildah", "rm", container)

    def _bundle(self, spec: dict[str, Any], settings: Mapping[str, Any], root: Path, options: Options) -> dict[str, Any]:
        """Fill in what the image and the options say."""
        process = spec["process"]
        given = {**dict(line.split("=", 1) for line in settings["Env"]), **options.environ}
        own = (settings.get("User") or "0").partition(":")[0]
        user = options.user if options.user is not None else int(own)
        kept = [] if user else [f"CAP_{name}" for name in CAPABILITIES]
        process["terminal"] = False
        process["args"] = [*(settings.get("Entrypoint") or []), *(options.command or settings.get("Cmd") or [])]
        process["env"] = [f"{name}={value}" for name, value in given.items()]
        process["cwd"] = settings.get("WorkingDir") or "/"
        process["user"] = {"uid": user, "gid": user}
        process["capabilities"] = dict.fromkeys(("bounding", "effective", "permitted"), kept)
        process["noNewPrivileges"] = True
        spec["root"] = {"path": str(root), "readonly": not options.writable}
        if options.scratch and not options.writable:
            spec["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", "mode=1777"]})
        spec["linux"]["namespaces"] = NAMESPACES
        spec["linux"]["resources"]["memory"] = {"limit": options.memory_mib * 1024 * 1024}
        return spec


class Docker:
    """A Docker engine."""

    name = "docker"
    alone = False

    def has(self, tag: str) -> bool:
        return bool(output("docker", "image", "ls", "--quiet", tag))

    def settings(self, tag: str) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(output("docker", "image", "inspect", tag))[0]["Config"]
        return found

    def layers(self, tag: str) -> list[Layer]:
        lines = output("docker", "history", "--no-trunc", "--human=false", "--format", "{{json .}}", tag).splitlines()
        steps = [json.loads(line) for line in reversed(lines)]
        return [Layer(step["CreatedBy"], int(step["Size"])) for step in steps if int(step["Size"])]

    @contextlib.contextmanager
    def running(self, tag: str, options: Options) -> Iterator[Running]:
        name = f"image-test-{uuid.uuid4().hex[:8]}"
        command = ["docker", "run", "--name", name, "--network", "host", "--memory", f"{options.memory_mib}m"]
        command += ["--security-opt", "no-new-privileges", *(f"--env={key}={value}" for key, value in options.environ.items())]
        command += [] if options.writable else ["--read-only"]
        command += ["--tmpfs", "/tmp"] if options.scratch and not options.writable else []
        command += [] if options.user is None else ["--user", f"{options.user}:{options.user}", "--cap-drop", "ALL"]
        try:
            yield Running(
                [*command, tag, *options.command],
                lambda: int(output("docker", "inspect", "--format", "{{.State.Pid}}", name)),
                lambda: [line[2:] for line in output("docker", "diff", name).splitlines() if line[0] in "AC"],
            )
        finally:
            subprocess.run(["docker", "rm", "--force", name], capture_output=True, check=False)
