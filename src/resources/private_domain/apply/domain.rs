//! The domain.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::group::known;
use super::{Done, Part, Step};
use crate::aws::ec2::security_group::delete_security_group_when_free;
use crate::aws::ec2::security_group_rule::{list_rules, revoke_rules};
use crate::aws::sagemaker::domain::{
    self, HomeEfsRetention, create_domain, delete_domain, find_domain, list_domains_by_name, update_domain,
};
use crate::aws::sagemaker::domain_types::{self, DomainChange, NewDomain, UserSettings};
use crate::aws::sagemaker::{Status, Toggle, is_role_not_assumable, tags};
use crate::aws::tags::{diff, owner_and_part};
use crate::aws::wait::{Pace, retry_while};
use crate::aws::{AwsError, Call, DomainId, Kind, SecurityGroupId, Service, TagChange, Tags, VpcId, ec2};
use crate::resources::private_domain::changes::{domain_address_type, domain_change, notes};
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::read::{self, BEING_DESTROYED, ON_DESTROY, SETTINGS};
use crate::resources::private_domain::recorded::{Domain, Notes, Recorded};
use crate::steps::Outcome;

/// How long IAM may take to show SageMaker a role that was just made. The AWS provider waits as long for IAM.
pub const ROLE_VISIBLE: Duration = Duration::from_secs(120);
/// How often to try again meanwhile.
pub const ROLE_PACE: Pace = Pace::millis(0, 2_000, 10_000);
/// How long a domain may stay busy with what was deleted in it.
const RELEASE: Duration = Duration::from_secs(20 * 60);

/// Makes or changes the domain.
pub fn apply(step: Step, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let tags = known(&desired.tags);
    let notes = notes(desired).expect("during apply everything is known");
    let group = state.domain_group.as_ref().expect("the group is made before").id.clone();
    if let Some(domain) = state.domain.clone() {
        let change =
            domain_change(desired, state, &domain).expect("during apply everything is known, and the group is made");
        let wanted = Domain { tags, notes, adopted: false, added_groups: BTreeSet::new(), ..domain.clone() };
        return async move {
            let result = update(&step, &domain, &change, wanted).await.map(Box::new);
            step.ended(Part::Domain, Box::new(Domain { ready: false, ..domain }), result)
        }
        .boxed();
    }
    let settings = &desired.settings;
    let mut groups = settings.security_group_ids.known().cloned().unwrap_or_default();
    groups.insert(group.clone());
    let new = NewDomain {
        name: known(&desired.name),
        auth_mode: known(&desired.auth_mode),
        vpc_id: known(&desired.vpc).vpc_id,
        subnet_ids: known(&desired.subnet_ids),
        default_user_settings: UserSettings {
            execution_role: Some(known(&desired.execution_role_arn)),
            security_group_ids: Some(groups),
            studio_web_portal: settings.studio_web_portal.known().copied(),
            default_landing_uri: settings.default_landing_uri.known().cloned(),
            idle_timeout: settings.idle_timeout.known().copied(),
        },
        security_group_ids: [group].into(),
        docker_access: settings.docker_access.known().copied(),
        // SageMaker's default is left to SageMaker: older Regions know no other.
        address_type: known(&desired.dual_stack).then(|| domain_address_type(true)),
        home_efs: if known(&desired.home_efs_enabled) { Toggle::Enabled } else { Toggle::Disabled },
        kms_key_id: desired.kms_key_id.known().cloned(),
        tags: marked(step.work.tags(&tags, &step.part), &notes),
    };
    create(step, new, tags, notes).boxed()
}

/// Adopts the domain: looks at it, and changes what is written of its settings.
pub fn adopt(step: Step, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let id = known(&desired.existing_domain);
    let (desired, state) = (desired.clone(), state.clone());
    let before = state.domain.as_ref().filter(|domain| domain.id == id);
    let added_groups = before.map(|domain| domain.added_groups.clone()).unwrap_or_default();
    async move {
        let clients = &step.work.clients;
        let found = match read::read_domain(clients, &id).await {
            Ok(Some(found)) => Domain { adopted: true, added_groups, ..found },
            Ok(None) => {
                let call = Call::new(Service::SageMaker, "DescribeDomain", format!("domain {id}"));
                return step.failed(call.error(Kind::NotFound, "it does not exist"));
            }
            Err(error) => return step.failed(error),
        };
        let change = domain_change(&desired, &state, &found).expect("during apply everything is known");
        let wanted = Domain { added_groups: added_groups_of(&desired, &found), ..found.clone() };
        let result = settle(&step, &found, &change, wanted.clone()).await.map(Box::new);
        step.ended(Part::Domain, Box::new(Domain { ready: false, ..wanted }), result)
    }
    .boxed()
}

