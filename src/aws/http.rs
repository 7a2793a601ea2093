//! The way over the network: proxies, certificates, time-outs.
//!
//! **Invariant:** one pool of connections per process and settings.
//! **Invariant:** this machine itself is never reached through a proxy.

use std::fmt;

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::http_insecure;

/// Never by proxy: this machine, and the services that give it credentials.
const ALWAYS_DIRECT: &str = "localhost,127.0.0.0/8,::1,169.254.169.254,169.254.170.2,169.254.170.23,fd00:ec2::254";

/// Which proxy to take, by the scheme of the URL that is asked for.
#[derive(Clone)]
pub(super) struct Proxies {
    http: Option<ProxyAddress>,
    https: Option<ProxyAddress>,
    no_proxy: String,
}

/// A proxy's URL, with a password at times.
#[derive(Clone)]
pub(super) struct ProxyAddress {
    /// Without user and password.
    pub(super) url: http::Uri,
    /// User and password.
    pub(super) login: Option<(String, String)>,
}

impl Proxies {
    /// An address without a scheme counts as `http://`.
    ///
    /// # Errors
    /// The scheme, `http` or `https`, whose proxy's address is no URL.
    pub(super) fn new(http: Option<&str>, https: Option<&str>, no_proxy: Option<&str>) -> Result<Self, &'static str> {
        let address = |text: Option<&str>, scheme| text.map(|text| ProxyAddress::parse(text).ok_or(scheme)).transpose();
        let no_proxy = match no_proxy {
            Some(hosts) => format!("{hosts},{ALWAYS_DIRECT}"),
            None => ALWAYS_DIRECT.to_owned(),
        };
        Ok(Self { http: address(http, "http")?, https: address(https, "https")?, no_proxy })
    }

    /// The proxy for a scheme, and the hosts it is not for.
    pub(super) fn of(&self, scheme: Scheme) -> Option<(&ProxyAddress, &str)> {
        let address = match scheme {
            Scheme::Http => self.http.as_ref(),
            Scheme::Https => self.https.as_ref(),
        };
        Some((address?, &self.no_proxy))
    }

    fn config(&self, scheme: Scheme) -> ProxyConfig {
        let Some((address, no_proxy)) = self.of(scheme) else {
            return ProxyConfig::disabled();
        };
        let config = ProxyConfig::all(address.url.clone()).expect("the URL was parsed when the settings were read");
        let config = config.no_proxy(no_proxy);
        match &address.login {
            Some((user, password)) => config.with_basic_auth(user, password),
            None => config,
        }
    }
}

// Not derived: an address may hold a password.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = |address: &Option<ProxyAddress>| address.as_ref().map(|address| address.url.to_string());
        f.debug_struct("Proxies")
            .field("http", &host(&self.http))
            .field("https", &host(&self.https))
            .field("no_proxy", &self.no_proxy)
            .finish()
    }
}

impl ProxyAddress {
    fn parse(text: &str) -> Option<Self> {
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let (scheme, rest) = text.split_once("://")?;
        let (login, rest) = match rest.rsplit_once('@') {
            Some((login, rest)) => (Some(login.split_once(':').unwrap_or((login, ""))), rest),
            None => (None, rest),
        };
        let url: http::Uri = format!("{scheme}://{rest}").parse().ok()?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none_or(str::is_empty) {
            return None;
        }
        Some(Self { url, login: login.map(|(user, password)| (user.to_owned(), password.to_owned())) })
    }
}

/// The scheme of a URL that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// In the clear, as to an emulator.
    Http,
    /// With TLS.
    Https,
}

/// Whom to believe that they are AWS.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// The certificates of this machine.
    System,
    /// These certificates alone, as PEM that [`check_bundle`] has passed.
    Bundle(Vec<u8>),
    /// Anyone. Only where the user set `insecure`.
    Anyone,
}

/// Whether a text holds certificates that TLS can use.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn check_bundle(pem: &[u8]) -> Result<(), String> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let certificates = certificates.map_err(|error| format!("it is not PEM ({error})"))?;
    if certificates.is_empty() {
        return Err("it holds no certificate".to_owned());
    }
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        roots.add(certificate).map_err(|error| format!("it holds a certificate that cannot be used ({error})"))?;
    }
    Ok(())
}

/// The client that all calls go through. It opens nothing until the first one.
pub(super) fn client(proxies: &Proxies, trust: Trust) -> SharedHttpClient {
    let plain = plain_client(proxies.config(Scheme::Http));
    let secure = match trust {
        Trust::System => secure_client(proxies.config(Scheme::Https), TrustStore::default()),
        Trust::Bundle(pem) => {
            secure_client(proxies.config(Scheme::Https), TrustStore::empty().with_pem_certificate(pem))
        }
        Trust::Anyone => SharedHttpClient::new(http_insecure::InsecureClient::new(proxies)),
    };
    SharedHttpClient::new(ByScheme { plain, secure })
}

