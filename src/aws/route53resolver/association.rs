//! Rules on VPCs.

use aws_sdk_route53resolver as resolver;
use resolver::types::ResolverRuleAssociationStatus;

use super::call;
use crate::aws::wait::{Judgement, Pace, Patience, until};
use crate::aws::{AwsError, Call, Clients, ResolverRuleAssociationId, ResolverRuleId, VpcId};

/// An association takes seconds, at times a minute.
const PACE: Pace = Pace::millis(1_000, 2_000, 10_000);

/// Where an association is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AssociationStatus {
    /// Being made.
    Creating,
    /// In force.
    Complete,
    /// Being ended.
    Deleting,
    /// Not in force; the text is Resolver's status.
    Failed(String),
}

/// A rule on a VPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleAssociation {
    /// Its id.
    pub id: ResolverRuleAssociationId,
    /// The rule.
    pub rule_id: ResolverRuleId,
    /// The VPC.
    pub vpc_id: VpcId,
    /// Where it is in its life.
    pub status: AssociationStatus,
    /// Resolver's words about its status.
    pub status_message: Option<String>,
}

/// Starts to put a rule on a VPC.
///
/// # Errors
/// `AlreadyExists` when it is there already, `Invalid` when the VPC has another rule for the same zone, `NotFound` for
/// a rule that Resolver does not know yet, right after it was made or shared.
pub async fn associate_rule(
    clients: &Clients,
    rule: &ResolverRuleId,
    vpc_id: &VpcId,
    name: &str,
) -> Result<RuleAssociation, AwsError> {
    let call = call("AssociateResolverRule", format!("Resolver rule {rule} and {vpc_id}"));
    let request = clients.route53resolver().associate_resolver_rule();
    let request = request.resolver_rule_id(rule.as_str()).vpc_id(vpc_id.as_str()).name(name);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    answer.resolver_rule_association().and_then(association).ok_or_else(|| call.lacks("association"))
}

/// Starts to take a rule off a VPC. What is gone counts as taken off.
///
/// # Errors
/// Whatever Resolver refuses, such as `AccessDenied`.
pub async fn disassociate_rule(clients: &Clients, rule: &ResolverRuleId, vpc_id: &VpcId) -> Result<(), AwsError> {
    let call = call("DisassociateResolverRule", format!("Resolver rule {rule} and {vpc_id}"));
    let request = clients.route53resolver().disassociate_resolver_rule();
    match request.resolver_rule_id(rule.as_str()).vpc_id(vpc_id.as_str()).send().await {
        Ok(_) => Ok(()),
        Err(error) => match call.failed(error) {
            error if error.is_not_found() => Ok(()),
            error => Err(error),
        },
    }
}

/// Lists the VPCs of this account that a rule is on.
///
/// # Errors
/// Whatever Resolver refuses, such as `AccessDenied`.
pub async fn list_rule_associations(
    clients: &Clients,
    rule: &ResolverRuleId,
) -> Result<Vec<RuleAssociation>, AwsError> {
    let call = call("ListResolverRuleAssociations", format!("associations of Resolver rule {rule}"));
    list(clients, &call, "ResolverRuleId", rule.as_str()).await
}

/// Lists the rules that are on a VPC.
///
/// # Errors
/// Whatever Resolver refuses, such as `AccessDenied`.
pub async fn list_rules_of_vpc(clients: &Clients, vpc_id: &VpcId) -> Result<Vec<RuleAssociation>, AwsError> {
    let call = call("ListResolverRuleAssociations", format!("Resolver rules of {vpc_id}"));
    list(clients, &call, "VPCId", vpc_id.as_str()).await
}

/// Waits until a rule is in force on a VPC.
///
/// # Errors
/// `Unexpected` with Resolver's reason when it failed or is gone.
pub async fn wait_until_associated(
    clients: &Clients,
    id: &ResolverRuleAssociationId,
    patience: &Patience,
) -> Result<(), AwsError> {
    let call = getting(id);
    until(&call, "in force", PACE, patience, || async {
        Ok(match get(clients, &call, id).await? {
            None => Judgement::Failed("it does not exist any more".to_owned()),
            Some(found) => judge(&found),
        })
    })
    .await
}

