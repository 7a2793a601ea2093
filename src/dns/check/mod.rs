//! Whether DNS servers give private answers: what to ask whom, and what an answer is worth.
//!
//! **Invariant:** pure. The questions are asked elsewhere; here their outcomes are judged.
//! **Invariant:** what is not known to be private does not pass. No answer, half of one or one that was cut short is
//! never taken for a good one.

mod judge;
mod server;

use std::net::IpAddr;

pub use judge::{Asked, Verdict, judge};
pub use server::{ServerError, parse_server};

use super::name::{NameError, ZoneName};

/// How a question travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// One datagram each way.
    Udp,
    /// A connection of its own for each question.
    Tcp,
}

impl Transport {
    /// The transports that a word of the configuration names.
    pub fn named(word: &str) -> &'static [Transport] {
        match word {
            "udp" => &[Transport::Udp],
            "tcp" => &[Transport::Tcp],
            _ => &[Transport::Udp, Transport::Tcp],
        }
    }

    /// `udp` or `tcp`.
    pub fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }
}

/// What came of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered.
    Answer(Answer),
    /// Nothing came back in time, in any attempt.
    TimedOut,
    /// The machine is there and nothing listens.
    ConnectionRefused,
    /// The way to the server is cut; the system's own words.
    Unreachable(String),
    /// What came back is not DNS, or the connection was closed over it.
    Malformed(String),
    /// The check as a whole took too long to get to this question, or to its end.
    OutOfTime,
}

/// What a server answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// The response code as it is usually written: `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`, …
    pub rcode: String,
    /// The addresses of the name, or of the name that it is an alias of.
    pub addresses: Vec<IpAddr>,
    /// The name at the end of the aliases, where the name is one.
    pub alias: Option<String>,
    /// Whether the answer did not fit and says so.
    pub is_cut: bool,
}

/// Whether an address is reached through private networks only: RFC 1918, shared address space (RFC 6598), unique local
/// addresses (RFC 4193). Link-local and loopback addresses are not: they lead to no VPC.
pub fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private() || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}

/// Checks a host name that is to be asked for. Says what is wrong with it, in a sentence.
///
/// # Errors
/// It is not a host name.
pub fn check_host_name(text: &str) -> Result<(), String> {
    let wrong = match ZoneName::parse(text) {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    Err(match wrong {
        NameError::Empty => "A host name is needed.".to_owned(),
        NameError::Wildcard(_) => {
            format!("\"{text}\" has a wildcard. Name one host below the zone: a wildcard record answers for any.")
        }
        NameError::Character { character, .. } => {
            format!("\"{text}\" has {character:?} in it. A host name has ASCII letters, digits, hyphens and dots.")
        }
        NameError::Address(_) => format!("\"{text}\" is an IP address, not a host name."),
        NameError::Reverse(_) => format!("\"{text}\" is a name for reverse look-ups, not a host name."),
        NameError::Quote { .. }
        | NameError::EmptyLabel(_)
        | NameError::Hyphen(_)
        | NameError::LongLabel(_)
        | NameError::TooLong(_) => format!("{wrong}."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_is_what_no_route_on_the_internet_leads_to() {
        let private = [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "100.127.255.255",
            "fd00::1",
            "fc00::1",
            "::ffff:10.0.0.1",
        ];
        for text in private {
            assert!(is_private(text.parse().unwrap()), "{text}");
        }
        let not = [
            "9.255.255.255",
            "11.0.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.169.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "127.0.0.1",
            "169.254.1.1",
            "0.0.0.0",
            "203.0.113.10",
            "::1",
            "fe80::1",
            "2001:db8::1",
            "::ffff:203.0.113.1",
        ];
        for text in not {
            assert!(!is_private(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_wildcard_an_address_and_a_typing_error_are_no_host_names() {
        assert_eq!(check_host_name("D-abc.studio.us-east-1.sagemaker.aws."), Ok(()));
        let wrong = |text: &str| check_host_name(text).unwrap_err();
        assert!(wrong("*.studio.aws").contains("has a wildcard. Name one host"));
        assert_eq!(wrong("10.0.0.1"), "\"10.0.0.1\" is an IP address, not a host name.");
        assert_eq!(wrong("a..b"), "\"a..b\" has an empty label.");
        assert_eq!(wrong(""), "A host name is needed.");
        assert!(wrong("https://a.b").contains("has ':' in it"));
    }
}
