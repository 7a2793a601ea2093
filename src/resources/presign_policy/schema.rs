//! The attributes of `studio_presign_policy`.
//!
//! **Invariant:** calls nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::findings::{self, Findings};
use super::settings::Settings;
use crate::framework::schema::{Nesting, Schema};
use crate::framework::{Attribute, Diagnostic, Diagnostics, Path, Timeouts, Value, checks};
use crate::policy::presign::EndpointKind;
use crate::resources::common::{closing_attributes, id_attribute, region_attribute};
use crate::resources::values::{StringMap, Strings};

/// A presign policy, as Terraform sees it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct Model {
    pub id: Value<String>,
    pub region: Value<String>,
    pub name: Value<String>,
    pub path: Value<String>,
    pub description: Value<String>,
    pub mode: Value<String>,
    pub domain_arns: Strings,
    pub user_profile: Value<String>,
    pub allowed: Value<Vec<Value<Allowed>>>,
    pub exempt_principal_arns: Strings,
    pub allow_via_aws_services: Value<bool>,
    pub resource_tags: StringMap,
    pub attach_to: Value<AttachTo>,
    pub endpoint_policies: StringMap,
    pub on_lockout: Value<String>,
    pub arn: Value<String>,
    pub policy_id: Value<String>,
    pub policy_json: Value<String>,
    pub scp_json: Value<String>,
    pub endpoint_policy_json: Value<BTreeMap<String, String>>,
    pub findings: Findings,
    pub tags: StringMap,
    pub tags_all: StringMap,
    pub drift: Value<Vec<String>>,
    pub timeouts: Value<Timeouts>,
}

/// One element of `allowed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct Allowed {
    pub vpc_endpoint_ids: Strings,
    pub vpc_ids: Strings,
    pub source_cidr_blocks: Strings,
    pub vpc_source_cidr_blocks: Strings,
}

/// `attach_to`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each field is described in the schema below")]
pub struct AttachTo {
    pub roles: Strings,
    pub users: Strings,
    pub groups: Strings,
}

impl AttachTo {
    /// Whether every name is known.
    pub fn is_known(&self) -> bool {
        [&self.roles, &self.users, &self.groups].into_iter().all(|names| known_set(names).is_some())
    }
}

/// The schema.
pub fn schema() -> Schema {
    let mut attributes = naming();
    attributes.extend(rules());
    attributes.extend(uses());
    attributes.extend(results());
    attributes.extend(closing_attributes());
    Schema { description: DESCRIPTION, attributes, ..Schema::default() }
}

const DESCRIPTION: &str = "The IAM conditions that confine presigned URLs of SageMaker Studio to the private path: a managed policy with its attachments, the policies of VPC endpoints, and the same rules as a service control policy.

AWS checks `sagemaker:CreatePresignedDomainUrl` when a URL is made, which goes through the endpoint of `sagemaker.api`, and again on every request that uses it, which goes through the endpoint of `studio`. A path by endpoint ids must name both. Presigned URLs exist for domains with the authentication mode `IAM` only.

Documents are compared by meaning: another order or spelling in AWS is no change. What the policy says otherwise shows as `policy_json`, and the next apply puts it right by making a new version. A policy has at most five versions, so the oldest one goes when there is no room. A document of more than 6,144 characters, white space not counted, is refused with what to shorten, and not split: one policy changes at once, while several would leave a moment in which only some of the rules hold. Domains can be divided among several resources, each with its own `name`; `studio_presign_policy_document` gives a document in parts.

If the policy is deleted outside of Terraform, it is planned as a new creation; where the policies of endpoints are still set, as a change that makes it again, so that they are not forgotten.

Import takes the policy's ARN. The name, tags and attachments are read; every role, user and group that the policy is attached to counts as one of `attach_to` from then on. `mode`, `domain_arns`, `allowed` and the other rules are recovered where the document is one that this resource would make, in the shortest form that means the same. Where it is not, the import succeeds with `policy_json` as it is in AWS, and the next plan shows the change. `endpoint_policies` is recovered for endpoints that `allowed` names and that have this resource's policy.";

