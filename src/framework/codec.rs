//! Values to and from msgpack and JSON, as Terraform's type library writes them.
//!
//! **Invariant:** what is decoded has passed [`Dynamic::conform`].

use rmpv::Value as Pack;
use serde_json::Value as Json;

use super::dynamic::{Dynamic, Number, Refinements, Type};

/// The extension type of an unknown value that carries refinements.
const REFINED: i8 = 12;

/// A value that could not be read.
#[derive(Debug, thiserror::Error, PartialEq)]
#[error("{0}")]
pub struct DecodeError(pub String);

impl From<String> for DecodeError {
    fn from(text: String) -> Self {
        DecodeError(text)
    }
}

/// Reads a msgpack value of a known type. No bytes at all are null.
///
/// # Errors
/// The bytes are not msgpack, or not of this type.
pub fn from_msgpack(bytes: &[u8], of: &Type) -> Result<Dynamic, DecodeError> {
    if bytes.is_empty() {
        return Ok(Dynamic::Null);
    }
    let pack = rmpv::decode::read_value(&mut &bytes[..]).map_err(|error| DecodeError(error.to_string()))?;
    Ok(unpack(pack, of)?.conform(of)?)
}

/// Writes a value of a known type as msgpack.
pub fn to_msgpack(value: &Dynamic, of: &Type) -> Vec<u8> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &pack(value, of)).expect("writing to memory cannot fail");
    bytes
}

/// Reads a JSON value of a known type.
/// Attributes that the type does not have are left out, as state of an older provider may hold them.
///
/// # Errors
/// The value is not of this type.
pub fn from_json(json: &Json, of: &Type) -> Result<Dynamic, DecodeError> {
    Ok(unjson(json, of)?.conform(of)?)
}

/// Writes a value as JSON. Unknown parts become null.
pub fn to_json(value: &Dynamic) -> Json {
    match value {
        Dynamic::Null | Dynamic::Unknown(_) => Json::Null,
        Dynamic::Bool(value) => Json::Bool(*value),
        Dynamic::String(value) => Json::String(value.clone()),
        Dynamic::Number(number) => match number.as_i64() {
            Some(value) => Json::from(value),
            None => Json::from(number.as_f64()),
        },
        Dynamic::List(elements) => elements.iter().map(to_json).collect(),
        Dynamic::Map(elements) => elements.iter().map(|(name, value)| (name.clone(), to_json(value))).collect(),
        Dynamic::Typed(typed) => to_json(&typed.1),
    }
}

fn unpack(pack: Pack, of: &Type) -> Result<Dynamic, String> {
    let wrong = |what: &str| Err(format!("expected {}, have {what}", of.to_json()));
    match pack {
        Pack::Nil => Ok(Dynamic::Null),
        Pack::Ext(REFINED, bytes) => Ok(Dynamic::Unknown(refinements(&bytes))),
        // Whatever the code, an extension stands for an unknown value.
        Pack::Ext(..) => Ok(Dynamic::unknown()),
        Pack::Boolean(value) => Ok(Dynamic::Bool(value)),
        Pack::Integer(number) => Ok(Dynamic::Number(match number.as_i64() {
            Some(value) => Number::Int(value),
            None => Number::Float(number.as_f64().unwrap_or(f64::NAN)),
        })),
        Pack::F32(value) => Ok(Dynamic::Number(Number::Float(value.into()))),
        Pack::F64(value) => Ok(Dynamic::Number(Number::Float(value))),
        Pack::String(text) => match (text.into_str(), of) {
            (Some(text), Type::Number) => Ok(Dynamic::Number(Number::Text(text))),
            (Some(text), _) => Ok(Dynamic::String(text)),
            (None, _) => wrong("text that is not UTF-8"),
        },
        Pack::Array(elements) => match of {
            Type::List(of) | Type::Set(of) => {
                elements.into_iter().map(|element| unpack(element, of)).collect::<Result<_, _>>().map(Dynamic::List)
            }
            Type::Tuple(types) if types.len() == elements.len() => elements
                .into_iter()
                .zip(types)
                .map(|(element, of)| unpack(element, of))
                .collect::<Result<_, _>>()
                .map(Dynamic::List),
            Type::Dynamic => unpack_typed(elements),
            _ => wrong("an array"),
        },
        Pack::Map(elements) => elements
            .into_iter()
            .map(|(name, value)| {
                let name = name.as_str().ok_or("a map key that is not text")?.to_owned();
                let of = match of {
                    Type::Map(of) => of,
                    Type::Object(attributes) => {
                        attributes.get(&name).ok_or_else(|| format!("{name} is not an attribute"))?
                    }
                    _ => return Err(format!("expected {}, have a map", of.to_json())),
                };
                let value = unpack(value, of).map_err(|error| format!("{name}: {error}"))?;
                Ok((name, value))
            })
            .collect::<Result<_, String>>()
            .map(Dynamic::Map),
        Pack::Binary(_) => wrong("binary data"),
    }
}

