//! What a plan's hosted zones cannot be.
//!
//! **Invariant:** pure. What is not known yet is not judged; the plan that Terraform makes again during apply knows it.

use super::{Slot, first_vpc, vpcs, wanted};
use crate::aws::AccountId;
use crate::framework::{Diagnostic, Path, Value};
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::recorded::Recorded;
use crate::resources::private_domain::validate::no_vpc_for_parents;

/// Checks what is wanted of the zones.
pub fn check(desired: &Desired, recorded: &Recorded, account: Option<&AccountId>) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    found.extend(no_vpc(desired, recorded, account));
    found.extend(own_zones(desired, recorded));
    found.extend(no_use(desired, recorded));
    found
}

/// Zones that are to be made have to have a VPC, and one of the zone's own account first.
fn no_vpc(desired: &Desired, recorded: &Recorded, account: Option<&AccountId>) -> Option<Diagnostic> {
    let made = wanted(desired, recorded).into_iter().filter(|(slot, _)| !matches!(slot, Slot::Existing(_)));
    for (slot, zone) in made {
        let Some(vpcs) = vpcs(desired, recorded, &slot) else { continue };
        if vpcs.is_empty() {
            return Some(no_vpc_for_parents());
        }
        let is_there = recorded.zones.get(&slot).is_some_and(|there| Some(&there.name) == zone.name.as_ref());
        if !is_there && account.is_some() && first_vpc(&vpcs, desired.vpc.known(), account).is_none() {
            let account = account.map(ToString::to_string).unwrap_or_default();
            let text = format!(
                "Route 53 makes a private hosted zone only with a VPC of the zone's own account, which is {account} here. All VPCs that the zones are to answer in are of other accounts, and AWS serves the names in vpc_id already, with the private DNS of the studio endpoint. Add a VPC of account {account}, make the zones in one of the other accounts, or set endpoints.private_dns_enabled to false."
            );
            return Some(
                Diagnostic::error("No VPC of this account for the parent zones", text).at(associations_path()),
            );
        }
    }
    None
}

/// A zone that was made here would be deleted, and adopted at the same time.
fn own_zones(desired: &Desired, recorded: &Recorded) -> Vec<Diagnostic> {
    let made = || recorded.zones.iter().filter(|(slot, _)| !matches!(slot, Slot::Existing(_))).map(|(_, zone)| zone);
    let existing = desired.zones.existing.known().into_iter().flatten();
    existing
        .filter_map(|(name, id)| {
            let Value::Known(id) = id else { return None };
            made().any(|zone| zone.id == *id).then(|| {
                let text = format!("{id} was made by this very resource, which looks after it. Remove the entry.");
                let path = Path::root("hosted_zone").attribute("existing_zone_ids").key(name);
                Diagnostic::error(format!("The hosted zone {name} is this resource's own"), text).at(path)
            })
        })
        .collect()
}

/// Where all zones are adopted, none of them is made to answer anywhere.
fn no_use(desired: &Desired, recorded: &Recorded) -> Option<Diagnostic> {
    let has_associations = desired.zones.associations.known().is_some_and(|vpcs| !vpcs.is_empty());
    let is_known = desired.zones.mode.is_known() && desired.zones.existing.is_known() && desired.parents.is_known();
    let zones = wanted(desired, recorded);
    let all_adopted = !zones.is_empty() && zones.keys().all(|slot| matches!(slot, Slot::Existing(_)));
    (has_associations && is_known && all_adopted).then(|| {
        let text = "All zones are adopted, and where those answer is decided where they are managed. Remove vpc_associations, or let a zone be made.";
        Diagnostic::error("vpc_associations has no effect", text).at(associations_path())
    })
}

fn associations_path() -> Path {
    Path::root("hosted_zone").attribute("vpc_associations")
}
