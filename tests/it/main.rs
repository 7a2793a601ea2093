//! Integration tests.

mod bindings;
mod client;
mod client_certificate;
mod handshake;
mod layers;
