//! `studio_domain`: a SageMaker domain, by its id or by its name.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::aws::sagemaker::domain::{find_domain, list_domains_by_name};
use crate::aws::sagemaker::tags::list_tags;
use crate::aws::sagemaker::{Toggle, domain_types};
use crate::aws::tags::visible;
use crate::aws::{AwsError, Clients, DomainId, Tags};
use crate::connection::Connection;
use crate::dns::zones::{self, Region};
use crate::framework::schema::Schema;
use crate::framework::{Attribute, Call, DataSource, Diagnostic, Diagnostics, Path, Value, checks};

/// The data source.
pub struct Domain {
    connection: Connection,
}

impl Domain {
    /// The data source, on the provider's connection.
    pub fn new(connection: Connection) -> Self {
        Domain { connection }
    }
}

/// A domain, as Terraform sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    pub id: Value<String>,
    pub region: Value<String>,
    pub domain_id: Value<String>,
    pub name: Value<String>,
    pub vpc_id: Value<String>,
    pub arn: Value<String>,
    pub url: Value<String>,
    pub host_names: Value<Vec<String>>,
    pub auth_mode: Value<String>,
    pub vpc_only: Value<bool>,
    pub subnet_ids: Value<Vec<String>>,
    pub security_group_ids: Value<Vec<String>>,
    pub execution_role_arn: Value<String>,
    pub kms_key_id: Value<String>,
    pub home_efs_file_system_id: Value<String>,
    pub docker_access: Value<bool>,
    pub status: Value<String>,
    pub tags: Value<Tags>,
}

#[async_trait]
impl DataSource for Domain {
    type Model = Model;

    fn type_name(&self) -> &'static str {
        "studio_domain"
    }

    fn schema(&self) -> Schema {
        Schema {
            description: "A SageMaker domain, looked up by `domain_id`, or by `name` and `vpc_id`.",
            attributes: attributes(),
            ..Schema::default()
        }
    }

    fn validate(&self, config: &Model) -> Diagnostics {
        let text = match (&config.domain_id, &config.name) {
            (Value::Null, Value::Null) => "Neither domain_id nor name says which domain is meant. Give one of them.",
            (Value::Known(_), Value::Known(_)) => {
                "domain_id and name both say which domain is meant. Give one of them."
            }
            _ => return Diagnostics::new(),
        };
        Diagnostic::error("Which domain is meant is not clear", text).at(Path::root("domain_id")).into()
    }

    async fn read(&self, _call: &Call, config: Model) -> Result<(Model, Diagnostics), Diagnostics> {
        let clients = self.connection.known_clients(config.region.text())?;
        let failed =
            |error: AwsError| Diagnostics::from(Diagnostic::error("Could not look up the domain", format!("{error}.")));
        let id = match config.domain_id.text() {
            Some(id) => DomainId::from(id),
            None => find_by_name(&clients, &config).await?,
        };
        let found = find_domain(&clients, &id).await.map_err(failed)?;
        let Some(found) = found.filter(|found| config.vpc_id.text().is_none_or(|vpc| vpc == found.vpc_id.as_str()))
        else {
            return Err(nothing(&clients, &format!("the id {id}"), "domain_id"));
        };
        let tags = list_tags(&clients, &found.arn).await.map_err(failed)?;
        Ok((model(found, visible(&tags, clients.ignore_tags()), &clients), Diagnostics::new()))
    }
}

fn attributes() -> Vec<Attribute> {
    let given = |name, text| Attribute::string(name).optional_computed().describe(text);
    let string = |name, text| Attribute::string(name).computed().describe(text);
    vec![
        string("id", "The domain's id. The same as `domain_id`."),
        given("region", "The Region that the domain is in. By default the provider's."),
        given("domain_id", "The domain's id.").check(checks::prefix(&["d-"], "a domain id such as d-abcdefghijkl")),
        given("name", "The domain's name."),
        given("vpc_id", "The VPC that the domain is in.").check(checks::prefix(&["vpc-"], "a VPC id such as vpc-0abc")),
        string("arn", "The domain's ARN."),
        string("url", "The domain's URL."),
        Attribute::strings("host_names")
            .computed()
            .describe("The host names that can be told beforehand; null where they are not known."),
        string("auth_mode", "`IAM` or `SSO`."),
        Attribute::bool("vpc_only").computed().describe("Whether apps reach the network through the VPC alone."),
        Attribute::string_set("subnet_ids").computed().describe("The domain's subnets."),
        Attribute::string_set("security_group_ids").computed().describe("The security groups of users' apps."),
        string("execution_role_arn", "The role that user profiles run as unless they have their own."),
        string("kms_key_id", "The KMS key of the domain's storage."),
        string("home_efs_file_system_id", "The file system for home folders; null without one."),
        Attribute::bool("docker_access").computed().describe("Whether apps may run Docker."),
        string("status", "Where the domain is in its life, such as `InService`."),
        Attribute::string_map("tags").computed().describe("The domain's tags."),
    ]
}

async fn find_by_name(clients: &Clients, config: &Model) -> Result<DomainId, Diagnostics> {
    let name = config.name.text().unwrap_or_default();
    let found = list_domains_by_name(clients, name)
        .await
        .map_err(|error| Diagnostic::error("Could not look for the domain", format!("{error}.")))?;
    found
        .into_iter()
        .next()
        .map(|found| found.id)
        .ok_or_else(|| nothing(clients, &format!("the name {name:?}"), "name"))
}

fn nothing(clients: &Clients, what: &str, attribute: &str) -> Diagnostics {
    let text = format!(
        "No domain in {}, in the account of the credentials, has {what}, or it is in another VPC than vpc_id says.",
        clients.region()
    );
    Diagnostic::error("There is no such domain", text).at(Path::root(attribute)).into()
}

fn model(found: domain_types::Domain, tags: Tags, clients: &Clients) -> Model {
    let id = Value::Known(found.id.to_string());
    let settings = found.default_user_settings;
    Model {
        id: id.clone(),
        region: Value::Known(clients.region().to_string()),
        host_names: host_names(found.id.as_str(), clients.region().as_str()).into(),
        domain_id: id,
        name: found.name.into(),
        vpc_id: Value::Known(found.vpc_id.to_string()),
        arn: found.arn.into(),
        url: found.url.into(),
        auth_mode: found.auth_mode.map(|mode| mode.as_str().to_owned()).into(),
        vpc_only: found.network_access.map(|access| access == domain_types::NetworkAccess::VpcOnly).into(),
        subnet_ids: Value::Known(found.subnet_ids.iter().map(ToString::to_string).collect()),
        security_group_ids: settings
            .security_group_ids
            .map(|groups| groups.iter().map(ToString::to_string).collect())
            .into(),
        execution_role_arn: settings.execution_role.map(|role| role.to_string()).into(),
        kms_key_id: found.kms_key_id.into(),
        home_efs_file_system_id: found.home_efs_file_system_id.map(|id| id.to_string()).into(),
        docker_access: found.docker_access.map(|access| access == Toggle::Enabled).into(),
        status: Value::Known(found.status.to_string()),
        tags: tags.into(),
    }
}

fn host_names(id: &str, region: &str) -> Option<Vec<String>> {
    let names = zones::host_names(&zones::DomainId::new(id).ok()?, &Region::new(region).ok()?).ok()?;
    Some(names.iter().map(|name| name.as_str().to_owned()).collect())
}
