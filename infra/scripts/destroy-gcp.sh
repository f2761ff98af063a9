#!/usr/bin/env bash
# Delete the deployment on Google Cloud; the bucket with uploads and models stays unless UPLOADS=delete. Called by `make destroy-gcp`.
cd "$(dirname "$0")/../.."
source infra/scripts/deployment.bash
source infra/scripts/gcp.bash
check_gcp

if [ "${UPLOADS:-keep}" = delete ]; then
  bucket="  gs://$STORE_BUCKET WITH ALL UPLOADS, MODELS AND JOBS IN IT is deleted. There is no way back."
else
  bucket="  gs://$STORE_BUCKET with uploads and models stays, and goes on costing its storage; UPLOADS=delete deletes it, too."
fi
say "Delete the deployment on Google Cloud
  project  $PROJECT     account  $ACCOUNT
  region   $REGION     name     $NAME

  terraform destroy: service, job, registry with its images, secret, alerts, dashboard, budget.
$bucket
  gs://$STATE_BUCKET, Terraform's state, stays (a few kB): gcloud storage rm --recursive gs://$STATE_BUCKET"
confirm "make destroy-gcp"

open_state
if [ "${UPLOADS:-keep}" = delete ]; then
  # Terraform looks into its state for the permission to delete a full bucket, so it must get there first.
  terraform_with "$NO_IMAGE" "$NO_IMAGE" apply -target=google_storage_bucket.store -var=force_destroy=true
elif store_in_state; then
  run terraform -chdir=$ROOT state rm google_storage_bucket.store
fi
terraform_with "$NO_IMAGE" "$NO_IMAGE" destroy
say "Deleted. Left over: gs://$STATE_BUCKET$([ "${UPLOADS:-keep}" = delete ] || printf ', gs://%s' "$STORE_BUCKET")"
