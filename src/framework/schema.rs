//! Schemas: what attributes there are, what they mean, and what they accept.
//!
//! Descriptions live here and nowhere else; the documentation is made from them.

use std::fmt;
use std::sync::Arc;

use super::dynamic::{Dynamic, Type};

/// The schema of a resource, data source, ephemeral resource or provider.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// Raised when the form of the state changes.
    pub version: i64,
    /// Markdown.
    pub description: &'static str,
    /// In the order they are documented.
    pub attributes: Vec<Attribute>,
    /// Blocks; only the provider's configuration has any.
    pub blocks: Vec<Block>,
    /// Why it should not be used any more.
    pub deprecation: Option<&'static str>,
}

impl Schema {
    /// The type of a whole value.
    pub fn value_type(&self) -> Type {
        object_type(&self.attributes, &self.blocks)
    }

    /// A top-level attribute.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

fn object_type(attributes: &[Attribute], blocks: &[Block]) -> Type {
    let attributes = attributes.iter().map(|attribute| (attribute.name, attribute.value_type()));
    let blocks = blocks.iter().map(|block| (block.name, block.value_type()));
    Type::object(attributes.chain(blocks))
}

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The user must.
    Required,
    /// The user may; otherwise it is null.
    Optional,
    /// The user may; otherwise a default holds, or AWS chooses.
    OptionalComputed,
    /// Only the provider does.
    Computed,
}

/// What an attribute holds.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A plain type.
    Plain(Type),
    /// Objects with attributes of their own.
    Nested(Nesting, Vec<Attribute>),
}

/// How nested objects are collected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// One object.
    Single,
    /// A list of them.
    List,
    /// A set of them.
    Set,
    /// A map to them.
    Map,
}

impl Nesting {
    fn of(self, object: Type) -> Type {
        match self {
            Nesting::Single => object,
            Nesting::List => Type::list(object),
            Nesting::Set => Type::set(object),
            Nesting::Map => Type::map(object),
        }
    }
}

/// A rule for a known value. Says what is wrong, in one or two sentences.
pub type Check = Arc<dyn Fn(&Dynamic) -> Result<(), String> + Send + Sync>;

/// What an attribute is when the user does not write it.
#[derive(Clone, Debug)]
pub enum Default {
    /// This value.
    Value(Dynamic),
    /// An object in which the nested attributes have their own defaults.
    Object,
}

/// One attribute.
#[derive(Clone)]
pub struct Attribute {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Who gives it its value.
    pub mode: Mode,
    /// Markdown.
    pub description: &'static str,
    /// Hidden in Terraform's output.
    pub sensitive: bool,
    /// Passed to the provider and never stored.
    pub write_only: bool,
    /// Why it should not be used any more.
    pub deprecation: Option<&'static str>,
    /// What holds when it is not written.
    pub default: Option<Default>,
    /// A change of it replaces the resource.
    pub replaces: bool,
    /// Rules for known values. For collections of plain values they apply to the collection.
    pub checks: Vec<Check>,
    /// Rules for each element of a plain collection.
    pub element_checks: Vec<Check>,
    /// Whether two values mean the same. Then the text that is there is kept.
    pub equivalent: Option<fn(&Dynamic, &Dynamic) -> bool>,
}

impl fmt::Debug for Attribute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Attribute")
            .field("name", &self.name)
            .field("kind", &self.kind)
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

impl Attribute {
    fn new(name: &'static str, kind: Kind) -> Self {
        Attribute {
            name,
            kind,
            mode: Mode::Optional,
            description: "",
            sensitive: false,
            write_only: false,
            deprecation: None,
            default: None,
            replaces: false,
            checks: Vec::new(),
            element_checks: Vec::new(),
            equivalent: None,
        }
    }

    /// An attribute of any plain type. Optional until said otherwise.
    pub fn of(name: &'static str, of: Type) -> Self {
        Attribute::new(name, Kind::Plain(of))
    }

    /// A string.
    pub fn string(name: &'static str) -> Self {
        Attribute::of(name, Type::String)
    }

