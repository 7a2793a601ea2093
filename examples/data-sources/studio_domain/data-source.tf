data "studio_domain" "research" {
  name   = "research"
  vpc_id = "vpc-0123456789abcdef0"
}

output "research_url" {
  value = data.studio_domain.research.url
}