/// A dynamic value is a pair: its type as JSON, and the value.
fn unpack_typed(pair: Vec<Pack>) -> Result<Dynamic, String> {
    let [of, value] = <[Pack; 2]>::try_from(pair).map_err(|_| "a dynamic value is not a pair")?;
    let bytes = match &of {
        Pack::Binary(bytes) => bytes.as_slice(),
        Pack::String(text) => text.as_bytes(),
        _ => return Err("a dynamic value without its type".to_owned()),
    };
    let json: Json = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let of = Type::from_json(&json)?;
    let value = unpack(value, &of)?.conform(&of)?;
    Ok(Dynamic::Typed(Box::new((of, value))))
}

/// Reads the refinements that matter here; others only narrow further and may be passed over.
fn refinements(bytes: &[u8]) -> Refinements {
    let mut known = Refinements::default();
    let Ok(Pack::Map(entries)) = rmpv::decode::read_value(&mut &bytes[..]) else {
        return known;
    };
    for (key, value) in entries {
        match key.as_u64() {
            // 1: nullness, false meaning "not null"
            Some(1) => known.not_null = value.as_bool() == Some(false),
            Some(2) => known.prefix = value.as_str().map(str::to_owned),
            Some(5) => known.at_least = value.as_u64(),
            Some(6) => known.at_most = value.as_u64(),
            _ => {}
        }
    }
    known
}

fn pack(value: &Dynamic, of: &Type) -> Pack {
    match (value, of) {
        (Dynamic::Null, _) => Pack::Nil,
        (Dynamic::Unknown(_), _) => Pack::Ext(0, vec![0]),
        (Dynamic::Bool(value), _) => Pack::Boolean(*value),
        (Dynamic::String(value), _) => Pack::from(value.as_str()),
        (Dynamic::Number(number), _) => match (number.as_i64(), number) {
            (Some(value), _) => Pack::from(value),
            (None, Number::Text(text)) => Pack::from(text.as_str()),
            (None, number) => Pack::F64(number.as_f64()),
        },
        (Dynamic::List(elements), Type::Tuple(types)) => {
            Pack::Array(elements.iter().zip(types).map(|(element, of)| pack(element, of)).collect())
        }
        (Dynamic::List(elements), Type::List(of) | Type::Set(of)) => {
            Pack::Array(elements.iter().map(|element| pack(element, of)).collect())
        }
        (Dynamic::Map(elements), Type::Map(of)) => {
            Pack::Map(elements.iter().map(|(name, value)| (name.as_str().into(), pack(value, of))).collect())
        }
        // Every attribute is written, whether the tree has it or not.
        (Dynamic::Map(_), Type::Object(attributes)) => {
            Pack::Map(attributes.iter().map(|(name, of)| (name.as_str().into(), pack(value.get(name), of))).collect())
        }
        (Dynamic::Typed(typed), _) => {
            Pack::Array(vec![Pack::Binary(typed.0.to_json().to_string().into_bytes()), pack(&typed.1, &typed.0)])
        }
        // Trees are conformed before they get here; a mismatch is written as nothing rather than as nonsense.
        (Dynamic::List(_) | Dynamic::Map(_), _) => Pack::Nil,
    }
}

