//! DNS forwarding rules for Studio's private names.
//!
//! [`zones`] says which names must be forwarded, [`name`] and [`address`] read what users write,
//! [`render`] prints the configuration of a forwarder, and [`check`] judges the answers of servers.
//!
//! **Invariant:** pure. Nothing here reads the network or the clock.

pub mod address;
pub mod check;
pub mod name;
pub mod render;
pub mod zones;
