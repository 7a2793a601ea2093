//! What a presign policy lets through and what it locks out, as findings.
//!
//! The documents and the paths mention finitely many values. They split all requests into finitely
//! many classes: each endpoint that is named, and another one; each VPC; each piece of the address
//! ranges, and what is outside; exempt callers and others; by an AWS service or not; each tag and
//! variable. Every class is decided by the real documents, with the evaluator's own rules, and the
//! decision is held against the settings. So "nobody who should get in is locked out, and nobody
//! else gets in" is shown for all requests, not for a sample.
//!
//! The limits: the action is [`PRESIGN`](super::presign::PRESIGN); keys are taken to have one value
//! at most; a value with variables next to other text is tried with a few values for each variable;
//! what a document asks beyond what the evaluator reads is reported as [`Code::CannotTell`].
//!
//! **Invariant:** a finding carries a request that shows it, and the evaluator decides that request
//! as the finding says.

mod addresses;
mod findings;
mod judge;
mod mentions;
mod space;
mod surroundings;
mod systems;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::BTreeMap;
use std::fmt;

pub use self::surroundings::{AuthMode, Caller, Domain, Endpoint, Service, Surroundings};
use super::document::Document;
use super::inputs::{At, InputError};
use super::presign::{EndpointKind, Mode, Presign, PresignSettings};
use super::simulation::NamedRequest;

/// Something that people should know before they apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind of thing.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// Who is locked out or let in, and what to change. One or more whole sentences.
    pub message: String,
    /// A request that shows it.
    pub witness: NamedRequest,
    /// The setting to change, where there is one.
    pub at: Option<At>,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Somebody is locked out for whom a path was meant, or a condition does not hold.
    Error,
    /// That may be so, depending on what is not known here.
    Warning,
    /// Worth knowing.
    Info,
}

/// Declares the kinds of findings once: the variants, their words and the list of all of them.
macro_rules! codes {
    ($($(#[$meta:meta])* $variant:ident = $word:literal,)*) => {
        /// The kinds of findings.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$meta])* $variant,)*
        }

        impl Code {
            /// All kinds.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in `findings`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }
    };
}

codes! {
    /// URLs can be made on a path, but not used.
    MissingStudioEndpoint = "missing_studio_endpoint",
    /// URLs could be used on a path, but not made.
    MissingApiEndpoint = "missing_api_endpoint",
    /// A path asks for `aws:SourceIp` of requests that come through an endpoint.
    SourceIpOverEndpoint = "source_ip_over_endpoint",
    /// A path asks for private addresses in no VPC in particular.
    VpcSourceIpWithoutVpc = "vpc_source_ip_without_vpc",
    /// A path asks nothing, or asks for one value out of none.
    EmptyPath = "empty_path",
    /// No request can be on a path.
    UnreachablePath = "unreachable_path",
    /// No request is allowed.
    EveryoneLockedOut = "everyone_locked_out",
    /// A path is open to the internet, or to much of it.
    PublicPath = "public_path",
    /// A caller is allowed off the paths by another policy, and nothing denies it.
    GrantIsNoRestriction = "grant_is_no_restriction",
    /// An execution role is denied what Studio seems to need it for.
    ExecutionRoleRestricted = "execution_role_restricted",
    /// The domain does not use presigned URLs.
    SsoDomain = "sso_domain",
    /// A path names an endpoint that is in none of the VPCs that the path names.
    EndpointOfOtherVpc = "endpoint_of_other_vpc",
    /// Requests leave through the internet, for names do not lead to the endpoint.
    PrivateDnsOff = "private_dns_off",
    /// The policy of an endpoint denies calls of Studio's own.
    NarrowApiEndpointPolicy = "narrow_api_endpoint_policy",
    /// No principal escapes the guard.
    NoExemptPrincipal = "no_exempt_principal",
    /// A document allows a request that is on no path.
    LetIn = "let_in",
    /// A document denies a request that is on a path.
    LockedOut = "locked_out",
    /// A document asks something that is not read here.
    CannotTell = "cannot_tell",
}

/// When a request is made. Both are checked against the same action; they come through endpoints of
/// different services.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// A URL is made: seen from `sagemaker.api`.
    Creation,
    /// A URL is used: seen from `studio`.
    Use,
}

/// The documents to judge: what the settings give, or what there is in their place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Documents {
    /// The managed policies, which apply together.
    pub identity: Vec<Document>,
    /// The service control policy.
    pub scp: Option<Document>,
    /// The policies for endpoints.
    pub endpoints: BTreeMap<EndpointKind, Document>,
}

/// What an error in settings means for people, where it is one about a path that asks nothing. Such settings have no
/// documents, so that they are refused and there is nothing else to find.
pub fn empty_path(settings: &PresignSettings, error: &InputError) -> Option<Finding> {
    findings::empty_path(settings, error)
}

/// Analyses the documents of these settings. Errors come first.
pub fn analyze(presign: &Presign, surroundings: &Surroundings) -> Vec<Finding> {
    analyze_documents(presign, &Documents::of(presign), surroundings)
}

/// Holds documents against settings that they were not made from, or no longer are. Errors come
/// first.
pub fn analyze_documents(presign: &Presign, documents: &Documents, surroundings: &Surroundings) -> Vec<Finding> {
    let inventory = systems::inventory(presign, documents, surroundings);
    let analysis = systems::Analysis::new(presign, surroundings, &inventory);
    let mut findings = findings::all(&analysis);
    findings.sort_by_key(|finding| (finding.severity, finding.code));
    findings
}

impl Documents {
    /// What the settings give.
    pub fn of(presign: &Presign) -> Self {
        Self {
            identity: vec![presign.identity_policy()],
            scp: Some(presign.scp()),
            endpoints: EndpointKind::ALL.into_iter().map(|kind| (kind, presign.endpoint_policy(kind))).collect(),
        }
    }
}

impl Severity {
    /// The word in `findings`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

impl Stage {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Creation, Self::Use];

    /// The endpoint through which such requests come.
    pub fn endpoint(self) -> EndpointKind {
        match self {
            Self::Creation => EndpointKind::SagemakerApi,
            Self::Use => EndpointKind::Studio,
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether the identity policy denies.
fn denies(mode: Mode) -> bool {
    match mode {
        Mode::Grant => false,
        Mode::Guard | Mode::Both => true,
    }
}

/// Whether the identity policy allows.
fn allows(mode: Mode) -> bool {
    match mode {
        Mode::Guard => false,
        Mode::Grant | Mode::Both => true,
    }
}
