//! The addresses that queries are forwarded to.
//!
//! **Invariant:** only an IP address comes out. Some servers take anything else for a host name and
//! would look it up before they can forward.

use std::net::IpAddr;

use ipnet::IpNet;

/// Why a text is not an address to forward to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an IP address at all.
    #[error("\"{0}\" is not an IP address")]
    NotAnAddress(String),
    /// A range in place of an address.
    #[error("\"{0}\" is an address range; forward to single addresses")]
    Range(String),
    /// An address with a port.
    #[error("\"{0}\" has a port; DNS is forwarded to port 53")]
    Port(String),
    /// An address that no server can have, such as `0.0.0.0` or a multicast group.
    #[error("no name server can have the address {0}")]
    Unusable(IpAddr),
}

/// Reads an address to forward to.
///
/// # Errors
/// See [`AddressError`].
pub fn parse_address(text: &str) -> Result<IpAddr, AddressError> {
    let own = || text.to_owned();
    match text.parse() {
        Ok(address) => check_address(address),
        Err(_) if text.parse::<IpNet>().is_ok() => Err(AddressError::Range(own())),
        Err(_) if text.parse::<std::net::SocketAddr>().is_ok() => Err(AddressError::Port(own())),
        Err(_) => Err(AddressError::NotAnAddress(own())),
    }
}

/// Refuses addresses that nothing can be forwarded to.
///
/// # Errors
/// [`AddressError::Unusable`].
pub fn check_address(address: IpAddr) -> Result<IpAddr, AddressError> {
    let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
    match address.is_unspecified() || address.is_multicast() || broadcast {
        true => Err(AddressError::Unusable(address)),
        false => Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_are_read() {
        for text in ["10.0.1.10", "192.0.2.1", "fd00::10", "2001:db8::1", "127.0.0.1"] {
            assert_eq!(parse_address(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_near_an_address_is_refused_by_name() {
        let refused = |text: &str| parse_address(text).unwrap_err().to_string();
        assert_eq!(refused("10.0.1.0/24"), "\"10.0.1.0/24\" is an address range; forward to single addresses");
        assert_eq!(refused("10.0.1.10:53"), "\"10.0.1.10:53\" has a port; DNS is forwarded to port 53");
        assert_eq!(refused("0.0.0.0"), "no name server can have the address 0.0.0.0");
        assert_eq!(refused("224.0.0.1"), "no name server can have the address 224.0.0.1");
        for text in ["", "resolver.example.com", "10.0.1", "10.0.1.256", " 10.0.1.10", "010.0.1.10"] {
            assert_eq!(parse_address(text), Err(AddressError::NotAnAddress(text.to_owned())));
        }
    }
}
