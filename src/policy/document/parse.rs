//! Reading a document from JSON.

use serde_json::{Map, Value};

use super::{Conditions, Document, Effect, Principals, Scope, Statement, Values, Version};

/// Why a text is no policy document. `at` says where, as `Statement[0].Effect`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {problem}")]
pub struct ParseError {
    /// The element at fault; `document` for the whole text.
    pub at: String,
    /// What is wrong with it.
    pub problem: String,
}

type Result<T> = std::result::Result<T, ParseError>;

impl Document {
    /// Reads any legal JSON form: a single value or a list, a single statement or a list, condition
    /// values as text, numbers or booleans.
    ///
    /// # Errors
    /// Text that is not JSON, unknown or missing elements, values of the wrong type, an element
    /// beside its `Not…` twin, and a condition key written twice in different letter case.
    pub fn parse(text: &str) -> Result<Self> {
        let value = serde_json::from_str(text).map_err(|e| error("document", format!("is not valid JSON: {e}")))?;
        Self::from_value(&value)
    }

    /// As [`Document::parse`], from JSON that is already read.
    ///
    /// # Errors
    /// As [`Document::parse`].
    pub fn from_value(value: &Value) -> Result<Self> {
        let object = object("document", value)?;
        only_known("document", object, &["Version", "Id", "Statement"])?;
        let statements = match object.get("Statement") {
            Some(Value::Array(items)) => items.iter().enumerate().map(statement).collect(),
            Some(single) => statement((0, single)).map(|s| vec![s]),
            None => Err(error("document", "has no Statement")),
        }?;
        Ok(Self { version: version(object.get("Version"))?, id: text(object, "", "Id")?, statements })
    }
}

fn version(value: Option<&Value>) -> Result<Version> {
    match value.map(|v| v.as_str()) {
        None | Some(Some("2008-10-17")) => Ok(Version::V2008),
        Some(Some("2012-10-17")) => Ok(Version::V2012),
        Some(_) => Err(error("Version", "is neither \"2012-10-17\" nor \"2008-10-17\"")),
    }
}

fn statement((index, value): (usize, &Value)) -> Result<Statement> {
    let at = format!("Statement[{index}]");
    let object = object(&at, value)?;
    let known =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    only_known(&at, object, &known)?;
    let effect = match object.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(error(format!("{at}.Effect"), "is neither \"Allow\" nor \"Deny\"")),
    };
    let actions = scope(&at, object, "Action", "NotAction", non_empty_strings)?
        .ok_or_else(|| error(&at, "has neither Action nor NotAction"))?;
    Ok(Statement {
        sid: text(object, &format!("{at}."), "Sid")?,
        effect,
        principals: scope(&at, object, "Principal", "NotPrincipal", principals)?,
        actions,
        resources: scope(&at, object, "Resource", "NotResource", non_empty_strings)?,
        conditions: conditions(&format!("{at}.Condition"), object.get("Condition"))?,
    })
}

/// An element or its twin, read by `read`; both at once is an error.
fn scope<T>(
    at: &str,
    object: &Map<String, Value>,
    only: &str,
    all_but: &str,
    read: fn(&str, &Value) -> Result<T>,
) -> Result<Option<Scope<T>>> {
    match (object.get(only), object.get(all_but)) {
        (Some(_), Some(_)) => Err(error(at, format!("has both {only} and {all_but}"))),
        (Some(value), None) => Ok(Some(Scope::Only(read(&format!("{at}.{only}"), value)?))),
        (None, Some(value)) => Ok(Some(Scope::AllBut(read(&format!("{at}.{all_but}"), value)?))),
        (None, None) => Ok(None),
    }
}

fn principals(at: &str, value: &Value) -> Result<Principals> {
    match value {
        Value::String(all) if all == "*" => Ok(Principals::Everyone),
        Value::Object(kinds) => {
            let read = |(kind, value): (&String, &Value)| {
                let at = format!("{at}.{kind}");
                let known = ["AWS", "Service", "Federated", "CanonicalUser"];
                if !known.contains(&kind.as_str()) {
                    return Err(error(at, "is not a kind of principal"));
                }
                Ok((kind.clone(), non_empty_strings(&at, value)?))
            };
            kinds.iter().map(read).collect::<Result<_>>().map(Principals::Listed)
        }
        _ => Err(error(at, "is neither \"*\" nor an object of principals by kind")),
    }
}

fn conditions(at: &str, value: Option<&Value>) -> Result<Conditions> {
    let mut conditions = Conditions::new();
    let Some(value) = value else { return Ok(conditions) };
    for (operator, keys) in object(at, value)? {
        let at = format!("{at}.{operator}");
        let mut read = std::collections::BTreeMap::new();
        for (key, value) in object(&at, keys)? {
            // Condition keys ignore letter case, so these would be two rules for one key. Which of
            // them counts is nowhere said.
            if read.keys().any(|seen: &String| seen.eq_ignore_ascii_case(key)) {
                return Err(error(at, format!("has the key {key} twice")));
            }
            read.insert(key.clone(), scalars(&format!("{at}.{key}"), value)?);
        }
        if !read.is_empty() {
            conditions.insert(operator.clone(), read);
        }
    }
    Ok(conditions)
}

/// One scalar or a list of them, as text. A condition may compare with nothing at all, so an empty
/// list is legal here.
fn scalars(at: &str, value: &Value) -> Result<Values> {
    let scalar = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        _ => Err(error(at, "has a value that is not text, a number or a boolean")),
    };
    match value {
        Value::Array(items) => items.iter().map(scalar).collect(),
        single => Ok(Values::from([scalar(single)?])),
    }
}

fn non_empty_strings(at: &str, value: &Value) -> Result<Values> {
    let string = |value: &Value| match value {
        Value::String(text) => Ok(text.clone()),
        _ => Err(error(at, "has a value that is not text")),
    };
    match value {
        Value::Array(items) if items.is_empty() => Err(error(at, "is an empty list")),
        Value::Array(items) => items.iter().map(string).collect(),
        single => Ok(Values::from([string(single)?])),
    }
}

fn text(object: &Map<String, Value>, at: &str, name: &str) -> Result<Option<String>> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(error(format!("{at}{name}"), "is not text")),
    }
}

fn object<'a>(at: &str, value: &'a Value) -> Result<&'a Map<String, Value>> {
    value.as_object().ok_or_else(|| error(at, "is not an object"))
}

fn only_known(at: &str, object: &Map<String, Value>, known: &[&str]) -> Result<()> {
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(error(at, format!("has an unknown element {key}"))),
        None => Ok(()),
    }
}

fn error(at: impl Into<String>, problem: impl Into<String>) -> ParseError {
    ParseError { at: at.into(), problem: problem.into() }
}
