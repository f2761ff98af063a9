"""`/manage`: what may be managed here, for who has the admin token."""

from pathlib import Path

from core.bootstrap import bootstrap
from tests.support import living
from tests.support.requests import get, read

ADMIN = {"x-admin-token": living.TOKEN}


def test_it_tells_what_is_there_and_what_is_off(tmp_path: Path) -> None:
    service = living.serve(tmp_path, extra_labels="fungal pneumonia", launcher="process", max_body_mb="2")

    assert read(service.handle(get("/manage", ADMIN))) == {
        "store": True,
        "launcher": "process",
        "base_dataset": False,
        "labels": ["normal", "bacterial pneumonia", "viral pneumonia"],
        "extra_labels": ["fungal pneumonia"],
        "max_body_bytes": 2 * 1024 * 1024,
    }


def test_without_a_store_or_a_model_it_says_so() -> None:
    service = bootstrap({"PNEUMONIA_ADMIN_TOKEN": living.TOKEN, "PNEUMONIA_MODEL": "nowhere"})

    body = read(service.handle(get("/manage", ADMIN)))

    assert (body["store"], body["launcher"], body["labels"]) == (False, "none", [])


def test_it_tells_a_wrong_token_from_none_set(tmp_path: Path) -> None:
    answers = [living.serve(tmp_path).handle(get("/manage", {"x-admin-token": "x"})), bootstrap({}).handle(get("/manage", ADMIN))]

    assert [(answer.status, read(answer)["code"]) for answer in answers] == [(401, "admin_unauthorized"), (403, "admin_routes_off")]
