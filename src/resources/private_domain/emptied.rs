//! What has to be empty before it is deleted: looked into when that is planned, and again before anything is touched.
//!
//! **Invariant:** changes nothing.

use super::apply::Run;
use super::apply::contents::{self, Scope};
use super::desired::Desired;
use super::model::Model;
use super::recorded::Recorded;
use crate::aws::Clients;
use crate::framework::{Diagnostic, Path};

/// What has to be empty before it is deleted.
pub struct Emptied {
    scope: Scope,
    /// Whether what users have made there may be deleted.
    force: bool,
}

impl Emptied {
    /// All of a resource that is destroyed.
    pub fn whole(recorded: &Recorded, prior: &Model) -> Self {
        Emptied { scope: Scope::of(None, recorded), force: prior.force_destroy.known() == Some(&true) }
    }

    /// What an update takes away.
    pub fn part(desired: &Desired, recorded: &Recorded, model: &Model) -> Self {
        Emptied { scope: Scope::of(Some(desired), recorded), force: model.force_destroy.known() == Some(&true) }
    }

    /// What a run takes away.
    pub fn by(run: &Run, recorded: &Recorded) -> Self {
        Emptied { scope: Scope::of(run.desired.as_ref(), recorded), force: run.force_destroy }
    }
}

/// What users have made, where that keeps a part from being deleted and may not be deleted itself.
pub async fn in_the_way(
    clients: Option<&Clients>,
    emptied: Option<Emptied>,
    recorded: &Recorded,
) -> Option<Diagnostic> {
    let emptied = emptied.filter(|emptied| !emptied.force)?;
    let id = &recorded.domain.as_ref()?.id;
    // What cannot be read now is met again, and told, where it is deleted.
    let found = contents::find(clients?, id, &emptied.scope).await.ok()?;
    (!found.is_empty()).then(|| {
        let text = format!("In {id} {}.\n\nNothing was changed.", contents::in_the_way(&found));
        Diagnostic::error("The domain is not empty", text).at(Path::root("force_destroy"))
    })
}
