//! A value as Terraform has it: known, null, or not known yet.
//!
//! Models of resources hold `Value<T>` fields, so that "not written" and "not known until apply" cannot be mixed up.
//! Settle them at the edge: inner functions take plain types.

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

/// Names [`Value`] to our own serde implementation in `typed.rs`. No other format sees it.
pub(super) const VALUE: &str = "$studio::Value";
/// Names an unknown value to our own serde implementation in `typed.rs`.
pub(super) const UNKNOWN: &str = "$studio::Unknown";

/// A value that may be null or unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value<T> {
    /// Not written, or nothing there.
    #[default]
    Null,
    /// Not known before apply.
    Unknown,
    /// Known.
    Known(T),
}

impl<T> Value<T> {
    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Value::Known(value) => Some(value),
            Value::Null | Value::Unknown => None,
        }
    }

    /// The value itself, where it is known.
    pub fn into_known(self) -> Option<T> {
        match self {
            Value::Known(value) => Some(value),
            Value::Null | Value::Unknown => None,
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Value::Unknown)
    }

    /// Whether this is known.
    pub fn is_known(&self) -> bool {
        matches!(self, Value::Known(_))
    }

    /// Borrows what is inside.
    pub fn as_ref(&self) -> Value<&T> {
        match self {
            Value::Null => Value::Null,
            Value::Unknown => Value::Unknown,
            Value::Known(value) => Value::Known(value),
        }
    }

    /// Changes a known value; null and unknown stay what they are.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Value<U> {
        match self {
            Value::Null => Value::Null,
            Value::Unknown => Value::Unknown,
            Value::Known(value) => Value::Known(change(value)),
        }
    }

    /// The value, or `other` where it is null or unknown.
    pub fn known_or(self, other: T) -> T {
        self.into_known().unwrap_or(other)
    }
}

impl Value<String> {
    /// The text, where it is known.
    pub fn text(&self) -> Option<&str> {
        self.known().map(String::as_str)
    }
}

impl<T> From<T> for Value<T> {
    fn from(value: T) -> Self {
        Value::Known(value)
    }
}

impl<T> From<Option<T>> for Value<T> {
    /// `None` is null.
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Value::Known)
    }
}

impl From<&str> for Value<String> {
    fn from(value: &str) -> Self {
        Value::Known(value.to_owned())
    }
}

impl<T: Serialize> Serialize for Value<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_none(),
            Value::Unknown => serializer.serialize_unit_struct(UNKNOWN),
            Value::Known(value) => value.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Value<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Settle<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Settle<T> {
            type Value = Value<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a value that may be null or unknown")
            }

            fn visit_none<E>(self) -> Result<Self::Value, E> {
                Ok(Value::Null)
            }

            fn visit_unit<E>(self) -> Result<Self::Value, E> {
                Ok(Value::Unknown)
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
                T::deserialize(deserializer).map(Value::Known)
            }
        }

        deserializer.deserialize_newtype_struct(VALUE, Settle(PhantomData))
    }
}
