# Private access to Studio, from an empty account to the policy: the network and the roles with the
# AWS provider, what is particular to Studio with this one.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
    studio = {
      source = "studio-private/studio"
    }
  }
}

variable "region" {
  type    = string
  default = "eu-central-1"
}

variable "corporate_cidr_blocks" {
  description = "The corporate network, as it arrives through the VPN or Direct Connect."
  type        = set(string)
  default     = ["192.168.10.0/24"]
}

variable "users" {
  type    = set(string)
  default = ["demouser1"]
}

provider "aws" {
  region = var.region
}

provider "studio" {
  region = var.region
}

# ---- The network ----

data "aws_availability_zones" "available" {
  state = "available"
}

resource "aws_vpc" "studio" {
  cidr_block           = "10.40.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
}

resource "aws_subnet" "studio" {
  count             = 2
  vpc_id            = aws_vpc.studio.id
  cidr_block        = cidrsubnet(aws_vpc.studio.cidr_block, 8, count.index)
  availability_zone = data.aws_availability_zones.available.names[count.index]
}

# The VPN's own side, and the routes to it, belong here. They are the same for any private VPC.

# ---- The roles ----

data "aws_iam_policy_document" "sagemaker_may_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["sagemaker.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "studio-execution"
  assume_role_policy = data.aws_iam_policy_document.sagemaker_may_assume.json
}

data "aws_caller_identity" "current" {}

data "aws_iam_policy_document" "account_may_assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "AWS"
      identifiers = [data.aws_caller_identity.current.account_id]
    }
  }
}

# People, or the portal that acts for them, assume this role to open Studio.
resource "aws_iam_role" "users" {
  name               = "studio-users"
  assume_role_policy = data.aws_iam_policy_document.account_may_assume.json
}

# ---- Studio ----

resource "studio_private_domain" "studio" {
  name               = "studio"
  vpc_id             = aws_vpc.studio.id
  subnet_ids         = aws_subnet.studio[*].id
  execution_role_arn = aws_iam_role.execution.arn
  client_cidr_blocks = var.corporate_cidr_blocks
  user_profiles      = { for user in var.users : user => {} }

  endpoints = {
    services = ["studio", "sagemaker.api", "sagemaker.runtime", "sts", "logs"]
  }
}

resource "studio_dns_forwarding" "corporate" {
  name               = "studio"
  vpc_id             = aws_vpc.studio.id
  subnet_ids         = aws_subnet.studio[*].id
  client_cidr_blocks = var.corporate_cidr_blocks
  include_api_zones  = true
}

# `both`: the users may make presigned URLs on the private path, and nothing else allows it elsewhere.
resource "studio_presign_policy" "users" {
  name        = "studio-presign"
  mode        = "both"
  domain_arns = [studio_private_domain.studio.arn]
  allowed     = [{ vpc_endpoint_ids = studio_private_domain.studio.access_endpoint_ids }]
  attach_to   = { roles = [aws_iam_role.users.name] }
}

# ---- What others need ----

output "url" {
  value = studio_private_domain.studio.url
}

output "forwarder_config" {
  description = "For the corporate DNS server. See the resource's page for servers other than BIND."
  value       = studio_dns_forwarding.corporate.forwarder_configs["bind"]
}

output "service_control_policy" {
  description = "For the organization, if presigned URLs are to be confined whatever a principal's permissions."
  value       = studio_presign_policy.users.scp_json
}
