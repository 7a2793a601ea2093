//! Hosted zones: their records, and the VPCs they answer in.
//!
//! An association with another account's VPC takes three calls ("Associating VPCs with private hosted zones of other
//! accounts", Route 53 developer guide): the zone's account allows it, the VPC's account makes it, and the permission
//! is taken back, which leaves the association.

use std::collections::BTreeSet;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::group::known;
use super::{Done, Part, Step};
use crate::aws::route53::hosted_zone::{
    NewPrivateZone, ZoneVpc, associate_vpc, create_association_authorization, create_private_zone,
    delete_association_authorization, delete_hosted_zone, disassociate_vpc, list_hosted_zones_of_vpc,
    wait_until_in_sync,
};
use crate::aws::route53::record::{Record, RecordChange, change_records};
use crate::aws::route53::tags;
use crate::aws::tags::{diff, owner_and_part};
use crate::aws::{AwsError, Call, ChangeId, HostedZoneId, Kind, Service, Tags};
use crate::framework::Value;
use crate::resources::common::Fault;
use crate::resources::private_domain::desired::Desired;
use crate::resources::private_domain::key::Slot;
use crate::resources::private_domain::read::{self, association_tags};
use crate::resources::private_domain::recorded::{Association, Recorded, Zone};
use crate::resources::private_domain::zones;
use crate::steps::Outcome;

/// What a zone is to be.
struct Wanted {
    name: String,
    /// The zone to adopt, if it is.
    existing: Option<HostedZoneId>,
    own_vpc: ZoneVpc,
    vpcs: BTreeSet<Association>,
    names: BTreeSet<String>,
    records: BTreeSet<Record>,
    tags: Tags,
}

/// Makes or changes a zone, or the records in an adopted one.
pub fn apply(step: Step, slot: &Slot, desired: &Desired, state: &Recorded) -> BoxFuture<'static, Done> {
    let wanted = wanted(slot, desired, state);
    let before = state.zones.get(slot).cloned();
    async move {
        let is_the_zone = |zone: &Zone| match &wanted.existing {
            Some(id) => zone.id == *id,
            None => zone.name == wanted.name,
        };
        let (zone, other) = match before {
            Some(zone) if is_the_zone(&zone) => (Some(zone), None),
            // The zone of a domain that is gone has another name; an adopted zone may have another id.
            other => (None, other),
        };
        if let Some(other) = other
            && let Err(error) = remove(&step, &other, wanted.existing.is_some()).await
        {
            return step.failed(error);
        }
        let (made, created) = match (zone, &wanted.existing) {
            (Some(zone), _) => (zone, None),
            (None, Some(id)) => (Zone::unseen(id.clone(), &wanted.name), None),
            (None, None) => match create(&step, &wanted).await {
                Ok((zone, change)) => (zone, change),
                Err(error) => return step.failed(error),
            },
        };
        let (zone, result) = adjust(&step, &wanted, made, created).await;
        match result {
            Ok(()) => Outcome::done(Part::Zone(Some(Zone { ready: true, ..zone }))),
            Err(error) => {
                let fault = Fault::new(step.what, error);
                Outcome::unfinished(Part::Zone(Some(Zone { ready: false, ..zone })), fault)
            }
        }
    }
    .boxed()
}

/// Deletes a zone with everything in it. Of an adopted one, only our records go.
pub fn delete(step: Step, slot: &Slot, zone: Option<Zone>) -> BoxFuture<'static, Done> {
    let is_adopted = matches!(slot, Slot::Existing(_));
    async move {
        let result = match zone {
            Some(zone) => remove(&step, &zone, is_adopted).await,
            None => Ok(()),
        };
        step.deleted::<Zone>(Part::Zone, result)
    }
    .boxed()
}

fn wanted(slot: &Slot, desired: &Desired, state: &Recorded) -> Wanted {
    let zone = zones::wanted(desired, state).remove(slot).expect("only wanted zones are made");
    let names = zone.names.expect("the domain is in service before, and has a URL then");
    let by_address = known(&desired.zones.by_address);
    Wanted {
        records: zones::records(state, &names, by_address).expect("the studio endpoint is there before"),
        name: zone.name.expect("the domain is in service before, and has a URL then"),
        existing: match zone.existing {
            Value::Known(id) => Some(id),
            Value::Null | Value::Unknown => None,
        },
        own_vpc: known(&desired.vpc),
        vpcs: zones::vpcs(desired, state, slot).expect("during apply everything is known"),
        names,
        tags: known(&desired.tags),
    }
}

