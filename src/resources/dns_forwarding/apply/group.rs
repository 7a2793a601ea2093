//! The security groups.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Done, Part, Step, known};
use crate::aws::ec2::security_group::{
    NewSecurityGroup, create_security_group, delete_security_group_when_free, find_security_group_by_name,
};
use crate::aws::ec2::security_group_rule::{Rule, authorize_rules, list_rules, revoke_rules};
use crate::aws::tags::{diff, owner_and_part};
use crate::aws::{AwsError, Kind, SecurityGroupId, Tags, VpcId, ec2};
use crate::resources::dns_forwarding::changes;
use crate::resources::dns_forwarding::desired::Desired;
use crate::resources::dns_forwarding::key::Side;
use crate::resources::dns_forwarding::recorded::{Group, Recorded};

/// How long a group may stay in use after the endpoint's interfaces were deleted.
const RELEASE: Duration = Duration::from_secs(20 * 60);

/// Makes or changes the group.
pub fn apply(step: Step, side: &Side, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let rules = changes::group_rules(desired, side).expect("during apply everything is known");
    let tags = known(&desired.tags);
    let new = new_group(&step, side, desired, &tags);
    let group = state.end(side).group;
    async move {
        let mut group = match group {
            Some(group) => group,
            None => match create(&step, &new).await {
                Ok(id) => Group { id, vpc_id: new.vpc_id.to_string(), rules: BTreeSet::new(), tags: tags.clone() },
                Err(error) => return step.failed(error),
            },
        };
        let result = adjust(&step, &mut group, rules, tags).await;
        step.ended(Part::Group(Some(group)), result)
    }
    .boxed()
}

/// Deletes the group, once nothing has it any more.
pub fn delete(step: Step, group: Option<Group>) -> BoxFuture<'static, Done> {
    async move {
        let work = &step.work;
        let result = match &group {
            Some(group) => delete_security_group_when_free(&work.clients, &group.id, RELEASE, &work.patience).await,
            None => Ok(()),
        };
        step.deleted(Part::Group(None), result)
    }
    .boxed()
}

/// A group keeps its name for life, while the endpoint's can change and be taken by another resource. So the name is
/// made unique by the operation that makes the group.
fn new_group(step: &Step, side: &Side, desired: &Desired, tags: &Tags) -> NewSecurityGroup {
    let wanted = desired.end(side).expect("a group that is made is wanted");
    let what = if *side == Side::Inbound { "inbound" } else { "outbound" };
    // EC2 takes no apostrophe here, Resolver does.
    let name = known(&desired.name).replace('\'', "-");
    NewSecurityGroup {
        name: format!("studio-dns-{name}-{}", &step.work.token(&step.key.part())[..8]),
        description: format!("Studio DNS forwarding {name}: {what} endpoint"),
        vpc_id: VpcId::from(known(&wanted.vpc_id)),
        tags: step.work.tags(tags, &step.key.part()),
    }
}

/// A group of this name that carries this resource's own tags was made by a call whose answer was lost.
async fn create(step: &Step, new: &NewSecurityGroup) -> Result<SecurityGroupId, AwsError> {
    let clients = &step.work.clients;
    match create_security_group(clients, new).await {
        Err(error) if error.kind == Kind::AlreadyExists => {
            let found = find_security_group_by_name(clients, &new.vpc_id, &new.name).await?;
            let part = step.key.part();
            let ours = Some((step.work.owner.as_str(), part.as_str()));
            found.filter(|group| owner_and_part(&group.tags) == ours).map(|group| group.id).ok_or(error)
        }
        other => other,
    }
}

async fn adjust(step: &Step, group: &mut Group, rules: BTreeSet<Rule>, tags: Tags) -> Result<(), AwsError> {
    let clients = &step.work.clients;
    ec2::tags::update_tags(clients, group.id.as_str(), &diff(&group.tags, &tags)).await?;
    group.tags = tags;
    let recorded = list_rules(clients, &group.id).await?;
    group.rules = recorded.iter().map(|recorded| recorded.rule.clone()).collect();
    let add: Vec<Rule> = changes::missing(&rules, &group.rules).into_iter().cloned().collect();
    let extra: Vec<Rule> = changes::missing(&group.rules, &rules).into_iter().cloned().collect();
    let remove: Vec<_> = recorded.into_iter().filter(|recorded| extra.contains(&recorded.rule)).collect();
    // Add before removing, so that a client whose range is only widened is never cut off.
    authorize_rules(clients, &group.id, &add).await?;
    group.rules.extend(add);
    revoke_rules(clients, &group.id, &remove).await?;
    group.rules = rules;
    Ok(())
}
