//! Forward rules: which zone an outbound endpoint sends to which name servers.

use std::collections::BTreeSet;
use std::net::IpAddr;

use aws_sdk_route53resolver as resolver;
use resolver::types::{Protocol, ResolverRuleStatus, RuleTypeOption, TargetAddress};

use super::{call, tags};
use crate::aws::wait::{Judgement, Pace, Patience, until};
use crate::aws::{AwsError, Call, Clients, ResolverEndpointId, ResolverRuleId, Tags};

/// A rule is made and changed within seconds.
const PACE: Pace = Pace::millis(1_000, 2_000, 10_000);
/// The port that DNS is asked on.
const PORT: i32 = 53;

/// A forward rule to be made.
#[derive(Debug, Clone)]
pub struct NewResolverRule {
    /// Its name: up to 64 letters, digits, `-`, `_` and spaces, not digits alone.
    pub name: String,
    /// The zone that it forwards, with everything below it; cannot be changed.
    pub zone: String,
    /// The outbound endpoint that asks.
    pub endpoint_id: ResolverEndpointId,
    /// The name servers that are asked, of one family.
    pub targets: BTreeSet<IpAddr>,
    /// Its tags.
    pub tags: Tags,
    /// Makes it safe to try again: a second call with the same id makes no second rule.
    pub creator_request_id: String,
}

/// What to change about a rule. The default changes nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolverRuleChange {
    /// Another name.
    pub name: Option<String>,
    /// Another outbound endpoint.
    pub endpoint_id: Option<ResolverEndpointId>,
    /// Other name servers, in place of all that are there.
    pub targets: Option<BTreeSet<IpAddr>>,
}

impl ResolverRuleChange {
    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where a rule is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RuleStatus {
    /// In use.
    Complete,
    /// Being changed.
    Updating,
    /// Being deleted.
    Deleting,
    /// A change failed.
    Failed,
    /// A word that we do not know.
    Other(String),
}

/// A forward rule as Resolver describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolverRule {
    /// Its id.
    pub id: ResolverRuleId,
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// The zone, in small letters and without a dot at the end.
    pub zone: String,
    /// The outbound endpoint that asks.
    pub endpoint_id: Option<ResolverEndpointId>,
    /// The name servers that are asked.
    pub targets: BTreeSet<IpAddr>,
    /// Whether all of them are asked on port 53 without encryption.
    pub is_plain: bool,
    /// Where it is in its life.
    pub status: RuleStatus,
    /// Resolver's words about its status.
    pub status_message: Option<String>,
    /// The request id it was made with.
    pub creator_request_id: String,
}

/// Makes a forward rule.
///
/// # Errors
/// `AlreadyExists` for a request id that was used for another rule, `LimitExceeded` for the quota of 1,000 per Region.
pub async fn create_resolver_rule(clients: &Clients, new: &NewResolverRule) -> Result<ResolverRule, AwsError> {
    let call = call("CreateResolverRule", format!("Resolver rule for {}", new.zone));
    let request = clients
        .route53resolver()
        .create_resolver_rule()
        .creator_request_id(&new.creator_request_id)
        .name(&new.name)
        .rule_type(RuleTypeOption::Forward)
        .domain_name(&new.zone)
        .resolver_endpoint_id(new.endpoint_id.as_str())
        .set_target_ips(Some(targets(&new.targets)))
        .set_tags(tags::some_tags(&call, &new.tags)?);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    answer.resolver_rule().and_then(rule).ok_or_else(|| call.lacks("Resolver rule"))
}

/// Looks a rule up by id.
///
/// # Errors
/// Whatever Resolver refuses, such as `AccessDenied`.
pub async fn find_resolver_rule(clients: &Clients, id: &ResolverRuleId) -> Result<Option<ResolverRule>, AwsError> {
    get(clients, &getting(id), id).await
}

/// Lists the rules that an outbound endpoint asks for.
///
/// # Errors
/// Whatever Resolver refuses, such as `AccessDenied`.
pub async fn list_rules_of_endpoint(
    clients: &Clients,
    endpoint: &ResolverEndpointId,
) -> Result<Vec<ResolverRule>, AwsError> {
    let call = call("ListResolverRules", format!("rules of Resolver endpoint {endpoint}"));
    let filter = resolver::types::Filter::builder().name("ResolverEndpointId").values(endpoint.as_str()).build();
    let pages = clients.route53resolver().list_resolver_rules().filters(filter).into_paginator();
    let rules = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(rules.iter().filter_map(rule).collect())
}

/// Starts to change a rule. No change makes no call.
///
/// # Errors
/// `NotFound` when the rule is gone.
pub async fn update_resolver_rule(
    clients: &Clients,
    id: &ResolverRuleId,
    change: &ResolverRuleChange,
) -> Result<(), AwsError> {
    if change.is_empty() {
        return Ok(());
    }
    let call = call("UpdateResolverRule", format!("Resolver rule {id}"));
    let config = resolver::types::ResolverRuleConfig::builder()
        .set_name(change.name.clone())
        .set_resolver_endpoint_id(change.endpoint_id.as_ref().map(ToString::to_string))
        .set_target_ips(change.targets.as_ref().map(targets))
        .build();
    let request = clients.route53resolver().update_resolver_rule().resolver_rule_id(id.as_str()).config(config);
    request.send().await.map(drop).map_err(|error| call.failed(error))
}

