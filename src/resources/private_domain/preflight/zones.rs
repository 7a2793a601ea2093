//! Other zones with the names of zones that are going to be made or associated.
//!
//! Route 53 refuses a second zone of a name in a VPC with `ConflictingDomainExists`.
//!
//! **Invariant:** pure.

use super::scope::Place;
use crate::aws::AccountId;
use crate::aws::route53::hosted_zone::ZoneOfVpc;
use crate::framework::Diagnostic;

/// The zones of a VPC that stand in the way of zones of these names. Own ones are left out before.
pub fn conflicts<'a>(place: &Place, others: &'a [ZoneOfVpc]) -> Vec<&'a ZoneOfVpc> {
    others.iter().filter(|zone| place.names.contains(&zone.name)).collect()
}

/// What to say of such a zone.
pub fn conflict(place: &Place, zone: &ZoneOfVpc, account: Option<&AccountId>) -> Diagnostic {
    let vpc = &place.vpc.vpc_id;
    let is_ours_to_change = zone.owning_service.is_none()
        && (account.is_none() || zone.owning_account.is_none() || zone.owning_account.as_ref() == account);
    let way_on = if is_ours_to_change {
        format!(
            "To put the records into that zone: hosted_zone.existing_zone_ids = {{ {:?} = {:?} }}. Else take it off the VPC or delete it.",
            zone.name,
            zone.id.as_str()
        )
    } else {
        "It is not this account's, and cannot be adopted from here. Have it taken off the VPC, or set hosted_zone.mode so that the name is not needed.".to_owned()
    };
    let text = format!(
        "The hosted zone {} ({}) answers in {vpc} for {}, and Route 53 refuses a second zone of a name in a VPC. {way_on}",
        zone.id,
        owner_of(zone, account),
        zone.name,
    );
    Diagnostic::error(format!("{vpc} has a hosted zone {} already", zone.name), text).at(place.path.clone())
}

/// Whose zone it is, in words.
pub fn owner_of(zone: &ZoneOfVpc, account: Option<&AccountId>) -> String {
    match (&zone.owning_service, &zone.owning_account) {
        (Some(service), _) => format!("owned by {service}"),
        (None, Some(owner)) if Some(owner) != account => format!("of account {owner}"),
        (None, Some(_) | None) => "of this account".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::route53::hosted_zone::ZoneVpc;
    use crate::framework::Path;
    use expect_test::expect;

    const NAME: &str = "d-1.studio.eu-west-1.sagemaker.aws";

    fn place() -> Place {
        let vpc = ZoneVpc { vpc_id: "vpc-1".into(), region: "eu-west-1".into() };
        Place { vpc, names: [NAME.to_owned()].into(), path: Path::root("hosted_zone") }
    }

    fn zone(name: &str, account: &str) -> ZoneOfVpc {
        let owning_account = Some(account.into());
        ZoneOfVpc { id: "Z1".into(), name: name.to_owned(), owning_account, owning_service: None }
    }

    fn text(zone: &ZoneOfVpc) -> String {
        conflict(&place(), zone, Some(&"111111111111".into())).detail
    }

    #[test]
    fn only_the_very_same_name_is_a_conflict() {
        let others = [zone(NAME, "1"), zone("studio.eu-west-1.sagemaker.aws", "1"), zone("aws", "1")];
        assert_eq!(conflicts(&place(), &others), [&others[0]]);
    }

    #[test]
    fn a_zone_of_the_account_can_be_adopted() {
        expect![[r#"The hosted zone Z1 (of this account) answers in vpc-1 for d-1.studio.eu-west-1.sagemaker.aws, and Route 53 refuses a second zone of a name in a VPC. To put the records into that zone: hosted_zone.existing_zone_ids = { "d-1.studio.eu-west-1.sagemaker.aws" = "Z1" }. Else take it off the VPC or delete it."#]]
        .assert_eq(&text(&zone(NAME, "111111111111")));
    }

    #[test]
    fn a_zone_of_another_account_or_of_a_service_cannot() {
        let foreign = text(&zone(NAME, "222222222222"));
        assert!(foreign.contains("(of account 222222222222)") && foreign.contains("cannot be adopted"), "{foreign}");
        let owning_service = Some("efs.amazonaws.com".to_owned());
        let managed = text(&ZoneOfVpc { owning_service, ..zone(NAME, "111111111111") });
        assert!(managed.contains("(owned by efs.amazonaws.com)") && managed.contains("cannot be adopted"), "{managed}");
    }
}
