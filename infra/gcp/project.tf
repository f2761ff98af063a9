locals {
  labels = merge({ app = "pneumonia-functions", instance = var.name, managed-by = "terraform" }, var.labels)

  services = [
    "artifactregistry.googleapis.com",
    "billingbudgets.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "cloudscheduler.googleapis.com",
    "eventarc.googleapis.com",
    "iam.googleapis.com",
    "logging.googleapis.com",
    "monitoring.googleapis.com",
    "pubsub.googleapis.com",
    "run.googleapis.com",
    "secretmanager.googleapis.com",
    "storage.googleapis.com",
    "workflows.googleapis.com",
  ]
}

resource "google_project_service" "used" {
  for_each = toset(local.services)

  service            = each.key
  disable_on_destroy = false # others in the project may use it
}
