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
mod coredns;
mod dnsmasq;
mod infoblox;
mod knot;
mod powerdns;
mod systemd;
#[cfg(test)]
mod tests;
mod unbound;
mod windows;
mod zscaler;

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
    /// dnsmasq.
    Dnsmasq,
    /// CoreDNS: a server block for the Corefile.
    CoreDns,
    /// PowerDNS Recursor's forward zones.
    PowerDnsRecursor,
    /// PowerDNS Recursor's exemptions, in its Lua file.
    PowerDnsRecursorLua,
    /// Knot Resolver.
    KnotResolver,
    /// systemd-resolved.
    SystemdResolved,
    /// Windows DNS Server: a PowerShell script.
    WindowsDns,
    /// Infoblox NIOS: a file for CSV import.
    Infoblox,
    /// Zscaler Private Access: lists of domains and addresses.
    Zscaler,
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
    /// More addresses than the server takes.
    #[error("{kind} takes at most {most} addresses")]
    TooManyAddresses {
        /// The kind of file.
        kind: Kind,
        /// How many it takes.
        most: usize,
    },
    /// Not a kind of file that is known here.
    #[error("\"{0}\" is not a kind of forwarder; choose one of {names}", names = Kind::names())]
    UnknownKind(String),
}

/// Renders one file.
///
/// # Errors
/// [`RenderError::TooManyAddresses`], for CoreDNS only. Beyond that no kind can fail on a checked [`Forwarding`].
pub fn render(kind: Kind, forwarding: &Forwarding) -> Result<String, RenderError> {
    match kind {
        Kind::Bind => Ok(bind::zones(forwarding)),
        Kind::BindOptions => Ok(bind::options(forwarding)),
        Kind::Unbound => Ok(unbound::config(forwarding)),
        Kind::Dnsmasq => Ok(dnsmasq::config(forwarding)),
        Kind::CoreDns => coredns::config(forwarding),
        Kind::PowerDnsRecursor => Ok(powerdns::config(forwarding)),
        Kind::PowerDnsRecursorLua => Ok(powerdns::lua(forwarding)),
        Kind::KnotResolver => Ok(knot::config(forwarding)),
        Kind::SystemdResolved => Ok(systemd::config(forwarding)),
        Kind::WindowsDns => Ok(windows::config(forwarding)),
        Kind::Infoblox => Ok(infoblox::config(forwarding)),
        Kind::Zscaler => Ok(zscaler::config(forwarding)),
    }
}

impl Forwarding {
    /// Zones and addresses, each once, in the order given. An IPv4 address in the clothes of an IPv6 one
    /// (`::ffff:10.0.1.10`) is taken for what it is, because servers differ in what they make of it. The order of addresses is the order in
    /// which some servers try them.
    ///
    /// # Errors
    /// [`RenderError::NoZones`], [`RenderError::NoAddresses`], [`RenderError::Address`].
    pub fn new(
        zones: impl IntoIterator<Item = ZoneName>,
        addresses: impl IntoIterator<Item = IpAddr>,
    ) -> Result<Self, RenderError> {
        let zones = once_each(zones);
        let addresses = once_each(addresses.into_iter().map(|address| address.to_canonical()));
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
    pub const ALL: [Self; 12] = [
        Self::Bind,
        Self::BindOptions,
        Self::Unbound,
        Self::Dnsmasq,
        Self::CoreDns,
        Self::PowerDnsRecursor,
        Self::PowerDnsRecursorLua,
        Self::KnotResolver,
        Self::SystemdResolved,
        Self::WindowsDns,
        Self::Infoblox,
        Self::Zscaler,
    ];

    /// The name, as in `forwarder_configs`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::BindOptions => "bind_options",
            Self::Unbound => "unbound",
            Self::Dnsmasq => "dnsmasq",
            Self::CoreDns => "coredns",
            Self::PowerDnsRecursor => "powerdns_recursor",
            Self::PowerDnsRecursorLua => "powerdns_recursor_lua",
            Self::KnotResolver => "knot_resolver",
            Self::SystemdResolved => "systemd_resolved",
            Self::WindowsDns => "windows_dns",
            Self::Infoblox => "infoblox",
            Self::Zscaler => "zscaler",
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

/// Items with something between them.
fn joined<T: ToString>(items: &[T], between: &str) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(between)
}

/// One line for each zone.
fn per_zone(forwarding: &Forwarding, line: impl Fn(&ZoneName) -> String) -> String {
    lines(forwarding.zones().iter().map(line))
}

/// Lines that end in a line break each.
fn lines<T: AsRef<str>>(lines: impl IntoIterator<Item = T>) -> String {
    lines.into_iter().flat_map(|line| [line.as_ref().to_owned(), "\n".to_owned()]).collect()
}
