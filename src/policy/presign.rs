//! The documents that confine presigned URLs to the private path.
//!
//! `sagemaker:CreatePresignedDomainUrl` is checked when the URL is made, and again on every request
//! and frame while the URL is in use. The first comes through the endpoint of the SageMaker API, the
//! rest through the endpoint of Studio: a path by endpoint ids has to name both.
//!
//! **Invariant:** no Deny loses its force because a request lacks something. Denies use negated
//! operators, which hold where the key is absent, and never a set operator; a variable, which
//! would take its statement out of play, is always guarded by a Deny of its own.

#[cfg(test)]
mod decisions;
#[cfg(test)]
pub(super) mod random;
mod size;
mod split;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

pub use self::size::{Oversized, Share, TooLarge};
pub use self::split::split;
use super::document::{Document, Effect, Principals, Scope, Statement, Values, values};
use super::inputs::{self, At, DomainArn, InputError, Key, Problem};
use super::paths::{self, Accepted, Requirements};

/// The action that makes a presigned URL, and that every use of one is checked against.
pub const PRESIGN: &str = "sagemaker:CreatePresignedDomainUrl";

/// The settings, as the user wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresignSettings {
    /// Which statements the identity policy has.
    pub mode: Mode,
    /// The domains, at least one.
    pub domain_arns: Vec<String>,
    /// The profile part of the ARN in what is granted. The guard covers all profiles.
    pub user_profile: String,
    /// The paths, at least one. Any of them will do.
    pub allowed: Vec<AllowedPath>,
    /// Principals that no Deny of the guard is about.
    pub exempt_principal_arns: Vec<String>,
    /// Whether requests that AWS services make for the caller are left out of the guard too.
    pub allow_via_aws_services: bool,
    /// Tags that the profile must have. Values may hold policy variables.
    pub resource_tags: BTreeMap<String, String>,
}

/// Which statements the identity policy has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Allow on the paths. No restriction where another policy allows more.
    Grant,
    /// Deny off the paths, whatever else allows.
    #[default]
    Guard,
    /// Both.
    Both,
}

/// One path. What is `Some` must hold, any value of it. An empty list could never hold and is an
/// error: read as "not asked for" it would silently open the path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedPath {
    /// Through one of these VPC endpoints.
    pub vpc_endpoint_ids: Option<Vec<String>>,
    /// Through an endpoint in one of these VPCs.
    pub vpc_ids: Option<Vec<String>>,
    /// From a public address in one of these ranges. Never met by a request through an endpoint.
    pub source_cidr_blocks: Option<Vec<String>>,
    /// Through an endpoint, from a private address in one of these ranges.
    pub vpc_source_cidr_blocks: Option<Vec<String>>,
}

/// The endpoints whose policy can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EndpointKind {
    /// `studio`, where the URL is used.
    Studio,
    /// `sagemaker.api`, where the URL is made.
    SagemakerApi,
}

/// Settings that were checked, from which every document can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presign {
    mode: Mode,
    domains: BTreeSet<DomainArn>,
    user_profile: String,
    /// The paths as they were written, one for each.
    written: Vec<Requirements>,
    /// The same paths, simplified.
    paths: Vec<Requirements>,
    denials: Vec<Requirements>,
    exempt_principal_arns: Values,
    allow_via_aws_services: bool,
    resource_tags: BTreeMap<String, String>,
    /// The keys of the variables in tag values that a request may lack.
    variable_keys: BTreeSet<String>,
}