/// Waits until an association is gone.
///
/// # Errors
/// `TimedOut` with the status last seen.
pub async fn wait_until_disassociated(
    clients: &Clients,
    id: &ResolverRuleAssociationId,
    patience: &Patience,
) -> Result<(), AwsError> {
    let call = getting(id);
    until(&call, "gone", PACE, patience, || async {
        Ok(match get(clients, &call, id).await? {
            None => Judgement::Ready(()),
            Some(found) => Judgement::Pending(in_words(&found)),
        })
    })
    .await
}

fn judge(association: &RuleAssociation) -> Judgement<()> {
    match association.status {
        AssociationStatus::Complete => Judgement::Ready(()),
        AssociationStatus::Creating => Judgement::Pending(in_words(association)),
        AssociationStatus::Deleting | AssociationStatus::Failed(_) => Judgement::Failed(in_words(association)),
    }
}

fn in_words(association: &RuleAssociation) -> String {
    let reason = association.status_message.as_ref().map(|text| format!(" ({text})")).unwrap_or_default();
    match &association.status {
        AssociationStatus::Failed(status) => format!("{status}{reason}"),
        status => format!("{status:?}{reason}"),
    }
}

fn getting(id: &ResolverRuleAssociationId) -> Call {
    call("GetResolverRuleAssociation", format!("association {id}"))
}

async fn get(
    clients: &Clients,
    call: &Call,
    id: &ResolverRuleAssociationId,
) -> Result<Option<RuleAssociation>, AwsError> {
    let request = clients.route53resolver().get_resolver_rule_association();
    match request.resolver_rule_association_id(id.as_str()).send().await.map_err(|error| call.failed(error)) {
        Ok(answer) => Ok(answer.resolver_rule_association().and_then(association)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

async fn list(clients: &Clients, call: &Call, by: &str, value: &str) -> Result<Vec<RuleAssociation>, AwsError> {
    let filter = resolver::types::Filter::builder().name(by).values(value).build();
    let pages = clients.route53resolver().list_resolver_rule_associations().filters(filter).into_paginator();
    let found = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    Ok(found.iter().filter_map(association).collect())
}

fn association(association: &resolver::types::ResolverRuleAssociation) -> Option<RuleAssociation> {
    Some(RuleAssociation {
        id: association.id()?.into(),
        rule_id: association.resolver_rule_id()?.into(),
        vpc_id: association.vpc_id()?.into(),
        status: status(association.status()),
        status_message: association.status_message().filter(|text| !text.is_empty()).map(str::to_owned),
    })
}

fn status(status: Option<&ResolverRuleAssociationStatus>) -> AssociationStatus {
    match status {
        Some(ResolverRuleAssociationStatus::Creating) => AssociationStatus::Creating,
        Some(ResolverRuleAssociationStatus::Complete) | None => AssociationStatus::Complete,
        Some(ResolverRuleAssociationStatus::Deleting) => AssociationStatus::Deleting,
        // FAILED, OVERRIDDEN by a rule of a Route 53 profile, and words we do not know.
        Some(other) => AssociationStatus::Failed(other.as_str().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: ResolverRuleAssociationStatus) -> Judgement<()> {
        let made = resolver::types::ResolverRuleAssociation::builder().id("rslvr-rrassoc-1").resolver_rule_id("r");
        judge(&association(&made.vpc_id("vpc-1").status(status).status_message("why").build()).unwrap())
    }

    #[test]
    fn only_a_complete_association_is_in_force() {
        assert_eq!(judged(ResolverRuleAssociationStatus::Complete), Judgement::Ready(()));
        assert!(matches!(judged(ResolverRuleAssociationStatus::Creating), Judgement::Pending(_)));
        assert_eq!(judged(ResolverRuleAssociationStatus::Failed), Judgement::Failed("FAILED (why)".to_owned()));
        assert_eq!(judged(ResolverRuleAssociationStatus::Overridden), Judgement::Failed("OVERRIDDEN (why)".to_owned()));
    }
}
