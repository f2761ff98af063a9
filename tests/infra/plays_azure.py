"""What the scripts for Azure must call, in order, and what `az` and `docker` answer."""

from tests.infra.plays import ACCOUNT, COMMIT, DIGESTS, push_images
from tests.support.fakes import Call, call

SUBSCRIPTION, GROUP, LOCATION = "a-subscription", "rg-pneumonia", "westeurope"
NAME, VAULT, ACCESS = "crpneumoniaabc123", "kv-pneumonia-abc123", "eyJ.an-access-token"
REGISTRY, URL, KEY = f"{NAME}.azurecr.io", "https://func-pneumonia-abc123.example", "a-host-key"
VAULT_ID = f"/subscriptions/1/resourceGroups/{GROUP}/providers/Microsoft.KeyVault/vaults/{VAULT}"
SECRET = f"{VAULT_ID}/secrets/admin-token?api-version=2023-07-01"
PARAMETERS = "infra/azure/main.bicepparam"
USING = "using './main.bicep'\n"
PINNED = {target: f"{REGISTRY}/{target}@{digest}" for target, digest in DIGESTS.items()}
PROVIDERS = (
    "App Web ContainerRegistry Storage KeyVault ManagedIdentity Insights OperationalInsights AlertsManagement EventGrid Logic Consumption"
)
IDS = (f"/subscriptions/1/resourceGroups/{GROUP}/apps/func", f"/subscriptions/1/resourceGroups/{GROUP}/storageAccounts/sthostpneumonia")
MISSING = 3

LOGGED_IN = [
    call("az account show --query name --output tsv", says=f"{SUBSCRIPTION}\n"),
    call("az account show --query user.name --output tsv", says=f"{ACCOUNT}\n"),
]


def found(there: bool) -> list[Call]:
    """Look for what an earlier deployment made; `there` is false where the group has none of it."""
    return [
        call(f"az group exists --name {GROUP}", says="true\n"),
        call(f"az acr list --resource-group {GROUP} --query [0].loginServer --output tsv", says=f"{REGISTRY}\n" if there else ""),
        call(f"az keyvault list --resource-group {GROUP} --query [0].name --output tsv", says=f"{VAULT}\n" if there else ""),
    ]


def check(there: bool) -> list[Call]:
    """Log in and look; where nothing is there, not even the group is."""
    return [*LOGGED_IN, *(found(True) if there else [call(f"az group exists --name {GROUP}", says="false\n")])]


def describe(target: str, there: bool) -> Call:
    line = f"az acr repository show --name {NAME} --image {target}:{COMMIT} --query digest --output tsv"
    return call(line, says=f"{DIGESTS[target]}\n") if there else call(line, code=MISSING, complains="NOT FOUND\n")


def push(there: bool = False) -> list[Call]:
    calls = [call("docker info")]
    calls.append(call(f"az acr login --name {NAME} --expose-token --query accessToken --output tsv", says=f"{ACCESS}\n"))
    user = "00000000-0000-0000-0000-000000000000"
    calls.append(call(f"docker login --username {user} --password-stdin {REGISTRY}", stdin=True))
    return calls + push_images(REGISTRY, describe, there)


def deployment(name: str, *parameters: str) -> Call:
    line = f"az deployment group create --resource-group {GROUP} --name {name} --parameters {PARAMETERS} --parameters"
    return call(line, *parameters, "--output", "none")


def deploy(first: bool) -> list[Call]:
    """The whole of `make deploy-azure`: on an empty subscription, or where all is there."""
    calls = check(there=not first)
    if first:
        calls += [call(f"az provider register --namespace Microsoft.{provider} --wait") for provider in PROVIDERS.split()]
        calls.append(call(f"az group create --name {GROUP} --location {LOCATION} --output none"))
        calls += [deployment("pneumonia-base", "serveImage=", "trainImage=", "useAdminToken=false"), *found(True)]
    calls += push(there=not first)
    calls.append(call(f"az keyvault show --name {VAULT} --query id --output tsv", says=f"{VAULT_ID}\n"))
    calls.append(call(f"az rest --method get --url {SECRET} --output none", code=MISSING if first else 0))
    if first:
        calls.append(call(f"az rest --method put --url {SECRET} --body @- --output none", stdin=True))
    calls += [describe(target, True) for target in DIGESTS]
    calls.append(deployment("pneumonia", f"serveImage={PINNED['serve']}", f"trainImage={PINNED['train']}", "useAdminToken=true"))
    shown = f"az deployment group show --resource-group {GROUP} --name pneumonia --query properties.outputs.serviceUrl.value --output tsv"
    return [*calls, call(shown, says=f"{URL}\n")]


def steps() -> list[int]:
    """Return which calls of a first deployment must not fail: all but those that look for something, and one provider stands for all."""
    calls = deploy(first=True)
    looking = [number for number, one in enumerate(calls) if one.code or {"repository", "inspect"} & set(one.argv)]
    alike = [number for number, one in enumerate(calls) if "register" in one.argv][1:]
    return [number for number in range(len(calls)) if number not in (*looking, *alike)]


def key(hosting: str) -> list[Call]:
    """Ask for the host key, on Container Apps or Premium."""
    listed = f"az containerapp list --resource-group {GROUP} --query [0].name --output tsv"
    if hosting == "containerApps":
        line = f"az containerapp function keys show --resource-group {GROUP} --name func --key-type hostKey --key-name default --query"
        return [*check(True), call(listed, says="func\n"), call(line, "value || properties.value", "--output", "tsv", says=f"{KEY}\n")]
    line = f"az functionapp keys list --resource-group {GROUP} --name func --query functionKeys.default --output tsv"
    sites = call(f"az functionapp list --resource-group {GROUP} --query [0].name --output tsv", says="func\n")
    return [*check(True), call(listed), sites, call(line, says=f"{KEY}\n")]


def destroy(uploads: bool) -> list[Call]:
    """`make destroy-azure`, with the uploads or without."""
    calls = [*check(True), call(f"az group exists --name {GROUP}", says="true\n")]
    if uploads:
        calls.append(call(f"az group delete --name {GROUP} --yes"))
    else:
        what = "[?type!='Microsoft.Storage/storageAccounts' || starts_with(name, 'sthost')].id"
        calls.append(call(f"az resource list --resource-group {GROUP} --query", what, "--output", "tsv", says="\n".join(IDS) + "\n"))
        calls.append(call("az resource delete --ids", *IDS, "--output", "none"))
    return [*calls, call(f"az keyvault purge --name {VAULT}")]
