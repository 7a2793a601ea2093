//! What we do with AWS Organizations: asking which organization the account belongs to.

pub mod organization;
