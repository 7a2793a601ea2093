//! Values with variables and wildcards, and what they match.

use super::{Fact, Request, Version};
use crate::policy::variables::{Piece, pieces};

/// One character of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policy) struct Token {
    pub(in crate::policy) character: char,
    /// Whether `*` and `?` stand for others. Not so where a variable's value put them there.
    pub(in crate::policy) wild: bool,
}

/// A value after its variables are filled in.
pub(in crate::policy) enum Expanded {
    Pattern(Vec<Token>),
    /// A variable has no value in this request.
    NoValue,
    /// A variable's value is unknown, or the text is no variable that we know.
    Unknown,
}

/// Text without variables.
pub(in crate::policy) fn literal(text: &str) -> Vec<Token> {
    tokens(text, true)
}

/// Fills in the variables of a value.
pub(in crate::policy) fn expand(text: &str, version: Version, request: &Request) -> Expanded {
    if version == Version::V2008 {
        return Expanded::Pattern(literal(text));
    }
    let Ok(pieces) = pieces(text) else { return Expanded::Unknown };
    let mut pattern = Vec::new();
    let mut unknown = false;
    for piece in pieces {
        match piece {
            Piece::Text(text) => pattern.extend(tokens(&text, true)),
            Piece::Escaped(character) => pattern.push(Token { character, wild: false }),
            Piece::Variable { key, default } => match (request.fact(&key), default) {
                (Some(Fact::Is(values)), _) if values.len() == 1 => {
                    pattern.extend(tokens(&values[0], false));
                }
                (None, Some(default)) => pattern.extend(tokens(&default, false)),
                (None, None) => return Expanded::NoValue,
                // Which of several values a variable takes is not defined.
                (Some(Fact::Is(_) | Fact::Unknown), _) => unknown = true,
            },
        }
    }
    if unknown { Expanded::Unknown } else { Expanded::Pattern(pattern) }
}

/// Whether the pattern, read without wildcards, is this text.
pub(in crate::policy) fn equals(pattern: &[Token], text: &str) -> bool {
    pattern.iter().map(|token| token.character).eq(text.chars())
}

/// The pattern as text, read without wildcards.
pub(in crate::policy) fn plain(pattern: &[Token]) -> String {
    pattern.iter().map(|token| token.character).collect()
}

/// Whether the pattern matches the whole text. `*` may match nothing.
pub(in crate::policy) fn glob(pattern: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(Token { character: '*', wild: true }) => {
                star = Some((p, t));
                p += 1;
            }
            Some(token) if token.matches(text[t]) => {
                p += 1;
                t += 1;
            }
            Some(_) | None => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, t) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|token| token.wild && token.character == '*')
}

/// Whether the pattern matches an ARN part by part, as `ArnLike` does: a wildcard does not reach
/// over a colon, but for the last part.
pub(in crate::policy) fn arn_like(pattern: &[Token], arn: &str) -> bool {
    let patterns: Vec<_> = pattern.splitn(6, |token| token.character == ':').collect();
    let parts: Vec<_> = arn.splitn(6, ':').collect();
    patterns.len() == 6 && parts.len() == 6 && patterns.iter().zip(parts).all(|(pattern, part)| glob(pattern, part))
}

impl Token {
    fn matches(self, character: char) -> bool {
        self.character == character || (self.wild && self.character == '?')
    }
}

fn tokens(text: &str, wild: bool) -> Vec<Token> {
    text.chars().map(|character| Token { character, wild }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_matches_any_text_and_a_question_mark_one_character() {
        for (pattern, text) in
            [("*", ""), ("a*c", "abbc"), ("a*c*e", "acce"), ("a?c", "abc"), ("*ab", "aaab"), ("", "")]
        {
            assert!(glob(&literal(pattern), text), "{pattern} {text}");
        }
        for (pattern, text) in [("a?c", "ac"), ("a*c", "ab"), ("", "a"), ("a", ""), ("a**b", "a")] {
            assert!(!glob(&literal(pattern), text), "{pattern} {text}");
        }
    }

    #[test]
    fn a_star_in_an_arn_stays_in_its_part_except_the_last() {
        let like = |pattern, arn| arn_like(&literal(pattern), arn);
        assert!(like("arn:aws:iam::*:role/a*", "arn:aws:iam::123456789012:role/a:b/c"));
        assert!(!like("arn:aws:*:role/a", "arn:aws:iam::123456789012:role/a"));
        assert!(!like("*", "arn:aws:iam::123456789012:role/a"));
    }

    #[test]
    fn a_star_in_the_value_of_a_variable_is_a_plain_star() {
        let request = Request::new("a:b", "r").with("aws:username", "*");
        let Expanded::Pattern(pattern) = expand("x-${aws:username}", Version::V2012, &request) else {
            panic!("the variable has a value");
        };
        assert!(glob(&pattern, "x-*"));
        assert!(!glob(&pattern, "x-ada"));
    }
}
