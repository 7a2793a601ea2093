//! From what exists to what Terraform sees.
//!
//! **Invariant:** pure.

use std::collections::BTreeSet;

use super::addresses::assign;
use super::desired::{Block, Desired};
use super::forwarding::{configs, forward_zones};
use super::plan::{self, Action, Key};
use super::recorded::{Address, Endpoint, Group, Recorded, State};
use super::schema::{IpAddress, Model};
use crate::aws::Tags;
use crate::aws::ec2::security_group_rule::Rule;
use crate::framework::Value;
use crate::resources::values::{known_set, known_tags, shown_tags, strings};

/// The model, with everything that is known to exist put in. What the user wrote and AWS does not show stays.
pub fn project(mut model: Model, recorded: &Recorded, region: &str, default_tags: &Tags) -> Model {
    let tags_before = known_tags(&model.tags_all);
    model.region = region.into();
    match &recorded.endpoint {
        Some(endpoint) => project_endpoint(&mut model, endpoint, default_tags),
        None => {
            for missing in [&mut model.id, &mut model.arn, &mut model.inbound_endpoint_id] {
                *missing = Value::Null;
            }
            model.inbound_ips = Value::Null;
        }
    }
    model.security_group_id = recorded.group.as_ref().map(|group| group.id.to_string()).into();
    if let Some(group) = &recorded.group {
        project_clients(&mut model, group);
    }
    let zones = forward_zones(&model).unwrap_or_default();
    model.forwarder_configs =
        if recorded.endpoint.is_some() { configs(&zones, &model.inbound_ips) } else { Value::Null };
    model.forward_zones = zones.map(|zones| zones.iter().map(ToString::to_string).collect());
    model.drift = Value::Known(drift(&model, tags_before, recorded));
    model
}

/// What is known of an endpoint's settings that only its creation shows: where an import starts.
pub fn imported(recorded: &Recorded) -> Model {
    let mut model = Model { include_api_zones: false.into(), untracked: false.into(), ..Model::empty() };
    let Some(endpoint) = &recorded.endpoint else {
        return model;
    };
    model.id = endpoint.id.to_string().into();
    match &recorded.group {
        None => model.security_group_ids = strings(&endpoint.security_group_ids),
        Some(group) => {
            model.untracked = true.into();
            model.protocols = strings(&endpoint.protocols);
            model.ip_address_type = endpoint.address_type.as_str().into();
            let open = plan::group_rules(&Desired::new(&model));
            model.untracked = open.is_some_and(|open| plan::missing(&open, &group.rules).is_empty()).into();
        }
    }
    model
}

fn project_endpoint(model: &mut Model, endpoint: &Endpoint, default_tags: &Tags) {
    let id = Value::Known(endpoint.id.to_string());
    model.id = id.clone();
    model.inbound_endpoint_id = id;
    model.arn = Some(endpoint.arn.clone()).filter(|arn| !arn.is_empty()).into();
    model.name = endpoint.name.as_str().into();
    model.vpc_id = endpoint.vpc_id.as_str().into();
    model.ip_address_type = endpoint.address_type.as_str().into();
    if known_set(&model.protocols).as_ref() != Some(&endpoint.protocols) {
        model.protocols = strings(&endpoint.protocols);
    }
    project_addresses(model, endpoint);
    (model.tags, model.tags_all) = shown_tags(&model.tags, &endpoint.tags, default_tags);
}

/// Addresses that are missing leave the list, and those that were added join it. An address that failed stays: it is
/// there, and `drift` tells of it.
fn project_addresses(model: &mut Model, endpoint: &Endpoint) {
    let there: Vec<&Address> = endpoint.addresses.iter().filter(|address| address.state != State::Going).collect();
    if there.is_empty() {
        // Not looked at yet.
        model.inbound_ips = Value::Null;
        return;
    }
    let slots = Desired::new(model).slots().unwrap_or_default();
    let owned: Vec<Address> = there.iter().copied().cloned().collect();
    let assigned = assign(&slots, &owned);
    let extra: Vec<&Address> =
        (0..there.len()).filter(|place| !assigned.contains(&Some(*place))).map(|place| there[place]).collect();
    let kept = |index: &usize| assigned.get(*index).is_some_and(Option::is_some);
    match &model.ip_addresses {
        Value::Known(written) => {
            let stay = (0..written.len()).filter(kept).map(|index| written[index].clone());
            model.ip_addresses = Value::Known(stay.chain(extra.iter().map(|address| fixed(address))).collect());
        }
        Value::Null | Value::Unknown => {
            let written = model.subnet_ids.known().map_or(&[][..], Vec::as_slice);
            let stay = (0..written.len()).filter(kept).map(|index| written[index].clone());
            let added = extra.iter().map(|address| Value::Known(address.subnet_id.to_string()));
            model.subnet_ids = Value::Known(stay.chain(added).collect());
        }
    }
    let in_order: Vec<&Address> = assigned.iter().flatten().map(|place| there[*place]).chain(extra).collect();
    let ipv4 = in_order.iter().filter_map(|address| address.ipv4.map(|ip| Value::Known(ip.to_string())));
    let ipv6 = in_order.iter().filter_map(|address| address.ipv6.map(|ip| Value::Known(ip.to_string())));
    model.inbound_ips = Value::Known(ipv4.chain(ipv6).collect());
}

