//! IAM documents: what they are, which ones confine presigned URLs, and what they decide.
//!
//! [`document`] holds the types, [`presign`] builds the documents of `studio_presign_policy` from
//! its settings, which [`inputs`] checks one by one, and [`evaluate`] decides a request offline.
//! [`analyze`] decides all requests and says who is let in or locked out; [`simulation`] is the form
//! in which people write requests and policies.
//!
//! **Invariant:** pure. Nothing here calls AWS, reads a clock or looks anything up.

pub mod analyze;
pub mod document;
pub mod evaluate;
pub mod inputs;
mod paths;
pub mod presign;
pub mod simulation;
pub mod variables;
