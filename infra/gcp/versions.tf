terraform {
  required_version = ">= 1.9.0" # validations that look at other variables

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = "~> 6.50"
    }
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  # The budget's API wants to know which project pays for the call.
  billing_project       = var.project_id
  user_project_override = true

  default_labels = local.labels
}
