//! What differs from what was applied and no attribute shows, in words.
//!
//! **Invariant:** pure.

use std::collections::{BTreeMap, BTreeSet};

use super::changes::{self, group_rules, missing, rule_change};
use super::desired::Desired;
use super::key::{Key, Side};
use super::plan::{self, Action};
use super::recorded::{Endpoint, Recorded, Rule};
use crate::aws::Tags;
use crate::aws::ec2::security_group_rule::Rule as GroupRule;
use crate::framework::Value;

/// What differs from what was applied and no attribute shows. `seen` is what the attributes say now.
///
/// `tags_all` shows the inbound endpoint's tags. The other parts are held against those from before, or a tag that was
/// put on the endpoint by hand would be told of as missing everywhere else.
pub fn drift(seen: &Desired, tags_before: Value<Tags>, recorded: &Recorded) -> Vec<String> {
    let tags = if tags_before.is_known() { tags_before } else { seen.tags.clone() };
    let of_others = Desired { tags, ..seen.clone() };
    let recorded = plan::retiring(seen, recorded);
    let is_shown = |key: &Key| matches!(key, Key::Endpoint(Side::Inbound) | Key::Addresses(Side::Inbound));
    // They say how something is changed, not what differs.
    let is_on_the_way = |key: &Key| matches!(key, Key::Handover(_) | Key::LastAddresses);
    let steps = |desired: &Desired, shown: bool| -> Vec<String> {
        let steps = plan::steps(Some(desired), &recorded).into_iter().filter(|step| is_shown(&step.key) == shown);
        let steps = steps.filter(|step| !is_on_the_way(&step.key));
        steps.map(|step| describe(&step.key, step.action, desired, &recorded)).collect()
    };
    let mut found = steps(seen, true);
    found.extend(steps(&of_others, false));
    found.sort();
    found
}

fn describe(key: &Key, action: Action, desired: &Desired, recorded: &Recorded) -> String {
    let name = key.name();
    match action {
        Action::Create => format!("The {name} is missing."),
        Action::Delete => format!("The {name} exists and is not wanted."),
        Action::Update => {
            let details = details(key, desired, recorded).filter(|details| !details.is_empty());
            format!("The {name} {}.", details.unwrap_or_else(|| "has other settings or tags".to_owned()))
        }
    }
}

fn details(key: &Key, desired: &Desired, recorded: &Recorded) -> Option<String> {
    match key {
        Key::Group(side) => {
            let rules = group_rules(desired, side)?;
            let text = differences(&rules, &recorded.end(side).group?.rules);
            Some(if text.is_empty() { "has other tags".to_owned() } else { text })
        }
        Key::Endpoint(side) => {
            let endpoint = recorded.end(side).endpoint?;
            (!endpoint.ready).then(|| "is not ready".to_owned())
        }
        Key::Addresses(side) => recorded.end(side).endpoint.as_ref().map(of_addresses),
        Key::Handover(_) | Key::LastAddresses => None,
        Key::Rule(zone) => of_rule(zone, recorded.rules.get(zone)?, desired, recorded),
        Key::Association(zone, vpc) => {
            let trouble = recorded.rules.get(zone)?.associations.get(vpc)?.trouble.as_ref()?;
            Some(format!("is not in force: {trouble}"))
        }
        Key::Share => of_share(desired, recorded),
    }
}

fn of_addresses(endpoint: &Endpoint) -> String {
    let failed = endpoint.addresses.iter().filter_map(|one| Some(format!("{} is {}", one.name(), one.failure()?)));
    let failed: Vec<_> = failed.collect();
    match failed.is_empty() {
        true => "are not all there yet".to_owned(),
        false => format!("are not all in use: {}", failed.join("; ")),
    }
}

fn of_rule(zone: &str, rule: &Rule, desired: &Desired, recorded: &Recorded) -> Option<String> {
    if !rule.ready {
        return Some("is not in force".to_owned());
    }
    let change = rule_change(desired, recorded, zone, rule)?;
    let list = |targets: &BTreeSet<_>| targets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let parts = [
        change.name.map(|name| format!("is named {:?} instead of {name:?}", rule.name)),
        change.endpoint_id.map(|_| "asks through another endpoint".to_owned()),
        change.targets.map(|wanted| match rule.is_plain {
            true => format!("forwards to {} instead of {}", list(&rule.targets), list(&wanted)),
            false => "asks on another port or by another protocol".to_owned(),
        }),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", and "))
}

fn of_share(desired: &Desired, recorded: &Recorded) -> Option<String> {
    let share = recorded.share.as_ref()?;
    let links = |links: &BTreeMap<String, Option<String>>| links.values().flatten().cloned().collect::<Vec<_>>();
    let trouble: Vec<String> = [links(&share.principals), links(&share.resources)].concat();
    if !trouble.is_empty() {
        return Some(format!("is not all in force: {}", trouble.join("; ")));
    }
    let change = changes::share_change(desired, recorded, share, None)?;
    let list = |verb: &str, items: BTreeSet<String>| {
        (!items.is_empty()).then(|| format!("{verb} {}", items.into_iter().collect::<Vec<_>>().join(", ")))
    };
    let parts = [
        change.name.map(|name| format!("is named {:?} instead of {name:?}", share.name)),
        list("lacks", change.add_principals),
        list("lacks", change.add_resources),
        list("has beside its own", change.remove_principals),
        list("has beside its own", change.remove_resources),
    ];
    Some(parts.into_iter().flatten().collect::<Vec<_>>().join(", and "))
}

fn differences(wanted: &BTreeSet<GroupRule>, have: &BTreeSet<GroupRule>) -> String {
    let part = |verb: &str, rules: Vec<&GroupRule>| {
        let rules: Vec<_> = rules.iter().map(ToString::to_string).collect();
        (!rules.is_empty()).then(|| format!("{verb} {}", rules.join(", ")))
    };
    let lacks = part("lacks the rules", missing(wanted, have));
    let extra = part("has beside its own the rules", missing(have, wanted));
    [lacks, extra].into_iter().flatten().collect::<Vec<_>>().join(", and ")
}
