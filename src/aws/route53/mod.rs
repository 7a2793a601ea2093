//! What we do with Route 53: private hosted zones and their records.

pub mod hosted_zone;
pub mod limits;
pub mod record;
pub mod tags;

use super::error::{Call, Service};

fn call(operation: &'static str, object: impl Into<String>) -> Call {
    Call::new(Service::Route53, operation, object)
}

/// Route 53 writes ids as paths, such as `/hostedzone/Z1`.
fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// Route 53 ends names with a dot, and writes `*` and other odd characters as `\052`.
fn readable(name: &str) -> String {
    let name = name.strip_suffix('.').unwrap_or(name);
    let mut text = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, after)) = rest.split_once('\\') {
        text.push_str(before);
        match after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(u8::is_ascii) {
            Some(byte) => {
                text.push(char::from(byte));
                rest = &after[3..];
            }
            None => {
                text.push('\\');
                rest = after;
            }
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_loses_its_dot_and_its_escapes() {
        assert_eq!(readable("\\052.studio.eu-west-1.sagemaker.aws."), "*.studio.eu-west-1.sagemaker.aws");
        assert_eq!(readable("d-1.studio."), "d-1.studio");
        assert_eq!(readable("odd\\name."), "odd\\name");
    }

    #[test]
    fn an_id_loses_its_path() {
        assert_eq!(bare("/hostedzone/Z1"), "Z1");
        assert_eq!(bare("Z1"), "Z1");
    }
}
