//! Whether hosted zones lead the names of a service to an endpoint whose private DNS is off.
//!
//! **Invariant:** changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;

use crate::aws::route53::hosted_zone::{ZoneOfVpc, ZoneVpc, list_hosted_zones_of_vpc};
use crate::aws::{Clients, VpcId};
use crate::dns::name::ZoneName;
use crate::dns::zones::{Fips, Region, api_zones, studio_parents};
use crate::policy::analyze::{Endpoint, Service, Surroundings};
use crate::resources::note::Note;

/// Where private DNS is off, a private hosted zone of the VPC may do its work: then it is not known where the names lead,
/// and nothing is said of it. The zones are looked up for such endpoints only.
pub async fn look(clients: &Clients, surroundings: &mut Surroundings, note: &mut Note) {
    let vpcs: BTreeSet<String> =
        surroundings.endpoints.values().filter(|one| is_off(one)).filter_map(|one| one.vpc_id.clone()).collect();
    let look = vpcs.into_iter().map(async |vpc_id| {
        let vpc = ZoneVpc { vpc_id: VpcId::from(vpc_id.as_str()), region: clients.region().clone() };
        (vpc_id, list_hosted_zones_of_vpc(clients, &vpc).await)
    });
    let mut zones = BTreeMap::new();
    for (vpc_id, listed) in join_all(look).await {
        zones.insert(vpc_id, note.settle("hosted zones of the endpoints' VPCs", Some(listed)));
    }
    let region = clients.region().as_str();
    for endpoint in surroundings.endpoints.values_mut().filter(|one| is_off(one)) {
        let listed = endpoint.vpc_id.as_ref().and_then(|vpc_id| zones.get(vpc_id)).and_then(Option::as_ref);
        if listed.is_none_or(|listed| listed.iter().any(|zone| leads(zone, endpoint.service.as_ref(), region))) {
            endpoint.private_dns = None;
        }
    }
}

/// Only of these two services does it matter.
fn is_off(endpoint: &Endpoint) -> bool {
    endpoint.private_dns == Some(false) && matches!(endpoint.service, Some(Service::Studio | Service::SagemakerApi))
}

/// Whether a zone holds names of the service. Of Studio's, one for a single domain does.
fn leads(zone: &ZoneOfVpc, service: Option<&Service>, region: &str) -> bool {
    let (Ok(zone), Ok(region)) = (ZoneName::parse(&zone.name), Region::new(region)) else {
        return false;
    };
    match service {
        Some(Service::Studio) => {
            let parents = studio_parents(&region, Fips::Yes).unwrap_or_default();
            parents.iter().any(|parent| zone.covers(parent) || parent.covers(&zone))
        }
        Some(Service::SagemakerApi) => {
            let names = api_zones(&region, Fips::Yes).into_iter();
            names.filter(|name| name.as_str().starts_with("api.")).any(|name| zone.covers(&name))
        }
        Some(Service::Other(_)) | None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leads_to(name: &str, service: &Service) -> bool {
        let zone = ZoneOfVpc { id: "Z1".into(), name: name.to_owned(), owning_account: None, owning_service: None };
        leads(&zone, Some(service), "us-east-1")
    }

    #[test]
    fn zones_of_parents_and_of_single_domains_lead_to_studio() {
        for zone in ["studio.us-east-1.sagemaker.aws", "d-abc.studio.us-east-1.sagemaker.aws", "sagemaker.aws"] {
            assert!(leads_to(zone, &Service::Studio), "{zone}");
        }
        for zone in ["studio.eu-west-1.sagemaker.aws", "api.sagemaker.us-east-1.amazonaws.com", "corp.example"] {
            assert!(!leads_to(zone, &Service::Studio), "{zone}");
        }
    }

    #[test]
    fn zones_of_its_name_or_above_lead_to_the_api() {
        assert!(leads_to("api.sagemaker.us-east-1.amazonaws.com", &Service::SagemakerApi));
        assert!(leads_to("sagemaker.us-east-1.amazonaws.com", &Service::SagemakerApi));
        assert!(!leads_to("runtime.sagemaker.us-east-1.amazonaws.com", &Service::SagemakerApi));
        assert!(!leads_to("studio.us-east-1.sagemaker.aws", &Service::SagemakerApi));
    }
}
