//! Hosted zones and their records.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::group::known;
use super::{Done, Part, Step};
use crate::aws::route53::hosted_zone::{
    NewPrivateZone, ZoneVpc, create_private_zone, delete_hosted_zone, list_hosted_zones_of_vpc, wait_until_in_sync,
};
use crate::aws::route53::record::{Record, RecordChange, change_records};
use crate::aws::route53::tags;
use crate::aws::tags::{diff, owner_and_part};
use crate::aws::{AwsError, ChangeId, HostedZoneId, Kind, Tags, VpcId};
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::recorded::{Host, Recorded, Zone};
use crate::resources::private_domain::{plan, read};

/// What a zone is to be.
struct Wanted {
    name: String,
    vpc: ZoneVpc,
    records: BTreeSet<Record>,
    tags: Tags,
}

/// Makes or changes a zone.
pub fn apply(step: Step, host: Host, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let name = plan::zone_name(state, host).expect("the domain is in service before, and has a URL then");
    let wanted = Wanted {
        records: plan::alias_records(state, &name).expect("the studio endpoint is made before"),
        vpc: ZoneVpc { vpc_id: VpcId::from(known(&desired.vpc_id)), region: step.work.clients.region().clone() },
        tags: known(&desired.tags),
        name,
    };
    let zone = state.zones.get(&host).cloned();
    async move {
        let (made, change) = match zone {
            Some(zone) if zone.name == wanted.name => (zone, None),
            Some(of_another_domain) => match replace(&step, &wanted, &of_another_domain).await {
                Ok((id, change)) => (empty(id, &wanted.name), change),
                Err(error) => return step.failed(error),
            },
            None => match create(&step, &wanted).await {
                Ok((id, change)) => (empty(id, &wanted.name), change),
                Err(error) => return step.failed(error),
            },
        };
        let result = adjust(&step, &wanted, made.clone(), change).await;
        step.ended(Part::Zone, made, result)
    }
    .boxed()
}

/// Deletes a zone with everything in it.
pub fn delete(step: Step, zone: Option<Zone>) -> BoxFuture<'static, Done> {
    async move {
        let result = match zone {
            Some(zone) => empty_and_delete(&step, &zone.id).await,
            None => Ok(()),
        };
        step.deleted(Part::Zone, result)
    }
    .boxed()
}

fn empty(id: HostedZoneId, name: &str) -> Zone {
    Zone { id, name: name.to_owned(), records: BTreeSet::new(), tags: Tags::new() }
}

/// A zone of this name that carries this resource's own tags was made before its id could be recorded.
async fn create(step: &Step, wanted: &Wanted) -> Result<(HostedZoneId, Option<ChangeId>), AwsError> {
    let clients = &step.work.clients;
    let new = NewPrivateZone {
        name: wanted.name.clone(),
        vpc: wanted.vpc.clone(),
        comment: "Private access to a SageMaker domain".to_owned(),
        caller_reference: step.work.token(&step.part),
    };
    let error = match create_private_zone(clients, &new).await {
        Ok((id, change)) => return Ok((id, Some(change))),
        Err(error) => error,
    };
    if !matches!(error.kind, Kind::AlreadyExists | Kind::Conflict) {
        return Err(error);
    }
    for zone in list_hosted_zones_of_vpc(clients, &wanted.vpc).await? {
        if zone.name == wanted.name && zone.owning_service.is_none() {
            let tags = tags::list_tags(clients, &zone.id).await?;
            if owner_and_part(&tags) == Some((step.work.owner.as_str(), step.part.as_str())) {
                return Ok((zone.id, None));
            }
        }
    }
    Err(error)
}

/// A zone that a domain which is gone has left behind has another name.
async fn replace(step: &Step, wanted: &Wanted, zone: &Zone) -> Result<(HostedZoneId, Option<ChangeId>), AwsError> {
    empty_and_delete(step, &zone.id).await?;
    create(step, wanted).await
}

async fn adjust(step: &Step, wanted: &Wanted, zone: Zone, created: Option<ChangeId>) -> Result<Zone, AwsError> {
    let clients = &step.work.clients;
    // A new zone has no tags at all yet, so those that say whose it is go along.
    let change = match created {
        Some(_) => diff(&Tags::new(), &step.work.tags(&wanted.tags, &step.part)),
        None => diff(&zone.tags, &wanted.tags),
    };
    tags::update_tags(clients, &zone.id, &change).await?;
    let have = read::zone_records(clients, &zone.id).await?;
    let set = wanted.records.difference(&have).cloned().map(RecordChange::Upsert);
    let is_replaced = |record: &&Record| {
        wanted.records.iter().any(|other| other.name == record.name && other.record_type == record.record_type)
    };
    let remove =
        have.difference(&wanted.records).filter(|record| !is_replaced(record)).cloned().map(RecordChange::Delete);
    let changes: Vec<_> = remove.chain(set).collect();
    let changed = change_records(clients, &zone.id, &changes).await?;
    for change in created.into_iter().chain(changed) {
        wait_until_in_sync(clients, &change, &step.work.patience).await?;
    }
    Ok(Zone { id: zone.id, name: wanted.name.clone(), records: wanted.records.clone(), tags: wanted.tags.clone() })
}

async fn empty_and_delete(step: &Step, id: &HostedZoneId) -> Result<(), AwsError> {
    let clients = &step.work.clients;
    let records = match read::zone_records(clients, id).await {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    let changes: Vec<_> = records.into_iter().map(RecordChange::Delete).collect();
    change_records(clients, id, &changes).await?;
    delete_hosted_zone(clients, id).await
}
