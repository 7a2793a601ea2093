//! Every single change of a list, everywhere in a document: something dropped, added or weakened.

use super::mutations::{OTHER_ENDPOINT, PROFILE};
use super::*;
use crate::policy::document::{Scope, Values, Version};

/// A changed document, and how it was changed.
pub(super) type Mutant = (String, Document);

/// Every single change of the list, everywhere in the document.
pub(super) fn mutants(document: &Document) -> Vec<Mutant> {
    let mut mutants = vec![("Version of 2008".to_owned(), Document { version: Version::V2008, ..document.clone() })];
    for (index, statement) in document.statements.iter().enumerate() {
        let name = statement.sid.clone().unwrap();
        let mut removed = document.clone();
        removed.statements.remove(index);
        mutants.push((format!("{name} removed"), removed));
        for (how, changed) in changed_statements(statement) {
            let mut mutant = document.clone();
            mutant.statements[index] = changed;
            mutants.push((format!("{name}: {how}"), mutant));
        }
    }
    mutants
}

fn changed_statements(statement: &Statement) -> Vec<(String, Statement)> {
    let mut changed = Vec::new();
    let mut push = |how: String, change: &dyn Fn(&mut Statement)| {
        let mut statement = statement.clone();
        change(&mut statement);
        changed.push((how, statement));
    };
    push("about another action".to_owned(), &|s| s.actions = Scope::Only(values(["sagemaker:DescribeDomain"])));
    push("one profile only".to_owned(), &|s| s.resources = Some(Scope::Only(values([PROFILE]))));
    push("all resources".to_owned(), &|s| s.resources = Some(Scope::Only(values(["*"]))));
    push("allowing for denying".to_owned(), &|s| {
        s.effect = if s.effect == Effect::Allow { Effect::Deny } else { Effect::Allow };
    });
    for (operator, keys) in &statement.conditions {
        for (key, held) in keys {
            let place = format!("{operator} {key}");
            push(format!("{place} dropped"), &|s| drop(take(s, operator, key)));
            for weaker in other_operators(operator) {
                push(format!("{place} as {weaker}"), &|s| {
                    let held = take(s, operator, key);
                    *s = s.clone().when(&weaker, key.as_str(), held);
                });
            }
            for value in held.iter().filter(|_| held.len() > 1) {
                push(format!("{place} without {value}"), &|s| assert!(values_of(s, operator, key).remove(value)));
            }
            for value in further_values(key).iter().map(|value| value.to_string()) {
                push(format!("{place} with {value}"), &|s| assert!(values_of(s, operator, key).insert(value.clone())));
            }
        }
    }
    changed
}

fn values_of<'a>(statement: &'a mut Statement, operator: &str, key: &str) -> &'a mut Values {
    statement.conditions.get_mut(operator).unwrap().get_mut(key).unwrap()
}

fn take(statement: &mut Statement, operator: &str, key: &str) -> Values {
    let keys = statement.conditions.get_mut(operator).unwrap();
    let held = keys.remove(key).unwrap();
    if keys.is_empty() {
        statement.conditions.remove(operator);
    }
    held
}

fn other_operators(operator: &str) -> Vec<String> {
    let mut others = vec![format!("ForAllValues:{operator}"), format!("ForAnyValue:{operator}")];
    match operator.strip_suffix("IfExists") {
        Some(strict) => others.push(strict.to_owned()),
        None => others.push(format!("{operator}IfExists")),
    }
    let opposite = match operator {
        "StringEquals" => "StringNotEquals",
        "StringNotEquals" => "StringEquals",
        "IpAddress" => "NotIpAddress",
        "NotIpAddress" => "IpAddress",
        "ArnNotLike" => "ArnLike",
        _ => return others.into_iter().filter(|other| !other.contains("Null")).collect(),
    };
    others.push(opposite.to_owned());
    others
}

fn further_values(key: &str) -> &'static [&'static str] {
    match key {
        "aws:SourceVpce" => &[OTHER_ENDPOINT],
        "aws:SourceVpc" => &[OTHER_VPC],
        "aws:SourceIp" => &["0.0.0.0/0", "::/0"],
        "aws:VpcSourceIp" => &["192.168.0.0/16"],
        "aws:PrincipalArn" => &["arn:aws:iam::*:role/*"],
        "aws:ViaAWSService" => &["true"],
        "sagemaker:ResourceTag/team" => &["b"],
        _ => &[],
    }
}
