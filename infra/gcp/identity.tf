# One identity for each thing that acts, each with what it needs and on that alone.

resource "google_service_account" "service" {
  account_id   = "${var.name}-service"
  display_name = "Pneumonia Functions: answers"
  depends_on   = [google_project_service.used]
}

resource "google_service_account" "retrain" {
  account_id   = "${var.name}-retrain"
  display_name = "Pneumonia Functions: retrains"
  depends_on   = [google_project_service.used]
}

resource "google_service_account" "drift" {
  account_id   = "${var.name}-drift"
  display_name = "Pneumonia Functions: looks for drift"
  depends_on   = [google_project_service.used]
}

resource "google_service_account" "events" {
  account_id   = "${var.name}-events"
  display_name = "Pneumonia Functions: carries events and the daily schedule"
  depends_on   = [google_project_service.used]
}

# The service: its bucket, its secret (secrets.tf), and to start the one job with arguments of its own.
resource "google_storage_bucket_iam_member" "service_uses_store" {
  bucket = google_storage_bucket.store.name
  role   = "roles/storage.objectUser"
  member = google_service_account.service.member
}

# `POST …/jobs/NAME:run` with overrides, as function_gcp/launcher.py sends it, and nothing else: not even to see or to end an execution.
resource "google_project_iam_custom_role" "job_starter" {
  role_id     = "${replace(var.name, "-", "_")}_job_starter"
  title       = "Pneumonia Functions: start a job with arguments"
  permissions = ["run.jobs.run", "run.jobs.runWithOverrides"]
  depends_on  = [google_project_service.used]
}

resource "google_cloud_run_v2_job_iam_member" "service_starts_retrain" {
  name     = google_cloud_run_v2_job.retrain.name
  location = google_cloud_run_v2_job.retrain.location
  role     = google_project_iam_custom_role.job_starter.id
  member   = google_service_account.service.member
}

# The retraining: the bucket. Drift: to read it.
resource "google_storage_bucket_iam_member" "retrain_uses_store" {
  bucket = google_storage_bucket.store.name
  role   = "roles/storage.objectUser"
  member = google_service_account.retrain.member
}

resource "google_storage_bucket_iam_member" "drift_reads_store" {
  bucket = google_storage_bucket.store.name
  role   = "roles/storage.objectViewer"
  member = google_service_account.drift.member
}

# Who may call.
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.allow_unauthenticated ? setunion(var.invokers, ["allUsers"]) : var.invokers

  name     = google_cloud_run_v2_service.pneumonia.name
  location = google_cloud_run_v2_service.pneumonia.location
  role     = "roles/run.invoker"
  member   = each.key
}
