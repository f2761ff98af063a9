# Counted from the JSON lines that core/logs.py writes: one a request, and one for each failed look for a promotion. The figures of /metrics are
# those of one instance, which scales to none. The names in the filters are checked against the lines that the service writes.

locals {
  service_lines = "resource.type=\"cloud_run_revision\" resource.labels.service_name=\"${var.name}\""
  request_lines = "${local.service_lines} jsonPayload.message=\"request\" jsonPayload.route!~\"^/health/\""
  drift_lines   = "resource.type=\"cloud_run_job\" resource.labels.job_name=\"${var.name}-drift\" jsonPayload.verdict!=\"\""

  counters = {
    requests = {
      description = "Requests answered, without the probes'."
      filter      = local.request_lines
      labels      = { route = "jsonPayload.route", status = "jsonPayload.status", version = "jsonPayload.model_version" }
    }
    failures = {
      description = "Requests answered with 5xx."
      filter      = "${local.request_lines} jsonPayload.status>=500"
      labels      = { route = "jsonPayload.route", code = "jsonPayload.code" }
    }
    decisions = {
      description = "Single pictures read, by decision."
      filter      = "${local.request_lines} jsonPayload.route=\"/predict\" jsonPayload.decision!=\"\""
      labels      = { decision = "jsonPayload.decision", version = "jsonPayload.model_version" }
    }
    reload-errors = {
      description = "Looks for a promoted model that failed, and starts without a model."
      filter      = "${local.service_lines} (jsonPayload.message=\"cannot reload\" OR jsonPayload.message=\"cannot serve\")"
      labels      = { code = "jsonPayload.code" }
    }
    drift = {
      description = "Days on which the probabilities had shifted from what was measured."
      filter      = "${local.drift_lines} jsonPayload.verdict=\"shifted\""
      labels      = { version = "jsonPayload.version" }
    }
  }

  distributions = {
    latency = {
      description = "Milliseconds of a prediction."
      filter      = "${local.request_lines} jsonPayload.route=\"/predict\""
      value       = "jsonPayload.milliseconds"
      unit        = "ms"
      labels      = { status = "jsonPayload.status" }
      scale       = 1
      growth      = 1.4
    }
    psi = {
      description = "Population stability index of a day: below 0.1 stable, above 0.25 shifted."
      filter      = "${local.drift_lines} jsonPayload.psi>=0"
      value       = "jsonPayload.psi"
      unit        = "1"
      labels      = { version = "jsonPayload.version" }
      scale       = 0.01
      growth      = 1.4
    }
  }

  metric_type = { for name in concat(keys(local.counters), keys(local.distributions)) : name => "logging.googleapis.com/user/${var.name}/${name}" }
}

resource "google_logging_metric" "counter" {
  for_each = local.counters

  name             = "${var.name}/${each.key}"
  description      = each.value.description
  filter           = each.value.filter
  label_extractors = { for label, field in each.value.labels : label => "EXTRACT(${field})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "INT64"
    unit        = "1"

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_logging_metric" "distribution" {
  for_each = local.distributions

  name             = "${var.name}/${each.key}"
  description      = each.value.description
  filter           = each.value.filter
  value_extractor  = "EXTRACT(${each.value.value})"
  label_extractors = { for label, field in each.value.labels : label => "EXTRACT(${field})" }

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = "DISTRIBUTION"
    unit        = each.value.unit

    dynamic "labels" {
      for_each = each.value.labels

      content {
        key        = labels.key
        value_type = "STRING"
      }
    }
  }

  bucket_options {
    exponential_buckets {
      num_finite_buckets = 30
      growth_factor      = each.value.growth
      scale              = each.value.scale
    }
  }

  depends_on = [google_project_service.used]
}
