//! The proof that the path is private: a corporate network in network namespaces, with real DNS servers that run with
//! nothing but what the provider rendered, and a minimal base (`base/`).
//!
//! Reading order: `lab.sh` is the network, `aws` makes what its VPC serves, `lab` is both in the hands of a test.
//!
//! **Invariant:** no packet leaves the lab. Its namespaces have no way out, except for the emulator's API.

mod aws;
mod check;
mod lab;
mod life;
mod servers;
