#![doc = include_str!("architecture.md")]

pub mod dns;
pub mod framework;
pub mod functions;
pub mod plugin;
pub mod policy;
pub mod steps;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "aws")]
pub mod connection;
#[cfg(feature = "aws")]
pub mod data_sources;
#[cfg(feature = "aws")]
pub mod ephemeral;
#[cfg(feature = "aws")]
pub mod provider;
#[cfg(feature = "aws")]
pub mod resources;
