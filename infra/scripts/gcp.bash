# Where the deployment on Google Cloud is, and its registry. Sourced after deployment.bash.
# shellcheck shell=bash disable=SC2034
ROOT=infra/gcp

# A setting from the environment (TF_VAR_…, as pipelines give it) or from terraform.tfvars.
setting() { # NAME DEFAULT
  local variable="TF_VAR_$1" found=""
  found=${!variable:-}
  if [ -z "$found" ] && [ -f "$ROOT/terraform.tfvars" ]; then
    found=$(sed -nE "s/^[[:space:]]*$1[[:space:]]*=[[:space:]]*\"([^\"]*)\".*/\1/p" "$ROOT/terraform.tfvars")
  fi
  printf '%s' "${found:-$2}"
}

PROJECT=$(setting project_id "")
REGION=$(setting region europe-west1)
NAME=$(setting name pneumonia)
SECRET=$NAME-admin-token
STATE_BUCKET=${STATE_BUCKET:-$PROJECT-$NAME-state}
STORE_BUCKET=$PROJECT-$NAME-store
ACCOUNT=""

registry_url() { printf '%s-docker.pkg.dev/%s/%s-images' "$REGION" "$PROJECT" "$NAME"; }

registry_login() {
  say "+ gcloud auth print-access-token | docker login --username oauth2accesstoken --password-stdin https://$REGION-docker.pkg.dev"
  local token
  ask token gcloud auth print-access-token --quiet
  # printf is the shell's own: no process, and so no command line, holds the token.
  printf '%s' "$token" | docker login --username oauth2accesstoken --password-stdin "https://$REGION-docker.pkg.dev" ||
    fail "Expected to log in to the registry. Received: a refusal."
}

remote_digest() { # TARGET
  gcloud artifacts docker images describe "$(registry_url)/$1:$COMMIT" --project "$PROJECT" --format 'value(image_summary.digest)' 2>/dev/null || true
}

# Tools, account and project, before anything is said or done.
check_gcp() {
  need gcloud "See https://cloud.google.com/sdk/docs/install"
  need terraform "See https://developer.hashicorp.com/terraform/install (1.9 or later)"
  [ -n "$PROJECT" ] || fail "Expected project_id in $ROOT/terraform.tfvars. Received: none. Begin with: cp $ROOT/terraform.tfvars.example $ROOT/terraform.tfvars"
  ask ACCOUNT gcloud auth list --filter status:ACTIVE --format 'value(account)'
  [ -n "$ACCOUNT" ] || fail "Expected somebody to be logged in to Google Cloud. Received: nobody. Log in: gcloud auth login"
  gcloud projects describe "$PROJECT" --format 'value(projectId)' >/dev/null 2>&1 ||
    fail "Expected the project $PROJECT, and $ACCOUNT to be allowed to see it. Received: neither. Look: gcloud projects list"
}

# One login is enough: Terraform takes gcloud's, through the environment, which no list of processes shows. A token lasts an hour, and a push
# may take as long: so each step gets a new one.
renew_token() {
  ask GOOGLE_OAUTH_ACCESS_TOKEN gcloud auth print-access-token --quiet
  export GOOGLE_OAUTH_ACCESS_TOKEN
}

# Terraform's state lies in a bucket of its own, so that a pipeline or another machine can go on.
open_state() {
  renew_token
  export TF_IN_AUTOMATION=1 TF_INPUT=0
  printf 'terraform {\n  backend "gcs" {}\n}\n' >"$ROOT/backend.tf"
  run terraform -chdir=$ROOT init -input=false -reconfigure "-backend-config=bucket=$STATE_BUCKET" "-backend-config=prefix=$NAME"
}

# Terraform with all that these scripts know; the rest is in terraform.tfvars.
terraform_with() { # SERVE-IMAGE TRAIN-IMAGE VERB MORE…
  local serve=$1 train=$2 verb=$3
  shift 3
  renew_token
  run terraform -chdir=$ROOT "$verb" -input=false -auto-approve "-var=project_id=$PROJECT" "-var=region=$REGION" "-var=name=$NAME" \
    "-var=serve_image=$serve" "-var=train_image=$train" "$@"
}

# Whether Terraform's state has the bucket with the uploads.
store_in_state() {
  local all
  ask all terraform -chdir=$ROOT state list
  [[ $'\n'$all$'\n' == *$'\n'google_storage_bucket.store$'\n'* ]]
}

store_exists() { gcloud storage buckets describe "gs://$STORE_BUCKET" --format 'value(name)' >/dev/null 2>&1; }
