# Studio for the users below, reached from the corporate network and from nowhere else.
resource "studio_private_domain" "demo" {
  name               = "demo"
  vpc_id             = var.vpc_id
  subnet_ids         = var.subnet_ids
  execution_role_arn = var.execution_role_arn
  client_cidr_blocks = var.client_cidr_blocks
  user_profiles      = { for user in var.users : user => {} }
  home_efs           = { on_destroy = "delete" }
}

# Resolver addresses in the VPC that the corporate DNS forwards Studio's names to.
resource "studio_dns_forwarding" "demo" {
  name               = "demo"
  vpc_id             = var.vpc_id
  subnet_ids         = var.subnet_ids
  client_cidr_blocks = var.client_cidr_blocks
}

# A presigned URL can be made, and used, through the domain's own endpoints only.
resource "studio_presign_policy" "demo" {
  name        = "demo-presign"
  domain_arns = [studio_private_domain.demo.arn]
  allowed     = [{ vpc_endpoint_ids = studio_private_domain.demo.access_endpoint_ids }]
}

output "url" {
  value = studio_private_domain.demo.url
}

output "named_conf" {
  value = studio_dns_forwarding.demo.forwarder_configs["bind"]
}

output "policy_arn" {
  value = studio_presign_policy.demo.arn
}
