variable "project_id" {
  description = "Project that everything is made in. It must exist and have billing."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "Expected a project id: 6 to 30 small letters, digits and hyphens."
  }
}

variable "region" {
  description = "Region of the service, its jobs, its bucket and its registry."
  type        = string
  default     = "europe-west1"

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "Expected a region like europe-west1."
  }
}

variable "name" {
  description = "What all names begin with, so that two deployments can live in one project."
  type        = string
  default     = "pneumonia"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,14}[a-z0-9]$", var.name))
    error_message = "Expected 4 to 16 small letters, digits and hyphens: service accounts allow 30 with what is added."
  }
}

variable "labels" {
  description = "Labels of everything, beside app, instance and managed-by: an environment, a cost centre."
  type        = map(string)
  default     = {}
}

variable "serve_image" {
  description = "Image that serves, with tag or digest, as it lies in the registry (output registry_url)."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+/.+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.serve_image)) && !endswith(var.serve_image, ":latest")
    error_message = "Expected HOST/PATH:TAG or HOST/PATH@sha256:…, and not the tag latest: nobody could tell what runs."
  }
}

variable "train_image" {
  description = "Image that retrains: the Dockerfile's target train, with tag or digest."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]+/.+(:[A-Za-z0-9._-]+|@sha256:[0-9a-f]{64})$", var.train_image)) && !endswith(var.train_image, ":latest")
    error_message = "Expected HOST/PATH:TAG or HOST/PATH@sha256:…, and not the tag latest: nobody could tell what runs."
  }
}

variable "admin_token_version" {
  description = "Number of the secret's version that holds the admin token. Null: none is there yet, and the routes that change something are off."
  type        = string
  default     = null

  validation {
    condition     = var.admin_token_version == null || can(regex("^[1-9][0-9]*$", coalesce(var.admin_token_version, "1")))
    error_message = "Expected a version's number: with latest an instance that starts later would have another token than its neighbours."
  }
}

variable "invokers" {
  description = "Who may call the service: user:…, group:…, serviceAccount:…, domain:…. With none, only the project's own."
  type        = set(string)
  default     = []

  validation {
    condition     = alltrue([for member in var.invokers : can(regex("^(user|group|serviceAccount|domain|principal|principalSet):.+", member))])
    error_message = "Expected user:…, group:…, serviceAccount:…, domain:…, principal:… or principalSet:…. Everybody is allow_unauthenticated."
  }
}

variable "allow_unauthenticated" {
  description = "Whether the whole internet may call the service. Anybody can then spend your money and read the model's answers."
  type        = bool
  default     = false
}

variable "ingress" {
  description = "From where calls may come, before IAM asks who they are: INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."
  type        = string
  default     = "INGRESS_TRAFFIC_ALL"

  validation {
    condition     = contains(["INGRESS_TRAFFIC_ALL", "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER"], var.ingress)
    error_message = "Expected INGRESS_TRAFFIC_ALL, INGRESS_TRAFFIC_INTERNAL_ONLY or INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER."
  }
}

variable "cpu" {
  description = "Processors of an instance. Threads and concurrency follow from it."
  type        = number
  default     = 1

  validation {
    condition     = contains([1, 2, 4, 8], var.cpu)
    error_message = "Expected 1, 2, 4 or 8."
  }
}

variable "memory" {
  description = "Memory of an instance. What is written to its disk counts as well."
  type        = string
  default     = "1Gi"

  validation {
    condition     = can(regex("^[1-9][0-9]*(Mi|Gi)$", var.memory))
    error_message = "Expected Mi or Gi: 1Gi."
  }
}

variable "min_instances" {
  description = "Instances that wait while nobody calls. 0 costs nothing and makes the first caller wait for a start."
  type        = number
  default     = 0

  validation {
    condition     = var.min_instances >= 0 && var.min_instances <= var.max_instances
    error_message = "Expected 0 to max_instances."
  }
}

variable "max_instances" {
  description = "Most instances at once: the upper bound of the bill."
  type        = number
  default     = 4

  validation {
    condition     = var.max_instances >= 1 && var.max_instances <= 100
    error_message = "Expected 1 to 100."
  }
}

variable "refresh_s" {
  description = "Seconds between two looks of an instance for a newly promoted model."
  type        = number
  default     = 30

  validation {
    condition     = var.refresh_s >= 1 && var.refresh_s <= 3600
    error_message = "Expected 1 to 3600."
  }
}

variable "record_predictions" {
  description = "Whether answers are kept in the bucket, without identifiers, for the daily look for drift. Without it there is none."
  type        = bool
  default     = true
}

variable "extra_labels" {
  description = "Labels that pictures may be uploaded under beside the model's own."
  type        = list(string)
  default     = []
}

variable "keep_records_days" {
  description = "Days after which kept answers are deleted."
  type        = number
  default     = 400

  validation {
    condition     = var.keep_records_days >= 30
    error_message = "Expected at least 30: drift looks at days."
  }
}

variable "force_destroy" {
  description = "Whether terraform destroy may delete the bucket with the uploads and models in it."
  type        = bool
  default     = false
}

variable "retrain_cpu" {
  description = "Processors of the retraining job."
  type        = number
  default     = 4

  validation {
    condition     = contains([2, 4, 8], var.retrain_cpu)
    error_message = "Expected 2, 4 or 8."
  }
}

variable "retrain_memory" {
  description = "Memory of the retraining job; the pictures it learns from lie in it, too."
  type        = string
  default     = "8Gi"

  validation {
    condition     = can(regex("^[1-9][0-9]*Gi$", var.retrain_memory))
    error_message = "Expected Gi: 8Gi."
  }
}

variable "retrain_hours" {
  description = "Hours after which a retraining is ended."
  type        = number
  default     = 6

  validation {
    condition     = var.retrain_hours >= 1 && var.retrain_hours <= 24
    error_message = "Expected 1 to 24."
  }
}

variable "retrain_epochs" {
  description = "Passes over the pictures of a retraining."
  type        = number
  default     = 4

  validation {
    condition     = var.retrain_epochs >= 1
    error_message = "Expected at least 1."
  }
}

variable "billing_account" {
  description = "Billing account (AAAAAA-BBBBBB-CCCCCC) that the budget watches. There is no default: null, for no budget, must be said."
  type        = string
  nullable    = true

  validation {
    condition     = var.billing_account == null || can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", coalesce(var.billing_account, "000000-000000-000000")))
    error_message = "Expected AAAAAA-BBBBBB-CCCCCC, or null."
  }
}

variable "monthly_budget" {
  description = "Whole units of the billing account's currency a month. At 50, 90 and 100 percent, and when 100 are forecast, a mail goes out; nothing is switched off."
  type        = number
  default     = 20

  validation {
    condition     = var.monthly_budget >= 1
    error_message = "Expected at least 1."
  }
}

variable "alert_emails" {
  description = "Who is told of alerts and of the budget."
  type        = set(string)

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "Expected mail addresses."
  }
}

variable "error_share" {
  description = "Share of answers with status 5xx within five minutes from which an alert goes out."
  type        = number
  default     = 0.02

  validation {
    condition     = var.error_share > 0 && var.error_share < 1
    error_message = "Expected a share between 0 and 1."
  }
}

variable "p95_ms" {
  description = "Milliseconds of a prediction, 95 of 100 within ten minutes, from which an alert goes out."
  type        = number
  default     = 1000

  validation {
    condition     = var.p95_ms > 0
    error_message = "Expected more than 0."
  }
}
