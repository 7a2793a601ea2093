//! Certificates as Terraform makes them for one run: self-signed CAs on the curve P-521.
//!
//! Written out in DER, because no library among the dependencies makes certificates on this curve.

use p521::{
    ecdsa::{Signature, SigningKey, signature::Signer},
    pkcs8::EncodePublicKey,
};
use rustls::pki_types::CertificateDer;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const OCTET_STRING: u8 = 0x04;
const OID: u8 = 0x06;
const UTF8_STRING: u8 = 0x0c;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const EXPLICIT_0: u8 = 0xa0;
const EXPLICIT_3: u8 = 0xa3;

/// 1.2.840.10045.4.3.4
const ECDSA_WITH_SHA512: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x04];
/// 2.5.4.3
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];
/// 2.5.29.19
const BASIC_CONSTRAINTS: [u8; 3] = [0x55, 0x1d, 0x13];

/// A key of its own for each seed.
pub fn key(seed: u8) -> SigningKey {
    let mut scalar = [seed; 66];
    // The order of the curve starts with 0x01ff; this is below it.
    scalar[0] = 0;
    SigningKey::from_slice(&scalar).expect("the scalar is neither 0 nor too large")
}

/// A self-signed CA with this key.
pub fn certificate(key: &SigningKey) -> CertificateDer<'static> {
    let tbs = to_be_signed(key);
    let signature: Signature = key.sign(&tbs);
    let signature = [&[0], signature.to_der().as_bytes()].concat();
    tlv(SEQUENCE, &[tbs, algorithm(), tlv(BIT_STRING, &[signature])]).into()
}

fn to_be_signed(key: &SigningKey) -> Vec<u8> {
    let name = tlv(OID, &[COMMON_NAME.to_vec()]);
    let name = tlv(SEQUENCE, &[name, tlv(UTF8_STRING, &[b"localhost".to_vec()])]);
    let name = tlv(SEQUENCE, &[tlv(SET, &[name])]);
    let from = tlv(UTC_TIME, &[b"200101000000Z".to_vec()]);
    let until = tlv(GENERALIZED_TIME, &[b"30000101000000Z".to_vec()]);
    let public = key.verifying_key().to_public_key_der().expect("a public key has a DER form");
    let is_ca = tlv(OCTET_STRING, &[tlv(SEQUENCE, &[vec![0x01, 0x01, 0xff]])]);
    let is_ca = [tlv(OID, &[BASIC_CONSTRAINTS.to_vec()]), vec![0x01, 0x01, 0xff], is_ca];
    tlv(
        SEQUENCE,
        &[
            tlv(EXPLICIT_0, &[tlv(INTEGER, &[vec![2]])]),
            tlv(INTEGER, &[vec![1]]),
            algorithm(),
            name.clone(),
            tlv(SEQUENCE, &[from, until]),
            name,
            public.as_bytes().to_vec(),
            tlv(EXPLICIT_3, &[tlv(SEQUENCE, &[tlv(SEQUENCE, &is_ca)])]),
        ],
    )
}

fn algorithm() -> Vec<u8> {
    tlv(SEQUENCE, &[tlv(OID, &[ECDSA_WITH_SHA512.to_vec()])])
}

/// Tag, length, value.
fn tlv(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let value = parts.concat();
    let length = u16::try_from(value.len()).expect("nothing here is as long").to_be_bytes();
    let length = match length {
        [0, short] if short < 0x80 => vec![short],
        [0, medium] => vec![0x81, medium],
        [high, low] => vec![0x82, high, low],
    };
    [vec![tag], length, value].concat()
}
