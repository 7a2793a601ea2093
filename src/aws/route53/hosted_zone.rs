//! Private hosted zones and the VPCs they answer in.

use std::collections::BTreeSet;

use aws_sdk_route53 as route53;
use route53::operation::get_hosted_zone::GetHostedZoneOutput;
use route53::types::{ChangeInfo, ChangeStatus, HostedZoneConfig, VpcRegion};
use serde::{Deserialize, Serialize};

use super::{bare, call, readable};
use crate::aws::wait::{Judgement, Pace, Patience, until};
use crate::aws::{AccountId, AwsError, Call, ChangeId, Clients, HostedZoneId, Kind, Region, VpcId};
use crate::dns::name::is_within;

/// A change takes 30 to 60 seconds to reach all servers. Route 53 allows five requests a second
/// for the whole account, so we do not ask often.
const PACE: Pace = Pace::millis(10_000, 5_000, 15_000);

/// A VPC and the Region it is in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ZoneVpc {
    /// The VPC.
    pub vpc_id: VpcId,
    /// Its Region.
    pub region: Region,
}

/// A private hosted zone to be made.
#[derive(Debug, Clone)]
pub struct NewPrivateZone {
    /// Its name.
    pub name: String,
    /// The first VPC it answers in. More follow with [`associate_vpc`].
    pub vpc: ZoneVpc,
    /// What it is for.
    pub comment: String,
    /// Up to 128 characters, used once for ever: a second call with the same reference is refused
    /// with `AlreadyExists`.
    pub caller_reference: String,
}

/// A hosted zone as Route 53 describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedZone {
    /// Its id.
    pub id: HostedZoneId,
    /// Its name, without a trailing dot.
    pub name: String,
    /// What it is for.
    pub comment: String,
    /// Whether it is private.
    pub is_private: bool,
    /// The VPCs it answers in. Empty where it was only listed.
    pub vpcs: BTreeSet<ZoneVpc>,
    /// How many sets of records it has; a new zone has two.
    pub record_count: u64,
    /// The reference it was made with.
    pub caller_reference: String,
    /// The AWS service that made it and manages it.
    pub linked_service: Option<String>,
}

/// A hosted zone that answers in a VPC, of whatever account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneOfVpc {
    /// Its id.
    pub id: HostedZoneId,
    /// Its name, without a trailing dot.
    pub name: String,
    /// The account that owns it.
    pub owning_account: Option<AccountId>,
    /// The AWS service that owns it, as for an endpoint's private DNS.
    pub owning_service: Option<String>,
}

/// Makes a private hosted zone, and gives its id and the change to wait for.
///
/// # Errors
/// `AlreadyExists` for a caller reference that was used; `Conflict` when the VPC has a zone of
/// this name, be it an endpoint's.
pub async fn create_private_zone(
    clients: &Clients,
    new: &NewPrivateZone,
) -> Result<(HostedZoneId, ChangeId), AwsError> {
    let call = call("CreateHostedZone", format!("hosted zone {} in {}", new.name, new.vpc.vpc_id));
    let config = HostedZoneConfig::builder().comment(&new.comment).private_zone(true).build();
    let request = clients
        .route53()
        .create_hosted_zone()
        .name(&new.name)
        .vpc(to_route53(&new.vpc))
        .caller_reference(&new.caller_reference)
        .hosted_zone_config(config);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    let zone = answer.hosted_zone().ok_or_else(|| call.lacks("hosted zone"))?;
    let change = answer.change_info().ok_or_else(|| call.lacks("change"))?;
    Ok((bare(zone.id()).into(), change_id(change)))
}

