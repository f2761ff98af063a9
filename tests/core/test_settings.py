"""Every setting, every wrong value, and that the documented table is the truth."""

import os
import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from core import errors, images, settings
from core.settings import Settings, read

ROOT = Path(__file__).resolve().parents[2]
FIELDS = Settings.__struct_fields__

GIVEN: Mapping[str, tuple[str, object]] = {
    "model": ("/somewhere/else", Path("/somewhere/else")),
    "api_key": ("s3cret of-mine", "s3cret of-mine"),
    "store": ("gs://bucket/prefix", "gs://bucket/prefix"),
    "admin_token": ("another s3cret", "another s3cret"),
    "extra_labels": ("fungal pneumonia, tuberculosis=56717001", {"fungal pneumonia": None, "tuberculosis": "56717001"}),
    "refresh_s": ("60", 60),
    "record_predictions": ("on", True),
    "launcher": ("cloud-run", "cloud-run"),
    "launcher_job": ("projects/p/locations/l/jobs/j", "projects/p/locations/l/jobs/j"),
    "launcher_url": ("http://127.0.0.1:1", "http://127.0.0.1:1"),
    "launcher_token_url": ("http://127.0.0.1:2", "http://127.0.0.1:2"),
    "retrain_command": ("nice pneumonia retrain", "nice pneumonia retrain"),
    "job_stale_s": ("60", 60),
    "base_dataset": ("/data", Path("/data")),
    "gate_auroc_margin": ("0.05", 0.05),
    "gate_sensitivity_margin": ("0", 0.0),
    "gate_specificity_margin": ("0.1", 0.1),
    "gate_guard": ("off", False),
    "gate_min_pictures": ("2", 2),
    "retrain_epochs": ("1", 1),
    "max_body_mb": ("100", 100),
    "max_pixels": ("1000000", 1_000_000),
    "max_pictures": ("1", 1),
    "max_request_pixels": ("5000", 5000),
    "interpreters": ("8", 8),
    "azure_auth_level": ("anonymous", "ANONYMOUS"),
    "log_level": ("Debug", "DEBUG"),
}
SECRETS = ("api_key", "admin_token")
NUMBERS = (
    "refresh_s",
    "job_stale_s",
    "gate_min_pictures",
    "retrain_epochs",
    "max_body_mb",
    "max_pixels",
    "max_pictures",
    "max_request_pixels",
    "interpreters",
)


def variable(field: str) -> str:
    return f"PNEUMONIA_{field.upper()}"


def test_nothing_set_gives_the_defaults() -> None:
    assert read({}) == Settings()
    assert read({"PATH": "/bin", "HOME": "/", "PNEUMONIAC": "x"}) == Settings()


def test_defaults_are_those_that_the_docs_promise() -> None:
    assert msgspec.structs.asdict(Settings()) == {
        "model": ROOT / "model",
        "api_key": None,
        "store": None,
        "admin_token": None,
        "extra_labels": {},
        "refresh_s": 30,
        "record_predictions": False,
        "launcher": "none",
        "launcher_job": None,
        "launcher_url": None,
        "launcher_token_url": None,
        "retrain_command": "pneumonia retrain",
        "job_stale_s": 600,
        "base_dataset": None,
        "gate_auroc_margin": 0.01,
        "gate_sensitivity_margin": 0.02,
        "gate_specificity_margin": 0.05,
        "gate_guard": True,
        "gate_min_pictures": 5,
        "retrain_epochs": 4,
        "max_body_mb": 32,
        "max_pixels": images.MAX_PIXELS,
        "max_pictures": 64,
        "max_request_pixels": 200_000_000,
        "interpreters": os.cpu_count() or 1,
        "azure_auth_level": "FUNCTION",
        "log_level": "INFO",
    }


def test_table_of_these_tests_holds_every_setting() -> None:
    assert set(GIVEN) == set(FIELDS)


@pytest.mark.parametrize("field", GIVEN)
def test_setting_is_read_from_its_variable_and_moves_nothing_else(field: str) -> None:
    text, value = GIVEN[field]

    assert read({variable(field): text}) == msgspec.structs.replace(Settings(), **{field: value})


