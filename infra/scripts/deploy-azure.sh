#!/usr/bin/env bash
# Deploy to Azure, or bring what is there up to date; can be run again at any time. Called by `make deploy-azure`.
cd "$(dirname "$0")/../.."
source infra/scripts/deployment.bash
source infra/scripts/azure.bash
check_azure

say "Deploy to Azure
  subscription  $SUBSCRIPTION     account  $ACCOUNT
  group         $GROUP     region   $LOCATION
  image         $(local_image serve) and $(local_image train)

  1. az provider register, az group create, where there is no registry or vault yet
  2. az deployment group create, without images: registry, vault, storage, where there is no registry or vault yet
  3. docker push: both images, where they are not in the registry yet
  4. a random admin token into the vault, where it has none
  5. az deployment group create: Function App, jobs, alerts, with the images by their digests

  Costs money: the registry every day, the Function App while it answers (Premium: all day), retrainings while they run, storage of
  images and uploads, logs. docs/cost.md has the figures; the budget in $PARAMETERS sends a mail and stops nothing."
confirm "make deploy-azure"

# Only at first: a pipeline that may change the group alone could not.
if [ -z "$REGISTRY" ] || [ -z "$VAULT" ]; then
  for provider in $PROVIDERS; do run az provider register --namespace "$provider" --wait; done
  run az group create --name "$GROUP" --location "$LOCATION" --output none
  deploy pneumonia-base serveImage= trainImage= useAdminToken=false
  find_what_is_there
fi
push_images

url=$(secret_url admin-token)
if ! az rest --method get --url "$url" --output none 2>/dev/null; then
  say "+ (64 random digits) | az rest --method put --url $url --body @-"
  printf '{"properties": {"value": "%s"}}' "$(new_token)" | az rest --method put --url "$url" --body @- --output none ||
    fail "Expected the admin token to be kept. Received: a refusal of the vault $VAULT."
fi

serve=$(pinned serve)
train=$(pinned train)
deploy pneumonia "serveImage=$serve" "trainImage=$train" useAdminToken=true
address=""
ask address az deployment group show --resource-group "$GROUP" --name pneumonia --query properties.outputs.serviceUrl.value --output tsv
say "
Deployed: $address
  runs       $serve
  check it   AZURE_FUNCTIONS_KEY=\$(infra/scripts/key-azure.sh) make smoke URL=$address
  token      az keyvault secret show --vault-name $VAULT --name admin-token --query value --output tsv
             (needs the role Key Vault Secrets User; docs/runbook.md)"
