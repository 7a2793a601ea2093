ephemeral "studio_presigned_url" "portal" {
  domain_id         = studio_private_domain.research.domain_id
  user_profile_name = "demouser1"
  landing_uri       = "studio::"
  expires_in        = "2m"
}

# The URL can go where Terraform stores nothing: into a write-only argument, as here, or into the configuration of a
# provider.
resource "aws_secretsmanager_secret_version" "portal" {
  secret_id                = aws_secretsmanager_secret.portal.id
  secret_string_wo         = ephemeral.studio_presigned_url.portal.url
  secret_string_wo_version = 1
}
