//! `studio_presign_policy_document`: what `studio_presign_policy` would make, without AWS.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::framework::schema::Schema;
use crate::framework::{Attribute, Call, DataSource, Diagnostic, Diagnostics, Path, Value};
use crate::policy::analyze::{Surroundings, analyze};
use crate::policy::document::{Document, MANAGED_POLICY_LIMIT};
use crate::resources::presign_policy::findings::{self, Findings, OnLockout};
use crate::resources::presign_policy::schema::{self, Allowed};
use crate::resources::presign_policy::settings::{MOST_POLICIES, Settings};
use crate::resources::values::{StringMap, Strings};

/// The data source.
pub struct PresignPolicyDocument;

/// Rules and documents, as Terraform sees them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    pub mode: Value<String>,
    pub domain_arns: Strings,
    pub user_profile: Value<String>,
    pub allowed: Value<Vec<Value<Allowed>>>,
    pub exempt_principal_arns: Strings,
    pub allow_via_aws_services: Value<bool>,
    pub resource_tags: StringMap,
    pub on_lockout: Value<String>,
    pub policy_json: Value<String>,
    pub managed_policies_json: Value<Vec<String>>,
    pub scp_json: Value<String>,
    pub endpoint_policy_json: Value<BTreeMap<String, String>>,
    pub findings: Findings,
}

#[async_trait]
impl DataSource for PresignPolicyDocument {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "studio_presign_policy_document"
    }

    fn schema(&self) -> Schema {
        let mut attributes = schema::rules();
        attributes.push(findings::on_lockout_attribute());
        attributes.extend(results());
        Schema { description: DESCRIPTION, attributes, ..Schema::default() }
    }

    fn validate(&self, config: &Model) -> Diagnostics {
        settings(config).check()
    }

    async fn read(&self, _call: &Call, config: Model) -> Result<(Model, Diagnostics), Diagnostics> {
        let settings = settings(&config);
        // What was not known when the configuration was checked is known now.
        let wrong = settings.check();
        if wrong.has_errors() {
            return Err(wrong);
        }
        let presign = settings
            .presign()
            .ok_or_else(|| Diagnostics::from(Diagnostic::bug("Rules without faults gave no documents.")))?;
        let managed = presign.identity_policies(MANAGED_POLICY_LIMIT, MOST_POLICIES).map_err(|too_large| {
            let path = Path::root(too_large.heaviest.attribute);
            Diagnostics::from(Diagnostic::error("The policy is too long", format!("{too_large}.")).at(path))
        })?;
        let found = analyze(&presign, &Surroundings::default());
        let documents = settings.documents();
        let texts = |documents: BTreeMap<_, Document>| {
            let text = |(kind, document): (crate::policy::presign::EndpointKind, Document)| {
                (kind.as_str().to_owned(), document.to_json())
            };
            documents.into_iter().map(text).collect()
        };
        let diagnostics = findings::diagnostics(&found, OnLockout::of(&config.on_lockout), &settings);
        let model = Model {
            policy_json: presign.identity_policy().to_json().into(),
            managed_policies_json: Value::Known(managed.iter().map(Document::to_json).collect()),
            scp_json: presign.scp().to_json().into(),
            endpoint_policy_json: documents.endpoints.map(texts).into(),
            findings: Value::Known(findings::shown(&found)),
            ..config
        };
        Ok((model, diagnostics))
    }
}

const DESCRIPTION: &str = "The documents that `studio_presign_policy` makes of the same rules, and what is found about them, without touching AWS: for policies that are managed elsewhere, such as permission sets, or with another tool.

Endpoints, domains and callers are not looked up, so that findings about them are not made.";

fn results() -> Vec<Attribute> {
    let string = |name, text| Attribute::string(name).computed().describe(text);
    vec![
        string("policy_json", "The identity policy, whole."),
        Attribute::strings("managed_policies_json").computed().describe(
            "The same as managed policies that fit: one, or several that decide the same when they are attached together, where the whole has more than the 6,144 characters that IAM allows.",
        ),
        string("scp_json", "The guard as a service control policy, whatever the `mode`."),
        Attribute::string_map("endpoint_policy_json")
            .computed()
            .describe("The documents for the policies of VPC endpoints, by service, `studio` and `sagemaker.api`."),
        findings::findings_attribute("What the rules let through and lock out, found by deciding all classes of requests with the documents."),
    ]
}

fn settings(config: &Model) -> Settings {
    Settings::of(&schema::Model {
        mode: config.mode.clone(),
        domain_arns: config.domain_arns.clone(),
        user_profile: config.user_profile.clone(),
        allowed: config.allowed.clone(),
        exempt_principal_arns: config.exempt_principal_arns.clone(),
        allow_via_aws_services: config.allow_via_aws_services,
        resource_tags: config.resource_tags.clone(),
        ..schema::Model::default()
    })
}
