//! What users have made in a domain: apps, spaces, and user profiles of others. It goes before what it is in.
//!
//! ```text
//! apps of a space ── space ──┐
//!                            ├── user profile that owns the spaces
//! apps of a user profile ────┘
//! ```
//!
//! Order: "Delete a SageMaker AI domain", developer guide. A failed app, and one that is gone and still listed, keep
//! nothing from being deleted.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::{BoxFuture, try_join_all};

use super::{Done, Part, Step};
use crate::aws::sagemaker::Status;
use crate::aws::sagemaker::app::{self, AppKey, AppOwner, AppStatus, AppSummary, delete_app, list_apps};
use crate::aws::sagemaker::space::{self, SpaceSummary, delete_space, list_spaces};
use crate::aws::sagemaker::user_profile::{self, UserProfileSummary, delete_user_profile, list_user_profiles};
use crate::aws::{AwsError, Call, DomainId, Kind, Service};
use crate::resources::common::Fault;
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::recorded::Recorded;
use crate::steps::Outcome;

/// What is in the way, in the order of its listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// Apps of the profiles and spaces below, and of profiles that are this resource's.
    pub apps: Vec<AppKey>,
    /// Spaces, with the profile that owns each.
    pub spaces: Vec<(String, Option<String>)>,
    /// User profiles that are not this resource's.
    pub profiles: Vec<String>,
    /// What is being deleted already: it is waited for.
    pub going: Going,
}

/// What is being deleted already.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Going {
    apps: Vec<AppKey>,
    spaces: Vec<String>,
    profiles: Vec<String>,
}

impl Contents {
    /// Whether nothing is in the way that does not go by itself.
    pub fn is_empty(&self) -> bool {
        self.apps.is_empty() && self.spaces.is_empty() && self.profiles.is_empty()
    }

    /// One line for each thing, with whose it is.
    pub fn lines(&self) -> Vec<String> {
        let apps = self.apps.iter().map(ToString::to_string);
        let spaces = self.spaces.iter().map(|(name, owner)| match owner {
            Some(owner) => format!("space {name} of user profile {owner}"),
            None => format!("shared space {name}"),
        });
        let profiles = self.profiles.iter().map(|name| format!("user profile {name}, which is not in user_profiles"));
        apps.chain(spaces).chain(profiles).collect()
    }
}

/// Which part of a domain is to be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of it; these profiles are deleted by steps of their own.
    Domain {
        /// The profiles that are this resource's.
        own: BTreeSet<String>,
    },
    /// What belongs to these profiles.
    Profiles(BTreeSet<String>),
}

impl Scope {
    /// What a change takes away: profiles that are no longer wanted, or the whole of a domain that was made here.
    pub fn of(desired: Option<&Desired>, recorded: &Recorded) -> Self {
        let own = recorded.profiles.keys();
        match desired {
            None if !recorded.has_adopted_domain() => Scope::Domain { own: own.cloned().collect() },
            None => Scope::Profiles(own.cloned().collect()),
            Some(desired) => {
                let wanted = desired.profiles();
                Scope::Profiles(own.filter(|name| !wanted.contains_key(*name)).cloned().collect())
            }
        }
    }

    /// What is in the way of it.
    fn select(&self, apps: Vec<AppSummary>, spaces: Vec<SpaceSummary>, profiles: Vec<UserProfileSummary>) -> Contents {
        let includes = |owner: Option<&String>| match self {
            Scope::Domain { .. } => true,
            Scope::Profiles(names) => owner.is_some_and(|owner| names.contains(owner)),
        };
        let spaces: Vec<_> = spaces.into_iter().filter(|space| includes(space.owner.as_ref())).collect();
        let is_included = |app: &AppSummary| match &app.key.owner {
            AppOwner::UserProfile(name) => includes(Some(name)),
            AppOwner::Space(name) => spaces.iter().any(|space| space.name == *name),
        };
        let apps = apps.into_iter().filter(|app| app.status.is_in_the_way() && is_included(app));
        let (going_apps, apps): (Vec<_>, Vec<_>) = apps.partition(|app| app.status == AppStatus::Deleting);
        let (going_spaces, spaces): (Vec<_>, Vec<_>) =
            spaces.into_iter().partition(|space| space.status == Status::Deleting);
        let is_foreign = |profile: &UserProfileSummary| match self {
            Scope::Domain { own } => !own.contains(&profile.name),
            Scope::Profiles(_) => false,
        };
        let (going_profiles, profiles): (Vec<_>, Vec<_>) =
            profiles.into_iter().filter(is_foreign).partition(|profile| profile.status == Status::Deleting);
        let names = |profiles: Vec<UserProfileSummary>| profiles.into_iter().map(|profile| profile.name).collect();
        Contents {
            apps: apps.into_iter().map(|app| app.key).collect(),
            spaces: spaces.into_iter().map(|space| (space.name, space.owner)).collect(),
            profiles: names(profiles),
            going: Going {
                apps: going_apps.into_iter().map(|app| app.key).collect(),
                spaces: going_spaces.into_iter().map(|space| space.name).collect(),
                profiles: names(going_profiles),
            },
        }
    }
}

