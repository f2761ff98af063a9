"""The commands that Terraform and Bicep give the images are commands that the images have."""

import re
import subprocess
import sys
from collections.abc import Iterator
from itertools import dropwhile

import pytest

from cli import main
from tests.infra import tools

DOCKERFILE = (tools.ROOT / "Dockerfile").read_text("utf-8")


def commands() -> Iterator[list[str]]:
    """Return the words of each container's command and arguments; a value that only a deployment knows is a 2."""
    for file in (*sorted(tools.GCP.glob("*.tf")), *sorted(tools.AZURE.glob("modules/*.bicep"))):
        text = re.sub(r"//.*|(?<!\")#.*", "", file.read_text("utf-8"))
        for command, arguments in re.findall(r"\bcommand\s*[=:]\s*\[(.*?)\]\s*args\s*[=:]\s*\[(.*?)\]\s", text, re.DOTALL):
            words = re.findall(r"[\"']([^\"']*)[\"']|(tostring\([^)]*\))", f"{command} {arguments}")
            yield [literal or "2" for literal, _ in words]


GIVEN = sorted(commands())


def test_every_container_of_both_clouds_is_among_them() -> None:
    drift, retrain = ["pneumonia", "drift", "--json", "--days", "2"], ["pneumonia", "retrain"]
    serve = ["python", "-m", "function_gcp.serve", "--threads", "2"]

    assert list(GIVEN) == [drift, drift, retrain, retrain, serve]


@pytest.mark.parametrize("command", GIVEN, ids=" ".join)
def test_command_is_understood(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With --help behind it, it stops once every word before was read."""
    if command[0] == "python":
        done = subprocess.run([sys.executable, *command[1:], "--help"], cwd=tools.ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert command[3] in done.stdout
        return
    with pytest.raises(SystemExit) as ended:
        main.main([*command[1:], "--help"])
    said = capsys.readouterr().out

    assert ended.value.code == 0
    assert [word for word in command if word.startswith("--") and word not in said] == []


def test_entry_point_of_the_training_image_is_the_command_of_the_jobs() -> None:
    train = "\n".join(dropwhile(lambda line: not line.endswith(" AS train"), DOCKERFILE.splitlines()))

    assert 'ENTRYPOINT ["pneumonia"]' in train
    assert "COPY infra/image/pneumonia /usr/local/bin/" in train