fn unjson(json: &Json, of: &Type) -> Result<Dynamic, String> {
    match (json, of) {
        (Json::Null, _) => Ok(Dynamic::Null),
        (Json::Object(pair), Type::Dynamic) => {
            let of = Type::from_json(pair.get("type").unwrap_or(&Json::Null))?;
            let value = unjson(pair.get("value").unwrap_or(&Json::Null), &of)?.conform(&of)?;
            Ok(Dynamic::Typed(Box::new((of, value))))
        }
        (Json::Bool(value), Type::Bool) => Ok(Dynamic::Bool(*value)),
        (Json::String(value), Type::String) => Ok(Dynamic::String(value.clone())),
        (Json::String(value), Type::Number) => Ok(Dynamic::Number(Number::Text(value.clone()))),
        (Json::String(value), Type::Bool) if value == "true" || value == "false" => Ok(Dynamic::Bool(value == "true")),
        (Json::Number(value), Type::Number) => Ok(Dynamic::Number(match value.as_i64() {
            Some(value) => Number::Int(value),
            None => Number::Float(value.as_f64().unwrap_or(f64::NAN)),
        })),
        (Json::Bool(value), Type::String) => Ok(Dynamic::String(value.to_string())),
        (Json::Number(value), Type::String) => Ok(Dynamic::String(value.to_string())),
        (Json::Array(elements), Type::List(of) | Type::Set(of)) => {
            elements.iter().map(|element| unjson(element, of)).collect::<Result<_, _>>().map(Dynamic::List)
        }
        (Json::Array(elements), Type::Tuple(types)) if types.len() == elements.len() => elements
            .iter()
            .zip(types)
            .map(|(element, of)| unjson(element, of))
            .collect::<Result<_, _>>()
            .map(Dynamic::List),
        (Json::Object(elements), Type::Map(of)) => elements
            .iter()
            .map(|(name, value)| Ok((name.clone(), unjson(value, of)?)))
            .collect::<Result<_, String>>()
            .map(Dynamic::Map),
        (Json::Object(elements), Type::Object(attributes)) => elements
            .iter()
            .filter_map(|(name, value)| attributes.get(name).map(|of| (name, value, of)))
            .map(|(name, value, of)| Ok((name.clone(), unjson(value, of).map_err(|error| format!("{name}: {error}"))?)))
            .collect::<Result<_, String>>()
            .map(Dynamic::Map),
        (json, of) => Err(format!("expected {}, have {json}", of.to_json())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn sample() -> Type {
        Type::object([
            ("name", Type::String),
            ("ports", Type::set(Type::Number)),
            ("tags", Type::map(Type::String)),
            ("any", Type::Dynamic),
            ("pair", Type::Tuple(vec![Type::Bool, Type::String])),
        ])
    }

    fn object(entries: &[(&str, Dynamic)]) -> Dynamic {
        Dynamic::Map(entries.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    #[test]
    fn a_value_survives_msgpack_and_json() {
        let value = object(&[
            ("name", "x".into()),
            ("ports", [3_i64, 1, 2].into_iter().collect()),
            ("tags", object(&[("a", "b".into())])),
            ("any", Dynamic::Typed(Box::new((Type::list(Type::Bool), [true].into_iter().collect())))),
            ("pair", Dynamic::List(vec![true.into(), "y".into()])),
        ])
        .conform(&sample())
        .unwrap();
        assert_eq!(from_msgpack(&to_msgpack(&value, &sample()), &sample()), Ok(value.clone()));
        let plain = Type::object([("name", Type::String), ("ports", Type::set(Type::Number))]);
        let json = serde_json::json!({ "name": "x", "ports": [2, 1, 3, 1], "gone": true });
        let read = from_json(&json, &plain).unwrap();
        assert_eq!(to_json(&read), serde_json::json!({ "name": "x", "ports": [1, 2, 3] }));
    }

    #[test]
    fn every_extension_is_an_unknown_and_refinements_are_read() {
        let mut bytes = Vec::new();
        let known = Pack::Map(vec![(1.into(), false.into()), (2.into(), "vpc-".into())]);
        let mut inner = Vec::new();
        rmpv::encode::write_value(&mut inner, &known).unwrap();
        rmpv::encode::write_value(&mut bytes, &Pack::Ext(REFINED, inner)).unwrap();
        let refined = Refinements { not_null: true, prefix: Some("vpc-".to_owned()), ..Default::default() };
        assert_eq!(from_msgpack(&bytes, &Type::String), Ok(Dynamic::Unknown(refined)));
        let mut plain = Vec::new();
        rmpv::encode::write_value(&mut plain, &Pack::Ext(77, vec![])).unwrap();
        assert_eq!(from_msgpack(&plain, &Type::String), Ok(Dynamic::unknown()));
    }

    #[test]
    fn numbers_may_come_as_integer_float_or_text() {
        for pack in [Pack::from(5), Pack::F64(5.0), Pack::from("5")] {
            let mut bytes = Vec::new();
            rmpv::encode::write_value(&mut bytes, &pack).unwrap();
            assert_eq!(from_msgpack(&bytes, &Type::Number), Ok(5.into()));
        }
    }

    #[test]
    fn an_attribute_that_is_missing_is_written_as_null() {
        let bytes = to_msgpack(&Dynamic::Map(BTreeMap::new()), &sample());
        let read = from_msgpack(&bytes, &sample()).unwrap();
        assert_eq!(read.as_map().unwrap().len(), 5);
    }

    #[test]
    fn a_value_of_another_type_is_refused_with_its_place() {
        let mut bytes = Vec::new();
        let pack = Pack::Map(vec![("name".into(), Pack::Array(vec![]))]);
        rmpv::encode::write_value(&mut bytes, &pack).unwrap();
        let error = from_msgpack(&bytes, &sample()).unwrap_err();
        assert_eq!(error.to_string(), "name: expected \"string\", have an array");
    }
}
