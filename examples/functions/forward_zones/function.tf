# ["studio.eu-central-1.sagemaker.aws", "studio.sagemaker.eu-central-1.app.aws"]
output "zones" {
  value = provider::studio::forward_zones("eu-central-1")
}
