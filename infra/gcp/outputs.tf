output "service_url" {
  description = "Where the service answers."
  value       = google_cloud_run_v2_service.pneumonia.uri
}

output "registry_url" {
  description = "Where images are pushed: docker push REGISTRY/NAME:TAG, without the scheme."
  value       = "https://${var.region}-docker.pkg.dev/${var.project_id}/${google_artifact_registry_repository.images.repository_id}"
}

output "store_url" {
  description = "The store, as PNEUMONIA_STORE."
  value       = local.store_url
}

output "retrain_job_url" {
  description = "Executions of the retraining job."
  value       = "https://console.cloud.google.com/run/jobs/details/${var.region}/${google_cloud_run_v2_job.retrain.name}?project=${var.project_id}"
}

output "admin_token_url" {
  description = "The secret that the admin token goes into."
  value       = "https://console.cloud.google.com/security/secret-manager/secret/${google_secret_manager_secret.admin_token.secret_id}?project=${var.project_id}"
}

output "dashboard_url" {
  description = "The dashboard."
  value       = "https://console.cloud.google.com/monitoring/dashboards/builder/${reverse(split("/", google_monitoring_dashboard.pneumonia.id))[0]}?project=${var.project_id}"
}

output "logs_url" {
  description = "The service's log lines."
  value       = "https://console.cloud.google.com/logs/query;query=resource.labels.service_name%3D%22${var.name}%22?project=${var.project_id}"
}
