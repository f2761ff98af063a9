"""What must not be open is shut, whatever a policy checker looks at."""

from typing import Any

import pytest

from tests.infra import bicep, terraform, tools
from tests.infra.bicep import Expression

pytestmark = pytest.mark.infra
AZURE = [
    ("Microsoft.Storage/storageAccounts", "properties.allowBlobPublicAccess", False),
    ("Microsoft.Storage/storageAccounts", "properties.allowSharedKeyAccess", False),
    ("Microsoft.Storage/storageAccounts", "properties.minimumTlsVersion", "TLS1_2"),
    ("Microsoft.Storage/storageAccounts", "properties.supportsHttpsTrafficOnly", True),
    ("Microsoft.Storage/storageAccounts/blobServices", "properties.isVersioningEnabled", True),
    ("Microsoft.Storage/storageAccounts/blobServices/containers", "properties.publicAccess", "None"),
    ("Microsoft.ContainerRegistry/registries", "properties.adminUserEnabled", False),
    ("Microsoft.KeyVault/vaults", "properties.enableRbacAuthorization", True),
    ("Microsoft.Insights/components", "properties.DisableLocalAuth", True),
    ("Microsoft.App/containerApps", "kind", "functionapp"),
    ("Microsoft.App/containerApps", "properties.configuration.ingress.allowInsecure", False),
    ("Microsoft.Web/sites", "kind", "functionapp,linux,container"),
    ("Microsoft.Web/sites", "properties.httpsOnly", True),
    ("Microsoft.Web/sites", "properties.siteConfig.acrUseManagedIdentityCreds", True),
    ("Microsoft.Web/sites", "properties.siteConfig.ftpsState", "Disabled"),
    ("Microsoft.Web/sites/basicPublishingCredentialsPolicies", "properties.allow", False),
]
GOOGLE = [
    ("google_storage_bucket", "uniform_bucket_level_access", True),
    ("google_storage_bucket", "public_access_prevention", "enforced"),
    ("google_storage_bucket", "versioning.enabled", True),
    ("google_artifact_registry_repository", "docker_config.immutable_tags", True),
    ("google_cloud_run_v2_service", "template.containers.resources.startup_cpu_boost", True),
    ("google_cloud_run_v2_service", "template.containers.command", ["python", "-m", "function_gcp.serve"]),
    ("google_cloud_run_v2_service", "template.containers.startup_probe.http_get.path", "/health/ready"),
    ("google_cloud_run_v2_service", "template.containers.liveness_probe.http_get.path", "/health/live"),
    ("google_cloud_run_v2_job", "template.template.containers.command", ["pneumonia"]),
]


def at(body: Any, path: str) -> Any:
    """Return what lies under a path; a block of Terraform is the only one of its list."""
    for name in path.split("."):
        body = body[0] if isinstance(body, list) else body
        body = body.get(name)
    return body


@pytest.mark.parametrize(("kind", "path", "value"), AZURE, ids=lambda each: str(each))
def test_azure_is_as_it_must_be(kind: str, path: str, value: object) -> None:
    resources = [each for template in bicep.deployed().values() for each in template.of("resource").values()]
    bodies = [each.body for each in resources if each.target.partition("@")[0] == kind and not each.existing]

    assert bodies
    assert [at(body, path) for body in bodies] == [value] * len(bodies)


@pytest.mark.parametrize(("kind", "path", "value"), GOOGLE, ids=lambda each: str(each))
def test_google_is_as_it_must_be(kind: str, path: str, value: object) -> None:
    bodies = [each.body for each in terraform.read(tools.GCP).resources() if each.type == kind]

    assert bodies
    assert [at(body, path) for body in bodies] == [value] * len(bodies)


def test_every_identity_of_azure_is_a_users_own() -> None:
    resources = [each for template in bicep.deployed().values() for each in template.of("resource").values()]
    identities = [each.body["identity"]["type"] for each in resources if "identity" in (each.body if not each.existing else {})]

    assert identities == ["UserAssigned"] * 4  # the two hostings and the two jobs


def test_roles_of_azure_are_given_on_one_resource_each() -> None:
    resources = [each for template in bicep.deployed().values() for each in template.of("resource").values()]
    scopes = [each.body.get("scope") for each in resources if each.target.startswith("Microsoft.Authorization/roleAssignments@")]

    assert [scope.node.text for scope in scopes if isinstance(scope, Expression)] == [
        *("retrain", "insights", "registry", "objects", "host", "vault"),
    ]
