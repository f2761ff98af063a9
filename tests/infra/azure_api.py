"""What Azure's resource providers take, from the models of Microsoft's management libraries: read as text, never imported."""

import ast
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

API: dict[str, tuple[str, str]] = {
    # Type and api-version, as infra/azure writes them: the library's module, and the model of what is sent.
    "Microsoft.App/containerApps@2025-07-01": ("appcontainers/models", "ContainerApp"),
    "Microsoft.App/jobs@2025-07-01": ("appcontainers/models", "Job"),
    "Microsoft.App/managedEnvironments@2025-07-01": ("appcontainers/models", "ManagedEnvironment"),
    "Microsoft.Authorization/roleAssignments@2022-04-01": ("authorization/v2022_04_01/models", "RoleAssignmentCreateParameters"),
    "Microsoft.Authorization/roleDefinitions@2022-04-01": ("authorization/v2022_04_01/models", "RoleDefinition"),
    "Microsoft.Consumption/budgets@2021-10-01": ("consumption/models", "Budget"),
    "Microsoft.ContainerRegistry/registries@2023-07-01": ("containerregistry/v2023_07_01/models", "Registry"),
    "Microsoft.EventGrid/systemTopics@2025-02-15": ("eventgrid/models", "SystemTopic"),
    "Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15": ("eventgrid/models", "EventSubscription"),
    "Microsoft.Insights/actionGroups@2023-01-01": ("monitor/models", "ActionGroupResource"),
    "Microsoft.Insights/components@2020-02-02": ("applicationinsights/v2020_02_02/models", "ApplicationInsightsComponent"),
    "Microsoft.Insights/scheduledQueryRules@2023-12-01": ("monitor/models", "ScheduledQueryRuleResource"),
    "Microsoft.KeyVault/vaults@2024-11-01": ("keyvault/v2024_11_01/models", "VaultCreateOrUpdateParameters"),
    "Microsoft.Logic/workflows@2019-05-01": ("logic/models", "Workflow"),
    "Microsoft.Logic/workflows/triggers@2019-05-01": ("logic/models", "WorkflowTrigger"),
    "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31": ("msi/v2023_01_31/models", "Identity"),
    "Microsoft.OperationalInsights/workspaces@2025-07-01": ("loganalytics/models", "Workspace"),
    "Microsoft.Storage/storageAccounts@2023-05-01": ("storage/v2023_05_01/models", "StorageAccountCreateParameters"),
    "Microsoft.Storage/storageAccounts/blobServices@2023-05-01": ("storage/v2023_05_01/models", "BlobServiceProperties"),
    "Microsoft.Storage/storageAccounts/blobServices/containers@2023-05-01": ("storage/v2023_05_01/models", "BlobContainer"),
    "Microsoft.Storage/storageAccounts/managementPolicies@2023-05-01": ("storage/v2023_05_01/models", "ManagementPolicy"),
    "Microsoft.Web/serverfarms@2024-04-01": ("web/v2024_04_01/models", "AppServicePlan"),
    "Microsoft.Web/sites@2024-04-01": ("web/v2024_04_01/models", "Site"),
    "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01": (
        "web/v2024_04_01/models",
        "CsmPublishingCredentialsPoliciesEntity",
    ),
}
UNMODELLED = {"Microsoft.Insights/diagnosticSettings@2021-05-01-preview"}
"""No library of today has it, and there is no later api-version."""


class Property(NamedTuple):
    """One property of a model by its path, `properties.template`."""

    type: str
    required: bool
    read_only: bool


class Model(NamedTuple):
    """One class: its properties by path; where it has kinds, the property that tells them apart and their classes."""

    properties: dict[str, Property]
    discriminator: str
    kinds: dict[str, str]


@cache
def models(folder: Path) -> dict[str, Model]:
    """Return the models of a library by class."""
    classes = [node for node in ast.parse((folder / "_models_py3.py").read_text("utf-8")).body if isinstance(node, ast.ClassDef)]
    return {node.name: _model(node) for node in classes}


def _model(node: ast.ClassDef) -> Model:
    found: dict[str, Any] = {}
    for each in node.body:
        if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name) and each.targets[0].id.startswith("_"):
            found[each.targets[0].id] = ast.literal_eval(each.value)
    paths: dict[str, dict[str, str]] = found.get("_attribute_map", {})
    rules: dict[str, dict[str, Any]] = found.get("_validation", {})
    properties = {
        path["key"]: Property(path["type"], rules.get(name, {}).get("required", False), rules.get(name, {}).get("readonly", False))
        for name, path in paths.items()
    }
    (attribute, kinds) = next(iter(found.get("_subtype_map", {}).items()), ("", {}))
    return Model(properties, paths.get(attribute, {}).get("key", ""), kinds)


def wrong(known: dict[str, Model], model: str, given: dict[str, Any], where: str, prefix: str = "") -> list[str]:
    """Return what an object has that its model does not know or only gives back, and what it lacks. What is no literal is left out.

    Args:
        known: the models of the library.
        model: the class that the object is of.
        given: the object; an Expression where a value is none that can be read.
        where: said with each finding.
        prefix: how far into the model's flattened paths the object lies, `properties.`.
    """
    shape = known[model]
    kind = given.get(shape.discriminator)
    if isinstance(kind, str) and kind in shape.kinds:
        return wrong(known, shape.kinds[kind], given, where, prefix)
    found = []
    for name, value in given.items():
        path, place = prefix + name, f"{where}.{name}"
        exact = shape.properties.get(path)
        if exact is None and not any(each.startswith(path + ".") for each in shape.properties):
            found.append(f"{place}: unknown")
        elif exact is not None and exact.read_only and name != "name":
            found.append(f"{place}: only given back")
        elif isinstance(value, dict) and exact is None:
            found += wrong(known, model, value, place, path + ".")
        elif exact is not None:
            found += _inside(known, exact.type, value, place)
    for path, each in shape.properties.items():
        name, _, rest = path.removeprefix(prefix).partition(".")
        if path.startswith(prefix) and not rest and each.required and not each.read_only and name not in given:
            found.append(f"{where}: lacks {name}")
        elif path.startswith(prefix) and rest and each.required and not each.read_only and name not in given:
            found.append(f"{where}: lacks {path.removeprefix(prefix)}")
    return found


_PLAIN: dict[str, type | tuple[type, ...]] = {"str": str, "int": int, "bool": bool, "float": (int, float)}


def _inside(known: dict[str, Model], kind: str, value: Any, where: str) -> list[str]:
    inner = kind.strip("[]{}")
    if kind.startswith("[") and isinstance(value, list):
        return [problem for each in value for problem in _inside(known, kind[1:-1], each, where)]
    if kind.startswith("{") and isinstance(value, dict):
        return [problem for name, each in value.items() for problem in _inside(known, kind[1:-1], each, f"{where}.{name}")]
    if isinstance(value, dict) and inner in known:
        return wrong(known, inner, value, where)
    expected = _PLAIN.get(kind)
    literal = isinstance(value, str | int | bool | list | dict) and not hasattr(value, "node")
    if literal and expected and (not isinstance(value, expected) or (isinstance(value, bool) and kind != "bool")):
        return [f"{where}: expected {kind}"]
    return []