/// Looks for what is in the way.
///
/// # Errors
/// Whatever SageMaker refuses.
pub async fn find(clients: &crate::aws::Clients, domain: &DomainId, scope: &Scope) -> Result<Contents, AwsError> {
    let (apps, spaces, profiles) = tokio::try_join!(list_apps(clients, domain), list_spaces(clients, domain), async {
        match scope {
            Scope::Domain { .. } => list_user_profiles(clients, domain).await,
            Scope::Profiles(_) => Ok(Vec::new()),
        }
    })?;
    Ok(scope.select(apps, spaces, profiles))
}

/// Deletes what users have made, if that is allowed.
pub(super) fn delete(step: Step, desired: Option<&Desired>, state: &Recorded, force: bool) -> BoxFuture<'static, Done> {
    let domain = state.domain.as_ref().map(|domain| domain.id.clone());
    let scope = Scope::of(desired, state);
    async move {
        let Some(domain) = domain else {
            return Outcome::done(Part::Contents);
        };
        match empty(&step, &domain, &scope, force).await {
            Ok(()) => Outcome::done(Part::Contents),
            Err(error) => Outcome::failed(Fault::new(format!("empty the domain {domain}"), error)),
        }
    }
    .boxed()
}

async fn empty(step: &Step, domain: &DomainId, scope: &Scope, force: bool) -> Result<(), AwsError> {
    let contents = match find(&step.work.clients, domain, scope).await {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    if !contents.is_empty() && !force {
        let call = Call::new(Service::SageMaker, "DeleteDomain", format!("domain {domain}"));
        return Err(call.error(Kind::InUse, in_the_way(&contents)));
    }
    wait_for(step, domain, &contents.going).await?;
    let spaces = contents.spaces.iter().map(|(name, _)| delete_one_space(step, domain, name, &contents));
    let apps = contents.apps.iter().filter(|app| matches!(app.owner, AppOwner::UserProfile(_)));
    let apps = apps.map(|app| delete_one_app(step, app));
    tokio::try_join!(try_join_all(spaces), try_join_all(apps))?;
    let profiles = contents.profiles.iter().map(async |name| {
        let work = &step.work;
        delete_user_profile(&work.clients, domain, name).await?;
        user_profile::wait_until_deleted(&work.clients, domain, name, &work.patience).await
    });
    try_join_all(profiles).await.map(drop)
}

/// Waits until all of it is gone.
async fn wait_for(step: &Step, domain: &DomainId, going: &Going) -> Result<(), AwsError> {
    let work = &step.work;
    let apps = going.apps.iter().map(|app| app::wait_until_deleted(&work.clients, app, &work.patience));
    let spaces = going.spaces.iter().map(|name| space::wait_until_deleted(&work.clients, domain, name, &work.patience));
    let profiles =
        going.profiles.iter().map(|name| user_profile::wait_until_deleted(&work.clients, domain, name, &work.patience));
    tokio::try_join!(try_join_all(apps), try_join_all(spaces), try_join_all(profiles)).map(drop)
}

/// What is in the way, and what to do about it.
pub fn in_the_way(contents: &Contents) -> String {
    format!(
        "there is in the way what was not made here:\n- {}\nDelete it, or set force_destroy = true and apply that first; then all of it is deleted",
        contents.lines().join("\n- ")
    )
}

async fn delete_one_space(step: &Step, domain: &DomainId, name: &str, contents: &Contents) -> Result<(), AwsError> {
    let work = &step.work;
    let is_in_it = |app: &&AppKey| app.owner == AppOwner::Space(name.to_owned());
    try_join_all(contents.apps.iter().filter(is_in_it).map(|app| delete_one_app(step, app))).await?;
    delete_space(&work.clients, domain, name).await?;
    space::wait_until_deleted(&work.clients, domain, name, &work.patience).await
}

async fn delete_one_app(step: &Step, app: &AppKey) -> Result<(), AwsError> {
    let work = &step.work;
    delete_app(&work.clients, app).await?;
    app::wait_until_deleted(&work.clients, app, &work.patience).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(owner: AppOwner, name: &str, status: AppStatus) -> AppSummary {
        let key = AppKey { domain_id: "d-1".into(), owner, app_type: "JupyterLab".to_owned(), name: name.to_owned() };
        AppSummary { key, status }
    }

    fn listed() -> (Vec<AppSummary>, Vec<SpaceSummary>, Vec<UserProfileSummary>) {
        let profile = |name: &str| AppOwner::UserProfile(name.to_owned());
        let apps = vec![
            app(profile("ours"), "a", AppStatus::InService),
            app(profile("theirs"), "b", AppStatus::Pending),
            app(AppOwner::Space("s".to_owned()), "c", AppStatus::InService),
            app(profile("ours"), "gone", AppStatus::Deleted),
            app(profile("ours"), "stopping", AppStatus::Deleting),
            app(profile("ours"), "broken", AppStatus::Failed),
        ];
        let space = |name: &str, owner: Option<&str>| SpaceSummary {
            name: name.to_owned(),
            owner: owner.map(str::to_owned),
            status: Status::InService,
        };
        let spaces = vec![
            space("s", Some("theirs")),
            space("shared", None),
            SpaceSummary { status: Status::Deleting, ..space("closing", None) },
        ];
        let profile = |name: &str, status| UserProfileSummary { name: name.to_owned(), status };
        let leaving = profile("leaving", Status::Deleting);
        (apps, spaces, vec![profile("ours", Status::InService), profile("theirs", Status::InService), leaving])
    }

    fn select(scope: &Scope) -> Vec<String> {
        let (apps, spaces, profiles) = listed();
        scope.select(apps, spaces, profiles).lines()
    }

    #[test]
    fn all_of_a_domain_is_in_the_way_of_its_deletion_but_what_is_deleted_anyway() {
        let expected = [
            "app JupyterLab/a of user profile ours",
            "app JupyterLab/b of user profile theirs",
            "app JupyterLab/c of space s",
            "space s of user profile theirs",
            "shared space shared",
            "user profile theirs, which is not in user_profiles",
        ];
        assert_eq!(select(&Scope::Domain { own: ["ours".to_owned()].into() }), expected);
    }

    #[test]
    fn what_is_being_deleted_is_waited_for() {
        let (apps, spaces, profiles) = listed();
        let found = Scope::Domain { own: ["ours".to_owned()].into() }.select(apps, spaces, profiles);
        let expected = Going {
            apps: vec![app(AppOwner::UserProfile("ours".to_owned()), "stopping", AppStatus::Deleting).key],
            spaces: vec!["closing".to_owned()],
            profiles: vec!["leaving".to_owned()],
        };
        assert_eq!(found.going, expected);
        let only_going = Contents { going: found.going, ..Contents::default() };
        assert!(only_going.is_empty());
    }

    #[test]
    fn only_what_belongs_to_a_profile_is_in_the_way_of_the_profile() {
        assert_eq!(select(&Scope::Profiles(["ours".to_owned()].into())), ["app JupyterLab/a of user profile ours"]);
        let expected = [
            "app JupyterLab/b of user profile theirs",
            "app JupyterLab/c of space s",
            "space s of user profile theirs",
        ];
        assert_eq!(select(&Scope::Profiles(["theirs".to_owned()].into())), expected);
    }
}
