//! Whether a document fits, and what takes the room if it does not.

use std::fmt;

use super::Presign;
use crate::policy::document::Document;

/// A document that is over the limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the policy has {size} characters, {} more than the {limit} that IAM allows (white space is \
     not counted); {heaviest}",
    size - limit
)]
pub struct TooLarge {
    /// Its size in characters, as IAM counts.
    pub size: usize,
    /// The limit, in the same measure.
    pub limit: usize,
    /// The setting that takes the most room.
    pub heaviest: Share,
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

impl Presign {
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
        let json = document.to_json();
        let shares = self.shares(&json).into_iter();
        let heaviest = shares.max_by_key(|share| share.characters).expect("there are four shares");
        Err(TooLarge { size, limit, heaviest })
    }

    fn shares(&self, json: &str) -> [Share; 4] {
        let accepted = self.paths.iter().flat_map(|path| path.values());
        let domains = self.domains.iter().map(|domain| domain.user_profiles(""));
        let tags = self.resource_tags.iter().flat_map(|(tag, value)| [tag.clone(), value.clone()]);
        [
            Share {
                attribute: "domain_arns",
                characters: characters(json, domains),
                advice: "split the domains over several policies",
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
