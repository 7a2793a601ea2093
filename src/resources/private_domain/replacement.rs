//! What cannot be changed about a domain, and what a replacement would lose.
//!
//! **Invariant:** pure.

use super::model::Model;
use super::recorded::Recorded;
use crate::framework::{Diagnostic, Diagnostics, Path, Value};

/// Another domain than the one there is. Taking over the management of an adopted domain, or letting go of it, changes
/// nothing about which domain it is, and replaces nothing.
pub fn other_domain(model: &Model, prior: Option<&Model>) -> Vec<Path> {
    let Some(prior) = prior else {
        return Vec::new();
    };
    let (before, now) = (&prior.existing_domain_id, &model.existing_domain_id);
    let is_the_same = match (before, now) {
        (Value::Known(id), Value::Null) | (Value::Null, Value::Known(id)) => prior.domain_id.text() == Some(id),
        (before, now) => before == now,
    };
    if is_the_same { Vec::new() } else { vec![Path::root("existing_domain_id")] }
}

/// The attributes whose change replaces the resource.
pub fn replaced_by(model: &Model, prior: Option<&Model>, other_domain: bool) -> Vec<&'static str> {
    let Some(prior) = prior else {
        return Vec::new();
    };
    [
        ("region", prior.region != model.region),
        ("name", prior.name != model.name),
        ("vpc_id", prior.vpc_id != model.vpc_id),
        ("auth_mode", prior.auth_mode != model.auth_mode),
        ("kms_key_id", prior.kms_key_id != model.kms_key_id),
        ("existing_domain_id", other_domain),
    ]
    .into_iter()
    .filter_map(|(attribute, differs)| differs.then_some(attribute))
    .collect()
}

/// A domain that is replaced starts without its users' home folders.
pub fn check_replacement(prior: Option<&Model>, recorded: &Recorded, replaced: &[&str]) -> Result<(), Diagnostics> {
    let file_system =
        recorded.domain.as_ref().filter(|domain| !domain.adopted).and_then(|domain| domain.file_system_id.clone());
    let on_destroy = prior.and_then(|prior| prior.home_efs.known()).and_then(|efs| efs.on_destroy.text());
    let (Some(attribute), Some(file_system), true) = (replaced.first(), file_system, on_destroy != Some("delete"))
    else {
        return Ok(());
    };
    let text = format!(
        "A domain cannot change its {attribute}, so this would replace it, and the new one would start with an empty file system: the home folders of all users are in {file_system}, which would stay behind. If they are not needed, set home_efs.on_destroy to \"delete\" and apply that first; then the file system goes with the domain. If they are, make a second resource, copy them, and remove this one afterwards."
    );
    Err(Diagnostic::error("This would lose the home folders", text).at(Path::root(attribute)).into())
}

/// The file system cannot be taken away from a domain (UpdateDomain, SageMaker API reference).
pub fn check_home_efs(model: &Model, prior: Option<&Model>, recorded: &Recorded) -> Result<(), Diagnostics> {
    let enabled = |model: &Model| model.home_efs.known().and_then(|efs| efs.enabled.known().copied());
    let has = match &recorded.domain {
        // Of an adopted domain, the attribute says nothing.
        Some(domain) if domain.adopted => domain.file_system_id.is_some(),
        Some(_) | None => prior.and_then(enabled) == Some(true),
    };
    if prior.is_some() && has && enabled(model) == Some(false) {
        let text =
            "SageMaker can give a domain a file system later, but not take it away. Set home_efs.enabled back to true.";
        let path = Path::root("home_efs").attribute("enabled");
        return Err(Diagnostic::error("The file system cannot be removed", text).at(path).into());
    }
    Ok(())
}
