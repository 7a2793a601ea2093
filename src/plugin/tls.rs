//! Mutual TLS between Terraform and this process.
//!
//! Both sides make a certificate for this one run. Terraform's comes in through the environment and
//! ours goes out with the handshake line, so each side knows the other's before the first byte.
//!
//! **Invariant:** a client gets in only with that very certificate *and* its private key. Nothing
//! else of a certificate is looked at: it is a self-signed CA, which web-PKI rules would refuse as
//! a client, and equality says more than they would.

use std::sync::Arc;

use p521::{
    ecdsa::{Signature, VerifyingKey, signature::Verifier},
    pkcs8::DecodePublicKey,
};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, UnixTime},
    server::{
        ParsedCertificate,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use tokio_rustls::TlsAcceptor;

/// Why TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Our own certificate.
    #[error("making the server's certificate")]
    Certificate(#[from] rcgen::Error),
    /// The configuration of TLS.
    #[error("setting up TLS")]
    Config(#[from] Error),
}

/// Makes a certificate and accepts connections with it, from the owner of `client` alone.
///
/// # Errors
/// [`TlsError`] when the system's random numbers fail; there is no other known cause.
pub fn acceptor(client: CertificateDer<'static>) -> Result<(TlsAcceptor, CertificateDer<'static>), TlsError> {
    let (certificate, key) = server_certificate()?;
    // The crypto provider is named here, so that no default of the process matters.
    let mut config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(PinnedClient { certificate: client }))
        .with_single_cert(vec![certificate.clone()], key)?;
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok((TlsAcceptor::from(Arc::new(config)), certificate))
}

/// Terraform trusts exactly this certificate, for the name `localhost`, as a server.
fn server_certificate() -> Result<(CertificateDer<'static>, PrivateKeyDer<'static>), rcgen::Error> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let mut params = CertificateParams::new(["localhost".to_owned()])?;
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    let certificate = params.self_signed(&key)?;
    let key = PrivatePkcs8KeyDer::from(key.serialize_der());
    Ok((certificate.der().clone(), key.into()))
}

/// Lets in whoever shows this certificate and signs with its key.
#[derive(Debug)]
struct PinnedClient {
    certificate: CertificateDer<'static>,
}

impl ClientCertVerifier for PinnedClient {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        // No need for constant time: a certificate is public.
        if shown.as_ref() == self.certificate.as_ref() {
            Ok(ClientCertVerified::assertion())
        } else {
            Err(CertificateError::ApplicationVerificationFailure.into())
        }
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Error::General("TLS 1.2 is not offered".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_p521(message, certificate, signature.scheme, signature.signature())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // Terraform's key is on P-521, which ring does not know. Were this scheme missing here,
        // Terraform would send no certificate at all, without a word.
        vec![SignatureScheme::ECDSA_NISTP521_SHA512]
    }
}

fn verify_p521(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    scheme: SignatureScheme,
    signature: &[u8],
) -> Result<HandshakeSignatureValid, Error> {
    let bad = || Error::from(CertificateError::BadSignature);
    if scheme != SignatureScheme::ECDSA_NISTP521_SHA512 {
        return Err(bad());
    }
    let spki = ParsedCertificate::try_from(certificate)?.subject_public_key_info();
    let key = VerifyingKey::from_public_key_der(&spki).map_err(|_| bad())?;
    let signature = Signature::from_der(signature).map_err(|_| bad())?;
    key.verify(message, &signature).map_err(|_| bad())?;
    Ok(HandshakeSignatureValid::assertion())
}

/// The tests of the whole program make their client's certificate in the same way.
#[cfg(test)]
#[path = "../../tests/it/client_certificate.rs"]
mod client_certificate;

#[cfg(test)]
mod tests {
    use p521::{
        ecdsa::{SigningKey, signature::Signer},
        pkcs8::EncodePublicKey,
    };

    use super::{
        client_certificate::{certificate, key},
        *,
    };

    const SCHEME: SignatureScheme = SignatureScheme::ECDSA_NISTP521_SHA512;

    fn signed(key: &SigningKey, message: &[u8]) -> Vec<u8> {
        let signature: Signature = key.sign(message);
        signature.to_der().as_bytes().to_vec()
    }

    #[test]
    fn the_right_certificate_with_its_key_is_let_in() {
        let key = key(1);
        let certificate = certificate(&key);
        let verifier = PinnedClient { certificate: certificate.clone() };
        verifier.verify_client_cert(&certificate, &[], UnixTime::now()).unwrap();
        verify_p521(b"transcript", &certificate, SCHEME, &signed(&key, b"transcript")).unwrap();
    }

    #[test]
    fn the_right_certificate_with_another_key_is_refused() {
        let certificate = certificate(&key(1));
        let signature = signed(&key(2), b"transcript");
        let error = verify_p521(b"transcript", &certificate, SCHEME, &signature).unwrap_err();
        assert_eq!(error, Error::InvalidCertificate(CertificateError::BadSignature));
    }

    #[test]
    fn a_signature_over_something_else_is_refused() {
        let key = key(1);
        let signature = signed(&key, b"another transcript");
        assert!(verify_p521(b"transcript", &certificate(&key), SCHEME, &signature).is_err());
    }

    #[test]
    fn a_scheme_that_was_not_offered_is_refused() {
        let key = key(1);
        let signature = signed(&key, b"transcript");
        let other = SignatureScheme::ECDSA_NISTP256_SHA256;
        assert!(verify_p521(b"transcript", &certificate(&key), other, &signature).is_err());
    }

    #[test]
    fn another_certificate_of_the_same_kind_is_refused() {
        let verifier = PinnedClient { certificate: certificate(&key(1)) };
        let error = verifier.verify_client_cert(&certificate(&key(2)), &[], UnixTime::now()).unwrap_err();
        let expected = CertificateError::ApplicationVerificationFailure;
        assert_eq!(error, Error::InvalidCertificate(expected));
    }

    #[test]
    fn a_certificate_is_required_and_p521_is_the_only_scheme() {
        let key = key(1);
        let verifier = PinnedClient { certificate: certificate(&key) };
        assert!(verifier.client_auth_mandatory());
        assert_eq!(verifier.supported_verify_schemes(), [SCHEME]);
        // The certificate really holds the key that the test signs with.
        let spki = ParsedCertificate::try_from(&verifier.certificate).unwrap();
        let expected = key.verifying_key().to_public_key_der().unwrap();
        assert_eq!(spki.subject_public_key_info().as_ref(), expected.as_bytes());
    }
}
