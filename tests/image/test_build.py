"""`infra/image/build.sh`, word by word, with programs in the place of Docker and buildah that note how they are called."""

import os
import subprocess
from pathlib import Path

import pytest

import core
from tests.image.engines import BUILD

SYSTEM = ("bash", "dirname", "sed", "git", "env")


class Machine:
    """A folder with all programs that there are, and what they were called with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = folder / "notes"
        for name in SYSTEM:
            (folder / name).symlink_to(next(path for place in os.environ["PATH"].split(":") if (path := Path(place) / name).exists()))

    def install(self, name: str, status: int = 0) -> None:
        program = self.folder / name
        program.write_text(f'#!/bin/sh\nfor word in {name} "$@"; do echo "$word"; done >> {self.notes}\nexit {status}\n')
        program.chmod(0o755)

    def run(self, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        nowhere = {"PIP_CONFIG_FILE": "nowhere"}
        command = [str(BUILD), *arguments]
        return subprocess.run(
            command, env={"PATH": str(self.folder), **nowhere, **environ}, capture_output=True, text=True, check=False, cwd=self.folder
        )

    def called(self) -> list[str]:
        """Return the words of all calls but the revision, which is another one each day."""
        return ["REVISION" if word.startswith("REVISION=") else word for word in self.notes.read_text().splitlines()]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


BUILT = ["--build-arg", f"VERSION={core.__version__}", "--build-arg", "REVISION"]


def test_docker_builds_where_its_engine_answers(machine: Machine) -> None:
    machine.install("docker")
    machine.install("buildah")

    done = machine.run("name:tag")

    build = ["docker", "build", "--progress", "plain", "--platform", "linux/amd64", "--tag", "name:tag", "--target", "serve", *BUILT, "."]
    assert done.returncode == 0, done.stderr
    assert machine.called() == ["docker", "info", *build]
    assert done.stdout.startswith("+ docker build --progress plain --platform linux/amd64 --tag name:tag --target serve ")


def test_buildah_builds_where_no_engine_answers(machine: Machine) -> None:
    machine.install("docker", status=1)
    machine.install("buildah")

    machine.run("name:tag", "train", ".", "--no-cache", BASE="some/base:1", SOURCE="https://example.org/code")

    assert machine.called()[2:] == [
        *["buildah", "build", "--isolation", "chroot", "--format", "docker", "--layers", "--tag", "name:tag", "--target", "train", *BUILT],
        *["--build-arg", "BASE=some/base:1", "--build-arg", "SOURCE=https://example.org/code", "--no-cache", "."],
    ]


def test_what_pip_needs_here_goes_along_as_a_secret(machine: Machine, tmp_path: Path) -> None:
    machine.install("docker")
    settings, certificate = tmp_path / "pip.conf", tmp_path / "ca.crt"
    settings.touch()
    certificate.touch()

    machine.run("name:tag", PIP_CONFIG_FILE=str(settings), PIP_CERT=str(certificate))

    assert machine.called()[-5:] == ["--secret", f"id=pip,src={settings}", "--secret", f"id=ca,src={certificate}", "."]


def test_a_machine_that_cannot_build_is_told_what_it_needs(machine: Machine) -> None:
    done = machine.run("name:tag")

    assert done.returncode == 2
    assert done.stderr.startswith("Expected a Docker engine, or buildah")
