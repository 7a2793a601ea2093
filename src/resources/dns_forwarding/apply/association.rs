//! The rules on VPCs.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Done, Part, Step, known};
use crate::aws::route53resolver::association::{
    RuleAssociation, associate_rule, disassociate_rule, list_rule_associations, wait_until_associated,
    wait_until_disassociated,
};
use crate::aws::wait::{Pace, retry_while};
use crate::aws::{AwsError, Kind, ResolverRuleId, VpcId};
use crate::resources::dns_forwarding::changes::rule_name;
use crate::resources::dns_forwarding::desired::Desired;
use crate::resources::dns_forwarding::recorded::{Association, Recorded};

/// How long Resolver may deny that a rule that it has just made exists.
const VISIBLE: Duration = Duration::from_secs(2 * 60);
/// How often to try again meanwhile.
const VISIBLE_PACE: Pace = Pace::millis(0, 2_000, 10_000);

/// Puts a rule on a VPC. Where it is without effect, it is taken off first.
pub fn apply(step: Step, zone: &str, vpc_id: &VpcId, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let rule = state.rules.get(zone).expect("the rule is made before");
    let (id, before) = (rule.id.clone(), rule.associations.get(vpc_id).cloned());
    let (vpc_id, name) = (vpc_id.clone(), rule_name(&known(&desired.name), zone));
    async move {
        if let Some(before) = before {
            match repair(&step, &id, &vpc_id, &before).await {
                Ok(true) => {
                    let association = Association { trouble: None, ..before };
                    return step.ended(Part::Association(Some(association)), Ok(()));
                }
                Ok(false) => {}
                Err(error) => return step.ended(Part::Association(Some(before)), Err(error)),
            }
        }
        create(step, &id, &vpc_id, &name).await
    }
    .boxed()
}

/// Takes a rule off a VPC.
pub fn delete(step: Step, zone: &str, vpc_id: &VpcId, state: &Recorded) -> BoxFuture<'static, Done> {
    let rule = state.rules.get(zone).map(|rule| (rule.id.clone(), rule.associations.get(vpc_id).cloned()));
    let vpc_id = vpc_id.clone();
    async move {
        let result = match &rule {
            Some((id, Some(association))) => take_off(&step, id, &vpc_id, association).await,
            Some((_, None)) | None => Ok(()),
        };
        step.deleted(Part::Association(None), result)
    }
    .boxed()
}

/// Whether what is there comes into force by itself. If not, it is taken off.
async fn repair(step: &Step, id: &ResolverRuleId, vpc_id: &VpcId, before: &Association) -> Result<bool, AwsError> {
    match wait_until_associated(&step.work.clients, &before.id, &step.work.patience).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind == Kind::Unexpected => {
            take_off(step, id, vpc_id, before).await?;
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

async fn create(step: Step, id: &ResolverRuleId, vpc_id: &VpcId, name: &str) -> Done {
    let work = &step.work;
    // Right after it was made, a rule may not be known everywhere.
    let is_early = |error: &AwsError| error.is_not_found();
    let made = retry_while(is_early, VISIBLE, VISIBLE_PACE, &work.patience, || {
        associate_rule(&work.clients, id, vpc_id, name)
    });
    let made = match made.await {
        Ok(made) => made,
        Err(error) => match made_before(&step, id, vpc_id, error).await {
            Ok(made) => made,
            Err(error) => return step.failed(error),
        },
    };
    let waited = wait_until_associated(&work.clients, &made.id, &work.patience).await;
    let trouble = waited.as_ref().err().map(|error| error.message.clone());
    step.ended(Part::Association(Some(Association { id: made.id, trouble })), waited)
}

/// A call whose answer was lost has put the rule on the VPC.
async fn made_before(
    step: &Step,
    id: &ResolverRuleId,
    vpc_id: &VpcId,
    error: AwsError,
) -> Result<RuleAssociation, AwsError> {
    if error.kind != Kind::AlreadyExists {
        return Err(error);
    }
    let found = list_rule_associations(&step.work.clients, id).await?;
    found.into_iter().find(|found| found.vpc_id == *vpc_id).ok_or(error)
}

async fn take_off(step: &Step, id: &ResolverRuleId, vpc_id: &VpcId, association: &Association) -> Result<(), AwsError> {
    disassociate_rule(&step.work.clients, id, vpc_id).await?;
    wait_until_disassociated(&step.work.clients, &association.id, &step.work.patience).await
}
