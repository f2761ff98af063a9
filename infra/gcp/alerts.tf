resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = each.key
  type         = "email"
  labels       = { email_address = each.key }
  depends_on   = [google_project_service.used]
}

locals {
  channels      = [for channel in google_monitoring_notification_channel.email : channel.id]
  from_service  = "resource.type=\"cloud_run_revision\""
  runbook_where = "The runbook (docs/runbook.md) has the steps."
}

resource "google_monitoring_alert_policy" "error_rate" {
  display_name          = "${var.name}: errors"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "5xx above ${var.error_share * 100} percent of the answers of five minutes"

    condition_threshold {
      filter             = "metric.type=\"${local.metric_type["failures"]}\" AND ${local.from_service}"
      denominator_filter = "metric.type=\"${local.metric_type["requests"]}\" AND ${local.from_service}"
      comparison         = "COMPARISON_GT"
      threshold_value    = var.error_share
      duration           = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }

      denominator_aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
      }
    }
  }

  documentation {
    content   = "The service fails. The log lines of severity ERROR have the code and the request id. ${local.runbook_where}"
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.counter]
}

resource "google_monitoring_alert_policy" "latency" {
  display_name          = "${var.name}: p95"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "p95 of a prediction above ${var.p95_ms} ms for ten minutes"

    condition_threshold {
      filter          = "metric.type=\"${local.metric_type["latency"]}\" AND ${local.from_service}"
      comparison      = "COMPARISON_GT"
      threshold_value = var.p95_ms
      duration        = "600s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_PERCENTILE_95"
      }
    }
  }

  documentation {
    content   = "Predictions are slow: larger pictures, too few instances, or a larger model. ${local.runbook_where}"
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.distribution]
}

resource "google_monitoring_alert_policy" "reload_errors" {
  display_name          = "${var.name}: model not loaded"
  combiner              = "OR"
  severity              = "ERROR"
  notification_channels = local.channels

  conditions {
    display_name = "a promoted model could not be loaded"

    condition_threshold {
      filter          = "metric.type=\"${local.metric_type["reload-errors"]}\" AND ${local.from_service}"
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.code"]
      }
    }
  }

  documentation {
    content   = "What served before goes on serving; /status has the reason. ${local.runbook_where}"
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.counter]
}

resource "google_monitoring_alert_policy" "drift" {
  display_name          = "${var.name}: drift"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "the probabilities of a day have shifted"

    condition_threshold {
      filter          = "metric.type=\"${local.metric_type["drift"]}\" AND resource.type=\"cloud_run_job\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "3600s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["metric.label.version"]
      }
    }
  }

  documentation {
    content   = "The pictures or the patients have changed; the model need not be wrong. `pneumonia drift` has the days. ${local.runbook_where}"
    mime_type = "text/markdown"
  }

  depends_on = [google_logging_metric.counter]
}

resource "google_monitoring_alert_policy" "job_failed" {
  display_name          = "${var.name}: a job failed"
  combiner              = "OR"
  severity              = "WARNING"
  notification_channels = local.channels

  conditions {
    display_name = "a retraining or the look for drift ended with an error"

    condition_threshold {
      filter          = "metric.type=\"run.googleapis.com/job/completed_execution_count\" AND metric.label.result=\"failed\" AND resource.type=\"cloud_run_job\" AND resource.label.job_name=monitoring.regex.full_match(\"${var.name}-(retrain|drift)\")"
      comparison      = "COMPARISON_GT"
      threshold_value = 0
      duration        = "0s"

      aggregations {
        alignment_period     = "300s"
        per_series_aligner   = "ALIGN_DELTA"
        cross_series_reducer = "REDUCE_SUM"
        group_by_fields      = ["resource.label.job_name"]
      }
    }
  }

  documentation {
    content   = "The active model is what it was. ${local.runbook_where}"
    mime_type = "text/markdown"
  }

  depends_on = [google_project_service.used]
}