fn naming() -> Vec<Attribute> {
    vec![
        id_attribute("The policy's ARN."),
        region_attribute(),
        Attribute::string("name")
            .required()
            .replaces()
            .describe("The managed policy's name, unique in the account whatever the path.")
            .check(checks::length(1, 128))
            .check(checks::text(|text| iam_name(text, "a policy"))),
        Attribute::string("path")
            .default_to("/")
            .replaces()
            .describe("The managed policy's path in IAM.")
            .check(checks::length(1, 512))
            .check(checks::text(iam_path)),
        Attribute::string("description")
            .replaces()
            .describe("The managed policy's description. IAM cannot change it, so a change replaces the policy.")
            .check(checks::length(1, 1_000)),
    ]
}

/// The attributes that say what is allowed.
pub fn rules() -> Vec<Attribute> {
    vec![
        Attribute::string("mode")
            .default_to("guard")
            .describe("`guard`: deny everywhere but on the paths; no other policy can undo it. `grant`: allow on the paths; where another policy allows more, that still holds. `both`: both.")
            .check(checks::one_of(&["grant", "guard", "both"])),
        Attribute::string_set("domain_arns").required().describe("The ARNs of the domains that the rules are about."),
        Attribute::string("user_profile")
            .default_to("*")
            .describe("The user profiles that `grant` allows: a name, a pattern with `*` and `?`, or IAM variables such as `${aws:username}`, written `$${aws:username}` in Terraform. `guard` covers all profiles of the domains."),
        allowed(),
        Attribute::string_set("exempt_principal_arns").describe(
            "Principals that no Deny is about, for emergencies: ARNs of roles or users, or patterns for them. They are allowed no more than other policies allow them.",
        ),
        Attribute::bool("allow_via_aws_services")
            .default_to(false)
            .describe("Whether requests that AWS services make on a caller's behalf (`aws:ViaAWSService`) are left out of every Deny, too."),
        Attribute::string_map("resource_tags").describe(
            "Tags that a user profile must have: `grant` allows only with them, `guard` denies without them. Values may hold IAM variables such as `${aws:PrincipalTag/employee}`, written `$${aws:PrincipalTag/employee}` in Terraform.",
        ),
    ]
}

fn allowed() -> Attribute {
    let set = |name, text| Attribute::string_set(name).describe(text);
    Attribute::nested(
        "allowed",
        Nesting::List,
        vec![
            set("vpc_endpoint_ids", "Through one of these VPC endpoints (`aws:SourceVpce`). Both the one for `sagemaker.api` and the one for `studio` are needed."),
            set("vpc_ids", "Through an endpoint in one of these VPCs (`aws:SourceVpc`). It is the endpoint's VPC that counts, not the caller's."),
            set("source_cidr_blocks", "From a public address in one of these ranges (`aws:SourceIp`). Requests through an endpoint never meet this."),
            set("vpc_source_cidr_blocks", "Through an endpoint, from a private address in one of these ranges (`aws:VpcSourceIp`). Private ranges repeat across VPCs: name endpoints or VPCs beside them."),
        ],
    )
    .required()
    .describe("The paths that are allowed, at least one. Any of the paths will do; within one path all that is given must hold, any value of a list.")
}

fn uses() -> Vec<Attribute> {
    let names = |name, of: &'static str, text| {
        Attribute::string_set(name).describe(text).check_each(checks::text(move |text| iam_name(text, of)))
    };
    vec![
        Attribute::nested(
            "attach_to",
            Nesting::Single,
            vec![
                names("roles", "a role", "Names of roles."),
                names("users", "a user", "Names of users."),
                names("groups", "a group", "Names of groups."),
            ],
        )
        .describe("Who the managed policy is attached to. Attachments that are made elsewhere are left alone, but keep the policy from being deleted."),
        Attribute::string_map("endpoint_policies").describe(
            "VPC endpoints whose policy is set, by service, `studio` or `sagemaker.api`. Through them, presigned URLs are made and used for the named domains only, so that nobody opens a foreign domain through the company's endpoint; everything else passes as before. The policy is set back to full access when the endpoint is taken out and on destroy, unless it was changed in the meantime. An endpoint whose policy `endpoints.policies` of a `studio_private_domain` sets is refused: merge `endpoint_policy_json` into that one.",
        ),
        findings::on_lockout_attribute(),
    ]
}

