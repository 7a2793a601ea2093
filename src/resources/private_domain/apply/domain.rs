//! The domain.

use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::group::known;
use super::{Done, Part, Step};
use crate::aws::ec2::security_group::{delete_security_group_when_free, find_security_group_by_name};
use crate::aws::ec2::security_group_rule::{list_rules, revoke_rules};
use crate::aws::sagemaker::domain::{
    self, HomeEfsRetention, create_domain, delete_domain, list_domains_by_name, update_domain,
};
use crate::aws::sagemaker::domain_types::{DomainChange, NewDomain, UserSettings};
use crate::aws::sagemaker::{Toggle, is_role_not_assumable, tags};
use crate::aws::tags::{diff, owner_and_part};
use crate::aws::wait::{Pace, retry_while};
use crate::aws::{AwsError, DomainId, Kind, Tags, VpcId};
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::plan::ON_DESTROY;
use crate::resources::private_domain::recorded::{Domain, Recorded};
use crate::resources::private_domain::{plan, read};

/// How long IAM may take to show SageMaker a role that was just made. The AWS provider waits as long for IAM.
pub const ROLE_VISIBLE: Duration = Duration::from_secs(120);
/// How often to try again meanwhile.
pub const ROLE_PACE: Pace = Pace::millis(0, 2_000, 10_000);
/// How long a domain may stay busy with what was deleted in it.
const RELEASE: Duration = Duration::from_secs(20 * 60);

/// Makes or changes the domain.
pub fn apply(step: Step, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let all_tags = known(&desired.tags);
    let on_destroy = known(&desired.on_destroy);
    let group = state.domain_group.as_ref().expect("the group is made before").id.clone();
    if let Some(domain) = state.domain.clone() {
        let change = plan::domain_change(desired, state, &domain)
            .expect("during apply everything is known, and the group is made");
        return async move {
            let result = update(&step, domain.clone(), &change, &all_tags, on_destroy).await.map(Box::new);
            step.ended(Part::Domain, Box::new(Domain { ready: false, ..domain }), result)
        }
        .boxed();
    }
    let new = NewDomain {
        name: known(&desired.name),
        auth_mode: known(&desired.auth_mode),
        vpc_id: VpcId::from(known(&desired.vpc_id)),
        subnet_ids: known(&desired.subnet_ids),
        default_user_settings: UserSettings {
            execution_role: Some(known(&desired.execution_role_arn)),
            security_group_ids: Some([group.clone()].into()),
            ..UserSettings::default()
        },
        security_group_ids: [group].into(),
        docker_access: None,
        address_type: None,
        home_efs: if known(&desired.home_efs_enabled) { Toggle::Enabled } else { Toggle::Disabled },
        kms_key_id: desired.kms_key_id.known().cloned(),
        tags: marked(step.work.tags(&all_tags, &step.part), &on_destroy),
    };
    create(step, new, all_tags, on_destroy).boxed()
}

/// Deletes the domain.
pub fn delete(step: Step, domain: Option<Domain>, retention: HomeEfsRetention) -> BoxFuture<'static, Done> {
    async move {
        let result = match domain {
            Some(domain) => delete_and_wait(&step, &domain, retention).await,
            None => Ok(()),
        };
        step.deleted::<Box<Domain>>(Part::Domain, result)
    }
    .boxed()
}

fn marked(mut tags: Tags, on_destroy: &str) -> Tags {
    tags.insert(ON_DESTROY.to_owned(), on_destroy.to_owned());
    tags
}

async fn create(step: Step, new: NewDomain, all_tags: Tags, on_destroy: String) -> Done {
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
        arn: String::new(),
        name: new.name,
        ready: false,
        url: None,
        vpc_id: new.vpc_id.to_string(),
        auth_mode: Some(new.auth_mode.as_str().to_owned()),
        kms_key_id: new.kms_key_id,
        vpc_only: true,
        subnet_ids: new.subnet_ids,
        execution_role_arn: new.default_user_settings.execution_role,
        user_security_group_ids: new.security_group_ids,
        file_system_id: None,
        on_destroy: Some(on_destroy),
        tags: all_tags,
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

async fn update(
    step: &Step,
    domain: Domain,
    change: &DomainChange,
    all_tags: &Tags,
    on_destroy: String,
) -> Result<Domain, AwsError> {
    let work = &step.work;
    // A change of a domain that is still being made, or changed by somebody else, is refused.
    let domain = if domain.ready { domain } else { when_in_service(step, domain).await? };
    let mut tags_change = diff(&domain.tags, all_tags);
    if domain.on_destroy.as_ref() != Some(&on_destroy) {
        tags_change.set.insert(ON_DESTROY.to_owned(), on_destroy.clone());
    }
    tags::update_tags(&work.clients, &domain.arn, &tags_change).await?;
    let domain = Domain { tags: all_tags.clone(), on_destroy: Some(on_destroy), ..domain };
    if change.is_empty() {
        return Ok(domain);
    }
    retry_while(is_role_not_assumable, ROLE_VISIBLE, ROLE_PACE, &work.patience, || {
        update_domain(&work.clients, &domain.id, change)
    })
    .await?;
    when_in_service(step, domain).await
}

async fn when_in_service(step: &Step, domain: Domain) -> Result<Domain, AwsError> {
    let found = domain::wait_until_in_service(&step.work.clients, &domain.id, &step.work.patience).await?;
    Ok(read::domain(found, domain.tags, domain.on_destroy))
}

async fn delete_and_wait(step: &Step, domain: &Domain, retention: HomeEfsRetention) -> Result<(), AwsError> {
    let work = &step.work;
    // A domain that is still being made, or whose last app is still going, cannot be deleted yet.
    let is_busy = |error: &AwsError| !domain.ready && error.kind == Kind::InUse;
    retry_while(is_busy, RELEASE, ROLE_PACE, &work.patience, || delete_domain(&work.clients, &domain.id, retention))
        .await?;
    domain::wait_until_deleted(&work.clients, &domain.id, &work.patience).await?;
    match retention {
        HomeEfsRetention::Delete => delete_nfs_groups(step, domain).await,
        HomeEfsRetention::Retain => Ok(()),
    }
}

/// SageMaker leaves the two groups of the file system behind when it deletes the file system. They refer to each other,
/// so their rules go first.
async fn delete_nfs_groups(step: &Step, domain: &Domain) -> Result<(), AwsError> {
    let work = &step.work;
    let vpc_id = VpcId::from(domain.vpc_id.as_str());
    let mut groups = Vec::new();
    for direction in ["inbound", "outbound"] {
        let name = format!("security-group-for-{direction}-nfs-{}", domain.id);
        groups.extend(find_security_group_by_name(&work.clients, &vpc_id, &name).await?);
    }
    for group in &groups {
        let rules = list_rules(&work.clients, &group.id).await?;
        revoke_rules(&work.clients, &group.id, &rules).await?;
    }
    for group in &groups {
        delete_security_group_when_free(&work.clients, &group.id, RELEASE, &work.patience).await?;
    }
    Ok(())
}
