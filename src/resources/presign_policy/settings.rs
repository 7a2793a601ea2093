//! The rules of a presign policy, as far as they are known, and the documents that they give.
//!
//! **Invariant:** pure. What is not known yet is neither guessed nor complained about.

use std::collections::{BTreeMap, BTreeSet};

use super::findings;
use super::schema::{Allowed, Model};
use crate::framework::{Diagnostic, Diagnostics, Path, Value};
use crate::policy::analyze::empty_path;
use crate::policy::document::{Document, MANAGED_POLICY_LIMIT};
use crate::policy::inputs::{At, DomainArn, InputError, Key, check_domain_arn};
use crate::policy::presign::{AllowedPath, EndpointKind, Mode, Presign, PresignSettings};
use crate::resources::values::Strings;

/// How many managed policies one document may take: a role, user or group has ten unless a higher quota was asked for
/// (IAM quotas), and some of them are likely to be taken.
pub const MOST_POLICIES: usize = 10;

/// The rules, and what is missing of them.
#[derive(Clone, Debug)]
pub struct Settings {
    known: PresignSettings,
    gaps: Gaps,
}

/// What is not known. What stands in `known` in its place says nothing.
#[derive(Clone, Debug, Default, PartialEq)]
struct Gaps {
    mode: bool,
    domain_arns: bool,
    user_profile: bool,
    allowed: bool,
    paths: BTreeSet<usize>,
    lists: BTreeSet<(usize, Key)>,
    exempt_principal_arns: bool,
    allow_via_aws_services: bool,
    resource_tags: bool,
}

/// The documents that the rules give. What depends on something that is not known, or is wrong, is missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Documents {
    /// The managed policy.
    pub policy: Option<Document>,
    /// The service control policy.
    pub scp: Option<Document>,
    /// The policies of endpoints.
    pub endpoints: Option<BTreeMap<EndpointKind, Document>>,
}

impl Settings {
    /// The rules in a model.
    pub fn of(model: &Model) -> Self {
        let mut gaps = Gaps::default();
        let (mode, gap) = mode(&model.mode);
        gaps.mode = gap;
        let known = PresignSettings {
            mode,
            domain_arns: texts(&model.domain_arns, &mut gaps.domain_arns),
            user_profile: known_or(&model.user_profile, "*".to_owned(), &mut gaps.user_profile),
            allowed: paths(&model.allowed, &mut gaps),
            exempt_principal_arns: texts(&model.exempt_principal_arns, &mut gaps.exempt_principal_arns),
            allow_via_aws_services: known_or(&model.allow_via_aws_services, false, &mut gaps.allow_via_aws_services),
            resource_tags: tags(model, &mut gaps.resource_tags),
        };
        // Nobody can leave these out; they are missing after the import of a policy that is not ours.
        gaps.domain_arns |= model.domain_arns.is_null();
        gaps.allowed |= model.allowed.is_null();
        Settings { known, gaps }
    }

    /// What is wrong with what is known, on the attributes at fault.
    pub fn check(&self) -> Diagnostics {
        match Presign::new(&self.known) {
            Ok(presign) => self.check_size(&presign),
            Err(errors) => errors
                .iter()
                .filter(|error| self.gaps.leave_room_for(error))
                .map(|error| self.complaint(error))
                .collect(),
        }
    }

    fn complaint(&self, error: &InputError) -> Diagnostic {
        match empty_path(&self.known, error) {
            Some(finding) => findings::refusal(&finding, self),
            None => {
                let summary = format!("Invalid {}", attribute(&error.at));
                Diagnostic::error(summary, format!("{}.", error.problem)).at(self.path(&error.at))
            }
        }
    }

    /// The documents.
    pub fn documents(&self) -> Documents {
        let presign = Presign::new(&self.known).ok();
        Documents {
            policy: presign.as_ref().filter(|_| self.is_policy_known()).map(Presign::identity_policy),
            scp: presign.as_ref().filter(|_| !self.gaps.concern_the_guard()).map(Presign::scp),
            endpoints: self.endpoint_documents(),
        }
    }