/// The written groups that an adopted domain did not have by itself.
fn added_groups_of(desired: &Desired, found: &Domain) -> BTreeSet<SecurityGroupId> {
    let has = found.settings.security_group_ids.clone().unwrap_or_default();
    let by_itself: BTreeSet<_> = has.difference(&found.added_groups).cloned().collect();
    let written = desired.settings.security_group_ids.known().cloned().unwrap_or_default();
    written.difference(&by_itself).cloned().collect()
}

/// Deletes the domain, or lets go of it.
pub fn delete(step: Step, state: &Recorded) -> BoxFuture<'static, Done> {
    let domain = state.domain.clone();
    let group = state.domain_group.as_ref().map(|group| group.id.clone());
    async move {
        let result = match domain {
            Some(domain) if domain.adopted => take_groups_off(&step, &domain).await,
            Some(domain) => {
                mark(&step, group, &domain).await;
                delete_and_wait(&step, &domain).await
            }
            None => Ok(()),
        };
        step.deleted::<Box<Domain>>(Part::Domain, result)
    }
    .boxed()
}

/// Takes the groups off an adopted domain that were put on here: they could not be deleted while it has them.
async fn take_groups_off(step: &Step, domain: &Domain) -> Result<(), AwsError> {
    let has = domain.settings.security_group_ids.clone().unwrap_or_default();
    if has.is_disjoint(&domain.added_groups) {
        return Ok(());
    }
    let groups = has.difference(&domain.added_groups).cloned().collect();
    let settings = UserSettings { security_group_ids: Some(groups), ..UserSettings::default() };
    let change = DomainChange { default_user_settings: settings, ..DomainChange::default() };
    match settle(step, domain, &change, domain.clone()).await {
        Err(error) if error.is_not_found() => Ok(()),
        other => other.map(drop),
    }
}

/// Marks the domain's group, so that a run that finds the domain gone and the group there knows why, even if this one is
/// killed. Where tags may not be set, only a run that ends by itself can be gone on from.
async fn mark(step: &Step, group: Option<SecurityGroupId>, domain: &Domain) {
    let set = [(BEING_DESTROYED.to_owned(), domain.id.to_string())].into();
    let mark = TagChange { set, ..TagChange::default() };
    let Some(group) = group else {
        return;
    };
    if let Err(error) = ec2::tags::update_tags(&step.work.clients, group.as_str(), &mark).await {
        tracing::warn!(%group, %error, "the destruction could not be marked");
    }
}

fn marked(mut tags: Tags, notes: &Notes) -> Tags {
    tags.extend(note_tags(notes));
    tags
}

/// The tags that keep the notes.
fn note_tags(notes: &Notes) -> impl Iterator<Item = (String, String)> {
    let Notes { on_destroy, settings } = notes.clone();
    [(ON_DESTROY, on_destroy), (SETTINGS, settings)]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
}

async fn create(step: Step, new: NewDomain, tags: Tags, notes: Notes) -> Done {
    let work = &step.work;
    let created = retry_while(is_role_not_assumable, ROLE_VISIBLE, ROLE_PACE, &work.patience, || {
        create_domain(&work.clients, &new)
    });
    let id = match created.await {
        Ok(id) => id,
        Err(error) => match made_before(&step, &new.name, error).await {
            Ok(id) => id,
            Err(error) => return step.failed(error),
        },
    };
    let made = Domain {
        id,
        name: new.name,
        vpc_id: new.vpc_id.to_string(),
        auth_mode: Some(new.auth_mode.as_str().to_owned()),
        kms_key_id: new.kms_key_id,
        vpc_only: true,
        subnet_ids: new.subnet_ids,
        address_type: new.address_type,
        settings: new.default_user_settings,
        docker_access: new.docker_access,
        notes,
        tags,
        ..Domain::default()
    };
    let result = when_in_service(&step, made.clone()).await.map(Box::new);
    step.ended(Part::Domain, Box::new(made), result)
}

/// A domain of this name that carries this resource's own tags was made before its id could be recorded: SageMaker takes
/// no idempotency token for domains.
async fn made_before(step: &Step, name: &str, error: AwsError) -> Result<DomainId, AwsError> {
    if !matches!(error.kind, Kind::AlreadyExists | Kind::InUse | Kind::Conflict) {
        return Err(error);
    }
    let clients = &step.work.clients;
    for found in list_domains_by_name(clients, name).await? {
        let tags = tags::list_tags(clients, &found.arn).await?;
        if owner_and_part(&tags) == Some((step.work.owner.as_str(), step.part.as_str())) {
            return Ok(found.id);
        }
    }
    Err(error)
}

