"""What the scripts for Google Cloud must call, in order, and what the real programs answer."""

from tests.infra.plays import ACCOUNT, COMMIT, DIGESTS, push_images
from tests.support.fakes import Call, call

PROJECT, REGION, ACCESS = "my-project-123", "europe-west1", "ya29.an-access-token"
REGISTRY = f"{REGION}-docker.pkg.dev/{PROJECT}/pneumonia-images"
STATE, STORE, URL = f"{PROJECT}-pneumonia-state", f"{PROJECT}-pneumonia-store", "https://pneumonia-xyz.a.run.app"
PINNED = {target: f"{REGISTRY}/{target}@{digest}" for target, digest in DIGESTS.items()}
TFVARS = f'project_id = "{PROJECT}"\nbilling_account = null\nalert_emails = ["someone@example.org"]\n'
SETTINGS = "infra/gcp/terraform.tfvars"
NO_IMAGE = "none.invalid/none:none"
MISSING = 1

CHECK = [
    call("gcloud auth list --filter status:ACTIVE --format value(account)", says=f"{ACCOUNT}\n"),
    call(f"gcloud projects describe {PROJECT} --format value(projectId)", says=f"{PROJECT}\n"),
]


TOKEN = call("gcloud auth print-access-token --quiet", says=ACCESS)


def terraform(verb: str, images: dict[str, str] | None, *more: str) -> Call:
    variables = {"project_id": PROJECT, "region": REGION, "name": "pneumonia"}
    variables |= {f"{target}_image": images[target] if images else NO_IMAGE for target in DIGESTS}
    approve = [] if verb == "import" else ["-auto-approve"]
    given = [f"-var={name}={value}" for name, value in variables.items()]
    return Call(("terraform", "-chdir=infra/gcp", verb, "-input=false", *approve, *given, *more))


def describe(target: str, there: bool) -> Call:
    line = f"gcloud artifacts docker images describe {REGISTRY}/{target}:{COMMIT} --project {PROJECT} --format value(image_summary.digest)"
    return call(line, says=f"{DIGESTS[target]}\n") if there else call(line, code=MISSING, complains="ERROR: NOT_FOUND\n")


def push(there: bool = False) -> list[Call]:
    """Push both images, or find them there."""
    calls = [call("docker info")]
    calls.append(call("gcloud auth print-access-token --quiet", says=ACCESS))
    login = f"docker login --username oauth2accesstoken --password-stdin https://{REGION}-docker.pkg.dev"
    calls.append(call(login, stdin=True))
    return calls + push_images(REGISTRY, describe, there)


def state() -> list[Call]:
    return [
        call("gcloud auth print-access-token --quiet", says=ACCESS),
        call(f"terraform -chdir=infra/gcp init -input=false -reconfigure -backend-config=bucket={STATE} -backend-config=prefix=pneumonia"),
    ]


def versions(newest: str) -> Call:
    line = f"gcloud secrets versions list pneumonia-admin-token --project {PROJECT} --filter state:ENABLED --sort-by ~createTime --limit 1"
    return call(line, "--format", "value(name.basename())", says=f"{newest}\n" if newest else "")


def resources(store: bool) -> Call:
    """List Terraform's state; there is another bucket's resource, whose name begins alike."""
    there = "google_storage_bucket.store\n" if store else "google_storage_bucket.stores\n"
    return call("terraform -chdir=infra/gcp state list", says=f"google_artifact_registry_repository.images\n{there}google_zone.last\n")


def deploy(first: bool, store_left: bool = False) -> list[Call]:
    """The whole of `make deploy-gcp`: on an empty project, or where all is there."""
    services = "cloudresourcemanager.googleapis.com serviceusage.googleapis.com storage.googleapis.com"
    calls = [*CHECK, call(f"gcloud services enable {services} --project {PROJECT}")]
    calls.append(call(f"gcloud storage buckets describe gs://{STATE} --format value(name)", code=MISSING if first else 0))
    if first:
        create = f"gcloud storage buckets create gs://{STATE} --project {PROJECT} --location {REGION} --uniform-bucket-level-access"
        calls.append(call(create, "--public-access-prevention"))
    calls.append(call(f"gcloud storage buckets update gs://{STATE} --versioning"))
    targets = ("-target=google_artifact_registry_repository.images", "-target=google_secret_manager_secret.admin_token")
    calls += [*state(), TOKEN, terraform("apply", None, *targets), *push(there=not first)]
    if first:
        add = f"gcloud secrets versions add pneumonia-admin-token --project {PROJECT} --data-file=-"
        calls += [versions(""), call(add, stdin=True)]
    calls.append(versions("1"))
    calls.append(resources(store=not first))
    if first:
        calls.append(call(f"gcloud storage buckets describe gs://{STORE} --format value(name)", code=0 if store_left else MISSING))
    if store_left:
        calls.append(terraform("import", None, "google_storage_bucket.store", STORE))
    calls += [describe(target, True) for target in DIGESTS]
    calls += [TOKEN, terraform("apply", PINNED, "-var=admin_token_version=1")]
    calls.append(call("terraform -chdir=infra/gcp output -raw service_url", says=URL))
    return calls


def steps() -> list[int]:
    """Return which calls of a first deployment must not fail: all but those that look for something."""
    looking = ({"images", "describe"}, {"buckets", "describe"}, {"inspect"})
    return [number for number, one in enumerate(deploy(first=True)) if not any(words <= set(one.argv) for words in looking)]


def destroy(uploads: bool) -> list[Call]:
    """`make destroy-gcp`, with the uploads or without."""
    calls = [*CHECK, *state()]
    if uploads:
        calls += [TOKEN, terraform("apply", None, "-target=google_storage_bucket.store", "-var=force_destroy=true")]
    else:
        calls.append(resources(store=True))
        calls.append(call("terraform -chdir=infra/gcp state rm google_storage_bucket.store"))
    return [*calls, TOKEN, terraform("destroy", None)]
