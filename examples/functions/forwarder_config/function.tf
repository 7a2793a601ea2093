# A file for Unbound, to forward Studio's names to two addresses.
output "unbound" {
  value = provider::studio::forwarder_config(
    "unbound",
    provider::studio::forward_zones("eu-central-1"),
    ["10.0.0.4", "10.0.1.4"],
  )
}

# PowerDNS Recursor takes two files: the forward zones, and the exemptions from validation.
output "powerdns" {
  value = {
    for kind in ["powerdns_recursor", "powerdns_recursor_lua"] : kind => provider::studio::forwarder_config(
      kind,
      provider::studio::forward_zones("eu-central-1"),
      ["10.0.0.4", "10.0.1.4"],
    )
  }
}
