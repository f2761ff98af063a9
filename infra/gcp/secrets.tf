# Made empty: a value that stood here would stand in the state. The README says how to add one; without a version the admin routes are off.
resource "google_secret_manager_secret" "admin_token" {
  secret_id = "${var.name}-admin-token"

  replication {
    user_managed {
      replicas {
        location = var.region
      }
    }
  }

  depends_on = [google_project_service.used]
}

resource "google_secret_manager_secret_iam_member" "service_reads_admin_token" {
  secret_id = google_secret_manager_secret.admin_token.secret_id
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.service.member
}
