resource "studio_dns_forwarding" "example" {
  name   = "studio"
  vpc_id = aws_vpc.studio.id

  # Fixed addresses: what the corporate DNS servers are told stays true when the endpoint is made again.
  ip_addresses = [
    { subnet_id = aws_subnet.studio[0].id, ip = "10.0.1.10" },
    { subnet_id = aws_subnet.studio[1].id, ip = "10.0.2.10" },
  ]

  # The corporate DNS servers, as they arrive through the VPN or Direct Connect.
  client_cidr_blocks = ["192.168.10.0/24"]
}

# To be included in named.conf on the corporate DNS servers.
resource "local_file" "named" {
  filename = "studio.conf"
  content  = studio_dns_forwarding.example.forwarder_configs["bind"]
}
