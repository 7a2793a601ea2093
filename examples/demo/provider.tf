terraform {
  required_providers {
    studio = { source = "studio-private/studio" }
  }
}

# All services are the emulator's, and the key is one that it takes: nothing here reaches AWS.
provider "studio" {
  region        = "us-east-1"
  access_key    = "AKIA123456789012DEMO"
  secret_key    = "not-a-secret"
  no_proxy      = "127.0.0.1"
  poll_interval = "200ms"

  endpoints {
    ec2             = var.emulator_url
    efs             = var.emulator_url
    iam             = var.emulator_url
    organizations   = var.emulator_url
    ram             = var.emulator_url
    route53         = var.emulator_url
    route53resolver = var.emulator_url
    sagemaker       = var.emulator_url
    sts             = var.emulator_url
  }
}

variable "emulator_url" {
  type = string
}
