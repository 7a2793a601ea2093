//! From what exists to what Terraform sees.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use super::addresses::assign;
use super::changes::{self, addresses_of};
use super::desired::{self, Block, Desired, WantedEnd};
use super::drift::drift;
use super::forwarding::{configs, default_zones, forward_zones};
use super::model::{IpAddress, Model, Outbound};
use super::principal;
use super::recorded::{Address, Endpoint, Group, Recorded, State};
use crate::aws::Tags;
use crate::framework::Value;
use crate::resources::values::{Strings, known_list, known_set, known_tags, shown_tags, string_map, strings};

/// The model, with everything that is known to exist put in. What the user wrote and AWS does not show stays.
pub fn project(mut model: Model, recorded: &Recorded, region: &str, default_tags: &Tags) -> Model {
    let tags_before = known_tags(&model.tags_all);
    model.region = region.into();
    match &recorded.inbound.endpoint {
        Some(endpoint) => project_endpoint(&mut model, endpoint, default_tags),
        None => {
            for missing in [&mut model.id, &mut model.arn, &mut model.inbound_endpoint_id] {
                *missing = Value::Null;
            }
            model.inbound_ips = Value::Null;
        }
    }
    model.security_group_id = recorded.inbound.group.as_ref().map(|group| group.id.to_string()).into();
    if let Some(group) = &recorded.inbound.group {
        project_clients(&mut model, group);
    }
    project_outbound(&mut model, recorded);
    let zones = forward_zones(&model).unwrap_or_default();
    model.forwarder_configs =
        if recorded.inbound.endpoint.is_some() { configs(&zones, &model.inbound_ips) } else { Value::Null };
    model.forward_zones = zones.map(|zones| zones.iter().map(ToString::to_string).collect());
    model.drift = Value::Known(drift(&Desired::new(&model), tags_before, recorded));
    model
}

/// What is known of an endpoint's settings that only its creation shows: where an import starts.
pub fn imported(recorded: &Recorded, region: &str) -> Model {
    let mut model = Model { include_api_zones: false.into(), untracked: false.into(), ..Model::empty() };
    model.region = region.into();
    let Some(endpoint) = &recorded.inbound.endpoint else {
        return model;
    };
    model.id = endpoint.id.to_string().into();
    model.vpc_id = endpoint.vpc_id.as_str().into();
    match &recorded.inbound.group {
        None => model.security_group_ids = strings(&endpoint.security_group_ids),
        Some(group) => {
            model.untracked = true.into();
            model.protocols = strings(&endpoint.protocols);
            model.ip_address_type = endpoint.address_type.as_str().into();
            let open = changes::group_rules(&Desired::new(&model), &super::key::Side::Inbound);
            model.untracked = open.is_some_and(|open| changes::missing(&open, &group.rules).is_empty()).into();
        }
    }
    if !recorded.outbound.is_empty() || !recorded.rules.is_empty() {
        import_zones(&mut model, recorded);
        model.outbound = Value::Known(imported_outbound(recorded, &endpoint.vpc_id));
    }
    model
}

fn imported_outbound(recorded: &Recorded, inbound_vpc: &str) -> Outbound {
    let vpc_id = recorded.outbound.endpoint.as_ref().map(|endpoint| endpoint.vpc_id.clone());
    let targets: BTreeSet<_> = recorded.rules.values().map(|rule| &rule.targets).collect();
    let of_inbound = changes::targets_in_use(recorded);
    let target_ips = match targets.first() {
        Some(targets) if Some(*targets) != of_inbound.as_ref() => strings(*targets),
        Some(_) | None => Value::Null,
    };
    Outbound {
        vpc_id: vpc_id.filter(|vpc_id| vpc_id != inbound_vpc).into(),
        target_ips,
        vpc_ids: Value::Null,
        share_with: Value::Null,
        ..Outbound::empty()
    }
}

/// The rules tell which zones are forwarded.
fn import_zones(model: &mut Model, recorded: &Recorded) {
    let found: BTreeSet<String> = recorded.rules.keys().cloned().collect();
    for include_api in [false, true] {
        let defaults = default_zones(model, include_api);
        if defaults.iter().cloned().collect::<BTreeSet<_>>() == found {
            model.include_api_zones = include_api.into();
            return;
        }
    }
    if !found.is_empty() {
        model.zones = strings(&found);
    }
}

fn project_endpoint(model: &mut Model, endpoint: &Endpoint, default_tags: &Tags) {
    let id = Value::Known(endpoint.id.to_string());
    model.id = id.clone();
    model.inbound_endpoint_id = id;
    model.arn = Some(endpoint.arn.clone()).filter(|arn| !arn.is_empty()).into();
    model.vpc_id = endpoint.vpc_id.as_str().into();
    model.ip_address_type = endpoint.address_type.as_str().into();
    if known_set(&model.protocols).as_ref() != Some(&endpoint.protocols) {
        model.protocols = strings(&endpoint.protocols);
    }
    if endpoint.adopted {
        model.inbound_ips = addresses_of(&endpoint.addresses.iter().collect::<Vec<_>>());
        return;
    }
    model.name = endpoint.name.as_str().into();
    let wanted = Desired::new(model).inbound;
    let in_order = project_addresses(&mut model.subnet_ids, &mut model.ip_addresses, &wanted, endpoint);
    // Without any it was not looked at yet.
    model.inbound_ips = if in_order.is_empty() { Value::Null } else { addresses_of(&in_order) };
    (model.tags, model.tags_all) = shown_tags(&model.tags, &endpoint.tags, default_tags);
}

