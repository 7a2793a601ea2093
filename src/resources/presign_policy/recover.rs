//! From a policy document back to the rules that give it, for imports.
//!
//! What is read from a document is a guess until it is proved: the rules are taken only if the document that they give
//! means the same as the one that was read.
//!
//! **Invariant:** pure. Rules that come out give a document of the same meaning.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use crate::policy::document::{Document, Effect, Scope, Statement, Values};
use crate::policy::inputs::Key;
use crate::policy::presign::{AllowedPath, Mode, Presign, PresignSettings};

/// More ways to choose than any policy of 6,144 characters needs.
const MOST_PATHS: usize = 64;

/// A path: for each key, one of these values.
type Path = BTreeMap<Key, Values>;

/// The rules that give a document, or nothing if the document is not one that rules give.
pub fn recover(document: &Document) -> Option<PresignSettings> {
    let guess = guess(document)?;
    let gives_document = |settings: &PresignSettings| {
        Presign::new(settings).is_ok_and(|presign| presign.identity_policy().same_meaning(document))
    };
    gives_document(&guess).then(|| without_needless_paths(guess, gives_document))
}

fn guess(document: &Document) -> Option<PresignSettings> {
    let of = |effect| document.statements.iter().filter(move |statement| statement.effect == effect);
    let allows: Vec<_> = of(Effect::Allow).collect();
    let denies: Vec<_> = of(Effect::Deny).collect();
    let mode = match (allows.is_empty(), denies.is_empty()) {
        (false, true) => Mode::Grant,
        (true, false) => Mode::Guard,
        (false, false) => Mode::Both,
        (true, true) => return None,
    };
    let paths = if allows.is_empty() {
        paths_behind(&denies)?
    } else {
        allows.iter().map(|allow| requirements(allow, "IpAddress", "StringEquals")).collect()
    };
    let (tagged, operator) = if allows.is_empty() { (&denies, "StringNotEquals") } else { (&allows, "StringEquals") };
    Some(PresignSettings {
        mode,
        domain_arns: domains(document.statements.first()?)?,
        user_profile: match allows.first() {
            Some(allow) => profile(allow)?,
            None => "*".to_owned(),
        },
        allowed: paths.into_iter().map(allowed_path).collect(),
        exempt_principal_arns: exempt(&denies).into_iter().flatten().cloned().collect(),
        allow_via_aws_services: denies.iter().any(|deny| deny.conditions.contains_key("BoolIfExists")),
        resource_tags: tagged.iter().flat_map(|statement| tags(statement, operator)).collect(),
    })
}

/// A guard denies what misses one requirement of every path. Turned round: a request is on a path if it meets one
/// requirement of every Deny, so each way to choose one is a path.
fn paths_behind(denies: &[&Statement]) -> Option<Vec<Path>> {
    let mut paths: BTreeSet<Path> = [Path::new()].into();
    for deny in denies {
        let refused = requirements(deny, "NotIpAddress", "StringNotEquals");
        if refused.is_empty() {
            // It is about a tag or a variable.
            continue;
        }
        let one = |path: &Path| {
            let path = path.clone();
            refused.clone().into_iter().filter_map(move |(key, values)| narrowed(path.clone(), key, values))
        };
        paths = paths.iter().flat_map(one).collect();
        if paths.len() > MOST_PATHS {
            return None;
        }
    }
    // What asks the most is the first to be found needless.
    let mut paths: Vec<Path> = paths.into_iter().collect();
    paths.sort_by_key(|path| std::cmp::Reverse(path.len()));
    Some(paths)
}

/// The path with one more requirement; nothing if no request could meet it.
fn narrowed(mut path: Path, key: Key, values: Values) -> Option<Path> {
    let both = match path.get(&key) {
        None => values,
        Some(before) if key.holds_addresses() => common_networks(before, &values),
        Some(before) => before.intersection(&values).cloned().collect(),
    };
    if both.is_empty() {
        return None;
    }
    path.insert(key, both);
    Some(path)
}

