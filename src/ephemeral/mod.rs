//! What is opened when it is needed and never stored.
//!
//! **Invariant:** what is opened here is in no log, no error and no private data.

mod hosts;
mod presigned_url;

pub use presigned_url::PresignedUrl;
