# Started by the service for each `POST /retrain`, with the job's id among the arguments.
resource "google_cloud_run_v2_job" "retrain" {
  name     = "${var.name}-retrain"
  location = var.region

  deletion_protection = false

  template {
    parallelism = 1
    task_count  = 1
    labels      = local.labels

    template {
      service_account       = google_service_account.retrain.email
      execution_environment = "EXECUTION_ENVIRONMENT_GEN2"
      timeout               = "${var.retrain_hours * 3600}s"
      max_retries           = 1

      containers {
        image   = var.train_image
        command = ["pneumonia"] # the launcher sends the arguments
        args    = ["retrain"]   # by hand: asks for a job and carries it out

        resources {
          limits = {
            cpu    = tostring(var.retrain_cpu)
            memory = var.retrain_memory
          }
        }

        dynamic "env" {
          for_each = {
            PNEUMONIA_STORE          = local.store_url
            PNEUMONIA_RETRAIN_EPOCHS = tostring(var.retrain_epochs)
          }

          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  depends_on = [google_storage_bucket_iam_member.retrain_uses_store]
}

# Prints a line of JSON for each day and version; metrics.tf counts those that have shifted. Each instance sees too few pictures for that.
resource "google_cloud_run_v2_job" "drift" {
  name     = "${var.name}-drift"
  location = var.region

  deletion_protection = false

  template {
    parallelism = 1
    task_count  = 1
    labels      = local.labels

    template {
      service_account = google_service_account.drift.email
      timeout         = "600s"
      max_retries     = 1

      containers {
        image   = var.serve_image
        command = ["pneumonia"]
        args    = ["drift", "--json", "--days", "2"]

        resources {
          limits = {
            cpu    = "1"
            memory = "512Mi"
          }
        }

        dynamic "env" {
          for_each = { PNEUMONIA_STORE = local.store_url }

          content {
            name  = env.key
            value = env.value
          }
        }
      }
    }
  }

  depends_on = [google_storage_bucket_iam_member.drift_reads_store]
}

resource "google_cloud_run_v2_job_iam_member" "events_start_drift" {
  name     = google_cloud_run_v2_job.drift.name
  location = google_cloud_run_v2_job.drift.location
  role     = "roles/run.invoker"
  member   = google_service_account.events.member
}

resource "google_cloud_scheduler_job" "drift" {
  name        = "${var.name}-drift"
  region      = var.region
  description = "Looks for drift in yesterday's answers."
  schedule    = "30 0 * * *" # records are kept by the day of UTC, and written with a minute's delay
  time_zone   = "Etc/UTC"

  retry_config {
    retry_count = 2
  }

  http_target {
    http_method = "POST"
    uri         = "https://run.googleapis.com/v2/${google_cloud_run_v2_job.drift.id}:run"

    oauth_token {
      service_account_email = google_service_account.events.email
    }
  }

  depends_on = [google_cloud_run_v2_job_iam_member.events_start_drift]
}