/// Of two ranges that have addresses in common, one lies in the other.
fn common_networks(one: &Values, other: &Values) -> Values {
    let networks = |values: &Values| values.iter().filter_map(|text| text.parse().ok()).collect::<Vec<IpNet>>();
    let (one, other) = (networks(one), networks(other));
    let inside = |these: &[IpNet], those: &[IpNet]| -> Values {
        these.iter().filter(|net| those.iter().any(|wide| wide.contains(*net))).map(ToString::to_string).collect()
    };
    let mut common = inside(&one, &other);
    common.extend(inside(&other, &one));
    common
}

fn without_needless_paths(
    mut settings: PresignSettings,
    gives_document: impl Fn(&PresignSettings) -> bool,
) -> PresignSettings {
    let mut index = 0;
    while index < settings.allowed.len() {
        let mut fewer = settings.clone();
        fewer.allowed.remove(index);
        if gives_document(&fewer) {
            settings = fewer;
        } else {
            index += 1;
        }
    }
    settings
}

fn requirements(statement: &Statement, of_addresses: &str, of_ids: &str) -> Path {
    let values = |key: &Key| {
        let operator = if key.holds_addresses() { of_addresses } else { of_ids };
        let keys = statement.conditions.get(operator)?;
        let (_, values) = keys.iter().find(|(name, _)| name.eq_ignore_ascii_case(key.condition_key()))?;
        Some((*key, values.clone()))
    };
    Key::ALL.iter().filter_map(values).collect()
}

fn allowed_path(mut path: Path) -> AllowedPath {
    let mut list = |key: Key| path.remove(&key).map(|values| values.into_iter().collect());
    AllowedPath {
        vpc_endpoint_ids: list(Key::SourceVpce),
        vpc_ids: list(Key::SourceVpc),
        source_cidr_blocks: list(Key::SourceIp),
        vpc_source_cidr_blocks: list(Key::VpcSourceIp),
    }
}

fn exempt<'a>(denies: &[&'a Statement]) -> Option<&'a Values> {
    let keys = denies.first()?.conditions.get("ArnNotLike")?;
    keys.iter().find(|(key, _)| key.eq_ignore_ascii_case("aws:PrincipalArn")).map(|(_, values)| values)
}

fn tags(statement: &Statement, operator: &str) -> Vec<(String, String)> {
    let keys = statement.conditions.get(operator).into_iter().flatten();
    keys.filter_map(|(key, values)| {
        let tag = key.strip_prefix("sagemaker:ResourceTag/")?;
        Some((tag.to_owned(), values.first()?.clone()))
    })
    .collect()
}

/// The domains whose profiles a statement is about.
fn domains(statement: &Statement) -> Option<Vec<String>> {
    let Some(Scope::Only(resources)) = &statement.resources else { return None };
    resources
        .iter()
        .map(|arn| {
            let (before, profile) = arn.split_once(":user-profile/")?;
            let (domain, _) = profile.split_once('/')?;
            Some(format!("{before}:domain/{domain}"))
        })
        .collect()
}

