//! What can be looked up.
//!
//! **Invariant:** changes nothing.

mod domain;
mod presign_policy_document;
mod presign_simulation;

pub use domain::Domain;
pub use presign_policy_document::PresignPolicyDocument;
pub use presign_simulation::PresignSimulation;
