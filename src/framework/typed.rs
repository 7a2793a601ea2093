//! Between the untyped tree and the structs that resources work with, by way of serde.
//!
//! A model is a plain struct that derives `Serialize` and `Deserialize`; fields that may be null or unknown are
//! [`Value`](super::Value). An unknown where the struct has no room for one is an error, never a guess.

use std::collections::BTreeMap;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde::ser::{self, Serialize, SerializeMap, SerializeSeq, SerializeStruct, Serializer};

use super::dynamic::{Dynamic, Number};
use super::value::{UNKNOWN, VALUE};

/// A tree and a struct that do not fit each other.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TypedError(String);

impl de::Error for TypedError {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        TypedError(text.to_string())
    }
}

impl ser::Error for TypedError {
    fn custom<T: std::fmt::Display>(text: T) -> Self {
        TypedError(text.to_string())
    }
}

/// Reads a struct from a tree.
///
/// # Errors
/// A field of another type, or an unknown where the struct has no [`Value`](super::Value).
pub fn from_dynamic<T: DeserializeOwned>(tree: Dynamic) -> Result<T, TypedError> {
    T::deserialize(Tree(tree))
}

/// Writes a struct as a tree.
///
/// # Errors
/// A type that Terraform has no counterpart for, such as an enum with data.
pub fn to_dynamic<T: Serialize + ?Sized>(value: &T) -> Result<Dynamic, TypedError> {
    value.serialize(Writer)
}

struct Tree(Dynamic);

impl IntoDeserializer<'_, TypedError> for Tree {
    type Deserializer = Tree;

    fn into_deserializer(self) -> Tree {
        self
    }
}

