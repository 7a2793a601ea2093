//! The rules that a schema itself states, applied to a configuration.
//!
//! **Invariant:** pure. Unknown values pass; they are looked at again when they are known.

use super::diagnostics::{Diagnostic, Diagnostics};
use super::dynamic::Dynamic;
use super::path::{Path, Step};
use super::schema::{Attribute, Kind, Mode, Nesting, Schema};

/// Checks a configuration against its schema.
pub fn validate(schema: &Schema, config: &Dynamic) -> Diagnostics {
    let mut found = Diagnostics::new();
    if config.as_map().is_none() {
        return found;
    }
    validate_object(&schema.attributes, config, &Path::default(), &mut found);
    for block in &schema.blocks {
        for (index, element) in config.get(block.name).as_list().unwrap_or_default().iter().enumerate() {
            let path = Path::root(block.name);
            let path = match block.nesting {
                Nesting::Set => path.element(element.clone()),
                Nesting::Single | Nesting::List | Nesting::Map => path.index(index),
            };
            validate_object(&block.attributes, element, &path, &mut found);
        }
    }
    found
}

fn validate_object(attributes: &[Attribute], object: &Dynamic, path: &Path, found: &mut Diagnostics) {
    if object.as_map().is_none() {
        return;
    }
    for attribute in attributes {
        validate_value(attribute, object.get(attribute.name), &path.attribute(attribute.name), found);
    }
}

fn validate_value(attribute: &Attribute, value: &Dynamic, path: &Path, found: &mut Diagnostics) {
    if value.is_null() {
        // Terraform itself checks top-level attributes and nested ones; this is for values built by functions.
        if attribute.mode == Mode::Required {
            let text = format!("{path} must be given.");
            found.push(Diagnostic::error(format!("Missing {}", attribute.name), text).at(path.clone()));
        }
        return;
    }
    if let Some(why) = attribute.deprecation {
        found.push(Diagnostic::warning(format!("{} is deprecated", attribute.name), why).at(path.clone()));
    }
    if value.is_wholly_known() {
        complain(attribute, &attribute.checks, value, path, found);
    }
    for (step, element) in elements(attribute, value) {
        let path = path.step(step);
        if element.is_null() && matches!(attribute.kind, Kind::Plain(_)) {
            let text = format!("{path} is null. Leave the element out instead.");
            found.push(Diagnostic::error(format!("Invalid {}", attribute.name), text).at(path.clone()));
        } else if element.is_wholly_known() {
            complain(attribute, &attribute.element_checks, element, &path, found);
        }
        if let Kind::Nested(_, nested) = &attribute.kind {
            validate_object(nested, element, &path, found);
        }
    }
    if let Kind::Nested(Nesting::Single, nested) = &attribute.kind {
        validate_object(nested, value, path, found);
    }
}

fn complain(
    attribute: &Attribute,
    checks: &[super::schema::Check],
    value: &Dynamic,
    path: &Path,
    found: &mut Diagnostics,
) {
    for check in checks {
        if let Err(wrong) = check(value) {
            found.push(Diagnostic::error(format!("Invalid {}", attribute.name), wrong).at(path.clone()));
        }
    }
}

/// The elements of a collection, each with the step that leads to it.
fn elements<'a>(attribute: &Attribute, value: &'a Dynamic) -> Vec<(Step, &'a Dynamic)> {
    use super::dynamic::Type;
    let nesting = match &attribute.kind {
        Kind::Nested(nesting, _) => *nesting,
        Kind::Plain(Type::List(_)) => Nesting::List,
        Kind::Plain(Type::Set(_)) => Nesting::Set,
        Kind::Plain(Type::Map(_)) => Nesting::Map,
        Kind::Plain(_) => Nesting::Single,
    };
    match (nesting, value) {
        (Nesting::List, Dynamic::List(elements)) => (0..).map(Step::Index).zip(elements).collect(),
        (Nesting::Set, Dynamic::List(elements)) => {
            elements.iter().map(|element| (Step::Element(element.clone()), element)).collect()
        }
        (Nesting::Map, Dynamic::Map(elements)) => {
            elements.iter().map(|(key, element)| (Step::Key(key.clone()), element)).collect()
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::checks;
    use std::collections::BTreeMap;

    fn complaints(config: &[(&str, Dynamic)]) -> Vec<String> {
        let path = Attribute::string_set("ranges").check_each(checks::cidr());
        let schema = Schema {
            attributes: vec![
                path.clone(),
                Attribute::string("mode").check(checks::one_of(&["a", "b"])),
                Attribute::nested("paths", Nesting::List, vec![path]).check(checks::at_least(1)),
            ],
            ..Schema::default()
        };
        let config = Dynamic::Map(config.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect());
        validate(&schema, &config)
            .iter()
            .map(|found| format!("{}: {}", found.path.as_ref().unwrap(), found.detail))
            .collect()
    }

    #[test]
    fn a_wrong_value_is_named_where_it_stands() {
        let ranges: Dynamic = ["10.0.0.0/8", "10.1.2.3"].into_iter().collect();
        let inner = Dynamic::Map(BTreeMap::from([("ranges".to_owned(), ranges.clone())]));
        assert_eq!(
            complaints(&[("ranges", ranges), ("mode", "c".into()), ("paths", Dynamic::List(vec![inner]))]),
            [
                "ranges[\"10.1.2.3\"]: \"10.1.2.3\" is not an address range such as 192.168.10.0/24.",
                "mode: \"c\" is not one of a, b.",
                "paths[0].ranges[\"10.1.2.3\"]: \"10.1.2.3\" is not an address range such as 192.168.10.0/24.",
            ]
        );
    }

    #[test]
    fn unknown_values_pass_and_their_known_neighbours_do_not() {
        let ranges = Dynamic::List(vec![Dynamic::unknown(), "x".into()]);
        assert_eq!(complaints(&[("mode", Dynamic::unknown())]), [""; 0]);
        assert_eq!(complaints(&[("ranges", ranges)]).len(), 1);
        assert_eq!(complaints(&[("paths", Dynamic::List(vec![]))]).len(), 1);
    }
}
