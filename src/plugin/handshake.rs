//! What is said before gRPC: the cookie and settings that come in through the environment, and the
//! one line that goes out on stdout.
//!
//! **Invariant:** nothing but `--version` or the handshake line is ever written to stdout, and
//! without the cookie nothing is served.

use std::{
    fmt,
    io::{self, Write},
    ops::RangeInclusive,
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::listener::Address;

/// The major version of the plugin protocol that is spoken here.
const PROTOCOL: &str = "6";

/// go-plugin's version of the handshake itself.
const CORE_PROTOCOL: &str = "1";

/// The cookie is no secret. It tells being started by Terraform from being started by hand.
const COOKIE_NAME: &str = "TF_PLUGIN_MAGIC_COOKIE";
const COOKIE: &str = "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2";

/// What the process was started for.
#[derive(Debug, PartialEq)]
pub enum Start {
    /// `--version`: print it and end.
    Version,
    /// Terraform started it.
    Serve(Settings),
}

/// What Terraform asks of the server.
#[derive(Debug, PartialEq)]
pub struct Settings {
    /// The only client to let in. Without one there is no TLS, as with `TF_DISABLE_PLUGIN_TLS`.
    pub client: Option<CertificateDer<'static>>,
    /// Where TCP may listen, on platforms without Unix sockets.
    pub ports: RangeInclusive<u16>,
}

/// Why nothing is served.
#[derive(Debug, PartialEq, thiserror::Error)]
pub enum HandshakeError {
    /// No cookie, or a wrong one.
    #[error("{}", by_hand())]
    ByHand,
    /// Terraform speaks other protocols only.
    #[error(
        "this provider speaks plugin protocol {PROTOCOL}, and {offered:?} is what was offered; \
         it needs Terraform 1.3 or OpenTofu 1.6, or newer"
    )]
    Protocol {
        /// `PLUGIN_PROTOCOL_VERSIONS` as it was.
        offered: String,
    },
    /// `PLUGIN_CLIENT_CERT` is not a certificate in PEM.
    #[error("PLUGIN_CLIENT_CERT is not a certificate in PEM")]
    ClientCertificate,
    /// `PLUGIN_MIN_PORT` or `PLUGIN_MAX_PORT` is not a port.
    #[error("{variable} is not a port: {value:?}")]
    Port {
        /// The variable's name.
        variable: &'static str,
        /// Its value.
        value: String,
    },
}