impl<'de> Deserializer<'de> for Tree {
    type Error = TypedError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.0 {
            Dynamic::Null => visitor.visit_none(),
            Dynamic::Unknown(_) => Err(TypedError("a value that is not known yet".to_owned())),
            Dynamic::Bool(value) => visitor.visit_bool(value),
            Dynamic::String(value) => visitor.visit_string(value),
            Dynamic::Number(number) => match number.as_i64() {
                Some(value) => visitor.visit_i64(value),
                None => visitor.visit_f64(number.as_f64()),
            },
            Dynamic::List(elements) => visitor.visit_seq(SeqDeserializer::new(elements.into_iter().map(Tree))),
            Dynamic::Map(elements) => {
                visitor.visit_map(MapDeserializer::new(elements.into_iter().map(|(name, value)| (name, Tree(value)))))
            }
            Dynamic::Typed(typed) => Tree(typed.1).deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, TypedError> {
        match self.0 {
            Dynamic::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        match self.0 {
            Dynamic::Null if name == VALUE => visitor.visit_none(),
            Dynamic::Unknown(_) if name == VALUE => visitor.visit_unit(),
            _ => visitor.visit_newtype_struct(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, TypedError> {
        match self.0 {
            Dynamic::String(name) => visitor.visit_enum(name.into_deserializer()),
            _ => Err(TypedError("expected the name of a variant".to_owned())),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct identifier ignored_any
    }
}

struct Writer;

/// Collects elements or fields.
struct Collect<T> {
    done: T,
    key: Option<String>,
}

fn unsupported<T>(what: &str) -> Result<T, TypedError> {
    Err(TypedError(format!("{what} has no counterpart in Terraform")))
}

impl Serializer for Writer {
    type Ok = Dynamic;
    type Error = TypedError;
    type SerializeSeq = Collect<Vec<Dynamic>>;
    type SerializeTuple = ser::Impossible<Dynamic, TypedError>;
    type SerializeTupleStruct = ser::Impossible<Dynamic, TypedError>;
    type SerializeTupleVariant = ser::Impossible<Dynamic, TypedError>;
    type SerializeMap = Collect<BTreeMap<String, Dynamic>>;
    type SerializeStruct = Collect<BTreeMap<String, Dynamic>>;
    type SerializeStructVariant = ser::Impossible<Dynamic, TypedError>;

    fn serialize_bool(self, value: bool) -> Result<Dynamic, TypedError> {
        Ok(value.into())
    }

    fn serialize_i8(self, value: i8) -> Result<Dynamic, TypedError> {
        Ok(i64::from(value).into())
    }

    fn serialize_i16(self, value: i16) -> Result<Dynamic, TypedError> {
        Ok(i64::from(value).into())
    }

    fn serialize_i32(self, value: i32) -> Result<Dynamic, TypedError> {
        Ok(i64::from(value).into())
    }

    fn serialize_i64(self, value: i64) -> Result<Dynamic, TypedError> {
        Ok(value.into())
    }

    fn serialize_u8(self, value: u8) -> Result<Dynamic, TypedError> {
        Ok(i64::from(value).into())
    }

    fn serialize_u16(self, value: u16) -> Result<Dynamic, TypedError> {
        Ok(i64::from(value).into())
    }

    fn serialize_u32(self, value: u32) -> Result<Dynamic, TypedError> {
        Ok(i64::from(value).into())
    }

    fn serialize_u64(self, value: u64) -> Result<Dynamic, TypedError> {
        Ok(match i64::try_from(value) {
            Ok(value) => value.into(),
            Err(_) => Dynamic::Number(Number::Text(value.to_string())),
        })
    }

    fn serialize_f32(self, value: f32) -> Result<Dynamic, TypedError> {
        Ok(Dynamic::Number(Number::Float(value.into())))
    }

    fn serialize_f64(self, value: f64) -> Result<Dynamic, TypedError> {
        Ok(Dynamic::Number(Number::Float(value)))
    }

    fn serialize_char(self, value: char) -> Result<Dynamic, TypedError> {
        Ok(value.to_string().into())
    }

    fn serialize_str(self, value: &str) -> Result<Dynamic, TypedError> {
        Ok(value.into())
    }

    fn serialize_bytes(self, _value: &[u8]) -> Result<Dynamic, TypedError> {
        unsupported("binary data")
    }

    fn serialize_none(self) -> Result<Dynamic, TypedError> {
        Ok(Dynamic::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Dynamic, TypedError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Dynamic, TypedError> {
        Ok(Dynamic::Null)
    }

    fn serialize_unit_struct(self, name: &'static str) -> Result<Dynamic, TypedError> {
        if name == UNKNOWN { Ok(Dynamic::unknown()) } else { unsupported(name) }
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<Dynamic, TypedError> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Result<Dynamic, TypedError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        _value: &T,
    ) -> Result<Dynamic, TypedError> {
        unsupported(name)
    }

    fn serialize_seq(self, _len: Option<usize>) -> Result<Self::SerializeSeq, TypedError> {
        Ok(Collect { done: Vec::new(), key: None })
    }

    fn serialize_tuple(self, _len: usize) -> Result<Self::SerializeTuple, TypedError> {
        unsupported("a tuple")
    }

    fn serialize_tuple_struct(self, name: &'static str, _len: usize) -> Result<Self::SerializeTupleStruct, TypedError> {
        unsupported(name)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeTupleVariant, TypedError> {
        unsupported(name)
    }

    fn serialize_map(self, _len: Option<usize>) -> Result<Self::SerializeMap, TypedError> {
        Ok(Collect { done: BTreeMap::new(), key: None })
    }

    fn serialize_struct(self, _name: &'static str, _len: usize) -> Result<Self::SerializeStruct, TypedError> {
        Ok(Collect { done: BTreeMap::new(), key: None })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _index: u32,
        _variant: &'static str,
        _len: usize,
    ) -> Result<Self::SerializeStructVariant, TypedError> {
        unsupported(name)
    }
}

impl SerializeSeq for Collect<Vec<Dynamic>> {
    type Ok = Dynamic;
    type Error = TypedError;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
        self.done.push(value.serialize(Writer)?);
        Ok(())
    }

    fn end(self) -> Result<Dynamic, TypedError> {
        Ok(Dynamic::List(self.done))
    }
}

impl SerializeMap for Collect<BTreeMap<String, Dynamic>> {
    type Ok = Dynamic;
    type Error = TypedError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), TypedError> {
        match key.serialize(Writer)? {
            Dynamic::String(key) => self.key = Some(key),
            _ => return unsupported("a map key that is not text"),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), TypedError> {
        let key = self.key.take().ok_or_else(|| TypedError("a map value without a key".to_owned()))?;
        self.done.insert(key, value.serialize(Writer)?);
        Ok(())
    }

    fn end(self) -> Result<Dynamic, TypedError> {
        Ok(Dynamic::Map(self.done))
    }
}

impl SerializeStruct for Collect<BTreeMap<String, Dynamic>> {
    type Ok = Dynamic;
    type Error = TypedError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), TypedError> {
        self.done.insert(key.to_owned(), value.serialize(Writer)?);
        Ok(())
    }

    fn end(self) -> Result<Dynamic, TypedError> {
        Ok(Dynamic::Map(self.done))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::framework::Value;
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Nested {
        enabled: Value<bool>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Model {
        name: Value<String>,
        count: Value<i64>,
        list: Value<Vec<Value<String>>>,
        nested: Value<Nested>,
        map: Value<BTreeMap<String, Nested>>,
    }

    #[test]
    fn a_model_keeps_known_null_and_unknown_apart() {
        let model = Model {
            name: "x".into(),
            count: Value::Null,
            list: vec![Value::Unknown, "a".into()].into(),
            nested: Nested { enabled: Value::Unknown }.into(),
            map: BTreeMap::from([("k".to_owned(), Nested { enabled: true.into() })]).into(),
        };
        let tree = to_dynamic(&model).unwrap();
        assert!(tree.get("list").as_list().unwrap()[0].is_unknown());
        assert!(tree.get("count").is_null());
        assert_eq!(from_dynamic::<Model>(tree).unwrap(), model);
    }

    #[test]
    fn an_unknown_without_room_for_it_is_an_error() {
        let tree = [Dynamic::unknown()].into_iter().collect::<Dynamic>();
        assert!(from_dynamic::<Vec<String>>(tree).is_err());
    }

    #[test]
    fn a_missing_field_is_an_error_and_not_a_null() {
        assert!(from_dynamic::<Nested>(Dynamic::Map(BTreeMap::new())).is_err());
    }
}
