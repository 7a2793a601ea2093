//! What can be looked up.
//!
//! **Invariant:** changes nothing.

mod dns_check;
mod domain;

pub use dns_check::DnsCheck;
pub use domain::Domain;