fn results() -> Vec<Attribute> {
    let string = |name, text| Attribute::string(name).computed().describe(text);
    vec![
        string("arn", "The policy's ARN."),
        string("policy_id", "The policy's unique id, such as `ANPA…`."),
        string("policy_json", "The managed policy's document. Known at plan when the rules are."),
        string("scp_json", "The guard as a service control policy, whatever the `mode`: requests for the named domains off the paths are denied, other domains are left alone. It holds for every principal of the accounts that it is attached to. AWS Organizations takes 5,120 characters at most; a longer one needs the domains divided among several."),
        Attribute::string_map("endpoint_policy_json")
            .computed()
            .describe("The documents for the policies of VPC endpoints, by service, whether `endpoint_policies` sets them or not."),
        findings::findings_attribute("What the rules let through and lock out, found by deciding all classes of requests with the real documents. A refresh holds the managed policy as IAM has it against the rules: where it was widened outside of Terraform, that is `let_in`. The endpoints that `allowed` and `endpoint_policies` name, those of the VPCs, the domains, and the other policies of the roles and users in `attach_to` are looked up for it, as far as the credentials may. A plan says what it finds in messages; the attribute itself is known after the apply, because what is looked up may change until then. `studio_presign_policy_document` has the findings that follow from the rules alone at plan."),
    ]
}

/// What IAM takes as a name: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>.
fn iam_name(text: &str, of: &str) -> Result<(), String> {
    if text.starts_with("arn:") {
        return Err(format!("{text:?} is an ARN. Give the name of {of}, without its path."));
    }
    let ok = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    if ok { Ok(()) } else { Err(format!("{text:?} is not the name of {of}: letters, digits and _+=,.@- are allowed.")) }
}

fn iam_path(text: &str) -> Result<(), String> {
    let ok = text.starts_with('/') && text.ends_with('/') && text.chars().all(|c| c.is_ascii_graphic());
    if ok { Ok(()) } else { Err(format!("{text:?} is not a path: it begins and ends with a slash, as /studio/ does.")) }
}

/// How attributes fit each other, and the rules in detail. Whatever is known is checked.
pub fn validate(model: &Model) -> Diagnostics {
    let mut found = Settings::of(model).check();
    found.extend(check_endpoint_policies(&model.endpoint_policies));
    found
}

fn check_endpoint_policies(endpoints: &StringMap) -> Diagnostics {
    let mut found = Diagnostics::new();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for (service, id) in endpoints.known().into_iter().flatten() {
        let path = Path::root("endpoint_policies").key(service);
        let mut complain = |text: String| {
            found.push(Diagnostic::error("Invalid endpoint_policies", text).at(path.clone()));
        };
        if endpoint_kind(service).is_none() {
            complain(format!("{service:?} is not one of studio, sagemaker.api."));
        }
        let Some(id) = id.text() else { continue };
        if let Err(problem) = crate::policy::inputs::check_id(crate::policy::inputs::Key::SourceVpce, id) {
            complain(format!("{problem}."));
        }
        if let Some(other) = seen.insert(id, service) {
            complain(format!("{id} is given for {other} as well. An endpoint is for one service."));
        }
    }
    found
}

/// The kind of endpoint that a service key names.
pub fn endpoint_kind(service: &str) -> Option<EndpointKind> {
    EndpointKind::ALL.into_iter().find(|kind| kind.as_str() == service)
}

/// The kind of endpoint that a service's whole name is for: `aws.sagemaker.REGION.studio`,
/// `com.amazonaws.REGION.sagemaker.api`, or one of them for FIPS.
pub fn kind_of_service(service_name: &str) -> Option<EndpointKind> {
    let name = service_name.strip_suffix("-fips").unwrap_or(service_name);
    EndpointKind::ALL.into_iter().find(|kind| name.ends_with(&format!(".{}", kind.as_str())))
}

/// The elements, if all of them are known. Nothing written is nothing wanted.
pub fn known_set(strings: &Strings) -> Option<BTreeSet<String>> {
    match strings {
        Value::Null => Some(BTreeSet::new()),
        Value::Unknown => None,
        Value::Known(elements) => elements.iter().map(|element| element.known().cloned()).collect(),
    }
}

/// The entries, if all of them are known. Nothing written is nothing wanted.
pub fn known_map(map: &StringMap) -> Option<BTreeMap<String, String>> {
    match map {
        Value::Null => Some(BTreeMap::new()),
        Value::Unknown => None,
        Value::Known(entries) => {
            entries.iter().map(|(key, value)| Some((key.clone(), value.known()?.clone()))).collect()
        }
    }
}

#[cfg(test)]
mod tests;
