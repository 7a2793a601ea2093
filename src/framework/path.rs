//! Where in a value something stands.

use std::fmt;

use super::dynamic::Dynamic;

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Into an attribute of an object, or a block.
    Attribute(String),
    /// Into an element of a map.
    Key(String),
    /// Into an element of a list.
    Index(i64),
    /// Into an element of a set, which is named by its value.
    Element(Dynamic),
}

/// The way to one value, from the resource's top.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path(pub Vec<Step>);

impl Path {
    /// The path to a top-level attribute.
    pub fn root(attribute: &str) -> Self {
        Path::default().attribute(attribute)
    }

    /// On to an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Self {
        self.step(Step::Attribute(name.to_owned()))
    }

    /// On to an element of a map.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        self.step(Step::Key(key.to_owned()))
    }

    /// On to an element of a list, counted from 0.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.step(Step::Index(i64::try_from(index).expect("a list has fewer than 2^63 elements")))
    }

    /// On to an element of a set.
    #[must_use]
    pub fn element(&self, element: impl Into<Dynamic>) -> Self {
        self.step(Step::Element(element.into()))
    }

    /// On by one step.
    #[must_use]
    pub fn step(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Path(steps)
    }
}

impl fmt::Display for Path {
    /// As a user would write it: `endpoints.policies["studio"]`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Attribute(name) if position == 0 => write!(formatter, "{name}")?,
                Step::Attribute(name) => write!(formatter, ".{name}")?,
                Step::Key(key) => write!(formatter, "[{key:?}]")?,
                Step::Index(index) => write!(formatter, "[{index}]")?,
                Step::Element(Dynamic::String(text)) => write!(formatter, "[{text:?}]")?,
                Step::Element(_) => write!(formatter, "[…]")?,
            }
        }
        Ok(())
    }
}
