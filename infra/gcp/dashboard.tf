locals {
  charts = [
    { title = "Requests by status", metric = "requests", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["metric.label.status"], resource = "cloud_run_revision" },
    { title = "Answers 5xx by code", metric = "failures", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["metric.label.code"], resource = "cloud_run_revision" },
    { title = "p95 of a prediction, ms", metric = "latency", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_95", by = [], resource = "cloud_run_revision" },
    { title = "p50 of a prediction, ms", metric = "latency", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_50", by = [], resource = "cloud_run_revision" },
    { title = "Decisions", metric = "decisions", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["metric.label.decision"], resource = "cloud_run_revision" },
    { title = "Requests by model version", metric = "requests", aligner = "ALIGN_RATE", reducer = "REDUCE_SUM", by = ["metric.label.version"], resource = "cloud_run_revision" },
    { title = "Models not loaded, by code", metric = "reload-errors", aligner = "ALIGN_DELTA", reducer = "REDUCE_SUM", by = ["metric.label.code"], resource = "cloud_run_revision" },
    { title = "Population stability index of a day", metric = "psi", aligner = "ALIGN_DELTA", reducer = "REDUCE_PERCENTILE_99", by = ["metric.label.version"], resource = "cloud_run_job" },
  ]
}

resource "google_monitoring_dashboard" "pneumonia" {
  dashboard_json = jsonencode({
    displayName = "Pneumonia Functions: ${var.name}"
    mosaicLayout = {
      columns = 12
      tiles = [
        for index, chart in local.charts : {
          xPos   = 6 * (index % 2)
          yPos   = 4 * floor(index / 2)
          width  = 6
          height = 4
          widget = {
            title = chart.title
            xyChart = {
              dataSets = [{
                plotType = "LINE"
                timeSeriesQuery = {
                  timeSeriesFilter = {
                    filter = "metric.type=\"${local.metric_type[chart.metric]}\" resource.type=\"${chart.resource}\""
                    aggregation = {
                      alignmentPeriod    = "300s"
                      perSeriesAligner   = chart.aligner
                      crossSeriesReducer = chart.reducer
                      groupByFields      = chart.by
                    }
                  }
                }
              }]
            }
          }
        }
      ]
    }
  })

  depends_on = [google_logging_metric.counter, google_logging_metric.distribution]
}