@pytest.mark.parametrize("field", [field for field in FIELDS if field not in SECRETS])
def test_empty_variable_is_as_good_as_none(field: str) -> None:
    assert read({variable(field): ""}) == Settings()


@pytest.mark.parametrize("field", SECRETS)
@pytest.mark.parametrize("key", ["", " s3cret", "s3cret\n", "s3crèt"])
def test_key_that_no_header_can_carry_is_refused_untold(field: str, key: str) -> None:
    with pytest.raises(errors.InvalidSettings, match=variable(field)) as caught:
        read({variable(field): key})

    assert "s3cr" not in str(caught.value)


WRONG = [
    *((field, text) for field in NUMBERS for text in ("0", "-1", "1.5", "many", " 1", "1 ", "1e3", "٣", "0x10", "+1", "9" * 10)),
    *(("store", text) for text in ("store", "/a/folder", "ftp://host/a", "s3://", "file:///", "gs:bucket")),
    *(
        ("extra_labels", text)
        for text in (",", "a,", "a/b", "..", " - ", "pneumonie à x", "a=", "a=12345", "a=012345", "a=b", "=567170", "a, a", "a=567170,a")
    ),
    ("launcher", "PROCESS"),
    ("retrain_command", " "),
    ("retrain_command", "'"),
    *((f"gate_{figure}_margin", text) for figure in ("auroc", "sensitivity", "specificity") for text in ("-0.1", "1.1", "nan", "x", "inf")),
    ("azure_auth_level", "EVERYONE"),
    ("azure_auth_level", "function "),
    ("log_level", "LOUD"),
    ("log_level", "20"),
    ("record_predictions", "maybe"),
    ("gate_guard", "maybe"),
    ("store", "here"),
    ("store", "ftp://bucket"),
    ("store", "s3://"),
]


@pytest.mark.parametrize(("field", "text"), WRONG, ids=[f"{field}={text!a}" for field, text in WRONG])
def test_wrong_value_is_refused_with_its_variable_and_what_was_received(field: str, text: str) -> None:
    with pytest.raises(errors.InvalidSettings) as caught:
        read({variable(field): text})

    sentence = str(caught.value)
    assert variable(field) in sentence
    assert repr(text) in sentence
    assert "expected" in sentence.lower()


@pytest.mark.parametrize("name", ["PNEUMONIA_MODELL", "PNEUMONIA_", "PNEUMONIA_max_pixels", "PNEUMONIA_PORT"])
def test_unknown_setting_is_refused_and_the_known_ones_are_listed(name: str) -> None:
    with pytest.raises(errors.InvalidSettings) as caught:
        read({name: "x"})

    assert f"Received: {name}." in str(caught.value)
    assert all(variable(field) in str(caught.value) for field in FIELDS)


def test_misspelt_setting_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(errors.InvalidSettings, match="perhaps PNEUMONIA_STORE is meant"):
        read({"PNEUMONIA_STOER": "file:///tmp"})


@pytest.mark.parametrize("environ", [{"PNEUMONIA_API_KEY": "s3cret", "PNEUMONIA_LOG_LEVEL": "x"}, {"PNEUMONIA_APIKEY": "s3cret"}])
def test_refusal_does_not_tell_a_key(environ: Mapping[str, str]) -> None:
    with pytest.raises(errors.InvalidSettings) as caught:
        read(environ)

    assert "s3cret" not in str(caught.value)


def test_largest_body_in_bytes_is_binary_megabytes() -> None:
    assert Settings(max_body_mb=2).max_body_bytes == 2 * 1024 * 1024


def test_documents_name_every_setting_and_no_other() -> None:
    text = "\n".join(path.read_text("utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))))

    named = set(re.findall(r"PNEUMONIA_[A-Z_]+[A-Z]", text))
    assert named == {variable(field) for field in FIELDS}


def test_shipped_model_lies_beside_core() -> None:
    assert Path(settings.__file__).resolve().parents[1] / "model" == settings.BAKED_MODEL
