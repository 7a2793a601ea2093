# Asks the DNS servers of the machine that this runs on, as a browser there would.
data "studio_dns_check" "corporate" {
  host_names   = [var.host_name, "an-app.studio.us-east-1.sagemaker.aws"]
  expected_ips = var.endpoint_ips
  attempts     = 2
  timeout      = "1s"
}

check "studio_is_private" {
  assert {
    condition     = data.studio_dns_check.corporate.passed
    error_message = join("\n", distinct(data.studio_dns_check.corporate.results[*].reason))
  }
}

variable "host_name" {
  type = string
}

variable "endpoint_ips" {
  type = set(string)
}

output "passed" {
  value = data.studio_dns_check.corporate.passed
}

output "results" {
  value = distinct(data.studio_dns_check.corporate.results[*].reason)
}