/// Looks a hosted zone up by id, with its VPCs.
///
/// # Errors
/// Whatever Route 53 refuses, such as `AccessDenied`.
pub async fn find_hosted_zone(clients: &Clients, id: &HostedZoneId) -> Result<Option<HostedZone>, AwsError> {
    let call = call("GetHostedZone", format!("hosted zone {id}"));
    match clients.route53().get_hosted_zone().id(id.as_str()).send().await.map_err(|error| call.failed(error)) {
        Ok(answer) => Ok(from_answer(&answer)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lists the zones that answer in a VPC, other accounts' and AWS services' included.
///
/// # Errors
/// Whatever Route 53 refuses, such as `AccessDenied`.
pub async fn list_hosted_zones_of_vpc(clients: &Clients, vpc: &ZoneVpc) -> Result<Vec<ZoneOfVpc>, AwsError> {
    let call = call("ListHostedZonesByVPC", format!("hosted zones of {} in {}", vpc.vpc_id, vpc.region));
    let mut zones = Vec::new();
    let mut token = None;
    loop {
        let request = clients
            .route53()
            .list_hosted_zones_by_vpc()
            .vpc_id(vpc.vpc_id.as_str())
            .vpc_region(VpcRegion::from(vpc.region.as_str()))
            .set_next_token(token);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        zones.extend(answer.hosted_zone_summaries().iter().map(zone_of_vpc));
        token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if token.is_none() {
            return Ok(zones);
        }
    }
}

/// Lists the account's own private zones of a name and of names below it. Their VPCs are not told.
///
/// # Errors
/// Whatever Route 53 refuses, such as `AccessDenied`.
pub async fn list_private_zones_within(clients: &Clients, name: &str) -> Result<Vec<HostedZone>, AwsError> {
    let call = call("ListHostedZonesByName", format!("hosted zones within {name}"));
    let mut zones = Vec::new();
    let mut next = (Some(name.to_owned()), None);
    loop {
        let request = clients.route53().list_hosted_zones_by_name().set_dns_name(next.0).set_hosted_zone_id(next.1);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        // They come in the order of their labels from the right, so that those within a name follow each other.
        for zone in answer.hosted_zones().iter().map(|zone| from_zone(zone, &[])) {
            if !is_within(&zone.name, name) {
                return Ok(zones);
            }
            if zone.is_private && zone.linked_service.is_none() {
                zones.push(zone);
            }
        }
        if !answer.is_truncated() {
            return Ok(zones);
        }
        next = (answer.next_dns_name, answer.next_hosted_zone_id);
    }
}

/// Makes a zone answer in one more VPC. Where it does already there is no change to wait for.
///
/// # Errors
/// `Conflict` when the VPC has another zone of this name; `AccessDenied` when the VPC is another
/// account's and is not authorized.
pub async fn associate_vpc(clients: &Clients, id: &HostedZoneId, vpc: &ZoneVpc) -> Result<Option<ChangeId>, AwsError> {
    let call = of_vpc("AssociateVPCWithHostedZone", id, vpc);
    let request = clients.route53().associate_vpc_with_hosted_zone().hosted_zone_id(id.as_str()).vpc(to_route53(vpc));
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(answer) => Ok(answer.change_info().map(change_id)),
        Err(error) if matches!(error.kind, Kind::Conflict | Kind::AccessDenied) => {
            // The conflicting zone may be this very one, associated while an authorization held
            // that is gone now. The VPC's side knows, and may be asked by its owner, who need not
            // be the zone's.
            let zones = list_hosted_zones_of_vpc(clients, vpc).await.unwrap_or_default();
            if zones.iter().any(|zone| zone.id == *id) { Ok(None) } else { Err(error) }
        }
        Err(error) => Err(error),
    }
}

/// Makes a zone answer in one VPC less. Where it does not there is no change to wait for.
///
/// # Errors
/// `InUse` for the last VPC of a zone: delete the zone instead.
pub async fn disassociate_vpc(
    clients: &Clients,
    id: &HostedZoneId,
    vpc: &ZoneVpc,
) -> Result<Option<ChangeId>, AwsError> {
    let call = of_vpc("DisassociateVPCFromHostedZone", id, vpc);
    let request =
        clients.route53().disassociate_vpc_from_hosted_zone().hosted_zone_id(id.as_str()).vpc(to_route53(vpc));
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(answer) => Ok(answer.change_info().map(change_id)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Allows the owner of another account's VPC to associate it with our zone.
///
/// # Errors
/// `LimitExceeded` when the zone has a thousand such authorizations.
pub async fn create_association_authorization(
    clients: &Clients,
    id: &HostedZoneId,
    vpc: &ZoneVpc,
) -> Result<(), AwsError> {
    let call = of_vpc("CreateVPCAssociationAuthorization", id, vpc);
    let request =
        clients.route53().create_vpc_association_authorization().hosted_zone_id(id.as_str()).vpc(to_route53(vpc));
    request.send().await.map(drop).map_err(|error| call.failed(error))
}

/// Takes an authorization back, which leaves the association in place. What is gone counts as
/// taken back.
///
/// # Errors
/// Whatever Route 53 refuses, such as `AccessDenied`.
pub async fn delete_association_authorization(
    clients: &Clients,
    id: &HostedZoneId,
    vpc: &ZoneVpc,
) -> Result<(), AwsError> {
    let call = of_vpc("DeleteVPCAssociationAuthorization", id, vpc);
    let request =
        clients.route53().delete_vpc_association_authorization().hosted_zone_id(id.as_str()).vpc(to_route53(vpc));
    match request.send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Lists the VPCs that other accounts are allowed to associate with our zone.
///
/// # Errors
/// `NotFound` when the zone is gone.
pub async fn list_association_authorizations(
    clients: &Clients,
    id: &HostedZoneId,
) -> Result<BTreeSet<ZoneVpc>, AwsError> {
    let call = call("ListVPCAssociationAuthorizations", format!("hosted zone {id}"));
    let mut vpcs = BTreeSet::new();
    let mut token = None;
    loop {
        let request = clients.route53().list_vpc_association_authorizations().hosted_zone_id(id.as_str());
        let answer = request.set_next_token(token).send().await.map_err(|error| call.failed(error))?;
        vpcs.extend(answer.vpcs().iter().filter_map(from_route53));
        token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        if token.is_none() {
            return Ok(vpcs);
        }
    }
}

/// Deletes a hosted zone. What is gone counts as deleted.
///
/// # Errors
/// `InUse` while it has records beside its own two.
pub async fn delete_hosted_zone(clients: &Clients, id: &HostedZoneId) -> Result<(), AwsError> {
    let call = call("DeleteHostedZone", format!("hosted zone {id}"));
    match clients.route53().delete_hosted_zone().id(id.as_str()).send().await.map_err(|error| call.failed(error)) {
        Ok(_) => Ok(()),
        Err(error) if error.is_not_found() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits until a change has reached all of Route 53's servers.
///
/// # Errors
/// `TimedOut` while it is still on its way.
pub async fn wait_until_in_sync(clients: &Clients, change: &ChangeId, patience: &Patience) -> Result<(), AwsError> {
    let call = call("GetChange", format!("change {change}"));
    until(&call, "in sync", PACE, patience, || async {
        let request = clients.route53().get_change().id(change.as_str());
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        Ok(match answer.change_info().map(ChangeInfo::status) {
            Some(ChangeStatus::Insync) => Judgement::Ready(()),
            Some(ChangeStatus::Pending) | None => Judgement::Pending("PENDING".to_owned()),
            Some(other) => Judgement::Failed(format!("unexpected status {}", other.as_str())),
        })
    })
    .await
}

pub(super) fn change_id(change: &ChangeInfo) -> ChangeId {
    bare(change.id()).into()
}

fn of_vpc(operation: &'static str, id: &HostedZoneId, vpc: &ZoneVpc) -> Call {
    call(operation, format!("hosted zone {id} and {} in {}", vpc.vpc_id, vpc.region))
}

fn from_answer(answer: &GetHostedZoneOutput) -> Option<HostedZone> {
    Some(from_zone(answer.hosted_zone()?, answer.vpcs()))
}

fn from_zone(zone: &route53::types::HostedZone, vpcs: &[route53::types::Vpc]) -> HostedZone {
    HostedZone {
        id: bare(zone.id()).into(),
        name: readable(zone.name()),
        comment: zone.config().and_then(HostedZoneConfig::comment).unwrap_or_default().to_owned(),
        is_private: zone.config().is_some_and(HostedZoneConfig::private_zone),
        vpcs: vpcs.iter().filter_map(from_route53).collect(),
        record_count: zone.resource_record_set_count().and_then(|count| count.try_into().ok()).unwrap_or(0),
        caller_reference: zone.caller_reference().to_owned(),
        linked_service: zone.linked_service().and_then(|service| service.service_principal()).map(str::to_owned),
    }
}

fn zone_of_vpc(zone: &route53::types::HostedZoneSummary) -> ZoneOfVpc {
    let owner = zone.owner();
    ZoneOfVpc {
        id: bare(zone.hosted_zone_id()).into(),
        name: readable(zone.name()),
        owning_account: owner.and_then(|owner| owner.owning_account()).map(AccountId::from),
        owning_service: owner.and_then(|owner| owner.owning_service()).map(str::to_owned),
    }
}

fn to_route53(vpc: &ZoneVpc) -> route53::types::Vpc {
    route53::types::Vpc::builder().vpc_id(vpc.vpc_id.as_str()).vpc_region(VpcRegion::from(vpc.region.as_str())).build()
}

fn from_route53(vpc: &route53::types::Vpc) -> Option<ZoneVpc> {
    Some(ZoneVpc { vpc_id: vpc.vpc_id()?.into(), region: vpc.vpc_region()?.as_str().into() })
}