/// A zone of this name that carries this resource's own tags was made before its id could be recorded.
async fn create(step: &Step, wanted: &Wanted) -> Result<(Zone, Option<ChangeId>), AwsError> {
    let clients = &step.work.clients;
    let call = Call::new(Service::Route53, "CreateHostedZone", format!("hosted zone {}", wanted.name));
    let first = zones::first_vpc(&wanted.vpcs, Some(&wanted.own_vpc), clients.account_id());
    let first = first.ok_or_else(|| call.error(Kind::Invalid, zones::NO_FIRST_VPC))?;
    let new = NewPrivateZone {
        name: wanted.name.clone(),
        vpc: first.vpc.clone(),
        comment: "Private access to a SageMaker domain".to_owned(),
        caller_reference: step.work.token(&step.part),
    };
    let made = |id: HostedZoneId| Zone {
        vpcs: [first.vpc.clone()].into(),
        associated: [first.clone()].into(),
        ..Zone::unseen(id, &wanted.name)
    };
    let error = match create_private_zone(clients, &new).await {
        Ok((id, change)) => return Ok((made(id), Some(change))),
        Err(error) => error,
    };
    if !matches!(error.kind, Kind::AlreadyExists | Kind::Conflict) {
        return Err(error);
    }
    for zone in list_hosted_zones_of_vpc(clients, &first.vpc).await? {
        if zone.name == wanted.name && zone.owning_service.is_none() {
            let tags = tags::list_tags(clients, &zone.id).await?;
            if owner_and_part(&tags) == Some((step.work.owner.as_str(), step.part.as_str())) {
                return Ok((made(zone.id), None));
            }
        }
    }
    Err(error)
}

/// Brings a zone to what is wanted, and gives it as far as it got.
async fn adjust(
    step: &Step,
    wanted: &Wanted,
    mut zone: Zone,
    created: Option<ChangeId>,
) -> (Zone, Result<(), AwsError>) {
    let mut changes: Vec<ChangeId> = Vec::new();
    let is_new = created.is_some();
    changes.extend(created);
    let result = async {
        if wanted.existing.is_none() {
            set_tags(step, wanted, &mut zone, is_new).await?;
            set_vpcs(step, wanted, &mut zone, &mut changes).await?;
        }
        set_records(step, wanted, &mut zone, &mut changes).await?;
        for change in &changes {
            wait_until_in_sync(&step.work.clients, change, &step.work.patience).await?;
        }
        Ok(())
    }
    .await;
    (zone, result)
}

async fn set_tags(step: &Step, wanted: &Wanted, zone: &mut Zone, is_new: bool) -> Result<(), AwsError> {
    let new: Tags = association_tags(&wanted.vpcs).collect();
    let mut change = if is_new {
        // A new zone has no tags at all yet, so those that say whose it is go along.
        diff(&Tags::new(), &step.work.tags(&wanted.tags, &step.part))
    } else {
        diff(&zone.tags, &wanted.tags)
    };
    let old: Tags = if is_new { Tags::new() } else { association_tags(&zone.associated).collect() };
    change.remove.extend(old.keys().filter(|key| !new.contains_key(*key)).cloned());
    change.set.extend(new.into_iter().filter(|(key, value)| old.get(key) != Some(value)));
    tags::update_tags(&step.work.clients, &zone.id, &change).await?;
    zone.tags = wanted.tags.clone();
    Ok(())
}

