//! Rules for attribute values that several schemas share.
//!
//! Each is applied to known values only, and says what is wrong and what would be right.

use std::sync::Arc;
use std::time::Duration;

use super::dynamic::Dynamic;
use super::schema::Check;

/// A rule for strings.
pub fn text(rule: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static) -> Check {
    Arc::new(move |value| match value {
        Dynamic::String(text) => rule(text),
        _ => Ok(()),
    })
}

/// One of a few words.
pub fn one_of(words: &'static [&'static str]) -> Check {
    text(move |text| {
        if words.contains(&text) {
            return Ok(());
        }
        Err(format!("{text:?} is not one of {}.", words.join(", ")))
    })
}

/// Starts with one of these prefixes, as AWS's identifiers do, and goes on.
pub fn prefix(prefixes: &'static [&'static str], example: &'static str) -> Check {
    text(move |text| {
        if prefixes.iter().any(|prefix| text.len() > prefix.len() && text.starts_with(prefix)) {
            return Ok(());
        }
        Err(format!("{text:?} does not have the form of {example}."))
    })
}

/// Between so many and so many characters.
pub fn length(shortest: usize, longest: usize) -> Check {
    text(move |text| {
        let length = text.chars().count();
        if (shortest..=longest).contains(&length) {
            return Ok(());
        }
        Err(format!("It has {length} characters; {shortest} to {longest} are allowed."))
    })
}

/// At least so many elements.
pub fn at_least(count: usize) -> Check {
    Arc::new(move |value| match value {
        Dynamic::List(elements) if elements.len() < count => {
            Err(format!("It has {} elements; at least {count} are needed.", elements.len()))
        }
        _ => Ok(()),
    })
}

/// At most so many elements.
pub fn at_most(count: usize) -> Check {
    Arc::new(move |value| match value {
        Dynamic::List(elements) if elements.len() > count => {
            Err(format!("It has {} elements; at most {count} are allowed.", elements.len()))
        }
        _ => Ok(()),
    })
}

/// An address range such as `192.168.10.0/24`, without bits set behind the prefix.
pub fn cidr() -> Check {
    text(|text| {
        let range: ipnet::IpNet =
            text.parse().map_err(|_| format!("{text:?} is not an address range such as 192.168.10.0/24."))?;
        if range.addr() == range.network() {
            return Ok(());
        }
        Err(format!("{text} has bits set behind its prefix. The range that it is in is {}.", range.trunc()))
    })
}

/// An IPv4 or IPv6 address.
pub fn address() -> Check {
    text(|text| text.parse::<std::net::IpAddr>().map(drop).map_err(|_| format!("{text:?} is not an IP address.")))
}

/// The name of a Region, such as `eu-central-1`. Which Regions there are is not known here.
pub fn region() -> Check {
    text(|text| {
        let ok = text.len() > 3 && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if ok { Ok(()) } else { Err(format!("{text:?} does not have the form of a Region such as eu-central-1.")) }
    })
}

/// Whether a name has letters, digits and hyphens only, and no hyphen at its ends.
pub fn is_hyphenated(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
}

/// A duration in Go's form, more than nothing: `30m`, `1h30m`.
pub fn duration() -> Check {
    text(|text| match parse_duration(text) {
        Some(duration) if duration > Duration::ZERO => Ok(()),
        Some(_) => Err(format!("{text:?} is no time at all.")),
        None => Err(format!("{text:?} is not a duration such as \"30m\" or \"1h30m\".")),
    })
}

/// Reads a duration in Go's form, without sign: `1h30m`, `1.5s`, `200ms`.
pub fn parse_duration(text: &str) -> Option<Duration> {
    const UNITS: [(&str, f64); 7] =
        [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
    if text == "0" {
        return Some(Duration::ZERO);
    }
    let mut rest = text;
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let (_, factor) = UNITS.iter().find(|(unit, _)| *unit == &rest[..end])?;
        seconds += number * factor;
        rest = &rest[end..];
    }
    (!text.is_empty()).then_some(())?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_go_reads_them() {
        for (text, expected) in [
            ("30m", Some(Duration::from_secs(1800))),
            ("1h30m", Some(Duration::from_secs(5400))),
            ("1.5s", Some(Duration::from_millis(1500))),
            ("200ms", Some(Duration::from_millis(200))),
            ("0", Some(Duration::ZERO)),
            ("", None),
            ("30", None),
            ("m", None),
            ("-1s", None),
            ("1d", None),
        ] {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
    }

    #[test]
    fn a_range_with_host_bits_is_refused_with_the_range_it_is_in() {
        let wrong = cidr()(&"192.168.10.1/24".into()).unwrap_err();
        assert_eq!(
            wrong,
            "192.168.10.1/24 has bits set behind its prefix. The range that it is in is 192.168.10.0/24."
        );
        assert!(cidr()(&"192.168.10.0/24".into()).is_ok());
        assert!(cidr()(&"fd00::/8".into()).is_ok());
        assert!(cidr()(&"192.168.10.0".into()).is_err());
    }
}
