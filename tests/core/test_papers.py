"""The card and the report of the model that serves: handed out as the manifest says, inert, and no picture of a patient."""

import hashlib
import shutil
from pathlib import Path

import msgspec
import pytest

from core import models
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import Response
from core.routes import ROUTES
from tests.support import living, packages
from tests.support.requests import get, read

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><title>ROC</title><script>alert(1)</script></svg>'
FILES = {
    "CARD.md": b"# A card\n",
    "history.csv": b"epoch,tune_loss\n1,0.5\n",
    "report/roc.svg": SVG,
    "report/data.md": b"# The data\n",
    "report/missed.png": b"a patient",
    "report/page.html": b"<script>alert(1)</script>",
    "report/deep/er.svg": SVG,
    "secret.svg": SVG,
}


def described(parent: Path) -> Path:
    """Return a package with a card, a report, and what must not be handed out."""
    package = packages.copy(parent)
    for name, data in FILES.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_bytes(data)
    packages.sign(package)
    return package


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return described(tmp_path_factory.mktemp("described"))


@pytest.fixture(scope="module")
def service(folder: Path) -> Service:
    return bootstrap({"PNEUMONIA_MODEL": str(folder)})


def ask(service: Service, name: str) -> Response:
    return service.handle(get(f"/model/report/{name}"))


def test_report_lists_drawings_tables_and_texts_with_their_digests(service: Service) -> None:
    body = read(service.handle(get("/model/report")))

    assert body["card"] is True
    assert {file["name"]: file["media_type"] for file in body["files"]} == {
        "data.md": "text/markdown; charset=utf-8",
        "history.csv": "text/csv; charset=utf-8",
        "roc.svg": "image/svg+xml",
    }
    assert next(file["sha256"] for file in body["files"] if file["name"] == "roc.svg") == hashlib.sha256(SVG).hexdigest()


@pytest.mark.parametrize("name", ["roc.svg", "data.md", "history.csv"])
def test_file_comes_as_it_was_signed_and_can_do_nothing(service: Service, name: str) -> None:
    response = ask(service, name)

    assert response.status == 200
    assert response.body == FILES[name if name == "history.csv" else f"report/{name}"]
    policy = response.headers["Content-Security-Policy"].split("; ")
    assert {"default-src 'none'", "sandbox"} <= set(policy)
    assert "script" not in str(policy)
    assert response.headers["X-Content-Type-Options"] == "nosniff"


def test_card_is_markdown(service: Service) -> None:
    response = service.handle(get("/model/card"))

    assert (response.status, response.body) == (200, FILES["CARD.md"])
    assert response.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert "sandbox" in response.headers["Content-Security-Policy"]


OUTSIDE = (
    "missed.png",
    "page.html",
    "er.svg",
    "deep%2fer.svg",
    "secret.svg",
    "manifest.json",
    "network.tflite",
    "..",
    "../CARD.md",
    "roc.SVG",
)


@pytest.mark.parametrize("name", OUTSIDE)
def test_nothing_else_is_handed_out(service: Service, name: str) -> None:
    response = ask(service, name)

    assert (response.status, read(response)["code"]) in ((404, "unknown_file"), (404, "unknown_route"))


def test_file_that_changed_since_it_was_signed_is_refused(tmp_path: Path) -> None:
    folder = described(tmp_path)
    service = bootstrap({"PNEUMONIA_MODEL": str(folder)})
    (folder / "report/roc.svg").write_bytes(SVG + b" ")
    (folder / "CARD.md").unlink()

    for path in ("/model/report/roc.svg", "/model/card"):
        response = service.handle(get(path))
        assert (response.status, read(response)["code"]) == (503, "model_unavailable"), path


def test_package_without_a_card_says_so(tmp_path: Path) -> None:
    service = bootstrap({"PNEUMONIA_MODEL": str(packages.copy(tmp_path))})

    assert read(service.handle(get("/model/report")))["card"] is False
    assert read(service.handle(get("/model/report")))["files"] == []
    response = service.handle(get("/model/card"))
    assert (response.status, read(response)["code"]) == (404, "unknown_file")


def test_promoted_model_shows_its_own_papers(tmp_path: Path) -> None:
    store = living.open_folder(tmp_path / "store")
    package = living.package(tmp_path, "7.0.0", 2.0)
    (package / "CARD.md").write_bytes(b"# Seven\n")
    packages.sign(package)
    living.promote(store, models.push(store, package))
    service = living.serve(tmp_path / "store")

    assert service.handle(get("/model/card")).body == b"# Seven\n"

    (tmp_path / "store/models/7.0.0/CARD.md").unlink()
    response = service.handle(get("/model/card"))
    assert (response.status, read(response)["code"]) == (503, "model_unavailable")


def test_store_that_does_not_answer_is_told(tmp_path: Path) -> None:
    store = living.open_folder(tmp_path / "store")
    package = living.package(tmp_path, "7.0.0", 2.0)
    (package / "CARD.md").write_bytes(b"# Seven\n")
    packages.sign(package)
    living.promote(store, models.push(store, package))
    service = living.serve(tmp_path / "store")
    shutil.rmtree(tmp_path / "store")
    (tmp_path / "store").write_text("no folder any more")

    response = service.handle(get("/model/card"))

    assert (response.status, read(response)["code"]) == (503, "store_unavailable")


def test_names_that_are_refused_are_told_those_there_are(service: Service) -> None:
    assert "data.md, roc.svg" in msgspec.json.decode(ask(service, "x.svg").body)["detail"]


def test_papers_want_no_secret() -> None:
    assert [route.path for route in ROUTES if route.path.startswith("/model/") and (route.needs_key or route.needs_admin)] == []
