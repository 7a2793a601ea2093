//! The rules of planning that hold for every resource.
//!
//! Terraform accepts a planned value only if three things hold: what the user wrote is planned as written (or as the
//! value that is there and means the same); what is known in the plan never changes later; what is unknown may become
//! anything. Resources do not have to remember this. [`propose`] prepares the value a resource starts from,
//! [`constrain`] takes from its answer only what it may decide, and [`settle`] does the same for the result of apply.
//!
//! **Invariant:** pure.

use std::collections::BTreeMap;

use super::dynamic::Dynamic;
use super::path::Path;
use super::schema::{Attribute, Default, Kind, Nesting, Schema};

/// What a resource starts planning from: the configuration, with defaults put in. Computed attributes hold what is
/// there now, or are unknown where nothing is there.
pub fn propose(schema: &Schema, config: &Dynamic, prior: &Dynamic) -> Dynamic {
    if config.is_null() {
        return Dynamic::Null;
    }
    propose_object(&schema.attributes, config, prior)
}

fn propose_object(attributes: &[Attribute], config: &Dynamic, prior: &Dynamic) -> Dynamic {
    object(attributes, |attribute| {
        propose_value(attribute, config.get(attribute.name), prior.get(attribute.name), prior.is_null())
    })
}

fn propose_value(attribute: &Attribute, config: &Dynamic, prior: &Dynamic, creating: bool) -> Dynamic {
    if attribute.write_only {
        return Dynamic::Null;
    }
    if !config.is_null() {
        if keeps_prior(attribute, config, prior) {
            return prior.clone();
        }
        return each_nested(attribute, config, prior, |attributes, config, prior| {
            propose_object(attributes, config, prior)
        });
    }
    match &attribute.default {
        Some(Default::Value(value)) => value.clone(),
        Some(Default::Object) => match &attribute.kind {
            Kind::Nested(Nesting::Single, nested) => propose_object(nested, &Dynamic::Map(BTreeMap::new()), prior),
            Kind::Nested(..) | Kind::Plain(_) => Dynamic::Null,
        },
        None if attribute.is_computed() && creating => Dynamic::unknown(),
        None if attribute.is_computed() => prior.clone(),
        None => Dynamic::Null,
    }
}

/// Takes a resource's planned value and puts back whatever was not the resource's to decide.
pub fn constrain(schema: &Schema, config: &Dynamic, prior: &Dynamic, planned: &Dynamic) -> Dynamic {
    if config.is_null() {
        return Dynamic::Null;
    }
    constrain_object(&schema.attributes, config, prior, planned)
}

fn constrain_object(attributes: &[Attribute], config: &Dynamic, prior: &Dynamic, planned: &Dynamic) -> Dynamic {
    object(attributes, |attribute| {
        let (config, prior) = (config.get(attribute.name), prior.get(attribute.name));
        let planned = planned.get(attribute.name);
        if attribute.write_only {
            return Dynamic::Null;
        }
        if config.is_null() {
            return match (&attribute.default, &attribute.kind) {
                // Nested defaults are planned as part of the object, which nobody wrote.
                (Some(Default::Object), Kind::Nested(Nesting::Single, nested)) => {
                    constrain_object(nested, &Dynamic::Map(BTreeMap::new()), prior, planned)
                }
                (Some(Default::Value(value)), _) => value.clone(),
                _ if attribute.is_computed() => planned.clone(),
                _ => Dynamic::Null,
            };
        }
        if planned == prior && keeps_prior(attribute, config, prior) {
            return prior.clone();
        }
        zip_nested(attribute, config, prior, planned)
    })
}

/// Goes into the nested objects that the user wrote, with what is there and what is planned beside each.
fn zip_nested(attribute: &Attribute, config: &Dynamic, prior: &Dynamic, planned: &Dynamic) -> Dynamic {
    match (&attribute.kind, config) {
        (Kind::Nested(Nesting::Single, nested), Dynamic::Map(_)) => constrain_object(nested, config, prior, planned),
        (Kind::Nested(Nesting::Map, nested), Dynamic::Map(elements)) => Dynamic::Map(
            elements
                .iter()
                .map(|(key, config)| match config {
                    Dynamic::Map(_) => {
                        (key.clone(), constrain_object(nested, config, prior.get(key), planned.get(key)))
                    }
                    _ => (key.clone(), config.clone()),
                })
                .collect(),
        ),
        (Kind::Nested(Nesting::List, nested), Dynamic::List(elements)) => Dynamic::List(
            elements
                .iter()
                .enumerate()
                .map(|(index, config)| match config {
                    Dynamic::Map(_) => constrain_object(nested, config, at(prior, index), at(planned, index)),
                    _ => config.clone(),
                })
                .collect(),
        ),
        // Elements of a set cannot be matched with their former selves; their defaults are all there is to fill in.
        (Kind::Nested(Nesting::Set, _), Dynamic::List(_)) => {
            each_nested(attribute, config, &Dynamic::Null, |nested, config, prior| {
                propose_object(nested, config, prior)
            })
        }
        _ => config.clone(),
    }
}