impl Presign {
    /// Checks the settings.
    ///
    /// # Errors
    /// Every setting at fault, in the order of the settings.
    pub fn new(settings: &PresignSettings) -> Result<Self, Vec<InputError>> {
        let mut errors = Vec::new();
        let domains = check_domains(settings, &mut errors);
        check(inputs::check_user_profile(&settings.user_profile), At::UserProfile, &mut errors);
        let written = check_paths(settings, &mut errors);
        let paths = paths::simplify(written.clone());
        let denials = paths::denials(&paths).unwrap_or_else(|paths::TooMany(most)| {
            errors.push(InputError { at: At::Allowed, problem: Problem::TooManyDenies(most) });
            Vec::new()
        });
        check_exempt(settings, domains.first(), &mut errors);
        let variable_keys = check_tags(settings, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Ok(Self {
            mode: settings.mode,
            domains: domains.into_iter().collect(),
            user_profile: settings.user_profile.clone(),
            written,
            paths,
            denials,
            exempt_principal_arns: values(&settings.exempt_principal_arns),
            allow_via_aws_services: settings.allow_via_aws_services,
            resource_tags: settings.resource_tags.clone(),
            variable_keys,
        })
    }

    /// The managed policy, by mode.
    pub fn identity_policy(&self) -> Document {
        Document::new(match self.mode {
            Mode::Grant => self.grant(),
            Mode::Guard => self.guard(),
            Mode::Both => [self.grant(), self.guard()].concat(),
        })
    }

    /// The guard as a service control policy, whatever the mode. It holds for every principal of
    /// the accounts that it is attached to, also for the execution roles with which Studio's portal
    /// seems to open apps (inferred from its messages, not documented): those have to call from the
    /// paths too, or be exempt.
    pub fn scp(&self) -> Document {
        Document::new(self.guard())
    }

    /// The policy of an endpoint: nobody presigns, or uses a presigned URL, for a domain that is not
    /// named. Everything else stays allowed: apps inside the VPC call the same endpoints.
    ///
    /// Exemptions do not reach here: they are about the path to the named domains, which this
    /// policy never denies.
    pub fn endpoint_policy(&self, kind: EndpointKind) -> Document {
        match kind {
            // Both check the same action, and both carry other calls of Studio's own.
            EndpointKind::Studio | EndpointKind::SagemakerApi => confined_to(self.profiles("*")),
        }
    }

    /// Which statements the identity policy has.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// The domains.
    pub fn domains(&self) -> impl Iterator<Item = &DomainArn> {
        self.domains.iter()
    }

    /// The profile part of the ARN in what is granted.
    pub(super) fn user_profile(&self) -> &str {
        &self.user_profile
    }

    /// What each path asks, in the order of the settings.
    pub(super) fn paths_as_written(&self) -> &[Requirements] {
        &self.written
    }

    pub(super) fn exempt_principal_arns(&self) -> &Values {
        &self.exempt_principal_arns
    }

    pub(super) fn allows_via_aws_services(&self) -> bool {
        self.allow_via_aws_services
    }

    pub(super) fn resource_tags(&self) -> &BTreeMap<String, String> {
        &self.resource_tags
    }

    /// One Allow for each path. `DescribeUserProfile` goes with it because AWS's published policies
    /// for presigning always allow the two together: a portal looks the profile up first. It needs
    /// no guard, for it opens nothing.
    fn grant(&self) -> Vec<Statement> {
        let allow = |(index, path): (usize, &Requirements)| {
            let actions = values([PRESIGN, "sagemaker:DescribeUserProfile"]);
            let mut statement = Statement::new(Effect::Allow, actions)
                .named(format!("AllowOnPath{}", index + 1))
                .on(self.profiles(&self.user_profile));
            for (key, accepted) in path {
                let operator = if key.holds_addresses() { "IpAddress" } else { "StringEquals" };
                statement = statement.when(operator, key.condition_key(), accepted.to_values());
            }
            for (tag, value) in &self.resource_tags {
                statement = statement.when("StringEquals", tag_key(tag), values([value]));
            }
            statement
        };
        self.paths.iter().enumerate().map(allow).collect()
    }

    /// One Deny for each way to be off all paths, one for each tag, and one for each variable that
    /// could be without a value. All profiles of the domains: a variable in the resource would let
    /// callers without a value for it escape.
    fn guard(&self) -> Vec<Statement> {
        let mut statements = Vec::new();
        for (index, denial) in self.denials.iter().enumerate() {
            let mut statement = self.deny(format!("DenyOffPath{}", index + 1));
            for (key, refused) in denial {
                let operator = if key.holds_addresses() { "NotIpAddress" } else { "StringNotEquals" };
                statement = statement.when(operator, key.condition_key(), refused.to_values());
            }
            statements.push(statement);
        }
        for (index, (tag, value)) in self.resource_tags.iter().enumerate() {
            let statement = self.deny(format!("DenyWithoutTag{}", index + 1));
            statements.push(statement.when("StringNotEquals", tag_key(tag), values([value])));
        }
        for (index, key) in self.variable_keys.iter().enumerate() {
            let statement = self.deny(format!("DenyWithoutValue{}", index + 1));
            statements.push(statement.when("Null", key, values(["true"])));
        }
        statements
    }

    /// A Deny without conditions of its own, and with the exemptions.
    fn deny(&self, sid: String) -> Statement {
        let mut statement = Statement::new(Effect::Deny, values([PRESIGN])).named(sid).on(self.profiles("*"));
        if !self.exempt_principal_arns.is_empty() {
            let exempt = self.exempt_principal_arns.clone();
            statement = statement.when("ArnNotLike", "aws:PrincipalArn", exempt);
        }
        if self.allow_via_aws_services {
            // IfExists: a request that says nothing of a service was made by the caller.
            statement = statement.when("BoolIfExists", "aws:ViaAWSService", values(["false"]));
        }
        statement
    }

    fn profiles(&self, pattern: &str) -> Values {
        self.domains.iter().map(|domain| domain.user_profiles(pattern)).collect()
    }
}

impl EndpointKind {
    /// All kinds.
    pub const ALL: [Self; 2] = [Self::Studio, Self::SagemakerApi];

    /// The service key of the endpoint.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Studio => "studio",
            Self::SagemakerApi => "sagemaker.api",
        }
    }
}

