"""infra/azure is Bicep, says what it refers to, and uses Azure's resources as their api-versions have them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra import azure_api, bicep, tools
from tests.infra.bicep import Declaration, Expression, Template

pytestmark = pytest.mark.infra
FUNCTIONS = {
    *("concat", "empty", "environment", "guid", "json", "loadJsonContent", "max", "replace", "resourceGroup", "resourceId", "string"),
    *("subscription", "subscriptionResourceId", "take", "toLower", "union", "uniqueString", "utcNow"),
}
OF_BICEP = {"name", "scope", "parent", "dependsOn"}


@pytest.fixture(scope="module")
def templates() -> dict[str, Template]:
    return {name: each for name, each in bicep.deployed().items() if name.endswith(".bicep")}


@pytest.fixture
def one(tmp_path: Path) -> Any:
    """A template of a text."""

    def make(text: str) -> Template:
        (tmp_path / "a.bicep").write_text(text)
        return bicep.read(tmp_path)["a.bicep"]

    return make


def misused(resource: Declaration) -> list[str]:
    if resource.target in azure_api.UNMODELLED or resource.existing:
        return []
    if resource.target not in azure_api.API:
        return [f"{resource.name}: {resource.target} is not in the list"]
    place, model = azure_api.API[resource.target]
    given = {name: value for name, value in resource.body.items() if name not in OF_BICEP}
    return azure_api.wrong(azure_api.models(tools.azure_models() / place), model, given, resource.name)


def undeclared(template: Template) -> set[str]:
    names = {each.name for each in template.declarations if each.kind != "output"}
    return {name for each in template.declarations for part in each.node.children[1:] for name in bicep.used(part)} - names


def test_every_file_is_bicep(templates: dict[str, Template]) -> None:
    assert len(templates) == len(list(tools.AZURE.rglob("*.bicep")))
    assert sum(len(template.of("resource")) for template in templates.values()) > 25


@pytest.mark.parametrize("text", ["param", "resource a = {", "var a = {\n  b: \n", "output x string", "module m 'a' = {}}"])
def test_what_is_no_bicep_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.bicep"
    path.write_text(text)

    assert bicep.parse([path]).returncode == 1


def test_every_property_is_one_of_its_api_version(templates: dict[str, Template]) -> None:
    resources = [each for template in templates.values() for each in template.of("resource").values()]

    assert [problem for resource in resources for problem in misused(resource)] == []


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("location: 'a', sku: { name: 'b' }, kind: 'c', properties: { nothing: 1 }", "a.properties.nothing: unknown"),
        ("location: 'a', sku: { name: 'b' }, kind: 'c', propertys: {}", "a.propertys: unknown"),
        ("location: 'a', kind: 'c'", "a: lacks sku"),
        ("location: 'a', sku: {}, kind: 'c'", "a.sku: lacks name"),
        ("location: 'a', sku: { name: 'b' }, kind: 'c', properties: { allowSharedKeyAccess: 'no' }",
         "a.properties.allowSharedKeyAccess: expected bool"),
    ],
)  # fmt: skip
def test_a_wrong_property_is_found(body: str, problem: str, one: Any) -> None:
    template = one(f"resource a 'Microsoft.Storage/storageAccounts@2023-05-01' = {{\n  name: 'a'\n  {body.replace(', ', chr(10))}\n}}\n")

    assert misused(template.of("resource")["a"]) == [problem]


def given_back(template: Template) -> list[str]:
    """Return the properties that are asked of a resource and that it does not have."""
    found = []
    for name, resource in template.of("resource").items():
        place, model = azure_api.API.get(resource.target, ("", ""))
        for asked in re.findall(rf"\b{name}\.properties\.(\w+)", template.tree.text):
            known = azure_api.models(tools.azure_models() / place)
            whole = model.removesuffix("CreateOrUpdateParameters").removesuffix("CreateParameters")
            shapes = [
                known[whole].properties,
                *(known[each.type].properties for each in known[whole].properties.values() if each.type in known),
            ]
            if not any(asked in path.split(".") for shape in shapes for path in shape):
                found.append(f"{name}.properties.{asked}")
    return found


def test_every_property_that_is_asked_of_a_resource_is_given_back(templates: dict[str, Template], one: Any) -> None:
    assert [asked for template in templates.values() for asked in given_back(template)] == []
    identity = "resource a 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {\n  name: 'a'\n}\n"
    assert given_back(one(identity + "output b string = a.properties.clientIdd\n")) == ["a.properties.clientIdd"]


def test_a_resource_of_an_unknown_api_version_is_found(one: Any) -> None:
    template = one("resource a 'Microsoft.Storage/storageAccounts@2022-09-01' = {\n  name: 'a'\n}\n")

    assert misused(template.of("resource")["a"]) == ["a: Microsoft.Storage/storageAccounts@2022-09-01 is not in the list"]


def test_every_api_version_of_the_list_is_used(templates: dict[str, Template]) -> None:
    assert {each.target for template in templates.values() for each in template.of("resource").values()} == {
        *azure_api.API,
        *azure_api.UNMODELLED,
    }


def test_every_symbol_is_declared(templates: dict[str, Template]) -> None:
    assert {name: missing for name, template in templates.items() if (missing := undeclared(template))} == {}


def test_an_undeclared_symbol_is_found(one: Any) -> None:
    assert undeclared(one("param a string\nvar b = [for c in a: {\n  a: '${c}${d}'\n}]\noutput e string = f.g\n")) == {"d", "f"}


def test_every_parameter_and_variable_is_used(templates: dict[str, Template]) -> None:
    unused = []
    for path, template in templates.items():
        uses = {name for each in template.declarations for part in each.node.children[1:] for name in bicep.used(part)}
        unused += [f"{path}: {name}" for kind in ("param", "var", "module") for name in template.of(kind) if name not in uses]

    makes = ("alerts", "budget", "events", "onContainerApps", "onPremium")  # nothing waits for them
    assert sorted(unused) == [f"main.bicep: {name}" for name in makes]


def missing_members(template: Template) -> list[str]:
    """Return what is asked of a variable's object, or of each of its list in a loop, and is not there."""
    found = []
    for name, each in template.of("var").items():
        value = bicep.value_of(each.value) if each.value else None
        items = value if isinstance(value, list) else [value]
        called = {name} if isinstance(value, dict) else set(re.findall(rf"\bfor (\w+) in {name}:", template.tree.text))
        members = {member for symbol in called for member in re.findall(rf"(?<![\w.]){symbol}\.(\w+)", template.tree.text)}
        found += [f"{name}: {member}" for member in members for item in items if isinstance(item, dict) and member not in item]
    return found


