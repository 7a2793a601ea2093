# ["d-abcdefghijkl.studio.eu-central-1.sagemaker.aws", "studio-d-abcdefghijkl.studio.eu-central-1.sagemaker.aws"]
output "host_names" {
  value = provider::studio::host_names("d-abcdefghijkl", "eu-central-1")
}
