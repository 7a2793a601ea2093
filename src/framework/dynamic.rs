//! The untyped tree that values travel in, and Terraform's types.
//!
//! **Invariant:** a tree that has passed [`Dynamic::conform`] has every attribute of its type, and its sets are sorted
//! and free of duplicates, so that two equal values are equal trees.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

/// A type of Terraform's type system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Type {
    /// `bool`
    Bool,
    /// `number`
    Number,
    /// `string`
    String,
    /// `list(…)`
    List(Box<Type>),
    /// `set(…)`
    Set(Box<Type>),
    /// `map(…)`
    Map(Box<Type>),
    /// `object({…})`
    Object(BTreeMap<String, Type>),
    /// `tuple([…])`
    Tuple(Vec<Type>),
    /// Any type; the value brings its own.
    Dynamic,
}

impl Type {
    /// A list of this type.
    pub fn list(element: Type) -> Self {
        Type::List(Box::new(element))
    }

    /// A set of this type.
    pub fn set(element: Type) -> Self {
        Type::Set(Box::new(element))
    }

    /// A map to this type.
    pub fn map(element: Type) -> Self {
        Type::Map(Box::new(element))
    }

    /// An object with these attributes.
    pub fn object<'a>(attributes: impl IntoIterator<Item = (&'a str, Type)>) -> Self {
        Type::Object(attributes.into_iter().map(|(name, of)| (name.to_owned(), of)).collect())
    }

    /// The JSON form that the protocol uses: `"string"`, `["list","string"]`, …
    pub fn to_json(&self) -> Json {
        match self {
            Type::Bool => json!("bool"),
            Type::Number => json!("number"),
            Type::String => json!("string"),
            Type::Dynamic => json!("dynamic"),
            Type::List(element) => json!(["list", element.to_json()]),
            Type::Set(element) => json!(["set", element.to_json()]),
            Type::Map(element) => json!(["map", element.to_json()]),
            Type::Tuple(elements) => {
                json!(["tuple", elements.iter().map(Type::to_json).collect::<Vec<_>>()])
            }
            Type::Object(attributes) => json!([
                "object",
                attributes.iter().map(|(name, of)| (name.clone(), of.to_json())).collect::<serde_json::Map<_, _>>()
            ]),
        }
    }

    /// Reads the JSON form.
    ///
    /// # Errors
    /// Says which part is not a type.
    pub fn from_json(json: &Json) -> Result<Self, String> {
        let unknown = || format!("{json} is not a type");
        match json {
            Json::String(name) => match name.as_str() {
                "bool" => Ok(Type::Bool),
                "number" => Ok(Type::Number),
                "string" => Ok(Type::String),
                "dynamic" => Ok(Type::Dynamic),
                _ => Err(unknown()),
            },
            Json::Array(parts) => match (parts.first().and_then(Json::as_str), parts.get(1)) {
                (Some("list"), Some(element)) => Ok(Type::list(Type::from_json(element)?)),
                (Some("set"), Some(element)) => Ok(Type::set(Type::from_json(element)?)),
                (Some("map"), Some(element)) => Ok(Type::map(Type::from_json(element)?)),
                (Some("tuple"), Some(Json::Array(elements))) => {
                    Ok(Type::Tuple(elements.iter().map(Type::from_json).collect::<Result<_, _>>()?))
                }
                (Some("object"), Some(Json::Object(attributes))) => Ok(Type::Object(
                    attributes
                        .iter()
                        .map(|(name, of)| Ok((name.clone(), Type::from_json(of)?)))
                        .collect::<Result<_, String>>()?,
                )),
                _ => Err(unknown()),
            },
            _ => Err(unknown()),
        }
    }
}

/// A number, in the form it came in.
#[derive(Clone, Debug)]
pub enum Number {
    /// Fits 64 bits.
    Int(i64),
    /// Has a fraction, or does not fit.
    Float(f64),
    /// Exact only as decimal text.
    Text(String),
}