def test_members_of_variables_exist(templates: dict[str, Template], one: Any) -> None:
    assert [member for template in templates.values() for member in missing_members(template)] == []
    assert missing_members(one("var a = {\n  b: 1\n}\noutput c int = a.d\n")) == ["a: d"]
    assert missing_members(one("var a = [\n  {\n    b: 1\n  }\n]\noutput c array = [for e in a: e.f]\n")) == ["a: f"]


def test_only_functions_of_bicep_are_called(templates: dict[str, Template]) -> None:
    decorators = {"description", "allowed", "minLength", "maxLength", "minValue", "maxValue"}

    assert {name for template in templates.values() for name in bicep.called(template.tree)} <= FUNCTIONS | decorators


def test_every_parameter_and_output_is_described(templates: dict[str, Template]) -> None:
    silent = [
        f"{path}: {name}"
        for path, template in templates.items()
        for kind in ("param", "output")
        for name, each in template.of(kind).items()
        if not str(each.decorators.get("description", [""])[0]).endswith(".")
    ]

    assert silent == []


def test_numbers_and_choices_of_a_deployment_have_bounds(templates: dict[str, Template]) -> None:
    parameters = templates["main.bicep"].of("param")
    numbers = [name for name, each in parameters.items() if each.node.children[1].text == "int"]

    assert numbers
    assert [name for name in numbers if "minValue" not in parameters[name].decorators] == []
    assert {"hosting", "authLevel", "storeSku"} == {name for name, each in parameters.items() if "allowed" in each.decorators}


def test_modules_get_what_they_ask_for(templates: dict[str, Template]) -> None:
    found = []
    for path, template in templates.items():
        for name, module in template.of("module").items():
            target = templates[str(Path(path).parent / module.target.strip("'"))]
            wanted = target.of("param")
            needed = {each for each, param in wanted.items() if param.value is None}
            given = set(module.body["params"])
            found += [f"{name}: {each}" for each in (given - set(wanted)) | (needed - given)]

    assert found == []


def test_outputs_of_modules_exist(templates: dict[str, Template]) -> None:
    main = templates["main.bicep"]
    asked = re.findall(r"(\w+)!?\.outputs\.(\w+)", main.tree.text)

    assert len(asked) > 20
    assert [
        f"{module}.{name}" for module, name in asked if name not in templates[main.of("module")[module].target.strip("'")].of("output")
    ] == []


def test_outputs_of_a_deployment_are_addresses(templates: dict[str, Template]) -> None:
    assert [name for name in templates["main.bicep"].of("output") if not name.endswith("Url")] == []


def test_the_example_gives_parameters_that_there_are(templates: dict[str, Template]) -> None:
    example = bicep.deployed()["example.bicepparam"].of("var")
    wanted = templates["main.bicep"].of("param")

    assert set(example) <= set(wanted)
    assert {name for name, each in wanted.items() if each.value is None} <= set(example)


def test_names_begin_as_the_adoption_framework_has_it(templates: dict[str, Template]) -> None:
    names = bicep.value_of(templates["main.bicep"].of("var")["names"].value)  # type: ignore[arg-type]
    begin = {
        "registry": "cr", "store": "st", "host": "st", "vault": "kv-", "workspace": "log-", "insights": "appi-", "actions": "ag-",
        "environment": "cae-", "functionApp": "func-", "plan": "asp-", "retrain": "caj-", "drift": "caj-", "events": "evgst-",
        "promotion": "evgs-", "reload": "logic-",
    }  # fmt: skip

    assert set(names) == set(begin)
    assert [name for name, value in names.items() if not _text(value).startswith(begin[name])] == []


def test_no_key_or_password_is_asked_for(templates: dict[str, Template]) -> None:
    texts = {name: template.tree.text for name, template in templates.items()}

    assert [name for name, text in texts.items() if re.search(r"listKeys|AccountKey|adminUserEnabled: true|@secure|primaryKey", text)] == []


def test_the_logic_app_is_a_definition() -> None:
    definition = json.loads((tools.AZURE / "modules" / "reload.json").read_text("utf-8"))
    names = set(definition["actions"]["is_handshake"]["else"]["actions"])
    waits = {name for each in definition["actions"]["is_handshake"]["else"]["actions"].values() for name in each.get("runAfter", {})}

    assert waits <= names
    assert set(definition["triggers"]) == {"event"}


def _text(value: Any) -> str:
    return value.node.text.strip("'") if isinstance(value, Expression) else str(value)
