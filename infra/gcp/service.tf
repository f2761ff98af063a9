locals {
  store_url = "gs://${google_storage_bucket.store.name}"

  # A picture takes one processor while it is decoded and goes through the network: so many interpreters, and so many requests at once, but at
  # least two, since an upload may trickle in. One thread more answers the probes meanwhile.
  concurrency = max(2, var.cpu)
  threads     = local.concurrency + 1

  service_settings = merge(
    {
      PNEUMONIA_STORE              = local.store_url
      PNEUMONIA_INTERPRETERS       = tostring(var.cpu)
      PNEUMONIA_REFRESH_S          = tostring(var.refresh_s)
      PNEUMONIA_RECORD_PREDICTIONS = var.record_predictions ? "on" : "off"
      PNEUMONIA_MAX_BODY_MB        = "32"   # Cloud Run takes no more over HTTP/1
      PNEUMONIA_LOG_LEVEL          = "INFO" # the metrics are counted from the line of each request
      PNEUMONIA_LAUNCHER           = "cloud-run"
      PNEUMONIA_LAUNCHER_JOB       = google_cloud_run_v2_job.retrain.id
      PNEUMONIA_RETRAIN_COMMAND    = "pneumonia retrain --take-over" # Cloud Run starts a killed container again
    },
    length(var.extra_labels) == 0 ? {} : { PNEUMONIA_EXTRA_LABELS = join(",", var.extra_labels) },
  )
}

resource "google_cloud_run_v2_service" "pneumonia" {
  name     = var.name
  location = var.region

  ingress             = var.ingress
  deletion_protection = false # a service is made again in a minute; the bucket is what must not be lost

  template {
    service_account                  = google_service_account.service.email
    execution_environment            = "EXECUTION_ENVIRONMENT_GEN2"
    max_instance_request_concurrency = local.concurrency
    timeout                          = "120s" # 200 million pixels take about 3 s; the rest is for slow uploads
    labels                           = local.labels

    scaling {
      min_instance_count = var.min_instances
      max_instance_count = var.max_instances
    }

    containers {
      image   = var.serve_image
      command = ["python", "-m", "function_gcp.serve"] # the image's own command is Azure's host
      args    = ["--threads", tostring(local.threads)]

      ports {
        container_port = 8080
      }

      resources {
        limits = {
          cpu    = tostring(var.cpu)
          memory = var.memory
        }
        cpu_idle          = true # billed while a request runs
        startup_cpu_boost = true
      }

      # Ready means that the model is loaded and has passed its self-test: a revision that cannot read pictures gets no traffic, and the one
      # before goes on. A start waits up to 15 s for the store.
      startup_probe {
        period_seconds    = 2
        timeout_seconds   = 2
        failure_threshold = 30

        http_get {
          path = "/health/ready"
        }
      }

      # Alive, not ready: a store that is down is no reason to start again.
      liveness_probe {
        period_seconds    = 30
        timeout_seconds   = 10
        failure_threshold = 3

        http_get {
          path = "/health/live"
        }
      }

      dynamic "env" {
        for_each = local.service_settings

        content {
          name  = env.key
          value = env.value
        }
      }

      dynamic "env" {
        for_each = var.admin_token_version == null ? [] : [var.admin_token_version]

        content {
          name = "PNEUMONIA_ADMIN_TOKEN"

          value_source {
            secret_key_ref {
              secret  = google_secret_manager_secret.admin_token.secret_id
              version = env.value
            }
          }
        }
      }
    }
  }

  traffic {
    type    = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
    percent = 100
  }

  depends_on = [
    google_secret_manager_secret_iam_member.service_reads_admin_token,
    google_storage_bucket_iam_member.service_uses_store,
  ]
}
