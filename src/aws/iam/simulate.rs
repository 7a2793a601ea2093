//! IAM's own policy simulator, for policies that need not exist.
//!
//! **Invariant:** changes nothing.

use aws_sdk_iam as iam;

use super::call;
use crate::aws::{AwsError, Clients};

/// A request, and the policies that decide it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The documents of identity policies, at least one.
    pub identity: Vec<String>,
    /// The document of a permissions boundary.
    pub boundary: Option<String>,
    /// The action, `service:Name`.
    pub action: String,
    /// The ARN of the resource, or `*`.
    pub resource: String,
    /// Condition keys with their values.
    pub context: Vec<ContextEntry>,
}

/// A condition key with its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextEntry {
    /// The key.
    pub key: String,
    /// The type that its values are read as.
    pub of: ContextType,
    /// Its values, one for a key with a single value.
    pub values: Vec<String>,
}

/// What a value is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContextType {
    /// Text.
    Text,
    /// Several texts.
    TextList,
    /// An address.
    Address,
    /// `true` or `false`.
    Truth,
}

/// What the simulator says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// `allowed`, `implicitDeny` or `explicitDeny`.
    pub decision: String,
    /// The statements that made it.
    pub matched: Vec<MatchedText>,
    /// Condition keys that the policies name and the request does not have.
    pub missing_keys: Vec<String>,
}

/// A piece of a policy's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatchedText {
    /// Which of the identity policies, counted from 0; `None` for the boundary.
    pub policy: Option<usize>,
    /// Where it begins and ends, in characters from the start of the text. `None` if it has more than one line.
    pub span: Option<(usize, usize)>,
}

/// Asks IAM what it would decide.
///
/// # Errors
/// `Invalid` for a document that IAM cannot read, `AccessDenied` without `iam:SimulateCustomPolicy`.
pub async fn simulate(clients: &Clients, question: &Question) -> Result<Answer, AwsError> {
    let call = call("SimulateCustomPolicy", format!("{} on {}", question.action, question.resource));
    let entry = |entry: &ContextEntry| {
        let builder = iam::types::ContextEntry::builder().context_key_name(&entry.key);
        builder.context_key_type(entry.of.to_iam()).set_context_key_values(Some(entry.values.clone())).build()
    };
    let request = clients
        .iam()
        .simulate_custom_policy()
        .set_policy_input_list(Some(question.identity.clone()))
        .set_permissions_boundary_policy_input_list(question.boundary.clone().map(|text| vec![text]))
        .action_names(&question.action)
        .resource_arns(&question.resource)
        .set_context_entries(Some(question.context.iter().map(entry).collect()));
    let pages = request.into_paginator();
    let results = pages.items().send().try_collect().await.map_err(|error| call.failed(error))?;
    let result = results.into_iter().next().ok_or_else(|| call.lacks("result"))?;
    Ok(Answer {
        decision: result.eval_decision().as_str().to_owned(),
        matched: result.matched_statements().iter().map(matched).collect(),
        missing_keys: result.missing_context_values().to_vec(),
    })
}

impl ContextType {
    fn to_iam(self) -> iam::types::ContextKeyTypeEnum {
        match self {
            ContextType::Text => iam::types::ContextKeyTypeEnum::String,
            ContextType::TextList => iam::types::ContextKeyTypeEnum::StringList,
            ContextType::Address => iam::types::ContextKeyTypeEnum::Ip,
            ContextType::Truth => iam::types::ContextKeyTypeEnum::Boolean,
        }
    }
}

/// IAM names what was sent `PolicyInputList.1` and so on, and gives positions as lines and columns from 1.
fn matched(statement: &iam::types::Statement) -> MatchedText {
    let number = statement.source_policy_id().and_then(|id| id.strip_prefix("PolicyInputList."));
    let column = |position: &iam::types::Position| {
        let column = usize::try_from(position.column()).ok()?.checked_sub(1)?;
        (position.line() == 1).then_some(column)
    };
    let ends = statement.start_position().and_then(column).zip(statement.end_position().and_then(column));
    MatchedText { policy: number.and_then(|number| number.parse::<usize>().ok()?.checked_sub(1)), span: ends }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_match_is_told_by_policy_and_place() {
        let position = |line, column| iam::types::Position::builder().line(line).column(column).build();
        let statement = |id: &str, end| {
            let builder = iam::types::Statement::builder().source_policy_id(id);
            matched(&builder.start_position(position(1, 5)).end_position(end).build())
        };
        assert_eq!(statement("PolicyInputList.2", position(1, 9)), MatchedText { policy: Some(1), span: Some((4, 8)) });
        assert_eq!(statement("boundary.1", position(2, 9)), MatchedText { policy: None, span: None });
    }
}
