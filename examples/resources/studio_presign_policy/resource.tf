resource "studio_presign_policy" "example" {
  name        = "analytics-presign"
  domain_arns = [studio_private_domain.example.arn]

  allowed = [
    # Through the domain's own endpoints for Studio and for the SageMaker API.
    { vpc_endpoint_ids = studio_private_domain.example.access_endpoint_ids },
    # From the office, without an endpoint.
    { source_cidr_blocks = ["203.0.113.0/24"] },
  ]

  # For emergencies: no Deny is about this role.
  exempt_principal_arns = ["arn:aws:iam::123456789012:role/BreakGlass"]

  attach_to = {
    roles = [aws_iam_role.data_scientist.name]
  }

  # Nobody opens a foreign domain through the company's endpoints.
  endpoint_policies = {
    for service in ["studio", "sagemaker.api"] : service => studio_private_domain.example.endpoint_ids[service]
  }
}

# The same rules for whole accounts.
resource "aws_organizations_policy" "presign" {
  name    = "analytics-presign"
  type    = "SERVICE_CONTROL_POLICY"
  content = studio_presign_policy.example.scp_json
}