fn fixed(address: &Address) -> Value<IpAddress> {
    Value::Known(IpAddress {
        subnet_id: address.subnet_id.to_string().into(),
        ip: address.ipv4.map(|ip| ip.to_string()).into(),
    })
}

/// The client ranges, in the user's spelling where there is one. An untracked group shows none.
fn project_clients(model: &mut Model, group: &Group) {
    let Some(protocols) = known_set(&model.protocols).filter(|_| model.untracked.known() != Some(&true)) else {
        return;
    };
    let blocks = plan::client_blocks(&group.rules, &protocols);
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

/// What differs from what was applied and no attribute shows.
///
/// `tags_all` shows the endpoint's tags. The group's are held against those from before, or a tag that was put on the
/// endpoint by hand would be told of as missing from the group.
fn drift(model: &Model, tags_before: Value<Tags>, recorded: &Recorded) -> Vec<String> {
    let seen = Desired::new(model);
    let tags = if tags_before.is_known() { tags_before } else { seen.tags.clone() };
    let of_group = Desired { tags, ..seen.clone() };
    let steps = |desired: &Desired, is_of: fn(Key) -> bool| -> Vec<String> {
        let steps = plan::steps(Some(desired), recorded).into_iter().filter(|step| is_of(step.key));
        steps.map(|step| describe(step.key, step.action, desired, recorded)).collect()
    };
    let mut found = steps(&of_group, |key| key == Key::Group);
    found.extend(steps(&seen, |key| key != Key::Group));
    found
}

fn describe(key: Key, action: Action, desired: &Desired, recorded: &Recorded) -> String {
    let name = key.name();
    let details = match (key, action) {
        (_, Action::Create) => "is missing".to_owned(),
        (_, Action::Delete) => "exists and is not wanted".to_owned(),
        (Key::Group, Action::Update) => group_details(desired, recorded),
        (Key::Endpoint, Action::Update) => match &recorded.endpoint {
            Some(endpoint) if !endpoint.ready => "is not ready".to_owned(),
            Some(_) | None => "has other settings or tags".to_owned(),
        },
        (Key::Addresses, Action::Update) => {
            let addresses = recorded.endpoint.iter().flat_map(|endpoint| &endpoint.addresses);
            let failed = addresses.filter_map(|one| Some(format!("{} is {}", one.name(), one.failure()?)));
            let failed: Vec<_> = failed.collect();
            match failed.is_empty() {
                true => "are not all there yet".to_owned(),
                false => format!("are not all in use: {}", failed.join("; ")),
            }
        }
    };
    format!("The {name} {details}.")
}

fn group_details(desired: &Desired, recorded: &Recorded) -> String {
    let rules = plan::group_rules(desired).zip(recorded.group.as_ref());
    let text = rules.map(|(wanted, group)| differences(&wanted, &group.rules)).unwrap_or_default();
    if text.is_empty() { "has other tags".to_owned() } else { text }
}

fn differences(wanted: &BTreeSet<Rule>, have: &BTreeSet<Rule>) -> String {
    let part = |verb: &str, rules: Vec<&Rule>| {
        let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
        (!rules.is_empty()).then(|| format!("{verb} {}", rules.join(", ")))
    };
    let lacks = part("lacks the rules", plan::missing(wanted, have));
    let extra = part("has beside its own the rules", plan::missing(have, wanted));
    [lacks, extra].into_iter().flatten().collect::<Vec<_>>().join(", and ")
}
