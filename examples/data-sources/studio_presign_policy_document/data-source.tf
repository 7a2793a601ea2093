data "studio_presign_policy_document" "example" {
  mode        = "both"
  domain_arns = ["arn:aws:sagemaker:eu-central-1:123456789012:domain/d-abcdefghijkl"]

  allowed = [
    { vpc_endpoint_ids = ["vpce-0123456789abcdef0", "vpce-0123456789abcdef1"] },
  ]

  exempt_principal_arns = ["arn:aws:iam::123456789012:role/BreakGlass"]
}

# A permission set of IAM Identity Center.
resource "aws_ssoadmin_permission_set_inline_policy" "scientists" {
  instance_arn       = aws_ssoadmin_permission_set.scientists.instance_arn
  permission_set_arn = aws_ssoadmin_permission_set.scientists.arn
  inline_policy      = data.studio_presign_policy_document.example.policy_json
}
