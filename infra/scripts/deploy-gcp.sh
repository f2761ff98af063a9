#!/usr/bin/env bash
# Deploy to Google Cloud, or bring what is there up to date; can be run again at any time. Called by `make deploy-gcp`.
cd "$(dirname "$0")/../.."
source infra/scripts/deployment.bash
source infra/scripts/gcp.bash
check_gcp

say "Deploy to Google Cloud
  project  $PROJECT     account  $ACCOUNT
  region   $REGION     name     $NAME
  image    $(local_image serve) and $(local_image train)

  1. gcloud services enable: what Terraform needs; gcloud storage buckets create: gs://$STATE_BUCKET for its state, where there is none
  2. terraform apply -target=…: the registry $(registry_url) and the empty secret $SECRET
  3. docker login, tag, push: $(registry_url)/serve:$COMMIT and /train:$COMMIT, where they are not there yet
  4. gcloud secrets versions add $SECRET: a random admin token, where there is none
  5. terraform apply: service, job, bucket gs://$STORE_BUCKET, alerts, with the images by their digests

  Costs money: the service while it answers, retrainings while they run, storage of images and uploads; min_instances above 0 costs all
  day. docs/cost.md has the figures; the budget in $ROOT/terraform.tfvars sends a mail and stops nothing."
confirm "make deploy-gcp"

run gcloud services enable cloudresourcemanager.googleapis.com serviceusage.googleapis.com storage.googleapis.com --project "$PROJECT"
if ! gcloud storage buckets describe "gs://$STATE_BUCKET" --format 'value(name)' >/dev/null 2>&1; then
  run gcloud storage buckets create "gs://$STATE_BUCKET" --project "$PROJECT" --location "$REGION" --uniform-bucket-level-access \
    --public-access-prevention
fi
run gcloud storage buckets update "gs://$STATE_BUCKET" --versioning
open_state

terraform_with "$NO_IMAGE" "$NO_IMAGE" apply -target=google_artifact_registry_repository.images -target=google_secret_manager_secret.admin_token
push_images

newest_version() {
  gcloud secrets versions list "$SECRET" --project "$PROJECT" --filter state:ENABLED --sort-by '~createTime' --limit 1 \
    --format 'value(name.basename())'
}
ask version newest_version
if [ -z "$version" ]; then
  say "+ (64 random digits) | gcloud secrets versions add $SECRET --data-file=-"
  new_token | gcloud secrets versions add "$SECRET" --project "$PROJECT" --data-file=- >/dev/null ||
    fail "Expected the admin token to be kept. Received: a refusal of Secret Manager."
  ask version newest_version
fi

# A bucket that an earlier destroy left with its uploads is taken up again.
if ! store_in_state && store_exists; then
  run terraform -chdir=$ROOT import -input=false "-var=project_id=$PROJECT" "-var=region=$REGION" "-var=name=$NAME" \
    "-var=serve_image=$NO_IMAGE" "-var=train_image=$NO_IMAGE" google_storage_bucket.store "$STORE_BUCKET"
fi
serve=$(pinned serve)
train=$(pinned train)
terraform_with "$serve" "$train" apply "-var=admin_token_version=$version"

url=""
ask url terraform -chdir=$ROOT output -raw service_url
say "
Deployed: $url
  runs       $serve
  check it   GOOGLE_IDENTITY_TOKEN=\$(gcloud auth print-identity-token) make smoke URL=$url
  token      gcloud secrets versions access $version --secret $SECRET --project $PROJECT"
