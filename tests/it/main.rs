//! Integration tests.
//!
//! Reading order: `emulator` and `terraform` are what the tests of resources stand on, `client` what those of the
//! protocol do.

mod emulator;
mod terraform;

mod dns_forwarding;
mod partitions;
mod preflight;
mod presign_findings;
mod presign_policy;
mod presign_simulation;
mod private_domain;
mod private_domain_import;
mod scenario;

mod plan_rules;

mod forwarders;
mod linter;

mod client;
mod client_certificate;
mod functions;
mod handshake;

mod bindings;
mod docs;
mod layers;
