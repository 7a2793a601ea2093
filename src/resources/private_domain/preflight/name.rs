//! Another domain of the same name. Names are unique in an account and Region.
//!
//! **Invariant:** changes nothing.

use super::scope::is_owned;
use crate::aws::sagemaker::domain::{DomainSummary, list_domains_by_name};
use crate::aws::sagemaker::{Status, tags};
use crate::aws::{AwsError, Clients, DomainId};
use crate::framework::{Diagnostic, Path};

/// When a look is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment<'a> {
    /// Before anything is changed. What belongs to this very resource may be on its way out: Terraform plans the
    /// successor of a tainted object without a word about the object.
    Plan {
        /// The domain that is about to be replaced.
        replaced: Option<&'a DomainId>,
    },
    /// Right before the domain is made.
    Apply,
}

/// Whether a domain can be made under this name; the error if not.
///
/// # Errors
/// Whatever SageMaker refuses, such as `AccessDenied`.
pub async fn check(
    clients: &Clients,
    name: &str,
    owner: &str,
    moment: Moment<'_>,
) -> Result<Option<Diagnostic>, AwsError> {
    let found = list_domains_by_name(clients, name).await?;
    let in_the_way = found.iter().find(|domain| match moment {
        Moment::Plan { replaced } => domain.status != Status::Deleting && replaced != Some(&domain.id),
        Moment::Apply => true,
    });
    let Some(domain) = in_the_way else {
        return Ok(None);
    };
    // Without its tags it counts as somebody else's.
    let tags = tags::list_tags(clients, &domain.arn).await.unwrap_or_default();
    let is_own = is_owned(&tags, owner);
    Ok(match moment {
        Moment::Plan { .. } if is_own => None,
        Moment::Plan { .. } | Moment::Apply => Some(taken(domain, name, is_own)),
    })
}

fn taken(domain: &DomainSummary, name: &str, is_own: bool) -> Diagnostic {
    let way_on = if is_own {
        "It was made for a resource of this name, in this VPC: by another configuration, or by a run of this one that ended before it could save its state. If it is this one's, import it; everything around it comes along, and the next apply goes on from there.".to_owned()
    } else {
        format!(
            "Choose another name, or make the endpoints around that domain: existing_domain_id = {:?}.",
            domain.id.as_str()
        )
    };
    let text = format!(
        "The domain {} has the name {name:?} already, and names are unique in an account and Region. Nothing was changed.\n\n{way_on}",
        domain.id
    );
    Diagnostic::error("A domain of this name exists", text).at(Path::root("name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(is_own: bool) -> String {
        let domain = DomainSummary {
            id: "d-1".into(),
            arn: "arn:aws:sagemaker:eu-west-1:111111111111:domain/d-1".to_owned(),
            name: "ml".to_owned(),
            status: Status::InService,
        };
        taken(&domain, "ml", is_own).detail
    }

    #[test]
    fn a_domain_of_ones_own_is_to_be_imported_and_anothers_can_be_adopted() {
        assert!(text(true).contains("import it"));
        assert!(text(false).contains("existing_domain_id = \"d-1\""));
    }
}
