"""docs/deploy.md, word by word: its commands are taken from the page and run in their order, the clouds' programs being recorded fakes.

The service at the end is real: what answers is this checkout, behind a gate that wants what the cloud's own would want.
"""

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.contract.doors import Answer, Ask, CoreDoor
from tests.infra import plays
from tests.infra import plays_azure as azure
from tests.infra import plays_gcp as gcp
from tests.support.altered import Change, serve
from tests.support.fakes import ROOT, Call, Done, Stage, call, checkout

PAGE = (ROOT / "docs" / "deploy.md").read_text("utf-8")
IDENTITY, ADMIN = "an.identity.token", "c" * 64
COMMANDS = ("make", "gcloud", "az", "cp", "curl", "export")
HAS_IMAGE = re.search(r"^image:", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE) is not None


def commands(heading: str) -> list[str]:
    """Return the lines of the shell blocks below a heading of the page."""
    section = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    text = next(part for part in section if part.startswith(heading + "\n"))
    return [line for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A fresh checkout in which `make smoke` finds its environment made; the settings are the examples, as the page says."""
    folder = checkout(tmp_path / "checkout")
    for name, example in (("gcp/terraform.tfvars.example", gcp.TFVARS), ("azure/example.bicepparam", "using './main.bicep'\n")):
        file = folder / "infra" / name
        if not file.exists():
            file.parent.mkdir(exist_ok=True)
            file.write_text(example)
    program = folder / ".venv-serve" / "bin" / "pneumonia"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/usr/bin/env bash\nPYTHONPATH={ROOT} exec {sys.executable} -m cli.main "$@"\n')
    program.chmod(0o755)
    (folder / ".venv-serve" / ".ready").touch()
    return folder


def walk(place: Path, lines: Sequence[str], play: Sequence[Call]) -> Done:
    """Run the lines of the page as one shell that stops at the first failure."""
    stage = Stage(place.parent / "stage")
    lines = [line for line in lines if not line.startswith("make image")]  # the last test's matter
    for line in lines:
        assert line.split()[0].startswith(COMMANDS) or re.match(r"[A-Z]+=", line), line
    return stage.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join(lines)], play, place, {"COMMIT": plays.COMMIT, "LOCATION": azure.LOCATION}
    )


def guarded(header: str, secret: str) -> Change:
    """Stand before the service as the cloud does: a caller without the secret gets no further, but for Azure's open health routes."""

    def change(ask: Ask, answer: Answer) -> Answer:
        health = ask.path.startswith("/health/") and header == "x-functions-key"
        return answer if health or ask.headers.get(header) == secret else Answer(401, {"content-type": "text/html"}, b"<html>no</html>")

    return change


def test_google_page_leads_from_nothing_to_answers_and_back(place: Path) -> None:
    with serve(CoreDoor({}), guarded("authorization", f"Bearer {IDENTITY}")) as url:
        play = [
            call("gcloud auth login"),
            call(f"gcloud projects create {gcp.PROJECT}"),
            call(f"gcloud billing projects link {gcp.PROJECT} --billing-account 0A1B2C-3D4E5F-678901"),
            *gcp.CHECK,
            *gcp.deploy(first=True),
            call("terraform -chdir=infra/gcp output -raw service_url", says=url),
            call("gcloud auth print-identity-token", says=IDENTITY),
            call(f"gcloud secrets versions access latest --secret pneumonia-admin-token --project {gcp.PROJECT}", says=ADMIN),
            *gcp.deploy(first=False),
            *gcp.CHECK,
            *gcp.destroy(uploads=False),
        ]
        done = walk(place, commands("Google Cloud"), play)

    assert done.calls == [one.argv for one in play], done.err + done.out[-2000:]
    assert done.code == 0
    check_walk(done, place)


def test_azure_page_leads_from_nothing_to_answers_and_back(place: Path) -> None:
    with serve(CoreDoor({}), guarded("x-functions-key", azure.KEY)) as url:
        shown = f"az deployment group show --resource-group {azure.GROUP} --query properties.outputs.serviceUrl.value --output tsv"
        role = f"az role assignment create --assignee someone-s-id --scope {azure.VAULT_ID}"
        play = [
            call("az login"),
            *azure.check(there=False),
            *azure.deploy(first=True),
            call(f"{shown} --name pneumonia", says=url),
            *azure.key("containerApps"),
            call(f"az keyvault list --resource-group {azure.GROUP} --query [0].name --output tsv", says=azure.VAULT),
            call(f"az keyvault show --name {azure.VAULT} --query id --output tsv", says=azure.VAULT_ID),
            call("az ad signed-in-user show --query id --output tsv", says="someone-s-id"),
            Call((*role.split()[:4], "--role", "Key Vault Secrets User", *role.split()[4:])),
            call(f"az keyvault secret show --vault-name {azure.VAULT} --name admin-token --query value --output tsv", says=ADMIN),
            *azure.deploy(first=False),
            *azure.check(there=True),
            azure.found(True)[0],
            *azure.destroy(uploads=False),
        ]
        done = walk(place, commands("Azure"), play)

    assert done.calls == [one.argv for one in play], done.err + done.out[-2000:]
    assert done.code == 0
    check_walk(done, place)


def check_walk(done: Done, place: Path) -> None:
    """What the page promises at each step is what came."""
    assert done.out.count("Nothing was done.") == 2  # once before the deployment, once before its end
    assert done.out.count("Deployed:") == 2
    passed = re.search(r"^(\d+) of (\d+) checks passed", done.out, re.MULTILINE)
    assert passed is not None
    assert passed[1] == passed[2]
    assert '"status":"ok"' in done.out  # the prediction
    assert (place / "phantom.jpg").read_bytes().startswith(b"\xff\xd8")
    for secret in (IDENTITY, ADMIN, azure.KEY):
        assert secret not in done.out + done.err


def test_pipeline_section_can_be_run(place: Path) -> None:
    lines = commands("Let a pipeline do it")
    programs = [program for line in lines for program in re.findall(r"(?:^|\$\()(gcloud|az) ", line)]
    stage = Stage(place.parent / "stage", lenient=True)

    done = stage.run(["bash", "-euo", "pipefail", "-c", "\n".join(lines)], [], place)

    assert done.code == 0, done.err
    assert sorted(argv[0] for argv in done.calls) == sorted(programs)
    trust = next(argv for argv in done.calls if "create-oidc" in argv)
    assert "assertion.repository=='OWNER/REPOSITORY'" in trust  # without the condition every repository of the world is trusted


@pytest.mark.skipif(not HAS_IMAGE and not os.environ.get("CI"), reason="needs the make target image")
def test_images_that_are_built_are_the_images_that_are_pushed(tmp_path: Path) -> None:
    stage = Stage(tmp_path, lenient=True)

    done = stage.run(["bash", "-euo", "pipefail", "-c", "\n".join(commands("Build the image"))], [], ROOT)

    assert done.code == 0, done.err
    built = [argument for argv in done.calls if argv[:2] == ("docker", "build") for argument in argv]
    assert set(plays.LOCAL.values()) <= set(built)
