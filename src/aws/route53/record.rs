//! Records of a hosted zone. All changes to one zone go in one batch, which Route 53 applies as a
//! whole or not at all.

use aws_sdk_route53 as route53;
use route53::types::{AliasTarget, Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType};
use serde::{Deserialize, Serialize};

use super::hosted_zone::change_id;
use super::{call, readable};
use crate::aws::{AwsError, Call, ChangeId, Clients, HostedZoneId, Kind};

/// The type of a record, by its name in the DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RecordType {
    /// An IPv4 address.
    A,
    /// An IPv6 address.
    Aaaa,
    /// Another type, such as `NS`.
    Other(String),
}

impl RecordType {
    /// Its name in the DNS.
    pub fn as_str(&self) -> &str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Other(name) => name,
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "A" => Self::A,
            "AAAA" => Self::Aaaa,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// What a record answers with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RecordData {
    /// The addresses of another name that AWS serves.
    Alias {
        /// That name, without a trailing dot.
        dns_name: String,
        /// The zone that serves it.
        hosted_zone_id: HostedZoneId,
    },
    /// These values.
    Values {
        /// How long an answer may be kept, in seconds.
        ttl: u32,
        /// The values.
        values: Vec<String>,
    },
}

/// A record: one name, one type.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Record {
    /// Its name, without a trailing dot; `*` stands for any first label.
    pub name: String,
    /// Its type.
    pub record_type: RecordType,
    /// What it answers with.
    pub data: RecordData,
}

impl Record {
    /// Whether it answers with the addresses of another name.
    pub fn is_alias(&self) -> bool {
        matches!(self.data, RecordData::Alias { .. })
    }
}

/// One change in a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordChange {
    /// Set the record, whatever it was before.
    Upsert(Record),
    /// Delete the record, which must be exactly so.
    Delete(Record),
}

/// Lists the records of a zone. Those with routing policies, which we do not make, are left out.
///
/// # Errors
/// `NotFound` when the zone is gone.
pub async fn list_records(clients: &Clients, zone: &HostedZoneId) -> Result<Vec<Record>, AwsError> {
    let call = call("ListResourceRecordSets", format!("records of hosted zone {zone}"));
    let mut records = Vec::new();
    let mut next = (None, None, None);
    loop {
        let request = clients
            .route53()
            .list_resource_record_sets()
            .hosted_zone_id(zone.as_str())
            .set_start_record_name(next.0)
            .set_start_record_type(next.1)
            .set_start_record_identifier(next.2);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        records.extend(answer.resource_record_sets().iter().filter_map(from_route53));
        if !answer.is_truncated() {
            return Ok(records);
        }
        next = (answer.next_record_name, answer.next_record_type, answer.next_record_identifier);
    }
}

/// Applies changes in one batch, and gives the change to wait for. No changes make no call.
///
/// # Errors
/// `NotFound` when a record to be deleted is not exactly so; nothing is changed then.
pub async fn change_records(
    clients: &Clients,
    zone: &HostedZoneId,
    changes: &[RecordChange],
) -> Result<Option<ChangeId>, AwsError> {
    if changes.is_empty() {
        return Ok(None);
    }
    let call = call("ChangeResourceRecordSets", format!("records of hosted zone {zone}"));
    let batch = batch(&call, changes)?;
    let request = clients.route53().change_resource_record_sets().hosted_zone_id(zone.as_str()).change_batch(batch);
    let answer = request.send().await.map_err(|error| call.failed(error))?;
    Ok(answer.change_info().map(change_id))
}

fn batch(call: &Call, changes: &[RecordChange]) -> Result<ChangeBatch, AwsError> {
    let incomplete =
        |error: aws_smithy_types::error::operation::BuildError| call.error(Kind::Invalid, error.to_string());
    let mut batch = ChangeBatch::builder();
    for change in changes {
        let (action, record) = match change {
            RecordChange::Upsert(record) => (ChangeAction::Upsert, record),
            RecordChange::Delete(record) => (ChangeAction::Delete, record),
        };
        let set = to_route53(record).map_err(incomplete)?;
        batch = batch.changes(Change::builder().action(action).resource_record_set(set).build().map_err(incomplete)?);
    }
    batch.build().map_err(incomplete)
}

