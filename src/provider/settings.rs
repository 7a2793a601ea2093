//! From the configuration as written to the settings that AWS is reached with.
//!
//! **Invariant:** pure.

use std::path::PathBuf;

use super::schema::{self, Model, StringMap, Strings};
use crate::aws::config::{AssumeRole, AssumeRoleWithWebIdentity, Secret, Settings};
use crate::aws::{IgnoreTags, Tags};
use crate::framework::Value;
use crate::framework::checks::parse_duration;

/// The settings of a configuration that is wholly known.
pub fn settings(model: &Model) -> Settings {
    let first_tags = model.default_tags.first();
    Settings {
        region: text(&model.region),
        profile: text(&model.profile),
        access_key: secret(&model.access_key),
        secret_key: secret(&model.secret_key),
        token: secret(&model.token),
        shared_config_files: paths(&model.shared_config_files),
        shared_credentials_files: paths(&model.shared_credentials_files),
        sts_region: text(&model.sts_region),
        assume_role: model.assume_role.iter().map(assume_role).collect(),
        assume_role_with_web_identity: model.assume_role_with_web_identity.first().map(web_identity),
        endpoints: model.endpoints.iter().flat_map(endpoints).collect(),
        default_tags: first_tags.map(|block| tags(&block.tags)).unwrap_or_default(),
        ignore_tags: model.ignore_tags.first().map(ignore_tags).unwrap_or_default(),
        allowed_account_ids: list(&model.allowed_account_ids).into_iter().collect(),
        forbidden_account_ids: list(&model.forbidden_account_ids).into_iter().collect(),
        max_retries: model.max_retries.known().and_then(|count| u32::try_from(*count).ok()),
        retry_mode: text(&model.retry_mode),
        use_fips_endpoint: model.use_fips_endpoint.known().copied(),
        use_dualstack_endpoint: model.use_dualstack_endpoint.known().copied(),
        http_proxy: secret(&model.http_proxy),
        https_proxy: secret(&model.https_proxy),
        no_proxy: text(&model.no_proxy),
        custom_ca_bundle: text(&model.custom_ca_bundle).map(PathBuf::from),
        insecure: model.insecure.known_or(false),
        ec2_metadata_service_endpoint: text(&model.ec2_metadata_service_endpoint),
        ec2_metadata_service_endpoint_mode: text(&model.ec2_metadata_service_endpoint_mode),
        skip_credentials_validation: model.skip_credentials_validation.known_or(false),
        skip_metadata_api_check: text(&model.skip_metadata_api_check).map(|text| text == "true" || text == "1"),
        skip_region_validation: model.skip_region_validation.known_or(false),
        skip_requesting_account_id: model.skip_requesting_account_id.known_or(false),
        user_agent: list(&model.user_agent),
        poll_interval: model.poll_interval.text().and_then(parse_duration),
    }
}

fn assume_role(block: &schema::AssumeRole) -> AssumeRole {
    AssumeRole {
        role_arn: text(&block.role_arn).unwrap_or_default(),
        session_name: text(&block.session_name),
        external_id: secret(&block.external_id),
        duration: block.duration.text().and_then(parse_duration),
        policy: text(&block.policy),
        policy_arns: list(&block.policy_arns),
        source_identity: text(&block.source_identity),
        tags: tags(&block.tags),
        transitive_tag_keys: list(&block.transitive_tag_keys).into_iter().collect(),
    }
}

fn web_identity(block: &schema::AssumeRoleWithWebIdentity) -> AssumeRoleWithWebIdentity {
    AssumeRoleWithWebIdentity {
        role_arn: text(&block.role_arn),
        session_name: text(&block.session_name),
        web_identity_token: secret(&block.web_identity_token),
        web_identity_token_file: text(&block.web_identity_token_file).map(PathBuf::from),
        duration: block.duration.text().and_then(parse_duration),
        policy: text(&block.policy),
        policy_arns: list(&block.policy_arns),
    }
}

fn endpoints(block: &schema::Endpoints) -> Vec<(String, String)> {
    let services = [
        ("ec2", &block.ec2),
        ("efs", &block.efs),
        ("iam", &block.iam),
        ("organizations", &block.organizations),
        ("ram", &block.ram),
        ("route53", &block.route53),
        ("route53resolver", &block.route53resolver),
        ("sagemaker", &block.sagemaker),
        ("sts", &block.sts),
    ];
    services.into_iter().filter_map(|(name, url)| Some((name.to_owned(), text(url)?))).collect()
}

fn ignore_tags(block: &schema::IgnoreTags) -> IgnoreTags {
    IgnoreTags {
        keys: list(&block.keys).into_iter().collect(),
        key_prefixes: list(&block.key_prefixes).into_iter().collect(),
    }
}

/// An empty text counts as not written, as it does for the AWS provider.
fn text(value: &Value<String>) -> Option<String> {
    value.text().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn secret(value: &Value<String>) -> Option<Secret> {
    text(value).map(Secret::from)
}

fn list(strings: &Strings) -> Vec<String> {
    strings.known().into_iter().flatten().filter_map(text).collect()
}

fn paths(strings: &Strings) -> Vec<PathBuf> {
    list(strings).into_iter().map(PathBuf::from).collect()
}

fn tags(map: &StringMap) -> Tags {
    let pairs = map.known().into_iter().flatten();
    pairs.filter_map(|(key, value)| Some((key.clone(), value.known()?.clone()))).collect()
}
