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

  endpoints = {
    # STS and logs are what the Python SDK and training jobs need as well.
    services = ["studio", "sagemaker.api", "sagemaker.runtime", "sts", "logs"]
  }
}

# What the corporate DNS has to forward into the VPC.
output "forward_zones" {
  value = studio_private_domain.example.forward_zones
}
