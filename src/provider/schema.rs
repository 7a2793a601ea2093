//! The provider's configuration: the same names as `provider "aws"`, so that users can copy theirs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::framework::schema::{Block, Nesting, Schema};
use crate::framework::{Attribute, Type, Value, checks};

/// A list of strings as the user wrote it.
pub type Strings = Value<Vec<Value<String>>>;
/// A map to strings as the user wrote it.
pub type StringMap = Value<BTreeMap<String, Value<String>>>;

/// The configuration as the user wrote it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Model {
    pub access_key: Value<String>,
    pub allowed_account_ids: Strings,
    pub custom_ca_bundle: Value<String>,
    pub ec2_metadata_service_endpoint: Value<String>,
    pub ec2_metadata_service_endpoint_mode: Value<String>,
    pub forbidden_account_ids: Strings,
    pub http_proxy: Value<String>,
    pub https_proxy: Value<String>,
    pub insecure: Value<bool>,
    pub max_retries: Value<i64>,
    pub no_proxy: Value<String>,
    pub poll_interval: Value<String>,
    pub profile: Value<String>,
    pub region: Value<String>,
    pub retry_mode: Value<String>,
    pub secret_key: Value<String>,
    pub shared_config_files: Strings,
    pub shared_credentials_files: Strings,
    pub skip_credentials_validation: Value<bool>,
    pub skip_metadata_api_check: Value<String>,
    pub skip_region_validation: Value<bool>,
    pub skip_requesting_account_id: Value<bool>,
    pub sts_region: Value<String>,
    pub token: Value<String>,
    pub use_dualstack_endpoint: Value<bool>,
    pub use_fips_endpoint: Value<bool>,
    pub user_agent: Strings,
    pub assume_role: Vec<AssumeRole>,
    pub assume_role_with_web_identity: Vec<AssumeRoleWithWebIdentity>,
    pub default_tags: Vec<DefaultTags>,
    pub endpoints: Vec<Endpoints>,
    pub ignore_tags: Vec<IgnoreTags>,
}

/// One `assume_role` block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssumeRole {
    pub duration: Value<String>,
    pub external_id: Value<String>,
    pub policy: Value<String>,
    pub policy_arns: Strings,
    pub role_arn: Value<String>,
    pub session_name: Value<String>,
    pub source_identity: Value<String>,
    pub tags: StringMap,
    pub transitive_tag_keys: Strings,
}

/// The `assume_role_with_web_identity` block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AssumeRoleWithWebIdentity {
    pub duration: Value<String>,
    pub policy: Value<String>,
    pub policy_arns: Strings,
    pub role_arn: Value<String>,
    pub session_name: Value<String>,
    pub web_identity_token: Value<String>,
    pub web_identity_token_file: Value<String>,
}

/// The `default_tags` block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DefaultTags {
    pub tags: StringMap,
}

/// The `ignore_tags` block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct IgnoreTags {
    pub key_prefixes: Strings,
    pub keys: Strings,
}

/// The `endpoints` block.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Endpoints {
    pub ec2: Value<String>,
    pub efs: Value<String>,
    pub iam: Value<String>,
    pub organizations: Value<String>,
    pub ram: Value<String>,
    pub route53: Value<String>,
    pub route53resolver: Value<String>,
    pub sagemaker: Value<String>,
    pub sts: Value<String>,
}

/// The schema of the configuration.
pub fn schema() -> Schema {
    Schema {
        description: "Private access to Amazon SageMaker Studio: domains behind interface endpoints, DNS forwarding from the corporate network, and policies that make presigned URLs worthless anywhere else.\n\nThe arguments are those of the AWS provider, with the same environment variables and the same precedence, so that an existing configuration can be copied.",
        attributes: attributes(),
        blocks: blocks(),
        ..Schema::default()
    }
}

