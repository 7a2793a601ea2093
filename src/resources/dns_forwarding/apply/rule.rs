//! The forward rules.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Done, Part, Step, known};
use crate::aws::route53resolver::rule::{
    NewResolverRule, ResolverRule, ResolverRuleChange, create_resolver_rule, delete_resolver_rule,
    list_rules_of_endpoint, update_resolver_rule, wait_until_complete, wait_until_deleted,
};
use crate::aws::route53resolver::tags::update_tags;
use crate::aws::tags::diff;
use crate::aws::wait::{Pace, retry_while};
use crate::aws::{AwsError, Kind, Tags};
use crate::resources::dns_forwarding::changes::{interim_targets, rule_change, rule_name, targets, targets_in_use};
use crate::resources::dns_forwarding::desired::Desired;
use crate::resources::dns_forwarding::recorded::{Recorded, Rule};

/// How long a rule may be in use after its associations and its share were ended. What other accounts have associated
/// ends with the share, some time later.
const RELEASE: Duration = Duration::from_secs(5 * 60);
/// How often to try again meanwhile.
const RELEASE_PACE: Pace = Pace::millis(0, 3_000, 15_000);

/// Makes or changes a rule.
pub fn apply(step: Step, zone: &str, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let tags = known(&desired.tags);
    if let Some(mut rule) = state.rules.get(zone).cloned() {
        let change = rule_change(desired, state, zone, &rule).expect("the endpoints are made before");
        return async move {
            let result = async {
                update_tags(&step.work.clients, &rule.arn, &diff(&rule.tags, &tags)).await?;
                rule.tags = tags;
                change_and_wait(&step, &mut rule, &change).await
            };
            let result = result.await;
            step.ended(Part::Rule(Some(Box::new(rule))), result)
        }
        .boxed();
    }
    let outbound = state.outbound.endpoint.as_ref().expect("the outbound endpoint is made before");
    let new = NewResolverRule {
        name: rule_name(&known(&desired.name), zone),
        zone: zone.to_owned(),
        endpoint_id: outbound.id.clone(),
        targets: targets(desired, state)
            .or_else(|| targets_in_use(state))
            .expect("the inbound endpoint is made before, with addresses"),
        tags: step.work.tags(&tags, &step.key.part()),
        creator_request_id: step.work.token(&step.key.part()),
    };
    create(step, new, tags).boxed()
}

/// Turns a rule to the new addresses that are in use, before the last old one goes.
pub fn hand_over(step: Step, zone: &str, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let mut rule = state.rules.get(zone).cloned().expect("only a rule that is there asks anybody");
    // Without any there is nothing to turn to yet; the rule follows later.
    let targets = interim_targets(desired, state).filter(|targets| *targets != rule.targets);
    async move {
        let result = match targets {
            Some(_) => {
                let change = ResolverRuleChange { targets, ..ResolverRuleChange::default() };
                change_and_wait(&step, &mut rule, &change).await
            }
            None => Ok(()),
        };
        step.ended(Part::Rule(Some(Box::new(rule))), result)
    }
    .boxed()
}

/// Deletes a rule, once no VPC is associated with it any more.
pub fn delete(step: Step, rule: Option<Rule>) -> BoxFuture<'static, Done> {
    async move {
        let result = match &rule {
            Some(rule) => delete_and_wait(&step, rule).await,
            None => Ok(()),
        };
        step.deleted(Part::Rule(None), result)
    }
    .boxed()
}

async fn change_and_wait(step: &Step, rule: &mut Rule, change: &ResolverRuleChange) -> Result<(), AwsError> {
    update_resolver_rule(&step.work.clients, &rule.id, change).await?;
    take(rule, wait_until_complete(&step.work.clients, &rule.id, &step.work.patience).await?);
    Ok(())
}

async fn create(step: Step, new: NewResolverRule, tags: Tags) -> Done {
    let made = match create_resolver_rule(&step.work.clients, &new).await {
        Ok(made) => made,
        Err(error) => match made_before(&step, &new, error).await {
            Ok(made) => made,
            Err(error) => return step.failed(error),
        },
    };
    let mut rule = Rule {
        id: made.id.clone(),
        arn: made.arn.clone(),
        name: new.name,
        endpoint_id: Some(new.endpoint_id),
        targets: new.targets,
        is_plain: true,
        ready: false,
        tags,
        associations: BTreeMap::new(),
    };
    // A new rule is in use at once; one that is not says so.
    let result = match made.status == crate::aws::route53resolver::rule::RuleStatus::Complete {
        true => Ok(made),
        false => wait_until_complete(&step.work.clients, &rule.id, &step.work.patience).await,
    };
    let result = result.map(|found| take(&mut rule, found));
    step.ended(Part::Rule(Some(Box::new(rule))), result)
}

/// A request id is used up by a call whose answer was lost; the rule that bears it is the one.
async fn made_before(step: &Step, new: &NewResolverRule, error: AwsError) -> Result<ResolverRule, AwsError> {
    if error.kind != Kind::AlreadyExists {
        return Err(error);
    }
    let rules = list_rules_of_endpoint(&step.work.clients, &new.endpoint_id).await?;
    rules.into_iter().find(|rule| rule.creator_request_id == new.creator_request_id).ok_or(error)
}

/// Takes over what Resolver says of the rule itself.
fn take(rule: &mut Rule, found: ResolverRule) {
    rule.name = found.name;
    rule.endpoint_id = found.endpoint_id;
    rule.targets = found.targets;
    rule.is_plain = found.is_plain;
    rule.ready = true;
}

async fn delete_and_wait(step: &Step, rule: &Rule) -> Result<(), AwsError> {
    let (work, id) = (&step.work, &rule.id);
    let is_used = |error: &AwsError| error.kind == Kind::InUse;
    let deleted =
        retry_while(is_used, RELEASE, RELEASE_PACE, &work.patience, || delete_resolver_rule(&work.clients, id)).await;
    deleted.map_err(|error| match error.kind {
        Kind::InUse => AwsError {
            message: format!(
                "{} (a VPC that this resource knows nothing of, perhaps of an account that the rule was shared with, is associated with it; it has to be disassociated there)",
                error.message
            ),
            ..error
        },
        _ => error,
    })?;
    wait_until_deleted(&work.clients, id, &work.patience).await
}
