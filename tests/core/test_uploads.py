"""Labelled pictures in the store: what is kept, what counts, and what a label is called."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from core import errors, images, phantom
from core.api import Service
from core.bootstrap import bootstrap
from core.contract import Request
from core.store import Store, open_store
from core.uploads import EXTENSIONS, Record, counted, find_label, slug
from tests.contract.bodies import BOUNDARY, multipart
from tests.support import packages
from tests.support.pictures import chest, encode
from tests.support.requests import Json, get, read

TOKEN = "a-token"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(tmp_path.as_uri())


@pytest.fixture
def serving(tmp_path: Path) -> Service:
    return started(tmp_path)


def started(folder: Path, **settings: str) -> Service:
    given = {f"PNEUMONIA_{name.upper()}": value for name, value in settings.items()}
    return bootstrap({"PNEUMONIA_STORE": folder.as_uri(), "PNEUMONIA_ADMIN_TOKEN": TOKEN, **given})


def upload(body: bytes, label: str = "normal", content_type: str = "", headers: Mapping[str, str] | None = None) -> Request:
    sent = {"content-length": str(len(body)), "content-type": content_type, "x-admin-token": TOKEN, **(headers or {})}
    return Request(method="POST", path="/upload-data", query={"label": label}, headers=sent, body=io.BytesIO(body))


def outcomes(answer: Json) -> list[str]:
    return [one.get("code", one["outcome"]) for one in answer["uploads"]]


def test_picture_is_kept_as_it_came_with_a_record_that_names_nobody(serving: Service, store: Store) -> None:
    data = phantom.jpeg(3)
    sha256 = hashlib.sha256(data).hexdigest()
    form = multipart(data).replace(b"p0.jpg", b"Jane Doe.jpg")

    answer = read(serving.handle(upload(form, "Viral Pneumonia", FORM, {"x-request-id": "the-id"})))

    assert answer["label"] == "viral pneumonia"
    assert outcomes(answer) == ["stored"]
    assert sorted(store.keys("")) == [f"uploads/viral-pneumonia/{sha256}.jpeg", f"uploads/viral-pneumonia/{sha256}.json"]
    assert store.get(f"uploads/viral-pneumonia/{sha256}.jpeg") == data
    kept = store.get(f"uploads/viral-pneumonia/{sha256}.json") or b""
    record = msgspec.json.decode(kept, type=Record, strict=True)
    assert (record.sha256, record.label, record.format, record.size_bytes) == (sha256, "viral pneumonia", "jpeg", len(data))
    assert (record.width_px, record.height_px, record.request_id) == (phantom.SIDE_PX, phantom.SIDE_PX, "the-id")
    assert b"Jane" not in kept


def test_sending_twice_stores_once(serving: Service, store: Store) -> None:
    first = read(serving.handle(upload(phantom.jpeg(3), headers={"x-request-id": "first"})))
    second = read(serving.handle(upload(phantom.jpeg(3), headers={"x-request-id": "second"})))

    assert (outcomes(first), outcomes(second)) == (["stored"], ["duplicate"])
    assert len(list(counted(store))) == 1
    record = next(key for key in store.keys("uploads/") if key.endswith(".json"))
    assert b"first" in (store.get(record) or b"")


def test_same_bytes_twice_in_one_request_are_stored_once(serving: Service) -> None:
    answer = read(serving.handle(upload(multipart(phantom.jpeg(3), phantom.jpeg(3)), content_type=FORM)))

    assert outcomes(answer) == ["stored", "duplicate"]


def test_each_file_has_its_own_outcome_in_its_place(serving: Service, store: Store) -> None:
    serving.handle(upload(phantom.jpeg(1), "bacterial pneumonia"))

    answer = read(serving.handle(upload(multipart(b"text", phantom.jpeg(1), phantom.jpeg(2)), content_type=FORM)))

    assert outcomes(answer) == ["not_a_picture", "label_conflict", "stored"]
    assert answer["uploads"][1]["stored_label"] == "bacterial pneumonia"
    assert [found.slug for found in counted(store)] == ["bacterial-pneumonia", "normal"]
    text = serving.handle(get("/metrics")).body.decode()
    for outcome, count in {"stored": 2, "refused": 1, "conflict": 1}.items():
        assert f'pneumonia_uploads_total{{outcome="{outcome}"}} {count}.0' in text
    assert 'pneumonia_errors_total{code="label_conflict"} 1.0' in text


@pytest.mark.parametrize("broken_off", ["before the record", "before both"])
def test_upload_that_broke_off_does_not_count_until_it_is_sent_again(serving: Service, store: Store, broken_off: str) -> None:
    data = phantom.jpeg(3)
    if broken_off == "before the record":
        store.put(f"uploads/normal/{hashlib.sha256(data).hexdigest()}.jpeg", data)

    assert list(counted(store)) == []
    assert outcomes(read(serving.handle(upload(data)))) == ["stored"]
    assert len(list(counted(store))) == 1


def test_picture_without_a_record_does_not_keep_its_bytes_from_another_label(serving: Service, store: Store) -> None:
    data = phantom.jpeg(3)
    store.put(f"uploads/viral-pneumonia/{hashlib.sha256(data).hexdigest()}.jpeg", data)

    assert outcomes(read(serving.handle(upload(data, "normal")))) == ["stored"]
    assert [found.slug for found in counted(store)] == ["normal"]


def test_picture_that_two_requests_stored_under_two_labels_counts_for_neither(store: Store) -> None:
    for label in ("normal", "viral-pneumonia"):
        store.put(f"uploads/{label}/{'0' * 64}.png", b"x")
        store.put(f"uploads/{label}/{'0' * 64}.json", b"{}")
    store.put("uploads/note.txt", b"x")

    assert list(counted(store)) == []


def test_all_pictures_of_a_request_share_one_allowance_of_pixels(tmp_path: Path) -> None:
    one = encode(chest(1), "PNG")
    serving = started(tmp_path, max_request_pixels=str(chest().size))

    answer = read(serving.handle(upload(multipart(one, encode(chest(2), "PNG")), content_type=FORM)))

    assert outcomes(answer) == ["stored", "picture_too_large"]


def test_new_kind_is_a_setting(tmp_path: Path) -> None:
    plain, extended = started(tmp_path), started(tmp_path, extra_labels="Fungal pneumonia")

    assert read(plain.handle(upload(phantom.jpeg(3), "fungal pneumonia")))["code"] == "unknown_label"
    assert read(extended.handle(upload(phantom.jpeg(3), "fungal pneumonia")))["label"] == "Fungal pneumonia"
    assert (tmp_path / "uploads" / "fungal-pneumonia").is_dir()


def test_store_that_fails_acknowledges_nothing(tmp_path: Path) -> None:
    (tmp_path / "uploads").touch()

    answer = started(tmp_path).handle(upload(phantom.jpeg(3)))

    assert (answer.status, read(answer)["code"]) == (503, "store_unavailable")


SLUGS = {
    "normal": "normal",
    "bacterial pneumonia": "bacterial-pneumonia",
    "COVID-19": "covid-19",
    "  a -- b/../c ": "a-b-c",
    "pneumonie à champignons": "pneumonie-champignons-{digest}",
    "肺炎": "{digest}",
    "": "{digest}",
}


@pytest.mark.parametrize(("label", "expected"), SLUGS.items(), ids=SLUGS.keys())
def test_slug_is_a_safe_name_of_a_folder(label: str, expected: str) -> None:
    assert slug(label) == expected.format(digest=hashlib.sha256(label.encode()).hexdigest()[:12])


def test_label_is_found_by_its_name_and_by_its_slug() -> None:
    labels = ("normal", "viral pneumonia", "肺炎")

    for label in labels:
        assert find_label(label, labels) == label
        assert find_label(slug(label), labels) == label
    assert find_label("Viral-Pneumonia", labels) == "viral pneumonia"


@pytest.mark.parametrize("given", [None, "", "nromal", "..", "normal/x", "../normal", "viral--pneumonia", "肺"])
def test_label_that_is_none_is_refused_with_those_there_are(given: str | None) -> None:
    with pytest.raises(errors.UnknownLabel, match="normal, viral pneumonia"):
        find_label(given, ("normal", "viral pneumonia"))


def test_every_format_has_its_extension() -> None:
    assert set(EXTENSIONS) == {name.lower() for name in images.FORMATS}


def test_record_keeps_what_the_guard_said(tmp_path: Path) -> None:
    serving = started(tmp_path / "store", model=str(packages.guarded(tmp_path)))
    good, far = phantom.jpeg(), encode(packages.noise(), "PNG")

    answers = [read(serving.handle(upload(multipart(good, far), "normal", FORM)))]
    asked = upload(far)
    answers.append(read(serving.handle(msgspec.structs.replace(asked, query={"label": "normal", "guard": "advise"}))))

    assert [outcomes(answer) for answer in answers] == [["stored", "picture_rejected"], ["stored"]]
    kept = open_store((tmp_path / "store").as_uri())
    verdicts = {}
    for data in (good, far):
        stored = kept.get(f"uploads/normal/{hashlib.sha256(data).hexdigest()}.json") or b""
        verdicts[data] = msgspec.json.decode(stored, type=Record).guard
    assert (verdicts[good], verdicts[far]) == ("accept", "refuse")
