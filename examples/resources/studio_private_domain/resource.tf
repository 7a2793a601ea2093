resource "studio_private_domain" "example" {
  name               = "analytics"
  vpc_id             = aws_vpc.studio.id
  subnet_ids         = aws_subnet.studio[*].id
  execution_role_arn = aws_iam_role.studio.arn

  # The corporate network, as it arrives through the VPN or Direct Connect.
  client_cidr_blocks = ["192.168.10.0/24"]

  user_profiles = {
    demouser1 = {}
    demouser2 = { execution_role_arn = aws_iam_role.restricted.arn }
  }

  default_user_settings = {
    idle_timeout_minutes = 120
  }

  endpoints = {
    # STS and logs are what the Python SDK and training jobs need as well, and S3 is where they read and write.
    services                   = ["studio", "sagemaker.api", "sagemaker.runtime", "sts", "logs"]
    s3_gateway_route_table_ids = [aws_route_table.studio.id]
  }
}

# What the corporate DNS has to forward into the VPC.
output "forward_zones" {
  value = studio_private_domain.example.forward_zones
}

# A domain and an endpoint that are there already. Neither is changed, and neither is deleted with this resource.
resource "studio_private_domain" "adopted" {
  existing_domain_id = "d-abcdefghijkl"
  vpc_id             = aws_vpc.shared.id
  subnet_ids         = aws_subnet.shared[*].id
  client_cidr_blocks = ["192.168.10.0/24"]

  endpoints = {
    existing = { "sagemaker.api" = aws_vpc_endpoint.sagemaker_api.id }
  }

  hosted_zone = {
    # The host names resolve in the VPC of another account, too.
    vpc_associations = [{
      vpc_id   = "vpc-0123456789abcdef0"
      role_arn = "arn:aws:iam::123456789012:role/route53-association"
    }]
  }
}
