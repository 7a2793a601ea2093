# Studio in a VPC, and the addresses there that corporate DNS forwards to. One hosted zone for all of Studio's names.
resource "studio_private_domain" "lab" {
  name               = "lab"
  vpc_id             = var.vpc_id
  subnet_ids         = var.subnet_ids
  execution_role_arn = var.execution_role_arn
  client_cidr_blocks = ["192.168.10.0/24"]
  home_efs           = { enabled = false }
  endpoints          = { private_dns_enabled = false }
  hosted_zone        = { mode = "parent" }
}

resource "studio_dns_forwarding" "lab" {
  name               = "lab"
  vpc_id             = var.vpc_id
  client_cidr_blocks = ["192.168.10.0/24"]
  ip_addresses = [
    { subnet_id = var.subnet_ids[0], ip = "10.0.0.53" },
    { subnet_id = var.subnet_ids[1], ip = "10.0.1.53" },
  ]
}

variable "vpc_id" {
  type = string
}

variable "subnet_ids" {
  type = list(string)
}

variable "execution_role_arn" {
  type = string
}

output "host_name" {
  value = studio_private_domain.lab.host_names[0]
}

output "endpoint_ips" {
  value = studio_private_domain.lab.endpoint_ips["studio"]
}

output "inbound_ips" {
  value = studio_dns_forwarding.lab.inbound_ips
}

output "forwarder_configs" {
  value = studio_dns_forwarding.lab.forwarder_configs
}
