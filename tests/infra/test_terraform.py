"""infra/gcp is HCL, says what it refers to, and uses the provider as the provider's schema has it."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.infra import google_provider, terraform, tools
from tests.infra.google_provider import Shape, Typing
from tests.infra.terraform import Module, Resource

pytestmark = pytest.mark.infra
META = {"count", "for_each", "depends_on", "lifecycle", "provider", "dynamic", "provisioner", "connection", "timeouts"}
FUNCTIONS = {
    *("alltrue", "anytrue", "can", "coalesce", "concat", "contains", "endswith", "floor", "format", "join", "jsonencode", "keys", "length"),
    *("list", "map", "set"),  # types of variables
    *("max", "merge", "min", "regex", "replace", "reverse", "setunion", "split", "startswith", "toset", "tostring", "try", "yamlencode"),
}


@pytest.fixture(scope="module")
def module() -> Module:
    return terraform.read(tools.GCP)


def wrong(typing: Typing, shape: Shape, body: Any, where: str) -> list[str]:
    """Return what a body has that the provider does not know, and what it lacks."""
    dynamic = body.get("dynamic", {})
    given = {name: value for name, value in body.items() if name not in META}
    given |= {name: [inner for each in blocks for inner in each["content"]] + given.get(name, []) for name, blocks in dynamic.items()}
    found = [f"{where}: no {name}" for name in given if name not in shape]
    found += [f"{where}: lacks {name}" for name, argument in shape.items() if argument.required and name not in given]
    for name, value in given.items():
        if name not in shape:
            continue
        place, block = f"{where}.{name}", shape[name].block
        if block in typing.blocks and isinstance(value, list):
            found += [problem for each in value for problem in wrong(typing, typing.blocks[block], each, place)]
        elif block is None and isinstance(value, list) and any(isinstance(each, dict) for each in value):
            found.append(f"{place}: is no block")
        elif shape[name].plain_list and not isinstance(value, list) and "${" not in str(value):
            found.append(f"{place}: is a list")
    return found


def misused(resource: Resource) -> list[str]:
    where = f"{resource.type}.{resource.name}"
    typing = google_provider.typing_of(tools.google_typings(), resource.type)
    return [f"{where}: no such type"] if typing is None else wrong(typing, typing.arguments, resource.body, where)


def test_every_file_is_hcl(module: Module) -> None:
    assert len(module.files) == len(list(tools.GCP.glob("*.tf")))
    assert len(module.resources()) > 30


def test_every_file_is_formatted(module: Module) -> None:
    assert [name for name, text in module.formatted.items() if text != (tools.GCP / name).read_text("utf-8")] == []


@pytest.mark.parametrize("text", ['a = "${', "resource {", 'x "y" {\n  a = 1 b = 2\n}', "a = [1 2]"])
def test_what_is_no_hcl_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "a.tf"
    path.write_text(text)

    assert terraform.parse([path]).returncode == 1


def test_every_argument_is_one_of_the_providers(module: Module) -> None:
    assert [problem for resource in module.resources() for problem in misused(resource)] == []


@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        ("google_cloud_run_v9_service", {}, "google_cloud_run_v9_service.x: no such type"),
        ("google_pubsub_topic", {"nam": "a"}, "google_pubsub_topic.x: no nam"),
        ("google_pubsub_topic", {}, "google_pubsub_topic.x: lacks name"),
        ("google_storage_bucket", {"name": "a", "location": "b", "versioning": [{}]}, "google_storage_bucket.x.versioning: lacks enabled"),
        ("google_pubsub_topic", {"name": "a", "labels": [{"a": "b"}]}, "google_pubsub_topic.x.labels: is no block"),
        ("google_cloud_run_v2_service", {"name": "a", "location": "b", "template": [{"containers": [{"image": "c", "command": "d"}]}]},
         "google_cloud_run_v2_service.x.template.containers.command: is a list"),
    ],
)  # fmt: skip
def test_a_wrong_argument_is_found(kind: str, body: dict[str, Any], problem: str) -> None:
    assert problem in misused(Resource(kind, "x", body))


def unresolved(module: Module) -> list[str]:
    known = {(resource.type, resource.name) for resource in module.resources()}
    known |= {("var", name) for name in module.named("variable")} | {("local", name) for name in module.locals()}
    found = []
    for kind, name, attribute in terraform.references(list(module.files.values())):
        if (kind, name) not in known:
            found.append(f"{kind}.{name}")
        elif "google_" in kind and attribute:
            typing = google_provider.typing_of(tools.google_typings(), kind)
            if typing is None or google_provider.camel(attribute) not in typing.attributes:
                found.append(f"{kind}.{name}.{attribute}")
    return sorted(found)


def test_every_reference_leads_somewhere(module: Module) -> None:
    assert len(terraform.references(list(module.files.values()))) > 60
    assert unresolved(module) == []


@pytest.mark.parametrize("expression", ["var.nam", "local.nothing", "google_storage_bucket.shop", "google_storage_bucket.store.nam"])
def test_a_reference_that_leads_nowhere_is_found(expression: str, module: Module) -> None:
    broken = module._replace(files={**module.files, "x.tf": {"output": {"x": [{"value": f"${{upper({expression})}}"}]}}})

    assert unresolved(broken) == [expression]


def test_members_of_what_is_gone_through_exist(module: Module) -> None:
    known = module.locals()
    missing, looked = [], 0
    for resource in module.resources():
        through = re.fullmatch(r"\$\{local\.(\w+)\}", str(resource.body.get("for_each")))
        items = known[through[1]] if through else {}
        asked = {name for text in terraform.texts(resource.body) for name in re.findall(r"each\.value\.(\w+)", text)}
        missing += [f"{resource.name}: {name}" for item in items.values() for name in asked if name not in item] if asked else []
        looked += bool(items and asked)

    assert looked == 2
    assert missing == []


def test_only_functions_of_terraform_are_called(module: Module) -> None:
    texts = [text for text in terraform.texts(list(module.files.values())) if "${" in text]
    called = {name for text in texts for name in re.findall(r"(?<![\w.])([a-z]\w*)\(", re.sub(r'"(?:[^"$\\]|\\.)*"', '""', text))}

    assert called - FUNCTIONS == set()


def test_every_variable_and_local_is_used(module: Module) -> None:
    used = {(kind, name) for kind, name, _ in terraform.references(list(module.files.values()))}
    declared = {("var", name) for name in module.named("variable")} | {("local", name) for name in module.locals()}

    assert declared - used == set()


def test_every_variable_says_what_it_is_and_checks_it(module: Module) -> None:
    variables = module.named("variable")

    assert [name for name, body in variables.items() if not body.get("description", "").endswith(".") or "type" not in body] == []
    free = [name for name, body in variables.items() if "validation" not in body and "bool" not in body["type"]]
    assert sorted(free) == ["extra_labels", "labels"]  # the platform and the service check them


def test_the_example_gives_variables_that_there_are(module: Module) -> None:
    lines = (tools.GCP / "terraform.tfvars.example").read_text("utf-8").splitlines()
    given = {line.lstrip("# ").partition("=")[0].strip() for line in lines if re.match(r"(# )?\w+ +=", line)}
    variables = module.named("variable")

    assert given - set(variables) == set()
    assert {name for name, body in variables.items() if "default" not in body} - given == set()


def test_outputs_are_addresses(module: Module) -> None:
    outputs = module.named("output")

    assert outputs
    assert [name for name, body in outputs.items() if not name.endswith("_url") or not body.get("description")] == []
    addresses = ("https://", "${google_cloud_run_v2_service.pneumonia.uri}", "${local.store_url}")
    assert [name for name, body in outputs.items() if not body["value"].startswith(addresses)] == []


def test_provider_is_the_one_whose_schema_is_checked(module: Module) -> None:
    (wanted,) = module.files["versions.tf"]["terraform"]
    version = wanted["required_providers"][0]["google"]["version"]
    readme = (tools.google_typings().parent / "README.md").read_text("utf-8")

    assert f"provider version {version.removeprefix('~> ')}.0" in readme


def test_names_are_small_letters_and_hyphens(module: Module) -> None:
    names = [body["name"] for _, _, body in module.resources() if isinstance(body.get("name"), str)]
    fixed = [re.sub(r"\$\{[^}]*\}", "", name) for name in names]

    assert [name for name in fixed if not re.fullmatch(r"[a-z0-9/-]*", name)] == []
