//! A client that starts the provider and speaks to it as Terraform does.
//!
//! Terraform's habits that matter: the cookie, a P-521 certificate of its own for each run, the
//! handshake line, mutual TLS over the Unix socket, and trust in exactly one server certificate.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
    sync::Arc,
    time::Duration,
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD},
};
use hyper_util::rt::TokioIo;
use p521::ecdsa::{Signature, SigningKey, signature::Signer as _};
use rustls::{
    ClientConfig, RootCertStore, SignatureAlgorithm, SignatureScheme,
    client::ResolvesClientCert,
    pki_types::{CertificateDer, ServerName},
    sign::{CertifiedKey, Signer},
};
use studio::plugin::pb::{
    plugin::grpc_controller_client::GrpcControllerClient, tfplugin6::provider_client::ProviderClient,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::UnixStream,
    process::{Child, ChildStdout, Command},
};
use tokio_rustls::TlsConnector;
use tokio_util::either::Either;
use tonic::transport::{Channel, Endpoint};

use crate::client_certificate;

/// Terraform's own limit, in bytes.
const MESSAGE_LIMIT: usize = 256 << 20;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that must happen, and fails the test if it does not.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it should have happened by now")
}

/// How to start the provider.
pub struct Launch {
    command: Command,
    /// Where the process makes its temporary files, so that none outlives the test.
    temporary: TempDir,
}

impl Launch {
    /// As a person would, by hand.
    pub fn by_hand() -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_terraform-provider-studio"));
        // Only what a test sets is to count, not what the person running the tests has set.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if ["TF_", "PLUGIN_", "AWS_"].iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(&*name);
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.kill_on_drop(true);
        let temporary = tempfile::tempdir().unwrap();
        command.env("TMPDIR", temporary.path());
        Self { command, temporary }
    }

    /// As Terraform would for this client.
    pub fn by_terraform(client: &Identity) -> Self {
        let certificate = client.certificate.as_ref().expect("Terraform has a certificate");
        let certificate = STANDARD.encode(certificate);
        Self::by_hand()
            .with("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2")
            .with("PLUGIN_PROTOCOL_VERSIONS", "5,6")
            .with("PLUGIN_MIN_PORT", "10000")
            .with("PLUGIN_MAX_PORT", "25000")
            .with(
                "PLUGIN_CLIENT_CERT",
                format!("-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"),
            )
    }

    /// With this environment variable.
    pub fn with(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without it.
    pub fn without(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// With these arguments.
    pub fn arguments(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Waits for the end of a process that is not expected to serve.
    pub async fn output(mut self) -> Output {
        soon(self.command.output()).await.unwrap()
    }

    /// Waits for the handshake line of one that is.
    pub async fn start(mut self) -> Plugin {
        let mut process = self.command.spawn().unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let mut line = String::new();
        soon(stdout.read_line(&mut line)).await.unwrap();
        Plugin { process, stdout, line, _temporary: self.temporary }
    }
}

/// A provider that serves.
pub struct Plugin {
    /// The process; it is killed when this is dropped.
    pub process: Child,
    /// What comes after the handshake line.
    pub stdout: BufReader<ChildStdout>,
    /// The handshake line, with its line break.
    pub line: String,
    _temporary: TempDir,
}

impl Plugin {
    /// The fields of the handshake line.
    pub fn fields(&self) -> Vec<&str> {
        self.line.trim_end().split('|').collect()
    }

    /// The socket's path.
    pub fn socket(&self) -> &Path {
        Path::new(self.fields()[3])
    }

    /// A connection over TLS. It is made at the first call.
    pub fn connect(&self, client: &Identity) -> Connection {
        let server = STANDARD_NO_PAD.decode(self.fields()[5]).unwrap();
        Connection::over(self.socket(), Some(client.tls(server.into())))
    }

    /// A connection without TLS.
    pub fn connect_plainly(&self) -> Connection {
        Connection::over(self.socket(), None)
    }
}

/// The services of a provider.
pub struct Connection {
    /// `tfplugin6.Provider`
    pub provider: ProviderClient<Channel>,
    /// `plugin.GRPCController`
    pub controller: GrpcControllerClient<Channel>,
}

impl Connection {
    fn over(socket: &Path, tls: Option<TlsConnector>) -> Self {
        let socket = PathBuf::from(socket);
        let connector = tower::service_fn(move |_| {
            let (socket, tls) = (socket.clone(), tls.clone());
            async move {
                let stream = UnixStream::connect(socket).await?;
                Ok::<_, std::io::Error>(match tls {
                    None => TokioIo::new(Either::Left(stream)),
                    Some(tls) => {
                        let name = ServerName::try_from("localhost").unwrap();
                        TokioIo::new(Either::Right(tls.connect(name, stream).await?))
                    }
                })
            }
        });
        // The address is not looked at, but there has to be one.
        let channel = Endpoint::from_static("http://localhost").connect_with_connector_lazy(connector);
        Self {
            provider: ProviderClient::new(channel.clone())
                .max_decoding_message_size(MESSAGE_LIMIT)
                .max_encoding_message_size(MESSAGE_LIMIT),
            controller: GrpcControllerClient::new(channel),
        }
    }
}

/// What a client shows, and what it signs with.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Shown to the server, if any.
    pub certificate: Option<CertificateDer<'static>>,
    /// Should be the certificate's.
    pub key: SigningKey,
}

impl Identity {
    /// One of its own for each seed.
    pub fn new(seed: u8) -> Self {
        let key = client_certificate::key(seed);
        Self { certificate: Some(client_certificate::certificate(&key)), key }
    }

    fn tls(&self, server: CertificateDer<'static>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(server).unwrap();
        let crypto = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(crypto)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(roots)
            .with_client_cert_resolver(Arc::new(self.clone()));
        config.alpn_protocols = vec![b"h2".to_vec()];
        Arc::new(config).into()
    }
}

impl ResolvesClientCert for Identity {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let key = Arc::new(self.clone());
        self.certificate.clone().map(|shown| Arc::new(CertifiedKey::new(vec![shown], key)))
    }

    fn has_certs(&self) -> bool {
        self.certificate.is_some()
    }
}

impl rustls::sign::SigningKey for Identity {
    fn choose_scheme(&self, offered: &[SignatureScheme]) -> Option<Box<dyn Signer>> {
        let scheme = Signer::scheme(self);
        offered.contains(&scheme).then(|| Box::new(self.clone()) as Box<dyn Signer>)
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }
}

impl Signer for Identity {
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, rustls::Error> {
        let signature: Signature = self.key.sign(message);
        Ok(signature.to_der().as_bytes().to_vec())
    }

    fn scheme(&self) -> SignatureScheme {
        SignatureScheme::ECDSA_NISTP521_SHA512
    }
}