/// The profiles that a statement is about.
fn profile(statement: &Statement) -> Option<String> {
    let Some(Scope::Only(resources)) = &statement.resources else { return None };
    let (_, profile) = resources.first()?.split_once(":user-profile/")?;
    let (_, pattern) = profile.split_once('/')?;
    Some(pattern.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::document::values;

    const DOMAIN: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl";
    const OTHER: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-mnopqrstuvwx";

    fn list(items: &[&str]) -> Option<Vec<String>> {
        Some(items.iter().map(ToString::to_string).collect())
    }

    fn through(endpoints: &[&str]) -> AllowedPath {
        AllowedPath { vpc_endpoint_ids: list(endpoints), ..AllowedPath::default() }
    }

    fn in_vpc(vpc: &str, ranges: &[&str]) -> AllowedPath {
        AllowedPath { vpc_ids: list(&[vpc]), vpc_source_cidr_blocks: list(ranges), ..AllowedPath::default() }
    }

    fn from(ranges: &[&str]) -> AllowedPath {
        AllowedPath { source_cidr_blocks: list(ranges), ..AllowedPath::default() }
    }

    fn settings(mode: Mode, allowed: Vec<AllowedPath>) -> PresignSettings {
        PresignSettings {
            mode,
            domain_arns: vec![DOMAIN.to_owned()],
            user_profile: "*".to_owned(),
            allowed,
            exempt_principal_arns: Vec::new(),
            allow_via_aws_services: false,
            resource_tags: BTreeMap::new(),
        }
    }

    fn document(settings: &PresignSettings) -> Document {
        Presign::new(settings).unwrap().identity_policy()
    }

    /// As IAM would hand it back.
    fn stored(settings: &PresignSettings) -> Document {
        Document::parse(&document(settings).to_json()).unwrap()
    }

    #[test]
    fn every_mode_comes_back_as_it_was_written() {
        for mode in [Mode::Grant, Mode::Guard, Mode::Both] {
            let written = settings(mode, vec![through(&["vpce-0aaaaaaaa", "vpce-0bbbbbbbb"])]);
            assert_eq!(recover(&stored(&written)), Some(written));
        }
    }

    #[test]
    fn everything_at_once_comes_back_as_it_was_written() {
        let mut written = settings(
            Mode::Both,
            vec![in_vpc("vpc-0aaaaaaaa", &["10.1.0.0/16", "10.2.0.0/16"]), from(&["198.51.100.0/24"])],
        );
        written.domain_arns = vec![DOMAIN.to_owned(), OTHER.to_owned()];
        written.user_profile = "${aws:PrincipalTag/employee}".to_owned();
        written.exempt_principal_arns = vec!["arn:aws:iam::123456789012:role/BreakGlass".to_owned()];
        written.allow_via_aws_services = true;
        written.resource_tags = [("team".to_owned(), "${aws:PrincipalTag/team}".to_owned())].into();
        assert_eq!(recover(&stored(&written)), Some(written.clone()));
        written.mode = Mode::Guard;
        written.user_profile = "*".to_owned();
        let recovered = recover(&stored(&written)).unwrap();
        assert_eq!(document(&recovered), document(&written));
        assert_eq!(recovered.allowed.len(), 2);
        assert_eq!(recovered.resource_tags, written.resource_tags);
        assert_eq!(recovered.exempt_principal_arns, written.exempt_principal_arns);
        assert!(recovered.allow_via_aws_services);
    }

    #[test]
    fn alternatives_in_a_guard_come_back_as_paths() {
        let written = settings(
            Mode::Guard,
            vec![
                in_vpc("vpc-0aaaaaaaa", &["10.1.0.0/16"]),
                in_vpc("vpc-0bbbbbbbb", &["10.2.0.0/16"]),
                from(&["198.51.100.0/24"]),
            ],
        );
        let mut recovered = recover(&stored(&written)).unwrap();
        recovered.allowed.sort_by_key(|path| (path.vpc_ids.is_none(), path.vpc_ids.clone()));
        assert_eq!(recovered, written);
    }

    #[test]
    fn a_document_with_one_more_statement_is_not_recovered() {
        let mut changed = document(&settings(Mode::Guard, vec![through(&["vpce-0aaaaaaaa"])]));
        changed.statements.push(Statement::new(Effect::Allow, values(["s3:GetObject"])).on(values(["*"])));
        assert_eq!(recover(&changed), None);
    }

    #[test]
    fn a_document_with_a_wider_condition_is_not_recovered() {
        let mut changed = document(&settings(Mode::Both, vec![through(&["vpce-0aaaaaaaa"])]));
        changed.statements[0].conditions.clear();
        assert_eq!(recover(&changed), None);
    }

    #[test]
    fn a_document_of_somebody_else_is_not_recovered() {
        for text in [
            r#"{"Version":"2012-10-17","Statement":[]}"#,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#,
            r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":"iam:*","NotResource":"*"}}"#,
        ] {
            assert_eq!(recover(&Document::parse(text).unwrap()), None, "{text}");
        }
    }
}
