//! The way over the network for `insecure = true`: TLS with whoever answers.
//!
//! The SDK's client has no hook for this, so the few lines that it takes are here.
//!
//! **Invariant:** used only where the user asked for it. Nothing else in the program can reach it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;
use base64::Engine as _;
use http::HeaderValue;
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::http::{Proxies, ProxyAddress, Scheme};

/// Makes connectors that accept any certificate, one per set of time-outs.
pub(super) struct InsecureClient {
    proxy: Option<(ProxyAddress, String)>,
    connectors: Mutex<BTreeMap<TimeOuts, SharedHttpConnector>>,
}

/// To connect, and to be answered.
type TimeOuts = (Option<Duration>, Option<Duration>);

impl InsecureClient {
    /// Goes through the proxy for `https`, where there is one.
    pub(super) fn new(proxies: &Proxies) -> Self {
        let proxy = proxies.of(Scheme::Https).map(|(address, no_proxy)| (address.clone(), no_proxy.to_owned()));
        Self { proxy, connectors: Mutex::default() }
    }
}

impl fmt::Debug for InsecureClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InsecureClient")
    }
}

impl HttpClient for InsecureClient {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let times = (settings.connect_timeout(), settings.read_timeout());
        let mut connectors = self.connectors.lock().expect("no one panics while holding the connectors");
        let make = || SharedHttpConnector::new(InsecureConnector::new(self.proxy.as_ref(), times.0, times.1));
        connectors.entry(times).or_insert_with(make).clone()
    }
}

type Direct = Client<HttpsConnector<TcpConnector>, SdkBody>;
type Tunnelled = Client<HttpsConnector<Tunnel<TcpConnector>>, SdkBody>;

struct InsecureConnector {
    direct: Direct,
    tunnelled: Option<(Tunnelled, Matcher)>,
    read_timeout: Option<Duration>,
}

impl InsecureConnector {
    fn new(
        proxy: Option<&(ProxyAddress, String)>,
        connect_timeout: Option<Duration>,
        read_timeout: Option<Duration>,
    ) -> Self {
        let mut tcp = TcpConnector::new();
        tcp.enforce_http(false);
        tcp.set_connect_timeout(connect_timeout);
        let tunnelled = proxy.map(|(address, no_proxy)| {
            let matcher = Matcher::builder().all(address.url.to_string()).no(no_proxy.clone()).build();
            let mut tunnel = Tunnel::new(address.url.clone(), tcp.clone());
            if let Some(login) = login(address) {
                tunnel = tunnel.with_auth(login);
            }
            (client(tunnel), matcher)
        });
        Self { direct: client(tcp), tunnelled, read_timeout }
    }
}

impl fmt::Debug for InsecureConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InsecureConnector")
    }
}

impl HttpConnector for InsecureConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => {
                return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into())));
            }
        };
        let tunnelled = self.tunnelled.as_ref().filter(|(_, matcher)| matcher.intercept(request.uri()).is_some());
        let answer = match tunnelled {
            Some((client, _)) => client.request(request),
            None => self.direct.request(request),
        };
        let limit = self.read_timeout;
        HttpConnectorFuture::new(async move {
            let answered = match limit {
                None => answer.await,
                Some(limit) => match tokio::time::timeout(limit, answer).await {
                    Ok(answered) => answered,
                    Err(elapsed) => return Err(ConnectorError::timeout(elapsed.into())),
                },
            };
            match answered {
                Ok(response) => HttpResponse::try_from(response.map(SdkBody::from_body_1_x))
                    .map_err(|error| ConnectorError::other(error.into(), None)),
                Err(error) if error.is_connect() => Err(ConnectorError::io(error.into())),
                Err(error) => Err(ConnectorError::other(error.into(), Some(ErrorKind::TransientError))),
            }
        })
    }
}

fn client<C>(connector: C) -> Client<HttpsConnector<C>, SdkBody>
where
    HttpsConnector<C>: hyper_util::client::legacy::connect::Connect + Clone,
{
    let https = hyper_rustls::HttpsConnectorBuilder::new()
        .with_tls_config(tls())
        .https_or_http()
        .enable_http1()
        .wrap_connector(connector);
    Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).build(https)
}

fn tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring serves the default protocol versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AcceptAny(provider)))
        .with_no_client_auth()
}

fn login(address: &ProxyAddress) -> Option<HeaderValue> {
    let (user, password) = address.login.as_ref()?;
    let encoded = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    HeaderValue::from_str(&format!("Basic {encoded}")).ok()
}

/// Accepts any certificate, but only of a server that holds its key.
#[derive(Debug)]
struct AcceptAny(Arc<CryptoProvider>);

impl ServerCertVerifier for AcceptAny {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