/// Starts to delete a rule. What is gone counts as deleted.
///
/// # Errors
/// `InUse` while a VPC, of this or another account, is associated with it.
pub async fn delete_resolver_rule(clients: &Clients, id: &ResolverRuleId) -> Result<(), AwsError> {
    let call = call("DeleteResolverRule", format!("Resolver rule {id}"));
    let request = clients.route53resolver().delete_resolver_rule().resolver_rule_id(id.as_str());
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits until a rule is in use after it was made or changed.
///
/// # Errors
/// `Unexpected` with Resolver's reason when the change failed or the rule is gone.
pub async fn wait_until_complete(
    clients: &Clients,
    id: &ResolverRuleId,
    patience: &Patience,
) -> Result<ResolverRule, AwsError> {
    let call = getting(id);
    until(&call, "complete", Pace { first: std::time::Duration::ZERO, ..PACE }, patience, || async {
        Ok(match get(clients, &call, id).await? {
            None => Judgement::Failed("it does not exist any more".to_owned()),
            Some(rule) => judge(rule),
        })
    })
    .await
}

/// Waits until a rule is gone.
///
/// # Errors
/// `TimedOut` with the status last seen.
pub async fn wait_until_deleted(clients: &Clients, id: &ResolverRuleId, patience: &Patience) -> Result<(), AwsError> {
    let call = getting(id);
    until(&call, "deleted", PACE, patience, || async {
        Ok(match get(clients, &call, id).await? {
            None => Judgement::Ready(()),
            Some(rule) => Judgement::Pending(in_words(&rule)),
        })
    })
    .await
}

fn judge(rule: ResolverRule) -> Judgement<ResolverRule> {
    match rule.status {
        RuleStatus::Complete => Judgement::Ready(rule),
        RuleStatus::Updating => Judgement::Pending(in_words(&rule)),
        RuleStatus::Deleting | RuleStatus::Failed | RuleStatus::Other(_) => Judgement::Failed(in_words(&rule)),
    }
}

fn in_words(rule: &ResolverRule) -> String {
    let reason = rule.status_message.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    format!("{:?}{reason}", rule.status)
}

fn getting(id: &ResolverRuleId) -> Call {
    call("GetResolverRule", format!("Resolver rule {id}"))
}

async fn get(clients: &Clients, call: &Call, id: &ResolverRuleId) -> Result<Option<ResolverRule>, AwsError> {
    let request = clients.route53resolver().get_resolver_rule().resolver_rule_id(id.as_str());
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(answer) => Ok(answer.resolver_rule().and_then(rule)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn targets(addresses: &BTreeSet<IpAddr>) -> Vec<TargetAddress> {
    let target = |address: &IpAddr| {
        let target = TargetAddress::builder().port(PORT);
        match address {
            IpAddr::V4(address) => target.ip(address.to_string()).build(),
            IpAddr::V6(address) => target.ipv6(address.to_string()).build(),
        }
    };
    addresses.iter().map(target).collect()
}

fn rule(rule: &resolver::types::ResolverRule) -> Option<ResolverRule> {
    let address = |target: &TargetAddress| target.ip().or(target.ipv6())?.parse().ok();
    let is_plain = |target: &TargetAddress| {
        target.port().unwrap_or(PORT) == PORT && matches!(target.protocol(), None | Some(Protocol::Do53))
    };
    Some(ResolverRule {
        id: rule.id()?.into(),
        arn: rule.arn().unwrap_or_default().to_owned(),
        name: rule.name().unwrap_or_default().to_owned(),
        zone: rule.domain_name().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase(),
        endpoint_id: rule.resolver_endpoint_id().map(ResolverEndpointId::from),
        targets: rule.target_ips().iter().filter_map(address).collect(),
        is_plain: rule.target_ips().iter().all(is_plain),
        status: status(rule.status()),
        status_message: rule.status_message().filter(|text| !text.is_empty()).map(str::to_owned),
        creator_request_id: rule.creator_request_id().unwrap_or_default().to_owned(),
    })
}

fn status(status: Option<&ResolverRuleStatus>) -> RuleStatus {
    match status {
        // A rule without a word about its status is one that is there.
        None | Some(ResolverRuleStatus::Complete) => RuleStatus::Complete,
        Some(ResolverRuleStatus::Updating) => RuleStatus::Updating,
        Some(ResolverRuleStatus::Deleting) => RuleStatus::Deleting,
        Some(ResolverRuleStatus::Failed) => RuleStatus::Failed,
        Some(other) => RuleStatus::Other(other.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(target: TargetAddress) -> ResolverRule {
        let made = resolver::types::ResolverRule::builder().id("rslvr-rr-1").domain_name("Studio.Example.com.");
        rule(&made.target_ips(target).status(ResolverRuleStatus::Complete).build()).unwrap()
    }

    #[test]
    fn a_rule_is_read_with_its_zone_as_users_write_it() {
        let rule = found(TargetAddress::builder().ip("10.0.0.5").port(53).build());
        assert_eq!(rule.zone, "studio.example.com");
        assert_eq!(rule.targets, ["10.0.0.5".parse().unwrap()].into());
        assert!(rule.is_plain);
    }

    #[test]
    fn another_port_or_protocol_is_seen() {
        assert!(!found(TargetAddress::builder().ip("10.0.0.5").port(5353).build()).is_plain);
        assert!(!found(TargetAddress::builder().ip("10.0.0.5").protocol(Protocol::Doh).build()).is_plain);
    }

    #[test]
    fn a_change_that_failed_ends_the_wait() {
        let rule = found(TargetAddress::builder().ip("10.0.0.5").build());
        assert!(matches!(judge(rule.clone()), Judgement::Ready(_)));
        let failed = ResolverRule { status: RuleStatus::Failed, status_message: Some("no".to_owned()), ..rule };
        assert!(matches!(judge(failed), Judgement::Failed(text) if text == "Failed (no)"));
    }
}
