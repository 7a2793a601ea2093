//! Policy variables: `${aws:username}` and its kin inside a value.
//!
//! **Invariant:** every `${` is either understood or an error; none is passed on as plain text.

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Plain text, in which `*` and `?` may still be wildcards.
    Text(String),
    /// `${*}`, `${?}` or `${$}`: that very character, never a wildcard.
    Escaped(char),
    /// `${key}` or `${key, 'default'}`.
    Variable {
        /// The condition key that gives the value.
        key: String,
        /// What stands in where the request does not have the key. Without it, a request without
        /// the key takes the whole statement out of play.
        default: Option<String>,
    },
}

/// A `${` that is no variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a policy variable such as ${{aws:username}}")]
pub struct BadVariable(pub String);

/// Splits a value at its variables.
///
/// # Errors
/// A `${` without its `}`, an empty or malformed key, a default that is not in single quotes.
pub fn pieces(text: &str) -> Result<Vec<Piece>, BadVariable> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let (before, from) = rest.split_at(start);
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let end = from.find('}').ok_or_else(|| BadVariable(from.to_owned()))?;
        let (whole, after) = from.split_at(end + 1);
        pieces.push(variable(&whole[2..end]).ok_or_else(|| BadVariable(whole.to_owned()))?);
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    Ok(pieces)
}

/// What stands between `${` and `}`.
fn variable(inside: &str) -> Option<Piece> {
    if let "*" | "?" | "$" = inside {
        return inside.chars().next().map(Piece::Escaped);
    }
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, quoted)) => {
            let default = quoted.trim().strip_prefix('\'')?.strip_suffix('\'')?;
            (key.trim_end(), Some(default.to_owned()))
        }
    };
    let (service, name) = key.split_once(':')?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+=@/: ".contains(c);
    let legal = !service.is_empty() && !name.is_empty() && key.chars().all(plain);
    legal.then(|| Piece::Variable { key: key.to_owned(), default })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str) -> Piece {
        Piece::Variable { key: key.to_owned(), default: None }
    }

    #[test]
    fn a_value_is_split_at_its_variables() {
        let text = |t: &str| Piece::Text(t.to_owned());
        assert_eq!(pieces("plain*").unwrap(), [text("plain*")]);
        assert_eq!(pieces("${aws:username}").unwrap(), [key("aws:username")]);
        assert_eq!(
            pieces("a-${aws:PrincipalTag/team}-${*}").unwrap(),
            [text("a-"), key("aws:PrincipalTag/team"), text("-"), Piece::Escaped('*')]
        );
    }

    #[test]
    fn a_default_stands_in_single_quotes() {
        let with_default = Piece::Variable { key: "aws:PrincipalTag/team".into(), default: Some("none".into()) };
        assert_eq!(pieces("${aws:PrincipalTag/team, 'none'}").unwrap(), [with_default]);
        assert!(pieces("${aws:PrincipalTag/team, none}").is_err());
    }

    #[test]
    fn a_malformed_variable_is_refused_whole() {
        for text in ["${aws:username", "${}", "${username}", "${:x}", "${aws:}", "${aws:a\"b}"] {
            assert_eq!(pieces(text), Err(BadVariable(text.to_owned())));
        }
        let message = pieces("x${y}").unwrap_err().to_string();
        assert_eq!(message, "\"${y}\" is not a policy variable such as ${aws:username}");
    }
}