impl Number {
    /// The number as an integer, where it is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Number::Int(value) => Some(*value),
            // The comparison proves that nothing was cut off.
            Number::Float(value) if *value == (*value as i64) as f64 => Some(*value as i64),
            Number::Float(_) => None,
            Number::Text(text) => text.parse().ok(),
        }
    }

    /// The number as a float, perhaps rounded.
    pub fn as_f64(&self) -> f64 {
        match self {
            Number::Int(value) => *value as f64,
            Number::Float(value) => *value,
            Number::Text(text) => text.parse().unwrap_or(f64::NAN),
        }
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Number {}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        match (self.as_i64(), other.as_i64()) {
            (Some(one), Some(two)) => one.cmp(&two),
            _ => self.as_f64().total_cmp(&other.as_f64()),
        }
    }
}

/// What Terraform already knows of an unknown value.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Refinements {
    /// It will not be null.
    pub not_null: bool,
    /// The string starts with this.
    pub prefix: Option<String>,
    /// The collection has at least this many elements.
    pub at_least: Option<u64>,
    /// The collection has at most this many elements.
    pub at_most: Option<u64>,
}

/// A value of any type.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dynamic {
    /// Nothing.
    #[default]
    Null,
    /// Not known before apply.
    Unknown(Refinements),
    /// A truth value.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
    /// Elements of a list, set or tuple.
    List(Vec<Dynamic>),
    /// Attributes of an object, or elements of a map.
    Map(BTreeMap<String, Dynamic>),
    /// A value of [`Type::Dynamic`], with the type it brought.
    Typed(Box<(Type, Dynamic)>),
}

