data "studio_presign_simulation" "example" {
  policies = [
    { kind = "identity", document = data.aws_iam_policy_document.scientist.json },
    { kind = "identity", document = studio_presign_policy.example.policy_json },
    { kind = "endpoint", document = studio_presign_policy.example.endpoint_policy_json["sagemaker.api"] },
  ]

  requests = [
    {
      name          = "on the path"
      resource      = "arn:aws:sagemaker:eu-central-1:123456789012:user-profile/d-abcdefghijkl/ada"
      principal_arn = "arn:aws:iam::123456789012:role/Scientist"
      context       = { "aws:SourceVpce" = "vpce-0123456789abcdef0" }
    },
    {
      name          = "from the internet"
      resource      = "arn:aws:sagemaker:eu-central-1:123456789012:user-profile/d-abcdefghijkl/ada"
      principal_arn = "arn:aws:iam::123456789012:role/Scientist"
      context       = { "aws:SourceIp" = "192.0.2.44" }
    },
  ]
}

check "presigning" {
  assert {
    condition     = data.studio_presign_simulation.example.results[*].decision == ["allowed", "explicit_deny"]
    error_message = "Presigned URLs can be made elsewhere than on the path, or not on it."
  }
}