/// Goes into the nested objects of a configured value, with what is there beside each.
fn each_nested(
    attribute: &Attribute,
    config: &Dynamic,
    prior: &Dynamic,
    change: impl Fn(&[Attribute], &Dynamic, &Dynamic) -> Dynamic,
) -> Dynamic {
    let Kind::Nested(nesting, nested) = &attribute.kind else {
        return config.clone();
    };
    let one = |config: &Dynamic, prior: &Dynamic| match config {
        Dynamic::Map(_) => change(nested, config, prior),
        _ => config.clone(),
    };
    match (nesting, config) {
        (Nesting::Single, Dynamic::Map(_)) => one(config, prior),
        (Nesting::Map, Dynamic::Map(elements)) => {
            Dynamic::Map(elements.iter().map(|(key, config)| (key.clone(), one(config, prior.get(key)))).collect())
        }
        (Nesting::List, Dynamic::List(elements)) => {
            Dynamic::List(elements.iter().enumerate().map(|(index, config)| one(config, at(prior, index))).collect())
        }
        (Nesting::Set, Dynamic::List(elements)) => {
            Dynamic::List(elements.iter().map(|config| one(config, &Dynamic::Null)).collect())
        }
        _ => config.clone(),
    }
}

/// The result of an apply that went well: what the plan knew, and what the resource found out about the rest.
///
/// # Errors
/// Names the attributes that are still unknown, which is a mistake of the resource.
pub fn settle(planned: &Dynamic, result: Dynamic) -> Result<Dynamic, Vec<Path>> {
    let mut missing = Vec::new();
    let settled = settle_value(planned, result, &Path::default(), &mut missing);
    if missing.is_empty() { Ok(settled) } else { Err(missing) }
}

fn settle_value(planned: &Dynamic, result: Dynamic, path: &Path, missing: &mut Vec<Path>) -> Dynamic {
    match (planned, result) {
        (Dynamic::Unknown(_), result) if result.is_wholly_known() => result,
        (Dynamic::Unknown(_), _) => {
            missing.push(path.clone());
            Dynamic::Null
        }
        (Dynamic::Map(planned), Dynamic::Map(mut result)) => Dynamic::Map(
            planned
                .iter()
                .map(|(name, planned)| {
                    let result = result.remove(name).unwrap_or_default();
                    (name.clone(), settle_value(planned, result, &path.attribute(name), missing))
                })
                .collect(),
        ),
        (Dynamic::List(planned), Dynamic::List(result)) if planned.len() == result.len() => Dynamic::List(
            planned
                .iter()
                .zip(result)
                .enumerate()
                .map(|(index, (planned, result))| settle_value(planned, result, &path.index(index), missing))
                .collect(),
        ),
        (planned, result) => {
            if planned.is_wholly_known() {
                return planned.clone();
            }
            if !result.is_wholly_known() {
                missing.push(path.clone());
            }
            result.without_unknowns()
        }
    }
}

/// The attributes whose planned change replaces the resource.
pub fn replacing(schema: &Schema, prior: &Dynamic, planned: &Dynamic) -> Vec<Path> {
    if prior.is_null() || planned.is_null() {
        return Vec::new();
    }
    let mut paths = Vec::new();
    replacing_in(&schema.attributes, prior, planned, &Path::default(), &mut paths);
    paths
}

fn replacing_in(attributes: &[Attribute], prior: &Dynamic, planned: &Dynamic, at: &Path, paths: &mut Vec<Path>) {
    for attribute in attributes {
        let (prior, planned) = (prior.get(attribute.name), planned.get(attribute.name));
        let path = at.attribute(attribute.name);
        if attribute.replaces && prior != planned {
            paths.push(path);
        } else if let Kind::Nested(Nesting::Single, nested) = &attribute.kind {
            replacing_in(nested, prior, planned, &path, paths);
        }
    }
}

/// What a read found, in the form that is there already where only the form differs.
pub fn keep_form(schema: &Schema, prior: &Dynamic, read: Dynamic) -> Dynamic {
    keep_form_object(&schema.attributes, prior, read)
}

fn keep_form_object(attributes: &[Attribute], prior: &Dynamic, read: Dynamic) -> Dynamic {
    if read.is_null() || prior.is_null() {
        return read;
    }
    object(attributes, |attribute| {
        let (prior, read) = (prior.get(attribute.name), read.get(attribute.name));
        if keeps_prior(attribute, read, prior) {
            return prior.clone();
        }
        each_nested(attribute, read, prior, |nested, read, prior| keep_form_object(nested, prior, read.clone()))
    })
}

