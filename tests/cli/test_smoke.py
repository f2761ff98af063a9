"""`pneumonia smoke` on sound deployments behind both doors, on broken ones, and on servers that are not ours."""

from pathlib import Path

import msgspec
import pytest

from cli.main import main
from core import errors, phantom
from tests.cli.smoking import faults, smoke
from tests.contract.doors import Answer, Ask, CoreDoor, azure, google
from tests.support import packages
from tests.support.altered import serve
from tests.support.ports import free_port

KEY, TOKEN = "a-key-of-the-tests", "an-admin-token-of-the-tests"
DICOM = (
    *("dicom_support_missing", "unsupported_transfer_syntax", "not_a_radiograph", "not_for_presentation", "not_a_chest", "not_frontal"),
    *("no_pixel_data", "colour_picture", "burned_in_annotation"),
)
# Each would need a deployment to be changed, or be in trouble already.
NOT_PROVOKED = {
    "admin_routes_off": "a deployment has it or admin_unauthorized",
    "no_store": "a deployment has it or unknown_job",
    "body_too_large": "the limit is a setting, and platforms refuse 32 MiB before the service sees them",
    "unknown_label": "needs the admin token",
    "label_conflict": "needs the admin token",
    "unknown_version": "needs the admin token",
    "package_refused": "needs the admin token",
    "job_running": "needs the admin token",
    "launcher_failed": "needs the admin token",
    "internal_error": "no request should be able to cause it",
    "invalid_settings": "a fault of the deployment",
    "model_unavailable": "a fault of the deployment",
    "store_unavailable": "a fault of the deployment",
    "picture_rejected": "needs the admin token",
    "unknown_file": "a deployment has it or answers",
    **dict.fromkeys(DICOM, "needs a DICOM file, which only pydicom writes; the contract's own tests have one for each"),
}


