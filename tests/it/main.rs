//! Integration tests.
//!
//! Reading order: `emulator` and `terraform` are what the tests of resources stand on, `client` what those of the
//! protocol do.

mod emulator;
mod said;
mod terraform;

mod dns_check;
mod dns_forwarding;
mod dns_forwarding_existing;
mod dns_forwarding_outbound;
mod dns_forwarding_preflight;
mod dns_forwarding_renumbering;
mod dns_forwarding_sharing;
mod partitions;
mod preflight;
mod presign_findings;
mod presign_policy;
mod presign_simulation;
mod presigned_url;
mod private_domain;
mod private_domain_adoption;
mod private_domain_import;
mod private_domain_parts;
mod private_domain_zones;
mod regions;
mod scenario;
mod witness;

mod plan_rules;

mod dns_lab;
mod forwarders;
mod linter;

mod client;
mod client_certificate;
mod functions;
mod handshake;

mod bindings;
mod docs;
mod layers;