fn to_route53(record: &Record) -> Result<ResourceRecordSet, aws_smithy_types::error::operation::BuildError> {
    let set = ResourceRecordSet::builder().name(&record.name).r#type(RrType::from(record.record_type.as_str()));
    match &record.data {
        RecordData::Alias { dns_name, hosted_zone_id } => {
            let target = AliasTarget::builder()
                .dns_name(dns_name)
                .hosted_zone_id(hosted_zone_id.as_str())
                // Of no operational benefit for an endpoint (Route 53 API reference).
                .evaluate_target_health(false);
            set.alias_target(target.build()?).build()
        }
        RecordData::Values { ttl, values } => {
            let values: Result<Vec<_>, _> =
                values.iter().map(|value| ResourceRecord::builder().value(value).build()).collect();
            set.ttl(i64::from(*ttl)).set_resource_records(Some(values?)).build()
        }
    }
}

fn from_route53(set: &ResourceRecordSet) -> Option<Record> {
    if set.set_identifier().is_some() {
        return None;
    }
    let data = match set.alias_target() {
        Some(target) => {
            RecordData::Alias { dns_name: readable(target.dns_name()), hosted_zone_id: target.hosted_zone_id().into() }
        }
        None => RecordData::Values {
            ttl: set.ttl().and_then(|ttl| ttl.try_into().ok()).unwrap_or(0),
            values: set.resource_records().iter().map(|record| record.value().to_owned()).collect(),
        },
    };
    Some(Record { name: readable(set.name()), record_type: RecordType::parse(set.r#type().as_str()), data })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::Service;

    fn wildcard() -> Record {
        Record {
            name: "*.d-1.studio.eu-west-1.sagemaker.aws".to_owned(),
            record_type: RecordType::A,
            data: RecordData::Alias {
                dns_name: "vpce-1-x.studio.eu-west-1.vpce.amazonaws.com".to_owned(),
                hosted_zone_id: "Z1".into(),
            },
        }
    }

    #[test]
    fn a_record_survives_the_way_to_route_53_and_back() {
        assert_eq!(from_route53(&to_route53(&wildcard()).unwrap()), Some(wildcard()));
        let plain = Record {
            record_type: RecordType::Aaaa,
            data: RecordData::Values { ttl: 60, values: vec!["2001:db8::1".to_owned()] },
            ..wildcard()
        };
        assert_eq!(from_route53(&to_route53(&plain).unwrap()), Some(plain));
    }

    #[test]
    fn a_record_reads_the_same_as_route_53_spells_it() {
        let spelt = ResourceRecordSet::builder()
            .name("\\052.d-1.studio.eu-west-1.sagemaker.aws.")
            .r#type(RrType::A)
            .alias_target(
                AliasTarget::builder()
                    .dns_name("vpce-1-x.studio.eu-west-1.vpce.amazonaws.com.")
                    .hosted_zone_id("Z1")
                    .evaluate_target_health(false)
                    .build()
                    .unwrap(),
            )
            .build()
            .unwrap();
        assert_eq!(from_route53(&spelt), Some(wildcard()));
    }

    #[test]
    fn a_batch_holds_all_changes_in_order() {
        let call = Call::new(Service::Route53, "ChangeResourceRecordSets", "Z1");
        let changes = [RecordChange::Delete(wildcard()), RecordChange::Upsert(wildcard())];
        let batch = batch(&call, &changes).unwrap();
        let actions: Vec<_> = batch.changes().iter().map(|change| change.action().clone()).collect();
        assert_eq!(actions, [ChangeAction::Delete, ChangeAction::Upsert]);
    }
}
