//! Zone names, checked and in one spelling.
//!
//! **Invariant:** a [`ZoneName`] can stand in any server's configuration as it is. The servers' own
//! checkers do not see all of this: a `*` label or curly quotes pass several of them, and the
//! server then forwards nothing and asks public DNS instead.

use std::fmt;

/// A zone name in lower case, without a trailing dot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneName(String);

/// Why a text is no zone name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only the root.
    #[error("a zone name is needed")]
    Empty,
    /// A wildcard. Servers forward by the parent's name, which covers all below it.
    #[error("\"{0}\" has a wildcard; name the parent zone, which covers every name below it")]
    Wildcard(String),
    /// Quotes of any kind, also the curly ones that come with text from web pages.
    #[error("\"{name}\" has the quote {quote} in it; write the name alone")]
    Quote {
        /// The text.
        name: String,
        /// The quote.
        quote: char,
    },
    /// A character that no host name has.
    #[error(
        "\"{name}\" has {character:?} in it; only ASCII letters, digits, hyphens and dots may stand in a zone name"
    )]
    Character {
        /// The text.
        name: String,
        /// The first such character.
        character: char,
    },
    /// Two dots in a row, or one at the start.
    #[error("\"{0}\" has an empty label")]
    EmptyLabel(String),
    /// A hyphen at the edge of a label.
    #[error("\"{0}\" has a label that starts or ends with a hyphen")]
    Hyphen(String),
    /// A label of more than 63 characters.
    #[error("\"{0}\" has a label of more than 63 characters")]
    LongLabel(String),
    /// More than 253 characters.
    #[error("\"{0}\" has more than 253 characters")]
    TooLong(String),
    /// An IP address.
    #[error("\"{0}\" is an IP address, not a zone name")]
    Address(String),
    /// A zone for reverse look-ups.
    #[error("\"{0}\" is a zone for reverse look-ups, and Studio has none")]
    Reverse(String),
}

impl ZoneName {
    /// Reads a zone name. Capitals and one trailing dot are fine and do not stay.
    ///
    /// # Errors
    /// See [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let own = || text.to_owned();
        let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.contains('*') {
            return Err(NameError::Wildcard(own()));
        }
        if let Some(character) = name.chars().find(|c| !is_legal(*c)) {
            return Err(match is_quote(character) {
                true => NameError::Quote { name: own(), quote: character },
                false => NameError::Character { name: own(), character },
            });
        }
        if name.len() > 253 {
            return Err(NameError::TooLong(own()));
        }
        for label in name.split('.') {
            check_label(label, text)?;
        }
        // No top-level domain is all digits, so this is an address or a piece of one.
        let last = name.rsplit('.').next().expect("a split gives at least one part");
        if last.bytes().all(|b| b.is_ascii_digit()) {
            return Err(NameError::Address(own()));
        }
        if last == "arpa" {
            return Err(NameError::Reverse(own()));
        }
        Ok(Self(name))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether forwarding this zone forwards `name` too: it is the same or lies below.
    pub fn covers(&self, name: &Self) -> bool {
        is_within(&name.0, &self.0)
    }
}

/// Whether a name is a zone's, or lies below it. Both are written alike: in small letters, and without a dot at the end.
pub fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

impl fmt::Display for ZoneName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn check_label(label: &str, text: &str) -> Result<(), NameError> {
    let own = || text.to_owned();
    match label {
        "" => Err(NameError::EmptyLabel(own())),
        _ if label.len() > 63 => Err(NameError::LongLabel(own())),
        _ if label.starts_with('-') || label.ends_with('-') => Err(NameError::Hyphen(own())),
        _ => Ok(()),
    }
}

fn is_legal(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '-' | '.')
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '\'' | '`' | '\u{ab}' | '\u{bb}' | '\u{2018}'..='\u{201f}' | '\u{2039}' | '\u{203a}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(text: &str) -> ZoneName {
        ZoneName::parse(text).unwrap()
    }

    #[test]
    fn capitals_and_a_trailing_dot_do_not_stay() {
        assert_eq!(zone("Studio.US-East-1.sagemaker.aws.").as_str(), "studio.us-east-1.sagemaker.aws");
        assert_eq!(zone("aws").as_str(), "aws");
    }

    #[test]
    fn what_a_checker_lets_pass_is_refused_here() {
        let refused = |text: &str| ZoneName::parse(text).unwrap_err();
        let own = str::to_owned;
        assert_eq!(refused("*.studio.aws"), NameError::Wildcard(own("*.studio.aws")));
        assert_eq!(refused("studio.*.aws"), NameError::Wildcard(own("studio.*.aws")));
        for quote in ['\u{201c}', '\u{201d}', '\u{2019}', '"', '\''] {
            let name = format!("studio.aws{quote}");
            assert_eq!(refused(&name), NameError::Quote { name: name.clone(), quote });
        }
    }

    #[test]
    fn what_no_name_server_could_take_is_refused() {
        let refused = |text: &str| ZoneName::parse(text).unwrap_err().to_string();
        assert_eq!(refused(""), "a zone name is needed");
        assert_eq!(refused("."), "a zone name is needed");
        assert_eq!(refused("a..b"), "\"a..b\" has an empty label");
        assert_eq!(refused(".a"), "\".a\" has an empty label");
        assert_eq!(refused("a.."), "\"a..\" has an empty label");
        assert_eq!(refused("-a.b"), "\"-a.b\" has a label that starts or ends with a hyphen");
        assert_eq!(refused("10.0.1.10"), "\"10.0.1.10\" is an IP address, not a zone name");
        for text in ["a b", "a_b", "stüdio.aws", "a/b", "a;b", "a{b", "a\nb", "\u{430}.aws"] {
            assert!(matches!(ZoneName::parse(text), Err(NameError::Character { .. })), "{text}");
        }
    }

    #[test]
    fn a_reverse_zone_is_refused() {
        for text in ["10.in-addr.arpa", "8.b.d.0.1.0.0.2.ip6.arpa."] {
            assert_eq!(ZoneName::parse(text), Err(NameError::Reverse(text.to_owned())));
        }
    }

    #[test]
    fn lengths_are_those_of_dns() {
        let label = "a".repeat(63);
        assert!(ZoneName::parse(&format!("{label}.aws")).is_ok());
        let long = format!("{label}a.aws");
        assert_eq!(ZoneName::parse(&long), Err(NameError::LongLabel(long.clone())));
        let most = format!("{label}.{label}.{label}.{}", "a".repeat(61));
        assert_eq!(most.len(), 253);
        assert!(ZoneName::parse(&most).is_ok());
        assert!(ZoneName::parse(&format!("{most}.")).is_ok());
        let more = format!("{most}a");
        assert_eq!(ZoneName::parse(&more), Err(NameError::TooLong(more.clone())));
    }

    #[test]
    fn a_zone_covers_itself_and_what_lies_below() {
        let parent = zone("studio.us-east-1.sagemaker.aws");
        assert!(parent.covers(&parent));
        assert!(parent.covers(&zone("d-abc.studio.us-east-1.sagemaker.aws")));
        assert!(parent.covers(&zone("x.d-abc.studio.us-east-1.sagemaker.aws")));
        assert!(!parent.covers(&zone("us-east-1.sagemaker.aws")));
        assert!(!parent.covers(&zone("notstudio.us-east-1.sagemaker.aws")));
        assert!(!parent.covers(&zone("studio.us-east-2.sagemaker.aws")));
    }
}
