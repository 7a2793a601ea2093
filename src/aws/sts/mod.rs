//! What we do with STS: asking who we are.

pub mod identity;
