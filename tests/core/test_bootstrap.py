"""Whatever a deployment got wrong, the service lives, says what it is, and refuses to answer for pictures."""

import threading
from collections.abc import Mapping
from pathlib import Path

import pytest

from core import bootstrap as module
from core import launch, phantom
from core.bootstrap import bootstrap
from core.manifest import MANIFEST_FILE, NETWORK_FILE
from tests.support import packages
from tests.support.requests import get, post, read


def broken_package(folder: Path) -> Path:
    package = packages.copy(folder)
    (package / NETWORK_FILE).write_bytes(b"altered")
    return package


def unreadable_manifest(folder: Path) -> Path:
    (folder / MANIFEST_FILE).write_bytes(b'{"name": "\xff"}')
    return folder


@pytest.fixture(params=["missing", "altered", "unreadable", "invalid setting", "unknown setting"])
def wrong(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Mapping[str, str], str, str]:
    """An environment, the code that it must give, and a word of the reason."""
    environs = {
        "missing": ({"PNEUMONIA_MODEL": str(tmp_path / "nowhere")}, "model_unavailable", "nowhere"),
        "altered": ({"PNEUMONIA_MODEL": str(broken_package(tmp_path))}, "model_unavailable", NETWORK_FILE),
        "unreadable": ({"PNEUMONIA_MODEL": str(unreadable_manifest(tmp_path))}, "model_unavailable", MANIFEST_FILE),
        "invalid setting": ({"PNEUMONIA_MAX_PICTURES": "many"}, "invalid_settings", "PNEUMONIA_MAX_PICTURES"),
        "unknown setting": ({"PNEUMONIA_MODELS": "x"}, "invalid_settings", "PNEUMONIA_MODELS"),
    }
    environ, code, word = environs[request.param]
    return environ, code, word


def test_service_lives_and_every_door_says_why_it_cannot_answer(wrong: tuple[Mapping[str, str], str, str]) -> None:
    environ, code, word = wrong

    service = bootstrap(environ)

    assert read(service.handle(get("/health/live"))) == {"status": "alive"}
    for request in (get("/health/ready"), get("/model"), post(phantom.jpeg())):
        response = service.handle(request)
        problem = read(response)
        assert (response.status, problem["status"], problem["code"]) == (503, 503, code)
        assert word in problem["detail"]
    status = read(service.handle(get("/status")))
    assert status["model"] is None
    assert word in status["model_error"]
    assert "pneumonia_model_info{" not in service.handle(get("/metrics")).body.decode()
    assert all(service.handle(get(path)).status == 200 for path in ("/", "/docs", "/openapi.json", "/phantom.jpg"))


def test_sound_deployment_is_ready() -> None:
    service = bootstrap({})

    assert read(service.handle(get("/health/ready"))) == {"status": "ready"}
    assert read(service.handle(get("/status")))["model_error"] is None


def test_another_package_may_be_deployed(tmp_path: Path) -> None:
    package = packages.variant(tmp_path, lambda manifest: manifest.update(name="another", version="9.9.9"))

    service = bootstrap({"PNEUMONIA_MODEL": str(package)})

    assert read(service.handle(get("/model")))["model"]["name"] == "another"
    assert read(service.handle(post(phantom.jpeg())))["model"]["version"] == "9.9.9"


def test_settings_reach_the_service(tmp_path: Path) -> None:
    service = bootstrap({"PNEUMONIA_MAX_PIXELS": "1000", "PNEUMONIA_API_KEY": "k"})

    assert service.handle(post(phantom.jpeg())).status == 401
    assert read(service.handle(post(phantom.jpeg(), headers={"x-api-key": "k"})))["code"] == "picture_too_large"


def test_wrong_settings_do_not_open_the_door_that_a_key_should_close() -> None:
    service = bootstrap({"PNEUMONIA_API_KEY": "k", "PNEUMONIA_MAX_PICTURES": "many"})

    assert service.handle(post(phantom.jpeg())).status in (401, 503)


def test_process_has_one_service_even_when_many_threads_ask_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_service", None)
    made, gate, got = [], threading.Barrier(8), []
    build = module.bootstrap

    def counted(environ: Mapping[str, str], launchers: Mapping[str, launch.Factory]) -> object:
        made.append(environ)
        return build(environ, launchers)

    def ask() -> None:
        gate.wait(timeout=30)
        got.append(module.shared())

    monkeypatch.setattr(module, "bootstrap", counted)
    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert len(made) == 1
    assert len(got) == 8
    assert len({id(service) for service in got}) == 1
