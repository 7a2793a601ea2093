# A file for Unbound, to forward Studio's names to two addresses.
output "unbound" {
  value = provider::studio::forwarder_config(
    "unbound",
    provider::studio::forward_zones("eu-central-1"),
    ["10.0.0.4", "10.0.1.4"],
  )
}