def test_sound_google_service_passes_with_its_key(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    with google({"PNEUMONIA_API_KEY": KEY}) as door:
        url = f"http://127.0.0.1:{door.port}"
        monkeypatch.setenv("PNEUMONIA_API_KEY", KEY)
        code, checks = smoke(url, capsys)
        assert faults(checks) == {}
        assert code == 0
        assert {"refuses a picture without the key", "refuses a wrong X-API-Key"} <= {check["check"] for check in checks}
        monkeypatch.delenv("PNEUMONIA_API_KEY")

        code, checks = smoke(url, capsys)
        assert code == 1
        assert "A key is missing or wrong" in str(faults(checks)["reads a picture"])
        assert smoke(url, capsys, "--key", "wrong")[0] == 1


def test_sound_azure_app_passes_with_its_functions_key_and_a_store(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    stored = {"PNEUMONIA_STORE": tmp_path.as_uri(), "PNEUMONIA_ADMIN_TOKEN": TOKEN}
    with azure(stored, "--enable-auth", "--key", "a-functions-key") as door:
        code, checks = smoke(f"http://127.0.0.1:{door.port}", capsys, "--functions-key", "a-functions-key")

    assert faults(checks) == {}
    assert code == 0
    received = {check["check"]: check["received"] for check in checks}
    assert received["refuses an unknown job"] == "404 unknown_job"
    assert received["refuses an upload with a wrong admin token"] == "401 admin_unauthorized"
    assert list(tmp_path.rglob("*.*")) == []  # nothing was stored, promoted or asked for


def test_table_has_a_line_a_check_and_ends_with_the_count(core: CoreDoor, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(core, lambda _, answer: answer) as url:
        assert main(["smoke", url, "--rounds", "1"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["ok", "is", "ready", "200", lines[0].split()[-2], "ms"]
    assert lines[-1] == f"{len(lines) - 1} of {len(lines) - 1} checks passed on {url}"


def test_identity_token_goes_as_bearer_and_a_wrong_one_too(core: CoreDoor, capsys: pytest.CaptureFixture[str]) -> None:
    """Cloud Run's own check stands before the service and answers in HTML."""

    def guard(ask: Ask, answer: Answer) -> Answer:
        given = ask.headers.get("authorization")
        return answer if given == "Bearer a.b.c" else Answer(401 if given else 403, {"content-type": "text/html"}, b"<html>no</html>")

    with serve(core, guard) as url:
        code, checks = smoke(url, capsys, "--bearer", "a.b.c")
        assert (code, faults(checks)) == (0, {})
        assert smoke(url, capsys)[0] == 1


def test_service_without_a_model_fails_with_its_reason(capsys: pytest.CaptureFixture[str]) -> None:
    with google({"PNEUMONIA_MODEL": "nowhere"}) as door:
        code, checks = smoke(f"http://127.0.0.1:{door.port}", capsys)

    assert code == 1
    assert "model_unavailable" in str(faults(checks)["is ready"])
    assert [check["check"] for check in checks] == ["is ready", "is alive"]


def test_key_that_nobody_asks_for_fails(core: CoreDoor, capsys: pytest.CaptureFixture[str]) -> None:
    """A deployment that was meant to be guarded and is open."""
    with serve(core, lambda _, answer: answer) as url:
        code, checks = smoke(url, capsys, "--key", KEY)

    assert code == 1
    assert set(faults(checks)) == {"refuses a picture without the key", "refuses a wrong X-API-Key"}


def test_slow_service_fails(core: CoreDoor, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(core, lambda _, answer: answer) as url:
        code, checks = smoke(url, capsys, "--limit-ms", "0.001")

    assert code == 1
    assert list(faults(checks)) == ["answers 2 times in a row, median"]


def test_nobody_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    code, checks = smoke(f"http://127.0.0.1:{free_port()}", capsys)

    assert code == 2
    assert "Expected the service to answer" in str(checks[0]["fault"])


@pytest.mark.parametrize("url", ["ftp://somewhere", "somewhere", "http://somewhere.example"])
def test_address_that_may_not_be_asked_is_refused(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["smoke", url, "--key", KEY]) == 2

    assert capsys.readouterr().err.startswith("error: invalid_url: Expected http")


def test_package_without_a_guard_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    unguarded = CoreDoor({"PNEUMONIA_MODEL": str(packages.copy(tmp_path))})
    with serve(unguarded, lambda _, answer: answer) as url:
        code, checks = smoke(url, capsys)

    assert (code, faults(checks)) == (0, {})
    assert {check["check"]: check["received"] for check in checks}["lets the guard refuse a blank picture"] == "200"


def test_own_picture_is_sent(core: CoreDoor, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sent: list[bytes] = []
    own = tmp_path / "own.jpg"
    own.write_bytes(phantom.jpeg(7))

    def watch(ask: Ask, answer: Answer) -> Answer:
        sent.append(ask.body)
        return answer

    with serve(core, watch) as url:
        assert smoke(url, capsys, "--picture", str(own))[0] == 0

    assert own.read_bytes() in sent
    assert phantom.jpeg() not in sent


def test_every_error_is_provoked_or_has_a_reason_why_not(core: CoreDoor, capsys: pytest.CaptureFixture[str]) -> None:
    with serve(core, lambda _, answer: answer) as url:
        _, checks = smoke(url, capsys, "--key", KEY)
    wanted = {code for check in checks for one in check["expected"] if (code := one.partition(" ")[2])}  # type: ignore[attr-defined]

    promised = {error.code for error in errors.leaves()}
    assert promised <= wanted | set(NOT_PROVOKED)
    assert wanted <= promised
    assert all(msgspec.convert(reason, str) for reason in NOT_PROVOKED.values())


def test_models_pass_the_platforms_gate_as_smoke_does(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def gate(ask: Ask, answer: Answer) -> Answer:
        return answer if ask.headers.get("authorization") == "Bearer a.b.c" else Answer(403, {"content-type": "text/html"}, b"no")

    with serve(CoreDoor({}), gate) as url:
        assert main(["models", "list", "--url", url]) == 2
        assert "error: http_403: " in capsys.readouterr().err
        monkeypatch.setenv("GOOGLE_IDENTITY_TOKEN", "a.b.c")

        assert main(["models", "list", "--url", url]) == 2
        assert "error: no_store: " in capsys.readouterr().err
