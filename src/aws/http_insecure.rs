//! A way to AWS that believes any certificate, for `insecure = true`. The SDK offers no such switch, on purpose.
//!
//! **Invariant:** used only where the user asked for it.

use std::fmt;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http::HeaderValue;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioExecutor;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::http::{Proxies, Scheme};

type Direct = Client<HttpsConnector<Tcp>, SdkBody>;
type Tunnelled = Client<HttpsConnector<Tunnel<Tcp>>, SdkBody>;

/// Speaks HTTPS with whoever answers.
#[derive(Clone)]
pub(super) struct InsecureClient {
    direct: Direct,
    /// Through the proxy, with what decides which hosts take it.
    proxied: Option<(Tunnelled, Arc<Matcher>)>,
}

impl InsecureClient {
    /// Takes the proxy for HTTPS, where there is one.
    pub(super) fn new(proxies: &Proxies) -> Self {
        let client = Client::builder(TokioExecutor::new());
        let proxied = proxies.of(Scheme::Https).map(|(address, no_proxy)| {
            let mut tunnel = Tunnel::new(address.url.clone(), tcp());
            if let Some((user, password)) = &address.login {
                tunnel = tunnel.with_auth(basic(user, password));
            }
            let matcher = Matcher::builder().https(address.url.to_string()).no(no_proxy.to_owned()).build();
            let connector = HttpsConnectorBuilder::new().with_tls_config(tls()).https_only().enable_http1();
            (client.build(connector.wrap_connector(tunnel)), Arc::new(matcher))
        });
        let connector = HttpsConnectorBuilder::new().with_tls_config(tls()).https_only().enable_http1();
        Self { direct: client.build(connector.wrap_connector(tcp())), proxied }
    }
}

impl fmt::Debug for InsecureClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InsecureClient").field("has_proxy", &self.proxied.is_some()).finish_non_exhaustive()
    }
}

impl HttpClient for InsecureClient {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InsecureClient {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let request = match request.try_into_http1x() {
            Ok(request) => request,
            Err(error) => return HttpConnectorFuture::ready(Err(ConnectorError::user(error.into()))),
        };
        let proxied = self.proxied.as_ref().filter(|(_, matcher)| matcher.intercept(request.uri()).is_some());
        let answer = match proxied {
            Some((client, _)) => client.request(request),
            None => self.direct.request(request),
        };
        HttpConnectorFuture::new(async move {
            let answer = answer.await.map_err(|error| ConnectorError::io(error.into()))?;
            HttpResponse::try_from(answer.map(SdkBody::from_body_1_x))
                .map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

fn tcp() -> Tcp {
    let mut tcp = Tcp::new();
    tcp.enforce_http(false);
    tcp
}

fn basic(user: &str, password: &str) -> HeaderValue {
    use base64::Engine as _;
    let login = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    let mut value = HeaderValue::from_str(&format!("Basic {login}")).expect("base64 is visible ASCII");
    value.set_sensitive(true);
    value
}

fn tls() -> ClientConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .expect("ring knows TLS 1.2 and 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone(provider)))
        .with_no_client_auth()
}

/// Believes every certificate, and still wants its key to have signed the handshake.
#[derive(Debug)]
struct Anyone(Arc<CryptoProvider>);

impl ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
    use rcgen::{CertificateParams, KeyPair};
    use rustls::pki_types::PrivateKeyDer;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// A server with a certificate that nobody vouches for, for one request.
    async fn server() -> std::net::SocketAddr {
        let key = KeyPair::generate().unwrap();
        let certificate =
            CertificateParams::new(vec!["elsewhere.example".to_owned()]).unwrap().self_signed(&key).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
            let (stream, _) = listener.accept().await.unwrap();
            let mut stream = acceptor.accept(stream).await.unwrap();
            let mut request = [0; 1024];
            stream.read(&mut request).await.unwrap();
            stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
        });
        address
    }

    #[tokio::test]
    async fn a_certificate_that_nobody_vouches_for_is_believed() {
        let address = server().await;
        let client = InsecureClient::new(&Proxies::new(None, None, None).unwrap());
        let components = RuntimeComponentsBuilder::for_tests().build().unwrap();
        let connector = client.http_connector(&HttpConnectorSettings::default(), &components);
        let request = HttpRequest::get(format!("https://{address}/")).unwrap();
        let answer = connector.call(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), 204);
    }
}
