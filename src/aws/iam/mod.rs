//! What we do with IAM: managed policies and what they are attached to.

pub mod attachment;
pub mod identity;
pub mod permissions;
pub mod policy;
pub mod role;
pub mod simulate;

use super::error::{Call, Service};

fn call(operation: &'static str, object: impl Into<String>) -> Call {
    Call::new(Service::Iam, operation, object)
}

/// IAM writes documents with URL escapes (RFC 3986). What does not read as one is left as it is.
fn unescaped(document: &str) -> String {
    let mut bytes = Vec::with_capacity(document.len());
    let mut rest = document.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escaped = (byte == b'%').then(|| after.get(..2)).flatten();
        let value = escaped
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match value {
            Some(value) => {
                bytes.push(value);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| document.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_loses_its_escapes() {
        assert_eq!(unescaped("%7B%22Version%22%3A%222012-10-17%22%7D"), r#"{"Version":"2012-10-17"}"#);
        assert_eq!(unescaped("%C3%A9+1"), "é+1");
    }

    #[test]
    fn what_is_not_an_escape_stays() {
        assert_eq!(unescaped(r#"{"a":"100%"}"#), r#"{"a":"100%"}"#);
        assert_eq!(unescaped("%zz%4"), "%zz%4");
        assert_eq!(unescaped("%FF"), "%FF");
    }
}
