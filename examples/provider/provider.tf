terraform {
  required_providers {
    studio = {
      source = "studio-private/studio"
    }
  }
}

# Region and credentials come from the environment, as for the AWS provider.
provider "studio" {
  allowed_account_ids = ["123456789012"]

  default_tags {
    tags = {
      team = "data-platform"
    }
  }
}
