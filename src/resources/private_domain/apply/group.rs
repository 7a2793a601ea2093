//! Security groups.

use std::collections::BTreeSet;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Done, Part, Step};
use crate::aws::ec2::security_group::{
    NewSecurityGroup, create_security_group, delete_security_group_when_free, find_security_group_by_name,
};
use crate::aws::ec2::security_group_rule::{Rule, authorize_rules, list_rules, revoke_rules};
use crate::aws::tags::{diff, owner_and_part};
use crate::aws::{AwsError, Kind, SecurityGroupId, TagChange, Tags, VpcId, ec2};
use crate::framework::Value;
use crate::resources::private_domain::changes::{domain_group_rules, endpoint_group_rules, missing};
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::read::BEING_DESTROYED;
use crate::resources::private_domain::recorded::{Group, Recorded};

/// How long a group may stay in use after the interfaces that had it were deleted. Those of a domain's apps and of
/// endpoints take minutes to go.
const RELEASE: Duration = Duration::from_secs(20 * 60);

/// The rules of a group, which may name the group itself.
type RulesOf = Box<dyn Fn(&SecurityGroupId) -> BTreeSet<Rule> + Send + Sync>;

/// What a group is to be.
struct Wanted {
    vpc_id: VpcId,
    name: String,
    description: String,
    tags: Tags,
    /// The rules, given the group's own id.
    rules: RulesOf,
}

/// Makes or changes the domain's group.
pub fn apply_domain_group(step: Step, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let dual_stack = known(&desired.dual_stack);
    let wanted = wanted(desired, "domain", "apps", move |own| domain_group_rules(own, dual_stack));
    let marked = state.domain_group.as_ref().filter(|_| state.being_destroyed).map(|group| group.id.clone());
    let group = state.domain_group.clone();
    async move {
        // What is to stay is not being destroyed any more.
        let mark = TagChange { remove: [BEING_DESTROYED.to_owned()].into(), ..TagChange::default() };
        if let Some(id) = marked
            && let Err(error) = ec2::tags::update_tags(&step.work.clients, id.as_str(), &mark).await
        {
            return step.failed(error);
        }
        apply(step, wanted, group).await
    }
    .boxed()
}

/// Makes or changes the endpoints' group.
pub fn apply_endpoint_group(step: Step, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let rules = endpoint_group_rules(desired, state).expect("the domain or its group is there before");
    let wanted = wanted(desired, "endpoints", "interface endpoints", move |_| rules.clone());
    apply(step, wanted, state.endpoint_group.clone()).boxed()
}

/// Deletes a group, once nothing has it any more.
pub fn delete(step: Step, group: Option<Group>) -> BoxFuture<'static, Done> {
    async move {
        let result = match group {
            Some(group) => {
                delete_security_group_when_free(&step.work.clients, &group.id, RELEASE, &step.work.patience).await
            }
            None => Ok(()),
        };
        step.deleted(Part::Group, result)
    }
    .boxed()
}

fn wanted(
    desired: &Desired,
    suffix: &str,
    of: &str,
    rules: impl Fn(&SecurityGroupId) -> BTreeSet<Rule> + Send + Sync + 'static,
) -> Wanted {
    // An adopted domain's name need not be written.
    let name = match desired.existing_domain.known() {
        Some(id) => id.to_string(),
        None => known(&desired.name),
    };
    Wanted {
        vpc_id: known(&desired.vpc).vpc_id,
        name: format!("studio-{name}-{suffix}"),
        description: format!("Private SageMaker domain {name}: {of}"),
        tags: known(&desired.tags),
        rules: Box::new(rules),
    }
}

/// During apply everything is known.
pub fn known<T: Clone>(value: &Value<T>) -> T {
    value.known().cloned().expect("Terraform applies only what is wholly known")
}

async fn apply(step: Step, wanted: Wanted, group: Option<Group>) -> Done {
    let made = match group {
        Some(group) => group,
        None => match create(&step, &wanted).await {
            Ok(id) => Group { id, rules: BTreeSet::new(), tags: wanted.tags.clone() },
            Err(error) => return step.failed(error),
        },
    };
    let result = adjust(&step, &wanted, made.clone()).await;
    step.ended(Part::Group, made, result)
}

/// A group of this name that carries this resource's own tags was made before its id could be recorded.
async fn create(step: &Step, wanted: &Wanted) -> Result<SecurityGroupId, AwsError> {
    let clients = &step.work.clients;
    let new = NewSecurityGroup {
        name: wanted.name.clone(),
        description: wanted.description.clone(),
        vpc_id: wanted.vpc_id.clone(),
        tags: step.work.tags(&wanted.tags, &step.part),
    };
    match create_security_group(clients, &new).await {
        Err(error) if error.kind == Kind::AlreadyExists => {
            let found = find_security_group_by_name(clients, &new.vpc_id, &new.name).await?;
            let ours = Some((step.work.owner.as_str(), step.part.as_str()));
            found.filter(|group| owner_and_part(&group.tags) == ours).map(|group| group.id).ok_or(error)
        }
        other => other,
    }
}

async fn adjust(step: &Step, wanted: &Wanted, group: Group) -> Result<Group, AwsError> {
    let clients = &step.work.clients;
    ec2::tags::update_tags(clients, group.id.as_str(), &diff(&group.tags, &wanted.tags)).await?;
    let rules = (wanted.rules)(&group.id);
    let recorded = list_rules(clients, &group.id).await?;
    let have = recorded.iter().map(|recorded| recorded.rule.clone()).collect();
    let add: Vec<Rule> = missing(&rules, &have).into_iter().cloned().collect();
    let extra: Vec<_> = missing(&have, &rules).into_iter().cloned().collect();
    let remove: Vec<_> = recorded.into_iter().filter(|recorded| extra.contains(&recorded.rule)).collect();
    // Add before removing, so that a client whose range is only widened is never cut off.
    authorize_rules(clients, &group.id, &add).await?;
    revoke_rules(clients, &group.id, &remove).await?;
    Ok(Group { id: group.id, rules, tags: wanted.tags.clone() })
}
