//! How Terraform talks to this process.

pub mod logging;
pub mod pb;

mod broker;
mod handshake;
mod listener;
mod tls;
