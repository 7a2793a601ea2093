//! One document as several that decide the same when they are attached together.
//!
//! IAM reads all identity policies of a caller as one: any Deny denies, any Allow allows. So
//! statements can be handed out to documents as they come. A statement that is too large for a
//! document of its own is cut where its parts together say the same: between its resources, or
//! between the values of a condition that asks for any of them. "None of these" cannot be cut: two
//! Denies with half of the values each would deny what one with all of them lets through.
//!
//! **Invariant:** the parts decide every request as the whole does.

use std::collections::VecDeque;

use crate::policy::document::{Document, Scope, Statement, Values};

/// Splits a document into parts that are not over `limit`, in characters as
/// [`Document::iam_size`] counts them. Statements stay in their order; each goes into the first part
/// that has room.
///
/// # Errors
/// A document with one statement that is over the limit and cannot be cut.
pub fn split(document: &Document, limit: usize) -> Result<Vec<Document>, Document> {
    if document.iam_size() <= limit {
        return Ok(vec![document.clone()]);
    }
    let mut parts: Vec<Document> = Vec::new();
    for statement in fitting(document, limit)? {
        let with = |part: &Document| {
            let mut part = part.clone();
            part.statements.push(statement.clone());
            part
        };
        match parts.iter_mut().find(|part| with(part).iam_size() <= limit) {
            Some(part) => part.statements.push(statement),
            None => parts.push(alone(document, statement)),
        }
    }
    Ok(parts)
}

/// The statements of a document, cut until each fits into a document of its own.
fn fitting(document: &Document, limit: usize) -> Result<Vec<Statement>, Document> {
    let mut fitting = Vec::new();
    for statement in &document.statements {
        let mut pieces = VecDeque::from([statement.clone()]);
        let mut fits = Vec::new();
        while let Some(piece) = pieces.pop_front() {
            let single = alone(document, piece);
            // The largest number that a name can get below counts too.
            if single.iam_size() + PART_NUMBER <= limit
                || (single.iam_size() <= limit && fits.is_empty() && pieces.is_empty())
            {
                fits.extend(single.statements);
                continue;
            }
            match single.statements.first().and_then(halves) {
                Some([first, second]) => {
                    pieces.push_front(second);
                    pieces.push_front(first);
                }
                None => return Err(single),
            }
        }
        fitting.extend(named(fits));
    }
    Ok(fitting)
}

/// Room for `Part123` behind a name.
const PART_NUMBER: usize = 7;

/// Names are unique within a document, and people should see what belongs together.
fn named(mut pieces: Vec<Statement>) -> Vec<Statement> {
    if pieces.len() > 1 {
        for (index, piece) in pieces.iter_mut().enumerate() {
            piece.sid = piece.sid.take().map(|sid| format!("{sid}Part{}", index + 1));
        }
    }
    pieces
}

fn alone(document: &Document, statement: Statement) -> Document {
    Document { version: document.version, id: document.id.clone(), statements: vec![statement] }
}

/// Two statements that together say the same, each shorter.
fn halves(statement: &Statement) -> Option<[Statement; 2]> {
    let lists = statement
        .conditions
        .iter()
        .flat_map(|(operator, keys)| keys.iter().map(move |(key, held)| (operator, key, held)));
    let cuttable = lists.filter(|(operator, _, held)| asks_for_any(operator) && held.len() > 1);
    let longest = cuttable.max_by_key(|(_, _, held)| characters(held));
    if let Some(Scope::Only(arns)) = &statement.resources
        && arns.len() > 1
        && longest.is_none_or(|(_, _, held)| characters(arns) >= characters(held))
    {
        return Some(halved(arns).map(|half| Statement { resources: Some(Scope::Only(half)), ..statement.clone() }));
    }
    let (operator, key, held) = longest?;
    Some(halved(held).map(|half| {
        let mut piece = statement.clone();
        let keys = piece.conditions.get_mut(operator).expect("the operator was found in it");
        keys.insert(key.clone(), half);
        piece
    }))
}

/// Whether a condition holds as soon as one of its values fits. With `IfExists` it also holds for
/// each half where the key is absent.
fn asks_for_any(operator: &str) -> bool {
    let plain = operator.strip_suffix("IfExists").unwrap_or(operator);
    ["StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnLike", "ArnEquals", "IpAddress"].contains(&plain)
}

