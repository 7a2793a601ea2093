//! What can be looked up.
//!
//! **Invariant:** changes nothing.

mod dns_check;
mod domain;
mod presign_policy_document;
mod presign_simulation;

pub use dns_check::DnsCheck;
pub use domain::Domain;
pub use presign_policy_document::PresignPolicyDocument;
pub use presign_simulation::PresignSimulation;
