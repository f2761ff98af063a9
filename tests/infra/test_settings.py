"""What the clouds set is what the service reads, and the other way round."""

import re
from collections.abc import Callable, Mapping
from functools import cache

import pytest

from core import launch, settings
from core.settings import Settings
from function_azure.launcher import LAUNCHERS as CONTAINER_APPS
from function_gcp.launcher import LAUNCHERS as CLOUD_RUN
from tests.infra import bicep, terraform, tools

pytestmark = pytest.mark.infra
Cloud = Callable[[], dict[str, str | None]]
KNOWN = {"PNEUMONIA_" + name.upper() for name in Settings.__struct_fields__}
# Values that only a deployment knows; whatever else is no literal is found to be missing here.
GCP_VALUES = {
    "PNEUMONIA_STORE": "gs://project-pneumonia-store",
    "PNEUMONIA_INTERPRETERS": "1",
    "PNEUMONIA_REFRESH_S": "30",
    "PNEUMONIA_RECORD_PREDICTIONS": "on",
    "PNEUMONIA_EXTRA_LABELS": "tuberculosis,covid",
    "PNEUMONIA_LAUNCHER_JOB": "projects/project-1/locations/europe-west1/jobs/pneumonia-retrain",
    "PNEUMONIA_RETRAIN_EPOCHS": "4",
    "PNEUMONIA_ADMIN_TOKEN": "a-token",
}
AZURE_VALUES = {
    **GCP_VALUES,
    "PNEUMONIA_STORE": "az://store",
    "PNEUMONIA_EXTRA_LABELS": "",
    "PNEUMONIA_LAUNCHER_JOB": "/subscriptions/0/resourceGroups/rg-pneumonia/providers/Microsoft.App/jobs/caj-pneumonia-retrain",
    "PNEUMONIA_MAX_BODY_MB": "32",
    "PNEUMONIA_AZURE_AUTH_LEVEL": "FUNCTION",
    "PNEUMONIA_API_KEY": "a-key",
}
# Who reads what is not ours: the storage library and the launcher (docs/store.md), and Microsoft's host.
OF_THE_PLATFORM = {
    *("AZURE_CLIENT_ID", "AZURE_STORAGE_ACCOUNT_NAME"),
    *("APPLICATIONINSIGHTS_AUTHENTICATION_STRING", "APPLICATIONINSIGHTS_CONNECTION_STRING"),
    *("AzureWebJobsDisableHomepage", "AzureWebJobsSecretStorageType"),
    *("AzureWebJobsStorage__accountName", "AzureWebJobsStorage__clientId", "AzureWebJobsStorage__credential"),
    *("FUNCTIONS_EXTENSION_VERSION", "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", "FUNCTIONS_WORKER_PROCESS_COUNT", "FUNCTIONS_WORKER_RUNTIME"),
    *("PYTHON_THREADPOOL_THREAD_COUNT", "WEBSITES_ENABLE_APP_SERVICE_STORAGE"),
}


@cache
def google() -> dict[str, str | None]:
    """Return what Terraform sets, with its value where that is a literal."""
    found: dict[str, str | None] = {}
    for text in terraform.texts([_names_and_values(body) for body in terraform.read(tools.GCP).files.values()]):
        for name, literal in re.findall(r'\b(PNEUMONIA_\w+)\b(?:\s*[=:]\s*"([^"$]*)")?', text):
            found[name] = literal or found.get(name)
    return found


@cache
def azure() -> dict[str, str | None]:
    """Return what Bicep sets, ours and the platform's, with its value where that is a literal."""
    found: dict[str, str | None] = {}
    for name, template in bicep.deployed().items():
        if not name.endswith(".bicep"):
            continue
        for node in template.tree.below("object"):
            entry = bicep.value_of(node)
            if set(entry) in ({"name", "value"}, {"name", "secretRef"}) and re.fullmatch(r"[A-Za-z_]{8,}", str(entry["name"])):
                value = entry.get("value")
                found[entry["name"]] = value if isinstance(value, str) else None
    return found