impl Dynamic {
    /// An unknown value of which nothing is known.
    pub fn unknown() -> Self {
        Dynamic::Unknown(Refinements::default())
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Dynamic::Null)
    }

    /// Whether this itself is unknown; parts of it may be all the same.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Dynamic::Unknown(_))
    }

    /// Whether no part of this is unknown.
    pub fn is_wholly_known(&self) -> bool {
        match self {
            Dynamic::Unknown(_) => false,
            Dynamic::List(elements) => elements.iter().all(Dynamic::is_wholly_known),
            Dynamic::Map(elements) => elements.values().all(Dynamic::is_wholly_known),
            Dynamic::Typed(typed) => typed.1.is_wholly_known(),
            Dynamic::Null | Dynamic::Bool(_) | Dynamic::Number(_) | Dynamic::String(_) => true,
        }
    }

    /// The text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Dynamic::String(text) => Some(text),
            _ => None,
        }
    }

    /// The elements, if this is a map or object.
    pub fn as_map(&self) -> Option<&BTreeMap<String, Dynamic>> {
        match self {
            Dynamic::Map(elements) => Some(elements),
            _ => None,
        }
    }

    /// The elements, if this is a list, set or tuple.
    pub fn as_list(&self) -> Option<&[Dynamic]> {
        match self {
            Dynamic::List(elements) => Some(elements),
            _ => None,
        }
    }

    /// An attribute of an object; null where there is none.
    pub fn get(&self, name: &str) -> &Dynamic {
        const NULL: &Dynamic = &Dynamic::Null;
        self.as_map().and_then(|elements| elements.get(name)).unwrap_or(NULL)
    }

    /// Replaces every unknown part by null.
    pub fn without_unknowns(self) -> Self {
        match self {
            Dynamic::Unknown(_) => Dynamic::Null,
            Dynamic::List(elements) => Dynamic::List(elements.into_iter().map(Dynamic::without_unknowns).collect()),
            Dynamic::Map(elements) => {
                Dynamic::Map(elements.into_iter().map(|(name, value)| (name, value.without_unknowns())).collect())
            }
            Dynamic::Typed(typed) => {
                let (of, value) = *typed;
                Dynamic::Typed(Box::new((of, value.without_unknowns())))
            }
            other => other,
        }
    }

    /// Brings a tree into the one form its type has: every attribute present, sets sorted.
    ///
    /// # Errors
    /// Says where the value does not fit the type.
    pub fn conform(self, to: &Type) -> Result<Self, String> {
        match (self, to) {
            (Dynamic::Null, _) => Ok(Dynamic::Null),
            (Dynamic::Unknown(refinements), _) => Ok(Dynamic::Unknown(refinements)),
            (value @ Dynamic::Typed(_), Type::Dynamic) => Ok(value),
            (value @ Dynamic::Bool(_), Type::Bool) => Ok(value),
            (value @ Dynamic::Number(_), Type::Number) => Ok(value),
            (value @ Dynamic::String(_), Type::String) => Ok(value),
            (Dynamic::List(elements), Type::List(of)) => conform_all(elements, of).map(Dynamic::List),
            (Dynamic::List(elements), Type::Set(of)) => {
                let mut elements = conform_all(elements, of)?;
                elements.sort();
                // Unknown elements may yet turn out different, so they are all kept.
                elements.dedup_by(|one, two| one == two && one.is_wholly_known());
                Ok(Dynamic::List(elements))
            }
            (Dynamic::List(elements), Type::Tuple(types)) if elements.len() == types.len() => Ok(Dynamic::List(
                elements.into_iter().zip(types).map(|(value, of)| value.conform(of)).collect::<Result<_, _>>()?,
            )),
            (Dynamic::Map(elements), Type::Map(of)) => elements
                .into_iter()
                .map(|(name, value)| Ok((name, value.conform(of)?)))
                .collect::<Result<_, _>>()
                .map(Dynamic::Map),
            (Dynamic::Map(elements), Type::Object(attributes)) => conform_object(elements, attributes),
            (value, to) => Err(format!("a value of the wrong type: expected {}, have {}", to.to_json(), value.kind())),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Dynamic::Null => "null",
            Dynamic::Unknown(_) => "an unknown value",
            Dynamic::Bool(_) => "a bool",
            Dynamic::Number(_) => "a number",
            Dynamic::String(_) => "a string",
            Dynamic::List(_) => "a list",
            Dynamic::Map(_) => "a map or object",
            Dynamic::Typed(_) => "a value with a type of its own",
        }
    }
}

fn conform_all(elements: Vec<Dynamic>, of: &Type) -> Result<Vec<Dynamic>, String> {
    elements.into_iter().map(|element| element.conform(of)).collect()
}

fn conform_object(
    mut elements: BTreeMap<String, Dynamic>,
    attributes: &BTreeMap<String, Type>,
) -> Result<Dynamic, String> {
    let object = attributes
        .iter()
        .map(|(name, of)| {
            let value = elements.remove(name).unwrap_or_default();
            let value = value.conform(of).map_err(|error| format!("{name}: {error}"))?;
            Ok((name.clone(), value))
        })
        .collect::<Result<_, String>>()?;
    match elements.into_keys().next() {
        None => Ok(Dynamic::Map(object)),
        Some(name) => Err(format!("{name} is not an attribute")),
    }
}

impl From<bool> for Dynamic {
    fn from(value: bool) -> Self {
        Dynamic::Bool(value)
    }
}

impl From<i64> for Dynamic {
    fn from(value: i64) -> Self {
        Dynamic::Number(Number::Int(value))
    }
}

impl From<&str> for Dynamic {
    fn from(value: &str) -> Self {
        Dynamic::String(value.to_owned())
    }
}

impl From<String> for Dynamic {
    fn from(value: String) -> Self {
        Dynamic::String(value)
    }
}

impl<T: Into<Dynamic>> FromIterator<T> for Dynamic {
    /// A list of these elements.
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Dynamic::List(elements.into_iter().map(Into::into).collect())
    }
}
