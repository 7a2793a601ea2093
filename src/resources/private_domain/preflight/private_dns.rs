//! Who else answers in the VPC for the names that an endpoint's private DNS would serve.
//!
//! EC2 refuses a second endpoint with private DNS for a service, and one whose names a hosted zone of the VPC has, with
//! "conflicting DNS domain".
//!
//! **Invariant:** pure.

use std::collections::{BTreeMap, BTreeSet};

use super::scope::private_names;
use super::zones::owner_of;
use crate::aws::ec2::endpoint_service::EndpointService;
use crate::aws::ec2::vpc_endpoint::{EndpointState, VpcEndpoint};
use crate::aws::route53::hosted_zone::ZoneOfVpc;
use crate::aws::tags::OWNER;
use crate::aws::{AccountId, HostedZoneId, VpcId};
use crate::framework::{Diagnostic, Path};

/// What was seen in the VPC. `None` where it could not be looked at.
pub struct Seen<'a> {
    /// The VPC.
    pub vpc_id: &'a VpcId,
    /// The account of the credentials.
    pub account: Option<&'a AccountId>,
    /// Its endpoints.
    pub endpoints: Option<&'a [VpcEndpoint]>,
    /// The zones that answer in it.
    pub zones: Option<&'a [ZoneOfVpc]>,
}

/// What stands in the way of turning on private DNS for these services.
///
/// `is_own` tells this resource's own endpoints, `own_zones` are its own zones.
pub fn check(
    services: &BTreeMap<String, &EndpointService>,
    seen: &Seen<'_>,
    is_own: impl Fn(&VpcEndpoint) -> bool,
    own_zones: &BTreeSet<HostedZoneId>,
) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (key, service) in services {
        let with_dns = |endpoint: &&VpcEndpoint| endpoint.service_name == service.name && endpoint.private_dns_enabled;
        let serving: Vec<&VpcEndpoint> = seen.endpoints.unwrap_or_default().iter().filter(with_dns).collect();
        let other = serving.iter().find(|endpoint| !is_own(endpoint) && stays(&endpoint.state));
        found.extend(other.map(|endpoint| other_endpoint(key, service, endpoint, seen)));
        // AWS's own zones are those of the endpoints that were just looked at.
        let is_explained = |zone: &ZoneOfVpc| zone.owning_service.is_some() && !serving.is_empty();
        let names = private_names(service);
        let zones = seen.zones.unwrap_or_default().iter();
        let zones = zones.filter(|zone| names.contains(&zone.name) && !own_zones.contains(&zone.id));
        found.extend(zones.filter(|zone| !is_explained(zone)).map(|zone| other_zone(key, zone, seen)));
    }
    found
}

/// Whether an endpoint in this state goes on to serve its names.
fn stays(state: &EndpointState) -> bool {
    match state {
        EndpointState::PendingAcceptance
        | EndpointState::Pending
        | EndpointState::Available
        | EndpointState::Partial
        | EndpointState::Other(_) => true,
        EndpointState::Deleting
        | EndpointState::Deleted
        | EndpointState::Rejected
        | EndpointState::Failed
        | EndpointState::Expired => false,
    }
}

fn path(service: &str) -> Path {
    Path::root("endpoints").attribute("services").element(service)
}

fn other_endpoint(key: &str, service: &EndpointService, endpoint: &VpcEndpoint, seen: &Seen<'_>) -> Diagnostic {
    let Seen { vpc_id, account, .. } = seen;
    let name = endpoint.tags.get("Name").map(|name| format!("{name:?}, ")).unwrap_or_default();
    let owner = match &endpoint.owner_id {
        Some(owner) if Some(owner) != *account => format!("of account {owner}"),
        Some(_) | None => "of this account".to_owned(),
    };
    let maker = if endpoint.tags.contains_key(OWNER) {
        ", made by another studio_private_domain"
    } else if endpoint.requester_managed {
        ", made and managed by an AWS service"
    } else {
        ""
    };
    let text = format!(
        "{} ({name}{owner}{maker}) is an endpoint for {} in {vpc_id} with private DNS on, and a VPC can have one such endpoint for a service. Use it: endpoints.existing = {{ {key:?} = {:?} }}. Or turn private DNS off, in that endpoint or here with endpoints.private_dns_enabled = false.",
        endpoint.id,
        service.name,
        endpoint.id.as_str(),
    );
    Diagnostic::error(format!("{vpc_id} has an endpoint for {key} already"), text).at(path(key))
}

