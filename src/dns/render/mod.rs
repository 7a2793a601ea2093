//! Configuration files that make a forwarder send Studio's names to the VPC.
//!
//! Every file does the same in its server's words: forward only, to these addresses, and nothing
//! else when they do not answer; no DNSSEC validation below the zones, because a signed parent
//! would make the private answers look forged; and room for private addresses in the answers, where
//! the server filters those.
//!
//! **Invariant:** a rendered file is whole. Its server accepts it as it is, in the place that its
//! first comment names.

mod bind;
#[cfg(test)]
mod tests;
mod unbound;

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::address::{AddressError, check_address};
use super::name::ZoneName;

/// A kind of configuration file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// BIND's forward zones, for the top level of `named.conf`.
    Bind,
    /// BIND's exemptions, for inside `options { }`.
    BindOptions,
    /// Unbound.
    Unbound,
}

/// What to forward, and where to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forwarding {
    zones: Vec<ZoneName>,
    addresses: Vec<IpAddr>,
}

/// Why nothing can be rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RenderError {
    /// No zone.
    #[error("name at least one zone to forward")]
    NoZones,
    /// No address. Some servers accept that, and then ask public DNS.
    #[error("name at least one address to forward to")]
    NoAddresses,
    /// An address that cannot be forwarded to.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// Not a kind of file that is known here.
    #[error("\"{0}\" is not a kind of forwarder; choose one of {names}", names = Kind::names())]
    UnknownKind(String),
}

/// Renders one file.
///
/// # Errors
/// None of the kinds so far can fail on a checked [`Forwarding`]; a kind may refuse what its server
/// cannot express.
pub fn render(kind: Kind, forwarding: &Forwarding) -> Result<String, RenderError> {
    match kind {
        Kind::Bind => Ok(bind::zones(forwarding)),
        Kind::BindOptions => Ok(bind::options(forwarding)),
        Kind::Unbound => Ok(unbound::config(forwarding)),
    }
}

impl Forwarding {
    /// Zones and addresses, each once, in the order given. The order of addresses is the order in
    /// which some servers try them.
    ///
    /// # Errors
    /// [`RenderError::NoZones`], [`RenderError::NoAddresses`], [`RenderError::Address`].
    pub fn new(
        zones: impl IntoIterator<Item = ZoneName>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Self, RenderError> {
        let zones = once_each(zones);
        let addresses = once_each(addresses);
        if zones.is_empty() {
            return Err(RenderError::NoZones);
        }
        if addresses.is_empty() {
            return Err(RenderError::NoAddresses);
        }
        for address in &addresses {
            check_address(*address)?;
        }
        Ok(Self { zones, addresses })
    }

    /// The zones.
    pub fn zones(&self) -> &[ZoneName] {
        &self.zones
    }

    /// The addresses.
    pub fn addresses(&self) -> &[IpAddr] {
        &self.addresses
    }
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Bind, Self::BindOptions, Self::Unbound];

    /// The name, as in `forwarder_configs`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::BindOptions => "bind_options",
            Self::Unbound => "unbound",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = RenderError;

    fn from_str(name: &str) -> Result<Self, RenderError> {
        let unknown = || RenderError::UnknownKind(name.to_owned());
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(unknown)
    }
}

/// A second mention would be a duplicate zone, which some servers refuse and others take silently.
fn once_each<T: PartialEq>(items: impl IntoIterator<Item = T>) -> Vec<T> {
    let mut seen = Vec::new();
    for item in items {
        if !seen.contains(&item) {
            seen.push(item);
        }
    }
    seen
}

/// Lines that end in a line break each.
fn lines<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> String {
    lines.into_iter().flat_map(|line| [line.as_ref().to_owned(), "\n".to_owned()]).collect()
}
