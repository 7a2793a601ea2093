//! What a provider-defined function is: pure, and without access to the provider's configuration.

use super::dynamic::{Dynamic, Type};

/// One parameter.
#[derive(Clone, Debug)]
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub of: Type,
    /// Markdown.
    pub description: &'static str,
}

/// What a function takes and gives.
#[derive(Clone, Debug)]
pub struct Signature {
    /// One line.
    pub summary: &'static str,
    /// Markdown.
    pub description: &'static str,
    /// In order. None may be null or unknown.
    pub parameters: Vec<Parameter>,
    /// The type of the result.
    pub result: Type,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionError {
    /// The argument at fault, counted from 0.
    pub argument: Option<i64>,
    /// What is wrong with it.
    pub text: String,
}

/// A provider-defined function.
pub trait Function: Send + Sync {
    /// The name behind `provider::studio::`.
    fn name(&self) -> &'static str;

    /// What it takes and gives.
    fn signature(&self) -> Signature;

    /// Computes the result. The arguments fit the signature.
    ///
    /// # Errors
    /// An argument that it cannot take.
    fn call(&self, arguments: Vec<Dynamic>) -> Result<Dynamic, FunctionError>;
}
