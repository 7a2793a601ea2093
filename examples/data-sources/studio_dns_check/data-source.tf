# Run where the corporate DNS servers are asked from: the answers differ elsewhere.
check "studio_is_private" {
  data "studio_dns_check" "corporate" {
    host_names   = studio_private_domain.research.host_names
    servers      = ["192.168.10.53", "192.168.20.53"]
    expected_ips = studio_private_domain.research.endpoint_ips["studio"]
  }

  assert {
    condition = data.studio_dns_check.corporate.passed
    error_message = join("\n", [
      for result in data.studio_dns_check.corporate.results :
      "${result.host_name} over ${result.transport}: ${result.reason}" if !result.passed
    ])
  }
}

# The inbound addresses themselves, without corporate DNS in between.
data "studio_dns_check" "inbound" {
  host_names = studio_private_domain.research.host_names
  servers    = studio_dns_forwarding.research.inbound_ips
  transport  = "tcp"
  attempts   = 2
  timeout    = "1s"
}