/// Addresses that are missing leave the list, and those that were added join it. An address that failed stays: it is
/// there, and `drift` tells of it. Gives the addresses in the order of the list.
fn project_addresses<'a>(
    subnet_ids: &mut Strings,
    ip_addresses: &mut Value<Vec<Value<IpAddress>>>,
    wanted: &WantedEnd,
    endpoint: &'a Endpoint,
) -> Vec<&'a Address> {
    let there: Vec<&Address> = endpoint.addresses.iter().filter(|address| address.state != State::Going).collect();
    if there.is_empty() {
        return there;
    }
    let owned: Vec<Address> = there.iter().copied().cloned().collect();
    let assigned = assign(&wanted.slots().unwrap_or_default(), &owned);
    let extra: Vec<&Address> =
        (0..there.len()).filter(|place| !assigned.contains(&Some(*place))).map(|place| there[place]).collect();
    let kept = |index: &usize| assigned.get(*index).is_some_and(Option::is_some);
    match ip_addresses {
        Value::Known(written) => {
            let stay = (0..written.len()).filter(kept).map(|index| written[index].clone());
            *written = stay.chain(extra.iter().map(|address| fixed(address))).collect();
        }
        Value::Null | Value::Unknown => {
            let written = subnet_ids.known().map_or(&[][..], Vec::as_slice);
            let stay = (0..written.len()).filter(kept).map(|index| written[index].clone());
            let added = extra.iter().map(|address| Value::Known(address.subnet_id.to_string()));
            *subnet_ids = Value::Known(stay.chain(added).collect());
        }
    }
    assigned.iter().flatten().map(|place| there[*place]).chain(extra).collect()
}

fn fixed(address: &Address) -> Value<IpAddress> {
    Value::Known(IpAddress {
        subnet_id: address.subnet_id.to_string().into(),
        ip: address.ipv4.map(|ip| ip.to_string()).into(),
        ipv6: address.ipv6.map(|ip| ip.to_string()).into(),
    })
}

/// The client ranges, in the user's spelling where there is one. An untracked group shows none.
fn project_clients(model: &mut Model, group: &Group) {
    let Some(protocols) = known_set(&model.protocols).filter(|_| model.untracked.known() != Some(&true)) else {
        return;
    };
    let blocks = changes::client_blocks(&group.rules, &protocols);
    let written = known_set(&model.client_cidr_blocks);
    let same = |written: &BTreeSet<String>| written.iter().filter_map(|text| Block::parse(text)).collect();
    let is_as_written = match &written {
        Some(written) => blocks == same(written),
        None => blocks.is_empty(),
    };
    if !is_as_written {
        let spelled = |block: &Block| {
            let mut written = written.iter().flatten();
            written
                .find(|text| Block::parse(text).as_ref() == Some(block))
                .cloned()
                .unwrap_or_else(|| block.to_string())
        };
        model.client_cidr_blocks = strings(blocks.iter().map(spelled).collect::<BTreeSet<_>>());
    }
}

/// The half inside AWS. Where nothing of it is there, what is written stays, and `drift` tells what is missing.
fn project_outbound(model: &mut Model, recorded: &Recorded) {
    model.outbound_endpoint_id = recorded.outbound.endpoint.as_ref().map(|endpoint| endpoint.id.to_string()).into();
    model.outbound_security_group_id = recorded.outbound.group.as_ref().map(|group| group.id.to_string()).into();
    model.resource_share_arn = recorded.share.as_ref().map(|share| share.arn.to_string()).into();
    model.rule_ids = string_map(recorded.rules.iter().map(|(zone, rule)| (zone.clone(), rule.id.to_string())));
    let Value::Known(mut outbound) = model.outbound.clone() else {
        return;
    };
    if let Some(endpoint) = &recorded.outbound.endpoint {
        let own = if outbound.vpc_id.is_null() { &model.vpc_id } else { &outbound.vpc_id };
        if own.text() != Some(&endpoint.vpc_id) {
            outbound.vpc_id = endpoint.vpc_id.as_str().into();
        }
        let wanted = WantedEnd {
            vpc_id: Value::Unknown,
            addresses: desired::addresses(&outbound.subnet_ids, &outbound.ip_addresses),
            address_type: Value::Unknown,
        };
        project_addresses(&mut outbound.subnet_ids, &mut outbound.ip_addresses, &wanted, endpoint);
    }
    if !recorded.rules.is_empty() {
        // A VPC that some of the rules are on counts; `drift` tells of the rest.
        let vpcs: BTreeSet<String> =
            recorded.rules.values().flat_map(|rule| rule.associations.keys()).map(ToString::to_string).collect();
        outbound.vpc_ids = as_written(&outbound.vpc_ids, &vpcs);
    }
    let principals: BTreeSet<String> =
        recorded.share.iter().flat_map(|share| share.principals.keys()).cloned().collect();
    if recorded.share.is_some() {
        let is_same = known_set(&outbound.share_with).is_some_and(|written| principal::same(&written, &principals));
        if !is_same {
            outbound.share_with = as_written(&outbound.share_with, &principals);
        }
    }
    model.outbound = Value::Known(outbound);
}

fn as_written(written: &Strings, found: &BTreeSet<String>) -> Strings {
    let is_the_same = match known_list(written) {
        Some(list) => list.into_iter().collect::<BTreeSet<_>>() == *found,
        None => found.is_empty() && written.is_null(),
    };
    if is_the_same { written.clone() } else { strings(found) }
}
