//! The addresses of the servers that are asked.
//!
//! **Invariant:** no name comes out, so that no look-up comes before the one that is checked.

use std::net::{IpAddr, SocketAddr};

use crate::dns::address::check_address;

/// Where DNS servers listen.
const PORT: u16 = 53;

/// Why a text does not say which server is meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServerError {
    /// Neither an address nor an address with a port.
    #[error("\"{0}\" is not the address of a DNS server such as 10.0.1.10, 10.0.1.10:5353 or [fd00::10]:5353")]
    NotAnAddress(String),
    /// An address that no server can have.
    #[error("no DNS server can have the address {0}")]
    Unusable(IpAddr),
    /// Port 0.
    #[error("\"{0}\" has the port 0, on which nothing can listen")]
    Port(String),
}

/// Reads `ip`, `ip:port` or `[ip]:port`. The port is 53 unless said otherwise.
///
/// # Errors
/// See [`ServerError`].
pub fn parse_server(text: &str) -> Result<SocketAddr, ServerError> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).filter(|text| text.contains(':'));
    let address = match (bare.unwrap_or(text).parse::<IpAddr>(), text.parse::<SocketAddr>()) {
        (Ok(ip), _) => SocketAddr::new(ip, PORT),
        (Err(_), Ok(address)) => address,
        (Err(_), Err(_)) => return Err(ServerError::NotAnAddress(text.to_owned())),
    };
    check_address(address.ip()).map_err(|_| ServerError::Unusable(address.ip()))?;
    match address.port() {
        0 => Err(ServerError::Port(text.to_owned())),
        _ => Ok(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_an_address_with_or_without_a_port() {
        for (text, expected) in [
            ("10.0.1.10", "10.0.1.10:53"),
            ("10.0.1.10:5353", "10.0.1.10:5353"),
            ("fd00::10", "[fd00::10]:53"),
            ("[fd00::10]", "[fd00::10]:53"),
            ("[fd00::10]:5353", "[fd00::10]:5353"),
        ] {
            assert_eq!(parse_server(text).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_near_one_is_refused() {
        for text in ["", "dns.example.com", "10.0.1.10:", "10.0.1.10:99999", "10.0.1.0/24", "[10.0.1.10]", "fd00::10:x"]
        {
            assert_eq!(parse_server(text), Err(ServerError::NotAnAddress(text.to_owned())), "{text}");
        }
        assert!(matches!(parse_server("0.0.0.0"), Err(ServerError::Unusable(_))));
        assert!(matches!(parse_server("10.0.1.10:0"), Err(ServerError::Port(_))));
    }
}