fn other_zone(key: &str, zone: &ZoneOfVpc, seen: &Seen<'_>) -> Diagnostic {
    let Seen { vpc_id, account, .. } = seen;
    let way_on = match zone.owning_service {
        Some(_) => {
            "If an endpoint was deleted there moments ago, its zone goes soon: try again. Else remove what the zone belongs to, or set endpoints.private_dns_enabled to false."
        }
        None => {
            "Take the zone off the VPC or delete it; or keep it, set endpoints.private_dns_enabled to false, and let the zone answer with the endpoint's addresses."
        }
    };
    let text = format!(
        "The hosted zone {} ({}) answers in {vpc_id} for {}, which is a name that the private DNS of the endpoint for {key} serves. EC2 refuses the second of the two. {way_on}",
        zone.id,
        owner_of(zone, *account),
        zone.name,
    );
    Diagnostic::error(format!("A hosted zone in {vpc_id} has a name of the endpoint for {key}"), text).at(path(key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Tags;
    use crate::aws::ec2::vpc_endpoint::EndpointType;
    use expect_test::expect;

    const NAME: &str = "aws.sagemaker.eu-west-1.studio";

    fn service() -> EndpointService {
        EndpointService {
            name: NAME.to_owned(),
            types: [EndpointType::Interface].into(),
            zones: BTreeSet::new(),
            zone_ids: BTreeSet::new(),
            private_dns_names: ["studio.eu-west-1.sagemaker.aws", "*.studio.eu-west-1.sagemaker.aws"]
                .map(str::to_owned)
                .into(),
            takes_policy: true,
            address_types: BTreeSet::new(),
            needs_acceptance: false,
            owner: "amazon".to_owned(),
        }
    }

    fn endpoint() -> VpcEndpoint {
        VpcEndpoint {
            id: "vpce-1".into(),
            endpoint_type: EndpointType::Interface,
            vpc_id: "vpc-1".into(),
            service_name: NAME.to_owned(),
            state: EndpointState::Available,
            failure: None,
            policy: None,
            subnet_ids: BTreeSet::new(),
            security_group_ids: BTreeSet::new(),
            route_table_ids: BTreeSet::new(),
            network_interface_ids: Vec::new(),
            private_dns_enabled: true,
            address_type: None,
            dns_entries: Vec::new(),
            requester_managed: false,
            owner_id: Some("111111111111".into()),
            tags: Tags::new(),
        }
    }

    fn zone(name: &str) -> ZoneOfVpc {
        ZoneOfVpc {
            id: "Z1".into(),
            name: name.to_owned(),
            owning_account: Some("222222222222".into()),
            owning_service: None,
        }
    }

    fn managed_zone() -> ZoneOfVpc {
        let owning_service = Some("vpce.amazonaws.com".to_owned());
        ZoneOfVpc { owning_account: None, owning_service, ..zone("studio.eu-west-1.sagemaker.aws") }
    }

    fn found(endpoints: &[VpcEndpoint], zones: &[ZoneOfVpc]) -> Vec<String> {
        let service = service();
        let services = [("studio".to_owned(), &service)].into();
        let (vpc_id, account) = ("vpc-1".into(), "111111111111".into());
        let seen = Seen { vpc_id: &vpc_id, account: Some(&account), endpoints: Some(endpoints), zones: Some(zones) };
        let is_own = |endpoint: &VpcEndpoint| endpoint.id.as_str() == "vpce-own";
        let found = check(&services, &seen, is_own, &["Zown".into()].into());
        let text = |one: Diagnostic| format!("{}: {}\n{}", one.path.unwrap(), one.summary, one.detail);
        found.into_iter().map(text).collect()
    }

    #[test]
    fn another_endpoint_is_named_with_its_owner_and_offered_for_adoption() {
        let tags = [("Name".to_owned(), "shared".to_owned())].into();
        expect![[r#"
            endpoints.services["studio"]: vpc-1 has an endpoint for studio already
            vpce-1 ("shared", of this account) is an endpoint for aws.sagemaker.eu-west-1.studio in vpc-1 with private DNS on, and a VPC can have one such endpoint for a service. Use it: endpoints.existing = { "studio" = "vpce-1" }. Or turn private DNS off, in that endpoint or here with endpoints.private_dns_enabled = false."#]]
        .assert_eq(&found(&[VpcEndpoint { tags, ..endpoint() }], &[]).join("\n"));
    }

    #[test]
    fn the_maker_of_another_endpoint_is_told() {
        let ours = VpcEndpoint { tags: [(OWNER.to_owned(), "else".to_owned())].into(), ..endpoint() };
        assert!(found(&[ours], &[])[0].contains("of this account, made by another studio_private_domain"));
        let managed = VpcEndpoint { requester_managed: true, owner_id: Some("333333333333".into()), ..endpoint() };
        assert!(found(&[managed], &[])[0].contains("of account 333333333333, made and managed by an AWS service"));
    }

    #[test]
    fn endpoints_that_serve_no_names_are_in_nobodys_way() {
        let off = VpcEndpoint { private_dns_enabled: false, ..endpoint() };
        let other = VpcEndpoint { service_name: "com.amazonaws.eu-west-1.sts".to_owned(), ..endpoint() };
        let going = VpcEndpoint { state: EndpointState::Deleting, ..endpoint() };
        let own = VpcEndpoint { id: "vpce-own".into(), ..endpoint() };
        assert_eq!(found(&[off, other, going, own], &[]), [""; 0]);
    }

    #[test]
    fn a_zone_of_one_of_the_names_is_told_with_its_owner() {
        expect![[r#"
            endpoints.services["studio"]: A hosted zone in vpc-1 has a name of the endpoint for studio
            The hosted zone Z1 (of account 222222222222) answers in vpc-1 for studio.eu-west-1.sagemaker.aws, which is a name that the private DNS of the endpoint for studio serves. EC2 refuses the second of the two. Take the zone off the VPC or delete it; or keep it, set endpoints.private_dns_enabled to false, and let the zone answer with the endpoint's addresses."#]]
        .assert_eq(&found(&[], &[zone("studio.eu-west-1.sagemaker.aws")]).join("\n"));
    }

    #[test]
    fn zones_of_other_names_and_own_zones_are_no_conflict() {
        let own = ZoneOfVpc { id: "Zown".into(), ..zone("studio.eu-west-1.sagemaker.aws") };
        assert_eq!(found(&[], &[zone("d-1.studio.eu-west-1.sagemaker.aws"), zone("example.com"), own]), [""; 0]);
    }

    #[test]
    fn the_zone_that_aws_keeps_for_an_endpoint_is_not_told_beside_it() {
        assert_eq!(found(&[endpoint()], &[managed_zone()]).len(), 1);
        let own = VpcEndpoint { id: "vpce-own".into(), ..endpoint() };
        assert_eq!(found(&[own], &[managed_zone()]), [""; 0]);
        assert!(found(&[], &[managed_zone()])[0].contains("owned by vpce.amazonaws.com"));
    }
}