/// Associates what is missing before anything is taken away: a zone keeps at least one VPC.
async fn set_vpcs(step: &Step, wanted: &Wanted, zone: &mut Zone, changes: &mut Vec<ChangeId>) -> Result<(), AwsError> {
    let clients = &step.work.clients;
    for association in &wanted.vpcs {
        if !zone.vpcs.contains(&association.vpc) {
            changes.extend(associate(step, &zone.id, association).await?);
            zone.vpcs.insert(association.vpc.clone());
        } else if association.role_arn.is_some() && !zone.ready {
            // An earlier run may have ended before it took its permission back.
            delete_association_authorization(clients, &zone.id, &association.vpc).await?;
        }
        zone.associated.retain(|other| other.vpc != association.vpc);
        zone.associated.insert(association.clone());
    }
    let surplus: Vec<_> = zone.associated.difference(&wanted.vpcs).cloned().collect();
    for association in surplus {
        changes.extend(disassociate_vpc(clients, &zone.id, &association.vpc).await?);
        zone.vpcs.remove(&association.vpc);
        zone.associated.remove(&association);
    }
    Ok(())
}

async fn associate(step: &Step, zone: &HostedZoneId, association: &Association) -> Result<Option<ChangeId>, AwsError> {
    let clients = &step.work.clients;
    let Some(role) = &association.role_arn else {
        return associate_vpc(clients, zone, &association.vpc).await;
    };
    create_association_authorization(clients, zone, &association.vpc).await?;
    let associated = associate_vpc(&clients.assuming(role), zone, &association.vpc).await;
    let taken_back = delete_association_authorization(clients, zone, &association.vpc).await;
    let change = associated?;
    taken_back.map(|()| change)
}

async fn set_records(
    step: &Step,
    wanted: &Wanted,
    zone: &mut Zone,
    changes: &mut Vec<ChangeId>,
) -> Result<(), AwsError> {
    let clients = &step.work.clients;
    let all = read::zone_records(clients, &zone.id).await?;
    let have: BTreeSet<Record> = match wanted.existing {
        None => all,
        Some(_) => {
            check_foreign_records(&zone.id, wanted, zone, &all)?;
            let ours: BTreeSet<String> = zone.names.union(&wanted.names).cloned().collect();
            all.into_iter().filter(|record| zones::is_for(record, &ours)).collect()
        }
    };
    let set = wanted.records.difference(&have).cloned().map(RecordChange::Upsert);
    let is_replaced = |record: &&Record| {
        wanted.records.iter().any(|other| other.name == record.name && other.record_type == record.record_type)
    };
    let remove =
        have.difference(&wanted.records).filter(|record| !is_replaced(record)).cloned().map(RecordChange::Delete);
    let batch: Vec<_> = remove.chain(set).collect();
    changes.extend(change_records(clients, &zone.id, &batch).await?);
    zone.records.clone_from(&wanted.records);
    zone.names.clone_from(&wanted.names);
    Ok(())
}

/// In an adopted zone, a record of one of our names that we have not put there is somebody else's.
fn check_foreign_records(
    id: &HostedZoneId,
    wanted: &Wanted,
    zone: &Zone,
    all: &BTreeSet<Record>,
) -> Result<(), AwsError> {
    let added: BTreeSet<String> = wanted.names.difference(&zone.names).cloned().collect();
    let foreign = all.iter().find(|record| zones::is_for(record, &added) && !wanted.records.contains(record));
    match foreign {
        None => Ok(()),
        Some(record) => {
            let call = Call::new(Service::Route53, "ListResourceRecordSets", format!("records of hosted zone {id}"));
            let text = format!(
                "it has a record {} {} already, which was not put there here. Remove it, or take the zone out of existing_zone_ids",
                record.record_type.as_str(),
                record.name
            );
            Err(call.error(Kind::Conflict, text))
        }
    }
}

/// Deletes a zone, or our records in an adopted one.
async fn remove(step: &Step, zone: &Zone, is_adopted: bool) -> Result<(), AwsError> {
    let clients = &step.work.clients;
    let records = match read::zone_records(clients, &zone.id).await {
        Err(error) if error.is_not_found() => return Ok(()),
        other => other?,
    };
    let ours = records.into_iter().filter(|record| !is_adopted || zones::is_for(record, &zone.names));
    let changes: Vec<_> = ours.map(RecordChange::Delete).collect();
    change_records(clients, &zone.id, &changes).await?;
    if is_adopted {
        return Ok(());
    }
    delete_hosted_zone(clients, &zone.id).await
}
