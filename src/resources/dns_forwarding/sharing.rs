//! The organization that completes the ids of those that rules are shared with.
//!
//! It is asked for only where RAM has to be told an ARN of which there is an id alone.
//!
//! **Invariant:** changes nothing.

use super::desired::Desired;
use super::model::Model;
use super::principal::{self, Principal};
use super::recorded::Recorded;
use crate::aws::organizations::organization::{Organization, find_organization};
use crate::aws::{Clients, Kind};
use crate::framework::{Diagnostic, Diagnostics, Path};
use crate::resources::common::aws_error;
use crate::resources::values::known_set;

/// The organization, where it is needed.
///
/// # Errors
/// Names the elements of `share_with` at fault: of another organization, where there is none, or that cannot be completed.
pub async fn organization(
    clients: &Clients,
    model: &Model,
    recorded: &Recorded,
) -> Result<Option<Organization>, Diagnostics> {
    let incomplete = incomplete(&Desired::new(model), recorded);
    if incomplete.is_empty() {
        return Ok(None);
    }
    let at_each = |summary: &str, text: &dyn Fn(&str) -> String| -> Diagnostics {
        incomplete.iter().map(|one| Diagnostic::error(summary, text(one)).at(element(one))).collect()
    };
    match find_organization(clients).await {
        Ok(Some(found)) => {
            let foreign = foreign(model, &found);
            if foreign.has_errors() { Err(foreign) } else { Ok(Some(found)) }
        }
        Ok(None) => Err(at_each("The account belongs to no organization", &|one| {
            format!(
                "{one} belongs to an organization, and RAM shares with one's own alone. Name single accounts instead."
            )
        })),
        Err(error) if error.kind == Kind::AccessDenied => Err(at_each("An id cannot be completed", &|one| {
            format!(
                "RAM takes {one} by its ARN alone. Finding that takes the permission organizations:DescribeOrganization, which these credentials do not have. Allow it, or give the ARN instead, which AWS Organizations shows beside the id: {}.",
                example(one)
            )
        })),
        Err(error) => Err(aws_error("look up the organization of the account", &error).into()),
    }
}

/// What is known to exist before the first step, with the organization, where it is needed.
///
/// # Errors
/// As [`organization`], and those of `ready`.
pub async fn with_organization(
    clients: &Clients,
    planned: Option<&Model>,
    ready: impl Future<Output = Result<Recorded, Diagnostics>>,
) -> Result<(Recorded, Option<Organization>), Diagnostics> {
    let recorded = ready.await?;
    let organization = match planned {
        Some(planned) => organization(clients, planned, &recorded).await?,
        None => None,
    };
    Ok((recorded, organization))
}

/// Tells of accounts that were invited by an apply, and have to accept.
pub fn invitations(before: &Recorded, now: &Recorded) -> Diagnostics {
    let Some(share) = &now.share else {
        return Diagnostics::new();
    };
    let is_new = |account: &&String| before.share.as_ref().is_none_or(|before| !before.invited.contains(*account));
    let tell = |account: &String| {
        let text = format!(
            "{account} does not belong to the organization of this account, or the organization does not share through RAM. RAM has invited it to {}. It can use the rules once somebody there has accepted the invitation, in RAM under \"Shared with me\".",
            share.arn
        );
        Diagnostic::warning("An account has been invited", text).at(element(account))
    };
    share.invited.iter().filter(is_new).map(tell).collect()
}

/// What is wanted by its id alone, and not shared with yet.
fn incomplete(desired: &Desired, recorded: &Recorded) -> Vec<String> {
    let shared = |text: &String| {
        let mut principals = recorded.share.iter().flat_map(|share| share.principals.keys());
        principals.any(|shared| principal::id_of(shared) == principal::id_of(text))
    };
    let wanted = desired.outbound.known().and_then(|outbound| outbound.principals.known()).into_iter().flatten();
    wanted.filter(|text| principal::lacks_arn(text) && !shared(text)).cloned().collect()
}

/// RAM shares with the organization of the account and its units, and with no other ("Sharing your AWS resources", RAM
/// user guide).
fn foreign(model: &Model, own: &Organization) -> Diagnostics {
    let written = model.outbound.known().and_then(|outbound| known_set(&outbound.share_with)).unwrap_or_default();
    let wrong = |text: &String| {
        let organization = match Principal::parse(text)? {
            Principal::Organization(organization) | Principal::Arn { organization, .. } => organization,
            Principal::Account(_) | Principal::Unit(_) => return None,
        };
        let detail = format!(
            "The account belongs to the organization {}, and RAM shares with one's own organization alone. Name that one, or single accounts of {organization} by their ids.",
            own.id
        );
        (organization != own.id).then(|| Diagnostic::error("Another organization", detail).at(element(text)))
    };
    written.iter().filter_map(wrong).collect()
}

fn element(text: &str) -> Path {
    Path::root("outbound").attribute("share_with").element(text)
}

fn example(text: &str) -> String {
    match Principal::parse(text) {
        Some(Principal::Unit(unit)) => format!("arn:aws:organizations::<management account>:ou/o-…/{unit}"),
        _ => format!("arn:aws:organizations::<management account>:organization/{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Value;
    use crate::resources::dns_forwarding::model::Outbound;
    use crate::resources::dns_forwarding::recorded::Share;

    const UNIT: &str = "arn:aws:organizations::111111111111:ou/o-abc/ou-r1-u1";

    fn model(share_with: &[&str]) -> Model {
        let share_with = Value::Known(share_with.iter().map(|text| Value::from(*text)).collect());
        Model { outbound: Value::Known(Outbound { share_with, ..Outbound::empty() }), ..Model::empty() }
    }

    fn shared(principals: &[&str], invited: &[&str]) -> Recorded {
        let share = Share {
            arn: "arn:share".into(),
            name: "studio-dns dns".to_owned(),
            principals: principals.iter().map(|text| ((*text).to_owned(), None)).collect(),
            invited: invited.iter().map(|text| (*text).to_owned()).collect(),
            resources: Default::default(),
            ready: true,
            tags: Default::default(),
        };
        Recorded { share: Some(share), ..Recorded::default() }
    }

    #[test]
    fn only_new_ids_of_organizations_and_units_are_incomplete() {
        let desired = Desired::new(&model(&["123456789012", "o-abc", "ou-r1-u1", "ou-r1-u2", UNIT]));
        assert_eq!(incomplete(&desired, &Recorded::default()), ["o-abc", "ou-r1-u1", "ou-r1-u2"]);
        assert_eq!(incomplete(&desired, &shared(&[UNIT], &[])), ["o-abc", "ou-r1-u2"]);
    }

    #[test]
    fn what_is_of_another_organization_is_named() {
        let arn = "arn:aws:organizations::111111111111:organization/o-other".to_owned();
        let own = Organization { id: "o-other".to_owned(), arn };
        let found = foreign(&model(&["123456789012", "o-abc", "o-other", "ou-r1-u2", UNIT]), &own);
        let paths: Vec<_> = found.iter().map(|one| one.path.as_ref().unwrap().to_string()).collect();
        assert_eq!(paths, [format!("outbound.share_with[{UNIT:?}]"), "outbound.share_with[\"o-abc\"]".to_owned()]);
    }

    #[test]
    fn each_invitation_is_told_of_once() {
        let invited = shared(&["123456789012"], &["123456789012"]);
        assert_eq!(invitations(&Recorded::default(), &invited).iter().count(), 1);
        assert!(invitations(&invited, &invited).is_empty());
        assert!(invitations(&invited, &shared(&["123456789012"], &[])).is_empty());
    }
}
