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
use super::inputs::{At, InputError, Problem};
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

/// The kinds of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    /// URLs can be made on a path, but not used.
    MissingStudioEndpoint,
    /// URLs could be used on a path, but not made.
    MissingApiEndpoint,
    /// A path asks for `aws:SourceIp` of requests that come through an endpoint.
    SourceIpOverEndpoint,
    /// A path asks for private addresses in no VPC in particular.
    VpcSourceIpWithoutVpc,
    /// A path asks nothing, or asks for one value out of none.
    EmptyPath,
    /// No request can be on a path.
    UnreachablePath,
    /// No request is allowed.
    EveryoneLockedOut,
    /// A path is open to the internet, or to much of it.
    PublicPath,
    /// A caller is allowed off the paths by another policy, and nothing denies it.
    GrantIsNoRestriction,
    /// An execution role is denied what Studio seems to need it for.
    ExecutionRoleRestricted,
    /// The domain does not use presigned URLs.
    SsoDomain,
    /// A path names an endpoint that is in none of the VPCs that the path names.
    EndpointOfOtherVpc,
    /// Requests leave through the internet, for names do not lead to the endpoint.
    PrivateDnsOff,
    /// The policy of an endpoint denies calls of Studio's own.
    NarrowApiEndpointPolicy,
    /// No principal escapes the guard.
    NoExemptPrincipal,
    /// A document allows a request that is on no path.
    LetIn,
    /// A document denies a request that is on a path.
    LockedOut,
    /// A document asks something that is not read here.
    CannotTell,
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

/// Analyses the documents of these settings.
///
/// # Errors
/// Settings at fault, but for paths that are empty: those are findings.
pub fn analyze_settings(
    settings: &PresignSettings,
    surroundings: &Surroundings,
) -> Result<Vec<Finding>, Vec<InputError>> {
    match Presign::new(settings) {
        Ok(presign) => Ok(analyze(&presign, surroundings)),
        Err(errors) => {
            let is_empty = |error: &InputError| matches!(error.problem, Problem::EmptyPath | Problem::EmptyList);
            if errors.iter().all(is_empty) { Ok(findings::empty_paths(settings, &errors)) } else { Err(errors) }
        }
    }
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

impl Code {
    /// The word in `findings`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingStudioEndpoint => "missing_studio_endpoint",
            Self::MissingApiEndpoint => "missing_api_endpoint",
            Self::SourceIpOverEndpoint => "source_ip_over_endpoint",
            Self::VpcSourceIpWithoutVpc => "vpc_source_ip_without_vpc",
            Self::EmptyPath => "empty_path",
            Self::UnreachablePath => "unreachable_path",
            Self::EveryoneLockedOut => "everyone_locked_out",
            Self::PublicPath => "public_path",
            Self::GrantIsNoRestriction => "grant_is_no_restriction",
            Self::ExecutionRoleRestricted => "execution_role_restricted",
            Self::SsoDomain => "sso_domain",
            Self::EndpointOfOtherVpc => "endpoint_of_other_vpc",
            Self::PrivateDnsOff => "private_dns_off",
            Self::NarrowApiEndpointPolicy => "narrow_api_endpoint_policy",
            Self::NoExemptPrincipal => "no_exempt_principal",
            Self::LetIn => "let_in",
            Self::LockedOut => "locked_out",
            Self::CannotTell => "cannot_tell",
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
