# Where the deployment on Azure is, and its registry. Sourced after deployment.bash.
# shellcheck shell=bash disable=SC2034
PARAMETERS=infra/azure/main.bicepparam
GROUP=${RESOURCE_GROUP:-rg-pneumonia}
LOCATION=${LOCATION:-westeurope}
# A user name that stands for "the password is a token".
TOKEN_USER=00000000-0000-0000-0000-000000000000
PROVIDERS="Microsoft.App Microsoft.Web Microsoft.ContainerRegistry Microsoft.Storage Microsoft.KeyVault Microsoft.ManagedIdentity
  Microsoft.Insights Microsoft.OperationalInsights Microsoft.AlertsManagement Microsoft.EventGrid Microsoft.Logic Microsoft.Consumption"
SUBSCRIPTION="" ACCOUNT="" REGISTRY="" VAULT=""

# The first of a kind in the group, or nothing: `first acr loginServer`.
first() { # az's WORD FOR THE KIND, FIELD
  az "$1" list --resource-group "$GROUP" --query "[0].$2" --output tsv
}

# What an earlier deployment made; the names have a suffix that only Azure knows.
find_what_is_there() {
  local there
  ask there az group exists --name "$GROUP"
  [ "$there" = true ] || return 0
  ask REGISTRY first acr loginServer
  ask VAULT first keyvault name
}

registry_url() { printf '%s' "${REGISTRY:-(a registry that is made first)}"; }

registry_login() {
  say "+ az acr login --name ${REGISTRY%%.*} --expose-token | docker login --username $TOKEN_USER --password-stdin $REGISTRY"
  local token
  ask token az acr login --name "${REGISTRY%%.*}" --expose-token --query accessToken --output tsv
  # printf is the shell's own: no process, and so no command line, holds the token.
  printf '%s' "$token" | docker login --username "$TOKEN_USER" --password-stdin "$REGISTRY" ||
    fail "Expected to log in to the registry. Received: a refusal."
}

remote_digest() { # TARGET
  az acr repository show --name "${REGISTRY%%.*}" --image "$1:$COMMIT" --query digest --output tsv 2>/dev/null || true
}

# Tools, account and subscription, before anything is said or done.
check_azure() {
  need az "See https://learn.microsoft.com/cli/azure/install-azure-cli"
  [ -f "$PARAMETERS" ] || fail "Expected $PARAMETERS. Received: none. Begin with: cp infra/azure/example.bicepparam $PARAMETERS"
  SUBSCRIPTION=$(az account show --query name --output tsv 2>/dev/null || true)
  [ -n "$SUBSCRIPTION" ] || fail "Expected somebody to be logged in to Azure. Received: nobody. Log in: az login"
  ask ACCOUNT az account show --query user.name --output tsv
  find_what_is_there
}

# The address of a secret for Azure's own API: who may deploy may write it, without a role in the vault, and nobody reads it back there.
secret_url() { # NAME
  local vault
  ask vault az keyvault show --name "$VAULT" --query id --output tsv
  printf '%s/secrets/%s?api-version=2023-07-01' "$vault" "$1"
}

deploy() { # NAME MORE…
  local name=$1
  shift
  run az deployment group create --resource-group "$GROUP" --name "$name" --parameters "$PARAMETERS" --parameters "$@" --output none
}
