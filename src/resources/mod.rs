//! The three composite resources.