/// Decides what to do from the arguments (the program's name left out) and the environment.
///
/// # Errors
/// [`HandshakeError`] when the process was not started as a plugin, or not as one that we can be.
pub fn read(
    mut arguments: impl Iterator<Item = String>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Start, HandshakeError> {
    if arguments.any(|argument| matches!(argument.as_str(), "--version" | "-version")) {
        return Ok(Start::Version);
    }
    if environment(COOKIE_NAME).as_deref() != Some(COOKIE) {
        return Err(HandshakeError::ByHand);
    }
    let offered = environment("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
    if !offered.split(',').any(|version| version.trim() == PROTOCOL) {
        return Err(HandshakeError::Protocol { offered });
    }
    let client = match environment("PLUGIN_CLIENT_CERT") {
        None => None,
        Some(pem) if pem.is_empty() => None,
        Some(pem) => {
            Some(CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| HandshakeError::ClientCertificate)?)
        }
    };
    // The defaults are the ones that Terraform sets.
    let min = port(&environment, "PLUGIN_MIN_PORT", 10_000)?;
    let max = port(&environment, "PLUGIN_MAX_PORT", 25_000)?;
    Ok(Start::Serve(Settings { client, ports: min..=max }))
}

/// The handshake line, without its line break: who listens where, and with which certificate.
pub fn line(address: &Address, certificate: Option<&CertificateDer<'_>>) -> String {
    let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
    let network = address.network();
    format!("{CORE_PROTOCOL}|{PROTOCOL}|{network}|{address}|grpc|{certificate}")
}

/// Writes one line to stdout at once.
///
/// # Errors
/// Whatever stdout answers; Terraform has gone then.
pub fn print(line: impl fmt::Display) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// What `--version` prints.
pub fn version() -> String {
    format!("{} {}", env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

fn port(
    environment: impl Fn(&str) -> Option<String>,
    variable: &'static str,
    default: u16,
) -> Result<u16, HandshakeError> {
    match environment(variable).filter(|value| !value.is_empty()) {
        None => Ok(default),
        Some(value) => value.parse().map_err(|_| HandshakeError::Port { variable, value }),
    }
}

fn by_hand() -> String {
    format!(
        "\
{version} is a provider for Terraform and OpenTofu: private access to Amazon SageMaker Studio.
It is started by them and does nothing when it is started by hand.

To use it, name it in a configuration and run \"terraform init\":

    terraform {{
      required_providers {{
        studio = {{ source = \"studio-private/studio\" }}
      }}
    }}

To use this very file instead, name its folder in ~/.terraformrc (%APPDATA%\\terraform.rc on Windows):

    provider_installation {{
      dev_overrides {{ \"studio-private/studio\" = \"/path/to/the/folder\" }}
      direct {{}}
    }}",
        version = version()
    )
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, path::PathBuf};

    use super::*;

    const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n";

    /// Reads with the environment that Terraform gives, changed by `changes`.
    fn read_with(changes: &[(&str, &str)]) -> Result<Start, HandshakeError> {
        let given = [(COOKIE_NAME, COOKIE), ("PLUGIN_PROTOCOL_VERSIONS", "5,6")];
        read(std::iter::empty(), |name| {
            changes.iter().chain(&given).find(|(known, _)| *known == name).map(|(_, value)| value.to_string())
        })
    }

    #[test]
    fn version_needs_no_cookie() {
        let arguments = ["--version".to_owned()].into_iter();
        assert_eq!(read(arguments, |_| None), Ok(Start::Version));
    }

    #[test]
    fn a_wrong_cookie_is_being_started_by_hand() {
        assert_eq!(read_with(&[(COOKIE_NAME, "x")]), Err(HandshakeError::ByHand));
    }

    #[test]
    fn by_hand_it_says_what_it_is_and_how_to_install_it() {
        let text = HandshakeError::ByHand.to_string();
        for needed in ["Terraform", "required_providers", "dev_overrides", "studio-private/studio"] {
            assert!(text.contains(needed), "{needed} is missing in: {text}");
        }
    }

    #[test]
    fn protocol_6_has_to_be_among_the_offers() {
        for offered in ["", "5", "5,16", "66"] {
            assert_eq!(
                read_with(&[("PLUGIN_PROTOCOL_VERSIONS", offered)]),
                Err(HandshakeError::Protocol { offered: offered.to_owned() })
            );
        }
        assert!(read_with(&[("PLUGIN_PROTOCOL_VERSIONS", "5, 6")]).is_ok());
    }

    #[test]
    fn an_empty_client_certificate_means_no_tls() {
        let expected = Settings { client: None, ports: 10_000..=25_000 };
        assert_eq!(read_with(&[("PLUGIN_CLIENT_CERT", "")]), Ok(Start::Serve(expected)));
    }

    #[test]
    fn the_client_certificate_is_decoded() {
        let Ok(Start::Serve(settings)) = read_with(&[("PLUGIN_CLIENT_CERT", CERTIFICATE)]) else {
            panic!("not served");
        };
        assert_eq!(settings.client.unwrap().as_ref(), [1, 2, 3]);
    }

    #[test]
    fn a_client_certificate_that_cannot_be_read_does_not_turn_tls_off() {
        assert_eq!(read_with(&[("PLUGIN_CLIENT_CERT", "garbage")]), Err(HandshakeError::ClientCertificate));
    }

    #[test]
    fn a_port_that_is_none_is_named() {
        assert_eq!(
            read_with(&[("PLUGIN_MAX_PORT", "70000")]).unwrap_err().to_string(),
            "PLUGIN_MAX_PORT is not a port: \"70000\""
        );
    }

    #[test]
    fn the_line_has_six_fields_and_no_padding() {
        let unix = Address::Unix(PathBuf::from("/tmp/x/socket"));
        let certificate = CertificateDer::from(vec![1, 2, 3, 4]);
        assert_eq!(line(&unix, Some(&certificate)), "1|6|unix|/tmp/x/socket|grpc|AQIDBA");

        let tcp = Address::Tcp(SocketAddr::from(([127, 0, 0, 1], 10_000)));
        assert_eq!(line(&tcp, None), "1|6|tcp|127.0.0.1:10000|grpc|");
    }
}