fn keeps_prior(attribute: &Attribute, value: &Dynamic, prior: &Dynamic) -> bool {
    let Some(same) = attribute.equivalent else {
        return false;
    };
    !prior.is_null() && !value.is_null() && value.is_wholly_known() && same(prior, value)
}

fn object(attributes: &[Attribute], mut value: impl FnMut(&Attribute) -> Dynamic) -> Dynamic {
    Dynamic::Map(attributes.iter().map(|attribute| (attribute.name.to_owned(), value(attribute))).collect())
}

fn at(list: &Dynamic, index: usize) -> &Dynamic {
    const NULL: &Dynamic = &Dynamic::Null;
    list.as_list().and_then(|elements| elements.get(index)).unwrap_or(NULL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema() -> Schema {
        let nested = vec![
            Attribute::bool("enabled").default_to(true),
            Attribute::string("note"),
            Attribute::string("vpc").replaces(),
        ];
        Schema {
            attributes: vec![
                Attribute::string("name").required().replaces(),
                Attribute::string("policy")
                    .equivalent(|one, two| one.as_str().map(str::to_lowercase) == two.as_str().map(str::to_lowercase)),
                Attribute::string("id").computed(),
                Attribute::string("mode").default_to("guard"),
                Attribute::nested("options", Nesting::Single, nested.clone()).default_to_object(),
                Attribute::nested("parts", Nesting::Map, nested),
                Attribute::string("secret").write_only(),
            ],
            ..Schema::default()
        }
    }

    fn object_of(entries: &[(&str, Dynamic)]) -> Dynamic {
        Dynamic::Map(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    fn config() -> Dynamic {
        let part = object_of(&[("note", "n".into())]);
        object_of(&[
            ("name", "x".into()),
            ("policy", "ALLOW".into()),
            ("parts", object_of(&[("a", part)])),
            ("secret", "s".into()),
        ])
    }

    #[test]
    fn a_creation_starts_from_defaults_and_unknowns() {
        let proposed = propose(&schema(), &config(), &Dynamic::Null);
        assert_eq!(proposed.get("mode"), &"guard".into());
        assert!(proposed.get("id").is_unknown());
        assert_eq!(proposed.get("options").get("enabled"), &true.into());
        assert_eq!(proposed.get("parts").get("a").get("enabled"), &true.into());
        assert!(proposed.get("secret").is_null(), "write-only values are never planned");
    }

    #[test]
    fn an_update_keeps_what_is_computed_and_the_text_that_means_the_same() {
        let prior = object_of(&[("name", "x".into()), ("policy", "allow".into()), ("id", "d-1".into())]);
        let proposed = propose(&schema(), &config(), &prior);
        assert_eq!(proposed.get("id"), &"d-1".into());
        assert_eq!(proposed.get("policy"), &"allow".into());
        assert_eq!(constrain(&schema(), &config(), &prior, &proposed).get("policy"), &"allow".into());
    }

    #[test]
    fn a_resource_cannot_change_what_the_user_wrote() {
        let planned = object_of(&[
            ("name", "other".into()),
            ("id", Dynamic::unknown()),
            ("mode", "both".into()),
            ("policy", Dynamic::unknown()),
        ]);
        let constrained = constrain(&schema(), &config(), &Dynamic::Null, &planned);
        assert_eq!(constrained.get("name"), &"x".into());
        assert_eq!(constrained.get("mode"), &"guard".into(), "a default is a promise, too");
        assert_eq!(constrained.get("policy"), &"ALLOW".into());
        assert!(constrained.get("id").is_unknown());
    }

    #[test]
    fn only_the_attribute_that_replaces_is_named() {
        let prior = propose(&schema(), &config(), &Dynamic::Null);
        let mut changed = config();
        if let Dynamic::Map(entries) = &mut changed {
            entries.insert("name".to_owned(), "y".into());
            entries.insert("options".to_owned(), object_of(&[("vpc", "vpc-1".into())]));
            entries.insert("policy".to_owned(), "deny".into());
        }
        let planned = propose(&schema(), &changed, &prior);
        let paths: Vec<_> = replacing(&schema(), &prior, &planned).iter().map(Path::to_string).collect();
        assert_eq!(paths, ["name", "options.vpc"]);
    }

    #[test]
    fn what_the_plan_knew_stays_and_what_is_still_unknown_is_named() {
        let planned = object_of(&[("name", "x".into()), ("id", Dynamic::unknown()), ("url", Dynamic::unknown())]);
        let result = object_of(&[("name", "y".into()), ("id", "d-1".into()), ("url", Dynamic::unknown())]);
        assert_eq!(settle(&planned, result), Err(vec![Path::root("url")]));
        let result = object_of(&[("name", "y".into()), ("id", "d-1".into()), ("url", "u".into())]);
        assert_eq!(settle(&planned, result).unwrap().get("name"), &"x".into());
    }
}