async fn update(step: &Step, domain: &Domain, change: &DomainChange, wanted: Domain) -> Result<Domain, AwsError> {
    let clients = &step.work.clients;
    let arn = if domain.arn.is_empty() { settled(step, domain).await?.arn } else { domain.arn.clone() };
    let mut tags_change = diff(&domain.tags, &wanted.tags);
    let (old, new): (Tags, Tags) = (note_tags(&domain.notes).collect(), note_tags(&wanted.notes).collect());
    tags_change.remove.extend(old.keys().filter(|key| !new.contains_key(*key)).cloned());
    tags_change.set.extend(new.into_iter().filter(|(key, value)| old.get(key) != Some(value)));
    if domain.adopted {
        tags_change.set.extend(step.work.tags(&Tags::new(), &step.part));
    }
    tags::update_tags(clients, &arn, &tags_change).await?;
    settle(step, domain, change, wanted).await
}

/// Changes the domain once SageMaker takes a change: one that is still being made, or changed, refuses it.
async fn settle(step: &Step, domain: &Domain, change: &DomainChange, wanted: Domain) -> Result<Domain, AwsError> {
    let work = &step.work;
    let now = if domain.ready { None } else { Some(settled(step, domain).await?) };
    let failed_before = now.is_some_and(|now| now.status == Status::UpdateFailed);
    let change = match change.is_empty() {
        false => change.clone(),
        // Any change that succeeds takes the mark of the failed one away.
        true if failed_before => DomainChange {
            default_user_settings: UserSettings {
                execution_role: domain.settings.execution_role.clone(),
                ..UserSettings::default()
            },
            ..DomainChange::default()
        },
        true if domain.ready => return Ok(wanted),
        true => return when_in_service(step, wanted).await,
    };
    retry_while(is_role_not_assumable, ROLE_VISIBLE, ROLE_PACE, &work.patience, || {
        update_domain(&work.clients, &domain.id, &change)
    })
    .await?;
    when_in_service(step, wanted).await
}

/// The domain, once nothing is under way.
async fn settled(step: &Step, domain: &Domain) -> Result<domain_types::Domain, AwsError> {
    domain::wait_until_settled(&step.work.clients, &domain.id, &step.work.patience).await
}

async fn when_in_service(step: &Step, wanted: Domain) -> Result<Domain, AwsError> {
    let found = domain::wait_until_in_service(&step.work.clients, &wanted.id, &step.work.patience).await?;
    let Domain { adopted, added_groups, tags, notes, .. } = wanted;
    Ok(Domain { adopted, added_groups, ..read::domain(found, tags, notes) })
}

async fn delete_and_wait(step: &Step, domain: &Domain) -> Result<(), AwsError> {
    let work = &step.work;
    let is_going = !domain.ready
        && find_domain(&work.clients, &domain.id).await?.is_some_and(|found| found.status == Status::Deleting);
    if is_going {
        return domain::wait_until_deleted(&work.clients, &domain.id, &work.patience).await;
    }
    let retention = if domain.takes_file_system() { HomeEfsRetention::Delete } else { HomeEfsRetention::Retain };
    // A domain that is still being made, or whose last app is still going, cannot be deleted yet.
    let is_busy = |error: &AwsError| !domain.ready && error.kind == Kind::InUse;
    retry_while(is_busy, RELEASE, ROLE_PACE, &work.patience, || delete_domain(&work.clients, &domain.id, retention))
        .await?;
    domain::wait_until_deleted(&work.clients, &domain.id, &work.patience).await
}

/// Deletes the groups that SageMaker leaves behind when it deletes a file system.
pub fn delete_nfs_groups(step: Step, of: BTreeMap<DomainId, VpcId>) -> BoxFuture<'static, Done> {
    async move {
        for (domain, vpc_id) in &of {
            if let Err(error) = delete_nfs_groups_of(&step, domain, vpc_id).await {
                return step.failed(error);
            }
        }
        Outcome::done(Part::NfsGroups)
    }
    .boxed()
}

/// The two refer to each other, so their rules go first.
async fn delete_nfs_groups_of(step: &Step, domain: &DomainId, vpc_id: &VpcId) -> Result<(), AwsError> {
    let work = &step.work;
    let groups = read::nfs_groups(&work.clients, domain, vpc_id).await?;
    for group in &groups {
        let rules = list_rules(&work.clients, &group.id).await?;
        revoke_rules(&work.clients, &group.id, &rules).await?;
    }
    for group in &groups {
        delete_security_group_when_free(&work.clients, &group.id, RELEASE, &work.patience).await?;
    }
    Ok(())
}