def _names_and_values(value: object) -> object:
    """Write maps and blocks as text as an expression has it: `NAME = "value"`."""
    if isinstance(value, dict):
        return [f'{key} = "{each}"' if isinstance(each, str) else [key, _names_and_values(each)] for key, each in value.items()]
    if isinstance(value, list):
        return [_names_and_values(each) for each in value]
    return value


def table() -> dict[str, tuple[str, str, str]]:
    """Return the settings that are left alone: Google, Azure, why."""
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| (\S+) \| (.+) \|$", (tools.ROOT / "infra" / "README.md").read_text("utf-8"), re.MULTILINE)
    return {name: (on_google, on_azure, why) for name, on_google, on_azure, why in rows}


@pytest.mark.parametrize("cloud", [google, azure])
def test_every_setting_that_is_set_exists(cloud: Cloud) -> None:
    given = set(cloud())

    assert len(given) > 8
    assert {name for name in given if name.startswith("PNEUMONIA")} - KNOWN == set()
    assert given - KNOWN - OF_THE_PLATFORM == set()


@pytest.mark.parametrize(("column", "cloud"), [(0, google), (1, azure)])
def test_every_setting_is_set_or_left_alone_for_a_reason(column: int, cloud: Cloud) -> None:
    given = set(cloud()) & KNOWN
    left = {name for name, row in table().items() if row[column] == "-"}

    assert KNOWN - given == left
    assert {name for name, row in table().items() if row[column] == "set"} - given == set()
    assert [name for name, row in table().items() if len(row[2]) < 10] == []


@pytest.mark.parametrize(
    ("cloud", "samples", "launchers"),
    [(google, GCP_VALUES, CLOUD_RUN), (azure, AZURE_VALUES, CONTAINER_APPS)],
    ids=["google", "azure"],
)
def test_what_is_set_can_be_read(cloud: Cloud, samples: Mapping[str, str], launchers: Mapping[str, launch.Factory]) -> None:
    given = {name: value for name, value in cloud().items() if name in KNOWN}
    environ = {name: samples[name] if value is None else value for name, value in given.items()}

    configuration = settings.read(environ)

    assert launch.choose(configuration, environ, launchers) is not None
    assert launch.arguments(configuration, "7") == ["pneumonia", "retrain", "--take-over", "--job", "7"]


def test_image_and_bicep_give_azures_host_the_same() -> None:
    image = dict(re.findall(r"^(?:ENV)? +(\w+)=(\S+)", (tools.ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE))
    given = {name: value for name, value in azure().items() if name in image and value is not None}
    text = (tools.AZURE / "modules" / "settings.bicep").read_text("utf-8")
    most = re.search(r"^var maxBodyMb = (\d+)$", text, re.MULTILINE)

    assert given == {name: image[name] for name in given}
    assert {"AzureWebJobsDisableHomepage"} <= set(given)
    assert most is not None
    assert int(most[1]) == settings.Settings().max_body_mb
    assert "string((maxBodyMb + 1) * 1048576)" in text
    assert int(image["FUNCTIONS_REQUEST_BODY_SIZE_LIMIT"]) == (int(most[1]) + 1) * 1048576


def test_every_setting_of_the_platform_is_set() -> None:
    assert set(azure()) >= OF_THE_PLATFORM


def test_the_host_is_told_what_it_must_be() -> None:
    given = azure()

    assert given["WEBSITES_ENABLE_APP_SERVICE_STORAGE"] == "false"
    assert given["AzureWebJobsDisableHomepage"] == "true"
    assert given["AzureWebJobsSecretStorageType"] in ("containerapp", "blob")
    assert given["FUNCTIONS_WORKER_RUNTIME"] == "python"


@pytest.mark.parametrize("name", ["AZURE_CLIENT_ID", "AZURE_STORAGE_ACCOUNT_NAME"])
def test_the_store_finds_its_identity(name: str) -> None:
    assert name in (tools.ROOT / "docs" / "store.md").read_text("utf-8")
    assert name in azure()
