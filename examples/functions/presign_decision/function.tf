# "explicit_deny"
output "from_the_internet" {
  value = provider::studio::presign_decision(
    [
      { kind = "identity", document = data.aws_iam_policy_document.scientist.json },
      { kind = "identity", document = studio_presign_policy.example.policy_json },
    ],
    {
      action        = "sagemaker:CreatePresignedDomainUrl"
      resource      = "arn:aws:sagemaker:eu-central-1:123456789012:user-profile/d-abcdefghijkl/ada"
      principal_arn = "arn:aws:iam::123456789012:role/Scientist"
      context       = { "aws:SourceIp" = "192.0.2.44" }
    },
  ).decision
}
