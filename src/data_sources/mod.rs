//! What can be looked up.
//!
//! **Invariant:** changes nothing.

mod domain;

pub use domain::Domain;