    /// The checked rules, if all of them are known and right.
    pub fn presign(&self) -> Option<Presign> {
        if self.is_policy_known() { Presign::new(&self.known).ok() } else { None }
    }

    /// The domains that are known and right.
    pub fn domains(&self) -> Vec<DomainArn> {
        self.known.domain_arns.iter().filter_map(|arn| check_domain_arn(arn).ok()).collect()
    }

    /// The guard covers all profiles, whichever are granted.
    fn is_policy_known(&self) -> bool {
        let profile_known = !self.gaps.user_profile || self.known.mode == Mode::Guard;
        !self.gaps.mode && profile_known && !self.gaps.concern_the_guard()
    }

    /// The policies of endpoints depend on the domains alone, so that they are often known before the paths.
    fn endpoint_documents(&self) -> Option<BTreeMap<EndpointKind, Document>> {
        if self.gaps.domain_arns {
            return None;
        }
        let any_path = AllowedPath { source_cidr_blocks: Some(vec!["0.0.0.0/0".to_owned()]), ..AllowedPath::default() };
        let presign = Presign::new(&PresignSettings {
            mode: Mode::Guard,
            domain_arns: self.known.domain_arns.clone(),
            user_profile: "*".to_owned(),
            allowed: vec![any_path],
            exempt_principal_arns: Vec::new(),
            allow_via_aws_services: false,
            resource_tags: BTreeMap::new(),
        });
        let presign = presign.ok()?;
        Some(EndpointKind::ALL.into_iter().map(|kind| (kind, presign.endpoint_policy(kind))).collect())
    }

    /// More paths can make a shorter document, where one takes in others: the size is known when everything is.
    fn check_size(&self, presign: &Presign) -> Diagnostics {
        if !self.is_policy_known() {
            return Diagnostics::new();
        }
        let document = presign.identity_policy();
        match presign.check_size(&document, MANAGED_POLICY_LIMIT) {
            Ok(()) => Diagnostics::new(),
            Err(too_large) => {
                Diagnostic::error("The policy is too long", format!("{}.", sentence(&too_large.to_string())))
                    .at(Path::root(too_large.heaviest.attribute))
                    .into()
            }
        }
    }

    /// The attribute that a place in the rules stands for.
    pub fn path(&self, at: &At) -> Path {
        let allowed = |path: usize| Path::root("allowed").index(path);
        match at {
            At::DomainArns => Path::root("domain_arns"),
            At::DomainArn(index) => Path::root("domain_arns").element(self.known.domain_arns[*index].as_str()),
            At::UserProfile => Path::root("user_profile"),
            At::Allowed => Path::root("allowed"),
            At::Path(path) => allowed(*path),
            At::PathList(path, key) => allowed(*path).attribute(key.attribute()),
            At::PathValue(path, key, index) => {
                let list = self.known.allowed[*path].list(*key).expect("the error is about a value of this list");
                allowed(*path).attribute(key.attribute()).element(list[*index].as_str())
            }
            At::ExemptPrincipalArn(index) => {
                Path::root("exempt_principal_arns").element(self.known.exempt_principal_arns[*index].as_str())
            }
            At::ResourceTag(key) => Path::root("resource_tags").key(key),
        }
    }
}

impl Gaps {
    /// Whether an error holds whatever will stand where something is not known.
    fn leave_room_for(&self, error: &InputError) -> bool {
        let of_path = |path: &usize| self.paths.contains(path);
        let in_path = |path: &usize| of_path(path) || self.lists.iter().any(|(other, _)| other == path);
        match &error.at {
            At::DomainArns => !self.domain_arns,
            At::Allowed => !self.allowed && self.paths.is_empty() && self.lists.is_empty(),
            At::Path(path) => !in_path(path),
            At::PathList(path, key) => !of_path(path) && !self.lists.contains(&(*path, *key)),
            At::UserProfile => !self.user_profile,
            At::DomainArn(_) | At::PathValue(..) | At::ExemptPrincipalArn(_) | At::ResourceTag(_) => true,
        }
    }

