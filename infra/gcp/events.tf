# A promotion in the bucket wakes the service, so that the new model is loaded before the next patient's picture rather than by it.
# Bucket -> topic (promotions alone) -> Eventarc -> workflow -> GET /health/ready, twice. docs/decisions/0022 says why not straight to the service.

data "google_storage_project_service_account" "storage" {
  depends_on = [google_project_service.used]
}

resource "google_pubsub_topic" "promotions" {
  name                       = "${var.name}-promotions"
  message_retention_duration = "86400s"

  message_storage_policy {
    allowed_persistence_regions = [var.region]
  }

  depends_on = [google_project_service.used]
}

resource "google_pubsub_topic_iam_member" "storage_tells" {
  topic  = google_pubsub_topic.promotions.name
  role   = "roles/pubsub.publisher"
  member = "serviceAccount:${data.google_storage_project_service_account.storage.email_address}"
}

resource "google_storage_notification" "promotion" {
  bucket             = google_storage_bucket.store.name
  topic              = google_pubsub_topic.promotions.id
  payload_format     = "JSON_API_V1"
  event_types        = ["OBJECT_FINALIZE"]
  object_name_prefix = "promotions/"

  depends_on = [google_pubsub_topic_iam_member.storage_tells]
}

resource "google_workflows_workflow" "reload" {
  name                = "${var.name}-reload"
  region              = var.region
  description         = "Wakes the service after a promotion."
  service_account     = google_service_account.events.id
  deletion_protection = false

  # A request begins the look for a promotion and does not wait for it; the second gives the look a processor to end with.
  source_contents = yamlencode({
    main = {
      params = ["event"]
      steps = [
        { look = { call = "http.get", args = local.readiness } },
        { wait = { call = "sys.sleep", args = { seconds = 5 } } },
        { load = { call = "http.get", args = local.readiness, result = "answer" } },
        { done = { return = "$${answer.body}" } },
      ]
    }
  })

  depends_on = [google_project_service.used]
}

locals {
  readiness = {
    url     = "${google_cloud_run_v2_service.pneumonia.uri}/health/ready"
    auth    = { type = "OIDC", audience = google_cloud_run_v2_service.pneumonia.uri }
    timeout = 60
  }
}

resource "google_cloud_run_v2_service_iam_member" "events_wake" {
  name     = google_cloud_run_v2_service.pneumonia.name
  location = google_cloud_run_v2_service.pneumonia.location
  role     = "roles/run.invoker"
  member   = google_service_account.events.member
}

# Workflows have no policy of their own, so this one is the project's.
resource "google_project_iam_member" "events_start_workflows" {
  project = var.project_id
  role    = "roles/workflows.invoker"
  member  = google_service_account.events.member
}

resource "google_eventarc_trigger" "promotion" {
  name            = "${var.name}-promotion"
  location        = var.region
  service_account = google_service_account.events.email
  labels          = local.labels

  matching_criteria {
    attribute = "type"
    value     = "google.cloud.pubsub.topic.v1.messagePublished"
  }

  transport {
    pubsub {
      topic = google_pubsub_topic.promotions.id
    }
  }

  destination {
    workflow = google_workflows_workflow.reload.id
  }

  depends_on = [google_project_iam_member.events_start_workflows]
}