impl AllowedPath {
    /// The list that stands under `key`.
    pub fn list(&self, key: Key) -> Option<&[String]> {
        let list = match key {
            Key::SourceVpce => &self.vpc_endpoint_ids,
            Key::SourceVpc => &self.vpc_ids,
            Key::SourceIp => &self.source_cidr_blocks,
            Key::VpcSourceIp => &self.vpc_source_cidr_blocks,
        };
        list.as_deref()
    }
}

/// Whether a document is what [`Presign::endpoint_policy`] gives for some domains.
pub fn is_endpoint_policy(document: &Document) -> bool {
    let profiles = document.statements.iter().find_map(|statement| match &statement.resources {
        Some(Scope::AllBut(profiles)) => Some(profiles),
        Some(Scope::Only(_)) | None => None,
    });
    profiles.is_some_and(|profiles| {
        profiles.iter().all(|profile| profile.contains(":user-profile/d-"))
            && confined_to(profiles.clone()).same_meaning(document)
    })
}

/// Presigning for these profiles only, and everything else.
fn confined_to(profiles: Values) -> Document {
    Document::new(vec![
        Statement::new(Effect::Allow, values(["*"]))
            .named("AllowEverythingElse")
            .by(Principals::Everyone)
            .on(values(["*"])),
        Statement::new(Effect::Deny, values([PRESIGN]))
            .named("DenyOtherDomains")
            .by(Principals::Everyone)
            .on_all_but(profiles),
    ])
}

fn tag_key(tag: &str) -> String {
    format!("sagemaker:ResourceTag/{tag}")
}

fn check_domains(settings: &PresignSettings, errors: &mut Vec<InputError>) -> Vec<DomainArn> {
    if settings.domain_arns.is_empty() {
        errors.push(InputError { at: At::DomainArns, problem: Problem::NoDomains });
    }
    let mut domains: Vec<DomainArn> = Vec::new();
    for (index, arn) in settings.domain_arns.iter().enumerate() {
        let checked = inputs::check_domain_arn(arn).and_then(|domain| {
            same_partition(arn, &domain.partition, domains.first())?;
            Ok(domain)
        });
        domains.extend(check(checked, At::DomainArn(index), errors));
    }
    domains
}

fn check_paths(settings: &PresignSettings, errors: &mut Vec<InputError>) -> Vec<Requirements> {
    if settings.allowed.is_empty() {
        errors.push(InputError { at: At::Allowed, problem: Problem::NoPaths });
    }
    let paths = settings.allowed.iter().enumerate();
    paths.map(|(index, path)| check_path(index, path, errors)).collect()
}

fn check_path(index: usize, path: &AllowedPath, errors: &mut Vec<InputError>) -> Requirements {
    if Key::ALL.iter().all(|key| path.list(*key).is_none()) {
        errors.push(InputError { at: At::Path(index), problem: Problem::EmptyPath });
    }
    let mut requirements = Requirements::new();
    for key in Key::ALL {
        let Some(list) = path.list(key) else { continue };
        if list.is_empty() {
            let at = At::PathList(index, key);
            errors.push(InputError { at, problem: Problem::EmptyList });
        }
        let values = list.iter().enumerate();
        let at = |value| At::PathValue(index, key, value);
        let accepted = if key.holds_addresses() {
            let networks = values.filter_map(|(i, v)| check(inputs::check_cidr(v), at(i), errors));
            Accepted::networks(networks)
        } else {
            let id = |id: &String| inputs::check_id(key, id).map(|()| id.clone());
            Accepted::ids(values.filter_map(|(i, v)| check(id(v), at(i), errors)))
        };
        requirements.insert(key, accepted);
    }
    requirements
}

fn check_exempt(settings: &PresignSettings, first: Option<&DomainArn>, errors: &mut Vec<InputError>) {
    for (index, arn) in settings.exempt_principal_arns.iter().enumerate() {
        let checked = inputs::check_principal_arn(arn).and_then(|partition| match partition {
            Some(partition) => same_partition(arn, partition, first),
            None => Ok(()),
        });
        check(checked, At::ExemptPrincipalArn(index), errors);
    }
}

/// Gives the keys of variables that a request may lack.
fn check_tags(settings: &PresignSettings, errors: &mut Vec<InputError>) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    for (tag, value) in &settings.resource_tags {
        let checked = inputs::check_resource_tag(tag, value);
        keys.extend(check(checked, At::ResourceTag(tag.clone()), errors).into_iter().flatten());
    }
    keys
}

fn same_partition(arn: &str, partition: &str, first: Option<&DomainArn>) -> Result<(), Problem> {
    match first {
        Some(first) if first.partition != partition => {
            Err(Problem::OtherPartition { arn: arn.to_owned(), expected: first.partition.clone() })
        }
        Some(_) | None => Ok(()),
    }
}

fn check<T>(checked: Result<T, Problem>, at: At, errors: &mut Vec<InputError>) -> Option<T> {
    checked.map_err(|problem| errors.push(InputError { at, problem })).ok()
}
