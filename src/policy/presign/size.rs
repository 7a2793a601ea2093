//! Whether a document fits, and what takes the room if it does not.

use std::fmt;

use super::{Presign, split};
use crate::policy::document::Document;

/// A document that is over the limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}; {heaviest}", self.excess())]
pub struct TooLarge {
    /// What is too large.
    pub what: Oversized,
    /// Its size in characters, as IAM counts.
    pub size: usize,
    /// The limit, in the same measure.
    pub limit: usize,
    /// The setting that takes the most room.
    pub heaviest: Share,
}

/// What is too large.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Oversized {
    /// The policy, which was to be one.
    Policy,
    /// A policy that can be split no further, by the name of its statement.
    Statement(String),
    /// All policies together, for there would be too many.
    Policies {
        /// How many there would be.
        needed: usize,
        /// How many there may be.
        most: usize,
    },
}

/// How much of a document one setting takes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The setting.
    pub attribute: &'static str,
    /// The characters that its values take, over all statements.
    pub characters: usize,
    /// How to make it shorter.
    pub advice: &'static str,
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { attribute, characters, advice } = self;
        write!(f, "{attribute} takes {characters} of them: {advice}")
    }
}

impl TooLarge {
    fn excess(&self) -> String {
        let Self { what, size, limit, .. } = self;
        let over = size.saturating_sub(*limit);
        let than = format!("{over} more than the {limit} that IAM allows (white space is not counted)");
        match what {
            Oversized::Policy => format!("the policy has {size} characters, {than}"),
            Oversized::Statement(sid) => {
                format!("the statement {sid} cannot be split and has {size} characters as a policy of its own, {than}")
            }
            Oversized::Policies { needed, most } => format!(
                "the policy has {size} characters, which take {needed} managed policies of {limit}, and {most} may be attached"
            ),
        }
    }
}

impl Presign {
    /// The identity policy as one or more managed policies, none over `limit` and at most `most` of
    /// them. Attached together they decide as the one does. AWS attaches ten managed policies to a
    /// role, user or group unless a higher quota was asked for.
    ///
    /// # Errors
    /// [`TooLarge`], with the setting to shorten.
    pub fn identity_policies(&self, limit: usize, most: usize) -> Result<Vec<Document>, TooLarge> {
        let whole = self.identity_policy();
        let too_large = |what, size, limit| {
            let heaviest = self.heaviest(&whole);
            TooLarge { what, size, limit, heaviest }
        };
        match split(&whole, limit) {
            Ok(documents) if documents.len() <= most => Ok(documents),
            Ok(documents) => {
                let what = Oversized::Policies { needed: documents.len(), most };
                Err(too_large(what, whole.iam_size(), limit))
            }
            Err(alone) => {
                let sid = alone.statements.first().and_then(|statement| statement.sid.clone()).unwrap_or_default();
                Err(too_large(Oversized::Statement(sid), alone.iam_size(), limit))
            }
        }
    }

    /// Checks one of the documents made from these settings against a limit, such as
    /// [`MANAGED_POLICY_LIMIT`](crate::policy::document::MANAGED_POLICY_LIMIT).
    ///
    /// # Errors
    /// [`TooLarge`], with the setting to shorten.
    pub fn check_size(&self, document: &Document, limit: usize) -> Result<(), TooLarge> {
        let size = document.iam_size();
        if size <= limit {
            return Ok(());
        }
        Err(TooLarge { what: Oversized::Policy, size, limit, heaviest: self.heaviest(document) })
    }

    fn heaviest(&self, document: &Document) -> Share {
        let shares = self.shares(&document.to_json()).into_iter();
        shares.max_by_key(|share| share.characters).expect("there are four shares")
    }

    fn shares(&self, json: &str) -> [Share; 4] {
        let accepted = self.paths.iter().flat_map(|path| path.values());
        let domains = self.domains.iter().map(|domain| domain.user_profiles(""));
        let tags = self.resource_tags.iter().flat_map(|(tag, value)| [tag.clone(), value.clone()]);
        [
            Share {
                attribute: "domain_arns",
                characters: characters(json, domains),
                advice: "divide the domains among several policies",
            },
            Share {
                attribute: "allowed",
                characters: characters(json, accepted.flat_map(|set| set.to_values())),
                advice: "name VPCs rather than their endpoints, use wider ranges, or give each \
                         path fewer kinds of lists",
            },
            Share {
                attribute: "exempt_principal_arns",
                characters: characters(json, self.exempt_principal_arns.iter().cloned()),
                advice: "cover several principals with one pattern",
            },
            Share { attribute: "resource_tags", characters: characters(json, tags), advice: "ask for fewer tags" },
        ]
    }
}

/// How many characters of a document are these texts. Each text counts once however often a
/// setting names it.
fn characters(json: &str, texts: impl Iterator<Item = String>) -> usize {
    let distinct: std::collections::BTreeSet<String> = texts.collect();
    distinct.iter().map(|text| json.matches(text.as_str()).count() * text.chars().count()).sum()
}
