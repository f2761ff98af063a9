#!/usr/bin/env bash
# Check the deployment on a cloud as docs/deploy.md does: smoke.sh gcp|azure; its address may be given as URL.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ "$1" = gcp ]; then
  url=${URL:-$(terraform -chdir=infra/gcp output -raw service_url)}
  # A service account must say for whom its token is; a person's is for everybody.
  GOOGLE_IDENTITY_TOKEN=$(gcloud auth print-identity-token --audiences "$url")
  export GOOGLE_IDENTITY_TOKEN
else
  url=${URL:-$(az deployment group show --resource-group "${RESOURCE_GROUP:-rg-pneumonia}" --name pneumonia \
    --query properties.outputs.serviceUrl.value --output tsv)}
  curl --silent --show-error --fail --max-time 120 --retry 5 --retry-all-errors "$url/health/ready" # wakes it; its key can be read then
  AZURE_FUNCTIONS_KEY=$(infra/scripts/key-azure.sh)
  export AZURE_FUNCTIONS_KEY
fi
make smoke URL="$url"
