#!/usr/bin/env bash
# Print the Function App's host key, for AZURE_FUNCTIONS_KEY. On Container Apps an instance must be awake: ask /health/ready first.
cd "$(dirname "$0")/../.."
source infra/scripts/deployment.bash
source infra/scripts/azure.bash
check_azure >&2

ask app first containerapp name
if [ -n "$app" ]; then
  ask key az containerapp function keys show --resource-group "$GROUP" --name "$app" --key-type hostKey --key-name default \
    --query 'value || properties.value' --output tsv
else
  ask app first functionapp name
  [ -n "$app" ] || fail "Expected a Function App in $GROUP. Received: none. Deploy first: make deploy-azure"
  ask key az functionapp keys list --resource-group "$GROUP" --name "$app" --query functionKeys.default --output tsv
fi
[ -n "$key" ] || fail "Expected a host key of $app. Received: none. Wake it (curl its /health/ready) and ask again."
printf '%s\n' "$key"
