# "aws.sagemaker.eu-central-1.studio"
output "service" {
  value = provider::studio::service_name("studio", "eu-central-1")
}