fn plain_client(proxy: ProxyConfig) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(proxy.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build_http()
    })
}

fn secure_client(proxy: ProxyConfig, roots: TrustStore) -> SharedHttpClient {
    let context = TlsContext::builder().with_trust_store(roots).build().expect("a trust store is all it needs");
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder()
            .proxy_config(proxy.clone())
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    })
}

/// Chooses by scheme, so that a client in the clear loads no certificates, and names the host in
/// every failure: the SDK's own errors do not.
#[derive(Debug)]
struct ByScheme {
    plain: SharedHttpClient,
    secure: SharedHttpClient,
}

impl HttpClient for ByScheme {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(SchemeConnector {
            plain: self.plain.clone(),
            secure: self.secure.clone(),
            settings: settings.clone(),
            components: components.clone(),
        })
    }
}

#[derive(Debug)]
struct SchemeConnector {
    plain: SharedHttpClient,
    secure: SharedHttpClient,
    settings: HttpConnectorSettings,
    components: RuntimeComponents,
}

impl HttpConnector for SchemeConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let origin = Origin::of(request.uri());
        let client = if request.uri().starts_with("http://") { &self.plain } else { &self.secure };
        let connector = client.http_connector(&self.settings, &self.components);
        HttpConnectorFuture::new(async move {
            let answer = connector.call(request).await;
            answer.map_err(|error| origin.blame(error))
        })
    }
}

/// Scheme, host and port: the part of a URL that is no secret.
struct Origin(String);

impl Origin {
    fn of(url: &str) -> Self {
        let (scheme, rest) = url.split_once("://").unwrap_or(("https", url));
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        Self(format!("{scheme}://{host}"))
    }

    /// The same failure of the same kind, with the host in front.
    fn blame(self, error: ConnectorError) -> ConnectorError {
        let (is_timeout, is_user, is_io, kind) = (error.is_timeout(), error.is_user(), error.is_io(), error.as_other());
        let connection = error.connection_metadata().cloned();
        let source = Box::new(Unreachable { origin: self.0, source: error });
        let blamed = if is_timeout {
            ConnectorError::timeout(source)
        } else if is_user {
            ConnectorError::user(source)
        } else if is_io {
            ConnectorError::io(source)
        } else {
            ConnectorError::other(source, kind)
        };
        match connection {
            Some(connection) => blamed.with_connection(connection),
            None => blamed,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("could not reach {origin}")]
struct Unreachable {
    origin: String,
    source: ConnectorError,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_without_a_scheme_speaks_http() {
        let proxies = Proxies::new(None, Some("proxy.example:3128"), None).unwrap();
        let (address, _) = proxies.of(Scheme::Https).unwrap();
        assert_eq!(address.url.to_string(), "http://proxy.example:3128/");
        assert!(proxies.of(Scheme::Http).is_none());
    }

    #[test]
    fn a_proxys_password_is_kept_apart_and_never_printed() {
        let proxies = Proxies::new(Some("http://me:hush@proxy.example:3128"), None, None).unwrap();
        let (address, _) = proxies.of(Scheme::Http).unwrap();
        assert_eq!(address.login, Some(("me".to_owned(), "hush".to_owned())));
        assert!(!format!("{proxies:?}").contains("hush"));
    }

    #[test]
    fn this_machine_is_never_behind_the_proxy() {
        let proxies = Proxies::new(Some("http://proxy.example"), None, Some("intra.example")).unwrap();
        let (_, no_proxy) = proxies.of(Scheme::Http).unwrap();
        assert!(no_proxy.starts_with("intra.example,localhost,"), "{no_proxy}");
    }

    #[test]
    fn an_address_that_is_no_url_names_its_scheme() {
        assert_eq!(Proxies::new(Some("http://"), None, None).unwrap_err(), "http");
        assert_eq!(Proxies::new(None, Some("socks5://proxy.example"), None).unwrap_err(), "https");
    }

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        assert_eq!(check_bundle(b"hello").unwrap_err(), "it holds no certificate");
        let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(check_bundle(broken).unwrap_err().contains("cannot be used"));
    }

    #[test]
    fn an_error_names_the_host_and_not_the_path() {
        let origin = Origin::of("https://sts.eu-west-1.amazonaws.com/?Action=secret");
        let error = origin.blame(ConnectorError::io("connection refused".into()));
        assert!(error.is_io());
        let text = super::super::error::chain(&error);
        assert_eq!(text, "could not reach https://sts.eu-west-1.amazonaws.com: connection refused");
    }
}
