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

# VPCs that do not resolve Studio's names by themselves ask through the same addresses, also VPCs of other accounts.
resource "studio_dns_forwarding" "shared" {
  name               = "studio-shared"
  vpc_id             = aws_vpc.studio.id
  subnet_ids         = aws_subnet.studio[*].id
  client_cidr_blocks = ["192.168.10.0/24", aws_vpc.network.cidr_block]

  outbound = {
    # The VPC that the queries leave from; it needs a route to the inbound addresses.
    vpc_id     = aws_vpc.network.id
    subnet_ids = aws_subnet.network[*].id

    # VPCs of this account, never the one of the inbound endpoint.
    vpc_ids = [aws_vpc.network.id, aws_vpc.data.id]

    # Other accounts put the rules, by rule_ids, on VPCs of their own.
    share_with = ["ou-abcd-11111111", "123456789012"]
  }
}
