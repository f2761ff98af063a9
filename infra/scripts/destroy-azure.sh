#!/usr/bin/env bash
# Delete the deployment on Azure; the storage account with uploads and models stays unless UPLOADS=delete. Called by `make destroy-azure`.
cd "$(dirname "$0")/../.."
source infra/scripts/deployment.bash
source infra/scripts/azure.bash
check_azure
ask there az group exists --name "$GROUP"
[ "$there" = true ] || fail "Expected the resource group $GROUP. Received: none. There is nothing to delete."

# Storage accounts that begin with sthost hold only what Azure's host keeps for itself.
what="[?type!='Microsoft.Storage/storageAccounts' || starts_with(name, 'sthost')]"
say "Delete the deployment on Azure
  subscription  $SUBSCRIPTION     account  $ACCOUNT
  group         $GROUP
"
if [ "${UPLOADS:-keep}" = delete ]; then
  say "  az group delete: the group with everything in it, ALL UPLOADS, MODELS AND JOBS AS WELL. There is no way back."
else
  say "  az resource delete: everything in the group but the storage account with uploads and models, which goes on costing its storage;
  UPLOADS=delete deletes it, too. The budget stays with the group."
fi
confirm "make destroy-azure"

if [ "${UPLOADS:-keep}" = delete ]; then
  run az group delete --name "$GROUP" --yes
else
  ask found az resource list --resource-group "$GROUP" --query "$what.id" --output tsv
  mapfile -t ids <<<"$found"
  [ -z "$found" ] || run az resource delete --ids "${ids[@]}" --output none
fi
# A deleted vault keeps its name for a week, and the next deployment wants it.
if [ -n "$VAULT" ] && ! az keyvault purge --name "$VAULT"; then
  say "The vault $VAULT keeps its name until its time is over; until then another deployment in this group fails."
fi
say "Deleted.$([ "${UPLOADS:-keep}" = delete ] || printf ' Left over in %s: the storage account with the uploads.' "$GROUP")"
