//! User profiles.

use futures::FutureExt;
use futures::future::BoxFuture;

use super::domain::{ROLE_PACE, ROLE_VISIBLE};
use super::group::known;
use super::{Done, Part, Step};
use crate::aws::sagemaker::domain_types::UserSettings;
use crate::aws::sagemaker::user_profile::{
    NewUserProfile, create_user_profile, delete_user_profile, find_user_profile, update_user_profile,
    wait_until_deleted, wait_until_in_service,
};
use crate::aws::sagemaker::{is_role_not_assumable, tags};
use crate::aws::tags::{diff, owner_and_part};
use crate::aws::wait::retry_while;
use crate::aws::{AwsError, DomainId, Kind, Tags};
use crate::resources::private_domain::changes::{profile_settings, profile_tags};
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::recorded::{Profile, Recorded};

/// Makes or changes a profile.
pub fn apply(step: Step, name: &str, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let wanted = desired.profiles().remove(name).expect("only wanted profiles are made");
    let domain_id = state.domain.as_ref().expect("the domain is made before").id.clone();
    let all_tags = known(&profile_tags(desired, &wanted));
    let name = name.to_owned();
    if let Some(profile) = state.profiles.get(&name).cloned() {
        let settings = profile_settings(desired, state, &wanted, &profile).expect("during apply everything is known");
        return async move {
            let result = update(&step, &domain_id, &name, profile.clone(), &settings, &all_tags).await;
            step.ended(Part::Profile, Profile { ready: false, ..profile }, result)
        }
        .boxed();
    }
    let settings =
        UserSettings { execution_role: wanted.execution_role_arn.known().cloned(), ..UserSettings::default() };
    let tags = step.work.tags(&all_tags, &step.part);
    let new = NewUserProfile { domain_id, name, settings, sso_user: None, tags };
    create(step, new, all_tags).boxed()
}

/// Deletes a profile.
pub fn delete(step: Step, name: &str, state: &Recorded) -> BoxFuture<'static, Done> {
    let domain_id = state.domain.as_ref().map(|domain| domain.id.clone());
    let name = name.to_owned();
    async move {
        let result = match domain_id {
            Some(domain_id) => delete_and_wait(&step, &domain_id, &name).await,
            // Without its domain there is no profile.
            None => Ok(()),
        };
        step.deleted(Part::Profile, result)
    }
    .boxed()
}

async fn create(step: Step, new: NewUserProfile, all_tags: Tags) -> Done {
    let work = &step.work;
    let created = retry_while(is_role_not_assumable, ROLE_VISIBLE, ROLE_PACE, &work.patience, || {
        create_user_profile(&work.clients, &new)
    });
    let arn = match created.await {
        Ok(arn) => arn,
        Err(error) => match made_before(&step, &new, error).await {
            Ok(arn) => arn,
            Err(error) => return step.failed(error),
        },
    };
    let made = Profile { arn, ready: false, execution_role_arn: new.settings.execution_role, tags: all_tags };
    let result = when_in_service(&step, &new.domain_id, &new.name, made.clone()).await;
    step.ended(Part::Profile, made, result)
}

/// A profile that carries this resource's own tags was made before it could be recorded.
async fn made_before(step: &Step, new: &NewUserProfile, error: AwsError) -> Result<String, AwsError> {
    if !matches!(error.kind, Kind::AlreadyExists | Kind::InUse | Kind::Conflict) {
        return Err(error);
    }
    let clients = &step.work.clients;
    let Some(found) = find_user_profile(clients, &new.domain_id, &new.name).await? else {
        return Err(error);
    };
    let tags = tags::list_tags(clients, &found.arn).await?;
    let ours = Some((step.work.owner.as_str(), step.part.as_str()));
    if owner_and_part(&tags) == ours { Ok(found.arn) } else { Err(error) }
}

async fn update(
    step: &Step,
    domain_id: &DomainId,
    name: &str,
    profile: Profile,
    settings: &UserSettings,
    all_tags: &Tags,
) -> Result<Profile, AwsError> {
    let work = &step.work;
    if !profile.ready {
        wait_until_in_service(&work.clients, domain_id, name, &work.patience).await?;
    }
    tags::update_tags(&work.clients, &profile.arn, &diff(&profile.tags, all_tags)).await?;
    retry_while(is_role_not_assumable, ROLE_VISIBLE, ROLE_PACE, &work.patience, || {
        update_user_profile(&work.clients, domain_id, name, settings)
    })
    .await?;
    when_in_service(step, domain_id, name, Profile { tags: all_tags.clone(), ..profile }).await
}

async fn when_in_service(step: &Step, domain_id: &DomainId, name: &str, profile: Profile) -> Result<Profile, AwsError> {
    let found = wait_until_in_service(&step.work.clients, domain_id, name, &step.work.patience).await?;
    Ok(Profile { arn: found.arn, ready: true, execution_role_arn: found.settings.execution_role, tags: profile.tags })
}

async fn delete_and_wait(step: &Step, domain_id: &DomainId, name: &str) -> Result<(), AwsError> {
    delete_user_profile(&step.work.clients, domain_id, name).await?;
    wait_until_deleted(&step.work.clients, domain_id, name, &step.work.patience).await
}