fn attributes() -> Vec<Attribute> {
    let string = Attribute::string;
    let bool = Attribute::bool;
    vec![
        string("access_key").describe("The access key id. Also from `AWS_ACCESS_KEY_ID`.").sensitive(),
        Attribute::string_set("allowed_account_ids")
            .describe("The accounts that may be changed. Credentials of another one are an error.")
            .check_each(account_id()),
        string("custom_ca_bundle").describe("A file with the certificates to trust, in PEM form. Also from `AWS_CA_BUNDLE`."),
        string("ec2_metadata_service_endpoint")
            .describe("The address of the EC2 metadata service. Also from `AWS_EC2_METADATA_SERVICE_ENDPOINT`."),
        string("ec2_metadata_service_endpoint_mode")
            .describe("`IPv4` or `IPv6`. Also from `AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`.")
            .check(checks::one_of(&["IPv4", "IPv6"])),
        Attribute::string_set("forbidden_account_ids")
            .describe("The accounts that must not be changed. Their credentials are an error.")
            .check_each(account_id()),
        string("http_proxy").describe("The proxy for HTTP requests. Also from `HTTP_PROXY`."),
        string("https_proxy").describe("The proxy for HTTPS requests. Also from `HTTPS_PROXY`."),
        bool("insecure").describe("Accept any certificate. Only for tests."),
        Attribute::number("max_retries").describe("How often a request is tried again. 25 by default. Also from `AWS_MAX_ATTEMPTS`."),
        string("no_proxy").describe("Hosts that are reached without the proxy, separated by commas. Also from `NO_PROXY`."),
        string("poll_interval")
            .describe("The shortest pause between two looks at something that is being made, such as `\"500ms\"`. By default chosen for each kind of object. For emulators and tests.")
            .check(checks::duration()),
        string("profile").describe("The profile of the shared configuration and credentials files. Also from `AWS_PROFILE`."),
        string("region").describe("The Region. Also from `AWS_REGION`, `AWS_DEFAULT_REGION` and the profile."),
        string("retry_mode")
            .describe("`standard` or `adaptive`. Also from `AWS_RETRY_MODE`.")
            .check(checks::one_of(&["standard", "adaptive"])),
        string("secret_key").describe("The secret key. Also from `AWS_SECRET_ACCESS_KEY`.").sensitive(),
        Attribute::strings("shared_config_files").describe("Shared configuration files. `~/.aws/config` by default; also from `AWS_CONFIG_FILE`."),
        Attribute::strings("shared_credentials_files")
            .describe("Shared credentials files. `~/.aws/credentials` by default; also from `AWS_SHARED_CREDENTIALS_FILE`."),
        bool("skip_credentials_validation").describe("Do not ask STS whose the credentials are before anything else."),
        string("skip_metadata_api_check")
            .describe("`\"true\"` keeps the EC2 metadata service from being asked for credentials or the Region.")
            .check(checks::one_of(&["", "true", "false", "1", "0"])),
        bool("skip_region_validation").describe("Accept a Region whose name this provider does not know."),
        bool("skip_requesting_account_id").describe("Do not find out the account id. Then `allowed_account_ids` cannot be checked."),
        string("sts_region").describe("The Region of the STS endpoint. By default the provider's."),
        string("token").describe("The session token. Also from `AWS_SESSION_TOKEN`.").sensitive(),
        bool("use_dualstack_endpoint").describe("Use endpoints that are reached over IPv4 and IPv6. Also from `AWS_USE_DUALSTACK_ENDPOINT`."),
        bool("use_fips_endpoint").describe("Use FIPS endpoints. Also from `AWS_USE_FIPS_ENDPOINT`."),
        Attribute::strings("user_agent").describe("Products to add to the user agent, such as `\"example/1.0\"`."),
    ]
}

fn blocks() -> Vec<Block> {
    let string = Attribute::string;
    vec![
        Block {
            name: "assume_role",
            nesting: Nesting::List,
            description: "A role to assume. Several blocks are a chain: each is assumed with the credentials of the one before.",
            max_items: 0,
            attributes: vec![
                string("duration").describe("How long the session lasts, such as `\"1h\"`.").check(checks::duration()),
                string("external_id").describe("The external id that the role's trust policy asks for."),
                string("policy").describe("A policy document that narrows the session."),
                Attribute::string_set("policy_arns").describe("Managed policies that narrow the session."),
                string("role_arn").describe("The role."),
                string("session_name").describe("The session's name."),
                string("source_identity").describe("The source identity of the session."),
                Attribute::string_map("tags").describe("Session tags."),
                Attribute::string_set("transitive_tag_keys")
                    .describe("Session tags that are handed on along the chain."),
            ],
        },
        Block {
            name: "assume_role_with_web_identity",
            nesting: Nesting::List,
            description: "A role to assume with a token of an identity provider.",
            max_items: 1,
            attributes: vec![
                string("duration").describe("How long the session lasts.").check(checks::duration()),
                string("policy").describe("A policy document that narrows the session."),
                Attribute::string_set("policy_arns").describe("Managed policies that narrow the session."),
                string("role_arn").describe("The role. Also from `AWS_ROLE_ARN`."),
                string("session_name").describe("The session's name. Also from `AWS_ROLE_SESSION_NAME`."),
                string("web_identity_token").describe("The token.").sensitive(),
                string("web_identity_token_file")
                    .describe("The file that holds the token. Also from `AWS_WEB_IDENTITY_TOKEN_FILE`."),
            ],
        },
        Block {
            name: "default_tags",
            nesting: Nesting::List,
            description: "Tags for everything that is made.",
            max_items: 1,
            attributes: vec![Attribute::string_map("tags").describe("The tags.")],
        },
        Block {
            name: "endpoints",
            nesting: Nesting::Set,
            description: "Where the services are reached, by service. Also from `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>`.",
            max_items: 0,
            attributes: vec![
                string("ec2").describe("Amazon EC2."),
                string("efs").describe("Amazon EFS."),
                string("iam").describe("IAM."),
                string("organizations").describe("AWS Organizations."),
                string("ram").describe("AWS RAM."),
                string("route53").describe("Route 53."),
                string("route53resolver").describe("Route 53 Resolver."),
                string("sagemaker").describe("Amazon SageMaker."),
                string("sts").describe("AWS STS."),
            ],
        },
        Block {
            name: "ignore_tags",
            nesting: Nesting::List,
            description: "Tags that others put on objects, and that are left alone.",
            max_items: 1,
            attributes: vec![
                Attribute::of("key_prefixes", Type::set(Type::String)).describe("Keys that start with one of these."),
                Attribute::of("keys", Type::set(Type::String)).describe("These keys."),
            ],
        },
    ]
}

fn account_id() -> crate::framework::schema::Check {
    checks::text(|text| {
        if text.len() == 12 && text.chars().all(|c| c.is_ascii_digit()) {
            return Ok(());
        }
        Err(format!("{text:?} is not an account id of 12 digits."))
    })
}