fn characters(values: &Values) -> usize {
    values.iter().map(|value| value.chars().count() + 3).sum()
}

fn halved(values: &Values) -> [Values; 2] {
    let middle = values.len() / 2;
    [values.iter().take(middle).cloned().collect(), values.iter().skip(middle).cloned().collect()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use fastrand::Rng;

    use super::*;
    use crate::policy::document::{Effect, MANAGED_POLICY_LIMIT, values};
    use crate::policy::evaluate::{Attached, Layer, Request, decide};
    use crate::policy::presign::{AllowedPath, Mode, PRESIGN, Presign, PresignSettings};

    fn settings(mode: Mode, domains: usize, allowed: Vec<AllowedPath>) -> PresignSettings {
        let arn = |n| format!("arn:aws:sagemaker:us-east-1:123456789012:domain/d-{n:012}");
        PresignSettings {
            mode,
            domain_arns: (0..domains).map(arn).collect(),
            user_profile: "*".to_owned(),
            allowed,
            exempt_principal_arns: Vec::new(),
            allow_via_aws_services: false,
            resource_tags: Default::default(),
        }
    }

    fn endpoints(numbers: std::ops::Range<usize>) -> AllowedPath {
        let ids = numbers.map(|n| format!("vpce-{n:017x}")).collect();
        AllowedPath { vpc_endpoint_ids: Some(ids), ..AllowedPath::default() }
    }

    fn ranges(numbers: std::ops::Range<usize>) -> AllowedPath {
        let ranges = numbers.map(|n| format!("198.{}.{}.0/24", n / 250, n % 250)).collect();
        AllowedPath { source_cidr_blocks: Some(ranges), ..AllowedPath::default() }
    }

    fn attached(documents: &[Document]) -> Vec<Attached> {
        let everything = Statement::new(Effect::Allow, values(["sagemaker:Create*"])).on(values(["*"]));
        let attach = |document: &Document| Attached { layer: Layer::Identity, document: document.clone() };
        let mut policies: Vec<_> = documents.iter().map(attach).collect();
        // A guard denies only beside an Allow.
        if documents.iter().all(|document| document.statements.iter().all(|s| s.effect == Effect::Deny)) {
            policies.push(attach(&Document::new(vec![everything])));
        }
        policies
    }

    /// Values from the middle and the ends of long lists, and others.
    fn requests(dice: &mut Rng) -> Vec<Request> {
        let number = |dice: &mut Rng, most| if dice.bool() { dice.usize(..most) } else { 900 };
        let request = |dice: &mut Rng| {
            let domains = if dice.bool() { 3 } else { 60 };
            let domain = number(dice, domains);
            let profile = format!("arn:aws:sagemaker:us-east-1:123456789012:user-profile/d-{domain:012}/ada");
            let request = Request::new(PRESIGN, profile).by("arn:aws:iam::123456789012:role/Scientist");
            match dice.u8(..3) {
                0 => request,
                1 => request.with("aws:SourceVpce", format!("vpce-{:017x}", number(dice, 300))),
                _ => request.with("aws:SourceIp", format!("198.0.{}.7", dice.usize(..250))),
            }
        };
        (0..120).map(|_| request(dice)).collect()
    }

    #[test]
    fn a_document_that_fits_stays_as_it_is() {
        let document = Presign::new(&settings(Mode::Guard, 1, vec![endpoints(0..10)])).unwrap().identity_policy();
        assert_eq!(split(&document, MANAGED_POLICY_LIMIT).unwrap(), [document]);
    }

    #[test]
    fn the_parts_fit_and_decide_as_the_whole_does() {
        let mut dice = Rng::with_seed(3);
        let cases = [
            settings(Mode::Guard, 60, vec![endpoints(0..100)]),
            settings(Mode::Grant, 3, vec![endpoints(0..300)]),
            settings(Mode::Grant, 60, vec![endpoints(0..200), ranges(0..250)]),
            settings(Mode::Both, 40, vec![endpoints(0..50), ranges(0..50)]),
        ];
        for settings in cases {
            let presign = Presign::new(&settings).unwrap();
            let whole = presign.identity_policy();
            assert!(whole.iam_size() > MANAGED_POLICY_LIMIT);
            let parts = presign.identity_policies(MANAGED_POLICY_LIMIT, 10).unwrap();
            assert!(parts.len() > 1 && parts.iter().all(|part| part.iam_size() <= MANAGED_POLICY_LIMIT));
            let (together, one) = (attached(&parts), attached(std::slice::from_ref(&whole)));
            let mut decisions = BTreeSet::new();
            for request in requests(&mut dice) {
                let decision = decide(&one, &request).decision;
                assert_eq!(decide(&together, &request).decision, decision, "{request:?}");
                decisions.insert(format!("{decision:?}"));
            }
            assert!(decisions.len() > 1, "both sides are tried: {decisions:?}");
            for part in &parts {
                let sids: Vec<_> = part.statements.iter().map(|s| s.sid.clone().unwrap()).collect();
                assert_eq!(sids.iter().collect::<BTreeSet<_>>().len(), sids.len());
                assert!(sids.iter().all(|sid| sid.chars().all(|c| c.is_ascii_alphanumeric())), "{sids:?}");
            }
        }
    }

    /// Small documents with every kind of element, cut as small as they go.
    #[test]
    fn random_statements_decide_the_same_in_parts() {
        let mut dice = Rng::with_seed(4);
        let pools: [(&str, &[&str]); 6] = [
            ("StringEquals", &["a", "b", "c", "d"]),
            ("StringEqualsIfExists", &["a", "b", "c"]),
            ("StringNotEquals", &["a", "b", "c"]),
            ("ForAnyValue:StringEquals", &["a", "b", "c"]),
            ("ForAllValues:StringEquals", &["a", "b", "c"]),
            ("StringLike", &["a*", "*b", "c"]),
        ];
        let some = |dice: &mut Rng, pool: &[&str]| {
            let chosen: Values = pool.iter().filter(|_| dice.bool()).map(|value| value.to_string()).collect();
            if chosen.is_empty() { values([pool[0]]) } else { chosen }
        };
        let mut cut = 0;
        for _ in 0..300 {
            let statement = |dice: &mut Rng| {
                let effect = if dice.bool() { Effect::Allow } else { Effect::Deny };
                let (operator, pool) = pools[dice.usize(..pools.len())];
                let resources = some(dice, &["r/a", "r/b", "r/*", "s"]);
                let statement = Statement::new(effect, values(["a:b"])).when(operator, "k", some(dice, pool));
                if dice.u8(..4) == 0 { statement.on_all_but(resources) } else { statement.on(resources) }
            };
            let whole = Document::new((0..3).map(|_| statement(&mut dice)).collect());
            let limit = 120 + dice.usize(..60);
            let Ok(parts) = split(&whole, limit) else { continue };
            cut += usize::from(parts.iter().map(|part| part.statements.len()).sum::<usize>() > 3);
            let attach = |document: &Document| Attached { layer: Layer::Identity, document: document.clone() };
            let (together, one): (Vec<_>, _) = (parts.iter().map(attach).collect(), [attach(&whole)]);
            for resource in ["r/a", "r/b", "r/z", "s", "t"] {
                for value in [None, Some("a"), Some("b"), Some("c"), Some("ab"), Some("z")] {
                    let request = Request::new("a:b", resource);
                    let request = value.map_or(request.clone(), |value| request.with("k", value));
                    let (all, single) = (decide(&together, &request).decision, decide(&one, &request).decision);
                    assert_eq!(all, single, "{request:?} {whole:?}");
                }
            }
        }
        assert!(cut > 10, "{cut}");
    }

    #[test]
    fn a_deny_with_too_many_values_is_refused_with_what_to_shorten() {
        let presign = Presign::new(&settings(Mode::Guard, 1, vec![endpoints(0..400)])).unwrap();
        let error = presign.identity_policies(MANAGED_POLICY_LIMIT, 10).unwrap_err();
        assert_eq!(error.heaviest.attribute, "allowed");
        let start = "the statement DenyOffPath1 cannot be split and has ";
        assert!(error.to_string().starts_with(start), "{error}");
    }

    #[test]
    fn more_policies_than_may_be_attached_are_refused() {
        let presign = Presign::new(&settings(Mode::Guard, 400, vec![endpoints(0..10)])).unwrap();
        assert!(presign.identity_policies(MANAGED_POLICY_LIMIT, 10).is_ok());
        let error = presign.identity_policies(MANAGED_POLICY_LIMIT, 2).unwrap_err();
        assert_eq!(error.heaviest.attribute, "domain_arns");
        assert!(error.to_string().contains("managed policies of 6144, and 2 may be attached; domain_arns"), "{error}");
    }
}