    fn concern_the_guard(&self) -> bool {
        let without = Gaps { mode: false, user_profile: false, ..self.clone() };
        without != Gaps::default()
    }
}

fn mode(value: &Value<String>) -> (Mode, bool) {
    match value.text() {
        Some("grant") => (Mode::Grant, false),
        Some("both") => (Mode::Both, false),
        Some(_) => (Mode::Guard, false),
        None => (Mode::Guard, value.is_unknown()),
    }
}

/// The word for a mode.
pub fn mode_word(mode: Mode) -> &'static str {
    match mode {
        Mode::Grant => "grant",
        Mode::Guard => "guard",
        Mode::Both => "both",
    }
}

fn known_or<T: Clone>(value: &Value<T>, otherwise: T, gap: &mut bool) -> T {
    *gap |= value.is_unknown();
    value.known().cloned().unwrap_or(otherwise)
}

fn texts(strings: &Strings, gap: &mut bool) -> Vec<String> {
    *gap |= strings.is_unknown();
    let elements: &[Value<String>] = strings.known().map_or(&[], Vec::as_slice);
    *gap |= elements.iter().any(Value::is_unknown);
    elements.iter().filter_map(|element| element.known().cloned()).collect()
}

fn tags(model: &Model, gap: &mut bool) -> BTreeMap<String, String> {
    *gap |= model.resource_tags.is_unknown();
    let tags = model.resource_tags.known().into_iter().flatten();
    tags.filter_map(|(key, value)| {
        *gap |= value.is_unknown();
        Some((key.clone(), value.known()?.clone()))
    })
    .collect()
}

/// A path that is not known keeps its place, so that the ones behind it keep their numbers.
fn paths(allowed: &Value<Vec<Value<Allowed>>>, gaps: &mut Gaps) -> Vec<AllowedPath> {
    gaps.allowed |= allowed.is_unknown();
    let paths: &[Value<Allowed>] = allowed.known().map_or(&[], Vec::as_slice);
    let one = |(index, path): (usize, &Value<Allowed>)| {
        if path.is_unknown() {
            gaps.paths.insert(index);
        }
        let mut list = |key: Key, of: fn(&Allowed) -> &Strings| {
            let strings = of(path.known()?);
            let mut gap = false;
            let texts = texts(strings, &mut gap);
            if gap {
                gaps.lists.insert((index, key));
            }
            // A list of which nothing is known yet says nothing.
            let says_nothing = strings.is_null() || (gap && texts.is_empty());
            (!says_nothing).then_some(texts)
        };
        AllowedPath {
            vpc_endpoint_ids: list(Key::SourceVpce, |path| &path.vpc_endpoint_ids),
            vpc_ids: list(Key::SourceVpc, |path| &path.vpc_ids),
            source_cidr_blocks: list(Key::SourceIp, |path| &path.source_cidr_blocks),
            vpc_source_cidr_blocks: list(Key::VpcSourceIp, |path| &path.vpc_source_cidr_blocks),
        }
    };
    paths.iter().enumerate().map(one).collect()
}

/// The attribute at fault, in words: Terraform points at the whole resource where it lies inside of `allowed`. The value
/// itself stands in the error.
fn attribute(at: &At) -> String {
    match at {
        At::DomainArns | At::DomainArn(_) => At::DomainArns.to_string(),
        At::UserProfile | At::Allowed | At::Path(_) | At::PathList(..) => at.to_string(),
        At::PathValue(path, key, _) => At::PathList(*path, *key).to_string(),
        At::ExemptPrincipalArn(_) => "exempt_principal_arns".to_owned(),
        At::ResourceTag(_) => "resource_tags".to_owned(),
    }
}

/// With a capital, for the start of a text.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests;