    /// A truth value.
    pub fn bool(name: &'static str) -> Self {
        Attribute::of(name, Type::Bool)
    }

    /// A number.
    pub fn number(name: &'static str) -> Self {
        Attribute::of(name, Type::Number)
    }

    /// A list of strings.
    pub fn strings(name: &'static str) -> Self {
        Attribute::of(name, Type::list(Type::String))
    }

    /// A set of strings.
    pub fn string_set(name: &'static str) -> Self {
        Attribute::of(name, Type::set(Type::String))
    }

    /// A map to strings.
    pub fn string_map(name: &'static str) -> Self {
        Attribute::of(name, Type::map(Type::String))
    }

    /// Nested objects.
    pub fn nested(name: &'static str, nesting: Nesting, attributes: Vec<Attribute>) -> Self {
        Attribute::new(name, Kind::Nested(nesting, attributes))
    }

    /// What it means, in Markdown.
    #[must_use]
    pub fn describe(mut self, description: &'static str) -> Self {
        self.description = description;
        self
    }

    /// The user must write it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.mode = Mode::Required;
        self
    }

    /// Only the provider gives it a value.
    #[must_use]
    pub fn computed(mut self) -> Self {
        self.mode = Mode::Computed;
        self
    }

    /// The user may write it; otherwise AWS chooses.
    #[must_use]
    pub fn optional_computed(mut self) -> Self {
        self.mode = Mode::OptionalComputed;
        self
    }

    /// What holds when it is not written.
    #[must_use]
    pub fn default_to(mut self, value: impl Into<Dynamic>) -> Self {
        self.mode = Mode::OptionalComputed;
        self.default = Some(Default::Value(value.into()));
        self
    }

    /// When it is not written, the nested defaults hold all the same.
    #[must_use]
    pub fn default_to_object(mut self) -> Self {
        self.mode = Mode::OptionalComputed;
        self.default = Some(Default::Object);
        self
    }

    /// A change of it replaces the resource.
    #[must_use]
    pub fn replaces(mut self) -> Self {
        self.replaces = true;
        self
    }

    /// Hidden in Terraform's output.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// Passed to the provider and never stored.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// Why it should not be used any more.
    #[must_use]
    pub fn deprecated(mut self, why: &'static str) -> Self {
        self.deprecation = Some(why);
        self
    }

    /// A rule for the value, applied where it is wholly known.
    #[must_use]
    pub fn check(mut self, check: Check) -> Self {
        self.checks.push(check);
        self
    }

    /// A rule for each element of a list, set or map, applied where the element is known.
    #[must_use]
    pub fn check_each(mut self, check: Check) -> Self {
        self.element_checks.push(check);
        self
    }

    /// Two values for which this says yes are the same; the one that is there stays.
    #[must_use]
    pub fn equivalent(mut self, same: fn(&Dynamic, &Dynamic) -> bool) -> Self {
        self.equivalent = Some(same);
        self
    }

    /// The type of its value.
    pub fn value_type(&self) -> Type {
        match &self.kind {
            Kind::Plain(of) => of.clone(),
            Kind::Nested(nesting, attributes) => nesting.of(object_type(attributes, &[])),
        }
    }

    /// Whether the provider may give it a value.
    pub fn is_computed(&self) -> bool {
        matches!(self.mode, Mode::Computed | Mode::OptionalComputed)
    }
}

/// A nested block of the provider's configuration: `assume_role { … }`.
#[derive(Clone, Debug)]
pub struct Block {
    /// Its name.
    pub name: &'static str,
    /// List or set; a single block is a list of at most one, as in the AWS provider.
    pub nesting: Nesting,
    /// What stands in it.
    pub attributes: Vec<Attribute>,
    /// Markdown.
    pub description: &'static str,
    /// The most that may be written; 0 is any number.
    pub max_items: i64,
}

impl Block {
    fn value_type(&self) -> Type {
        self.nesting.of(object_type(&self.attributes, &[]))
    }
}
