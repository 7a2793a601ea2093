//! Findings about what the documents decide: nobody else gets in, nobody is locked out.

use crate::policy::analyze::space::{Choice, ENDPOINT, Found, Rules, VIA_SERVICE};
use crate::policy::analyze::systems::{Analysis, Kind, anywhere, at};
use crate::policy::analyze::{Code, Finding, Severity, Stage, denies};
use crate::policy::evaluate::Truth;
use crate::policy::inputs::At;

use super::{Shown, by_route};
use crate::policy::analyze::space::FROM_INTERNET;

/// `earlier` are the findings about paths, which may say already why nobody gets in.
pub(super) fn findings(analysis: &Analysis<'_>, earlier: &[Finding]) -> Vec<Finding> {
    let mut findings: Vec<_> = doubts(analysis).into_iter().collect();
    for system in 0..analysis.systems.len() {
        match analysis.systems[system].kind {
            Kind::Guard | Kind::Grant | Kind::Scp | Kind::Endpoint(_) => findings.extend(verdict(analysis, system)),
            Kind::Through(ref id) => findings.extend(through(analysis, system, id)),
            Kind::Caller(index) => findings.extend(caller(analysis, system, index)),
        }
    }
    if let Some(finding) = everyone(analysis, earlier) {
        // That a document denies what is on a path is then no news.
        findings.retain(|finding| finding.code != Code::LockedOut);
        findings.push(finding);
    }
    findings.extend(no_exempt_principal(analysis));
    findings
}

/// What to do where it cannot be told.
const ASK_IAM: &str = "Simulate such requests with IAM itself, by studio_presign_simulation with engine = \"aws\".";

/// Comparisons that do not split requests into finitely many classes.
fn doubts(analysis: &Analysis<'_>) -> Option<Finding> {
    if analysis.doubts.is_empty() {
        return None;
    }
    let shown = analysis.at_any_stage(|choice| analysis.is_ordinary(choice))?;
    let doubts: Vec<_> = analysis.doubts.iter().map(String::as_str).collect();
    let message = format!("Not every request could be decided: {}. {ASK_IAM}", doubts.join("; "));
    Some(analysis.finding(Code::CannotTell, Severity::Warning, analysis.primary(), &shown, message))
}

/// Holds a document against the settings, for every request.
fn verdict(analysis: &Analysis<'_>, system: usize) -> Vec<Finding> {
    let kind = &analysis.systems[system].kind;
    let should = |choice: &Choice| match kind {
        Kind::Grant | Kind::Caller(_) => analysis.tables.should_grant(&analysis.intent, choice),
        Kind::Guard | Kind::Scp => analysis.tables.should_pass(&analysis.intent, choice),
        Kind::Endpoint(_) | Kind::Through(_) => analysis.tables.is_named(&analysis.intent, choice),
    };
    let space = analysis.space();
    let let_in = space.search(anywhere(), |choice| match should(choice).not() {
        Truth::No => Truth::No,
        not_meant => not_meant.and(analysis.allowed(system, choice)),
    });
    let locked_out = space.search_own(anywhere(), |choice| match should(choice) {
        Truth::No => Truth::No,
        meant => meant.and(analysis.shut(system, anywhere(), choice)),
    });
    let document = sentence(&kind.describe(analysis));
    let told = |found: Found, code, words: &str| {
        let (code, severity, choice, message) = match found {
            Found::Yes(choice) => (code, Severity::Error, choice, format!("{document} {words}")),
            Found::CantTell(choice) => {
                let message = format!(
                    "{document} asks something that is not decided here, so that it cannot be told whether it does what the settings say. {ASK_IAM}"
                );
                (Code::CannotTell, Severity::Warning, choice, message)
            }
            Found::No => return None,
        };
        Some(analysis.finding(code, severity, system, &Shown { choice, stage: None }, message))
    };
    let through = told(let_in, Code::LetIn, let_in_words(kind));
    let out = told(locked_out, Code::LockedOut, locked_out_words(kind));
    match (through, out) {
        // Said once is enough.
        (Some(one), Some(other)) if one.code == Code::CannotTell && other.code == Code::CannotTell => vec![one],
        (through, out) => through.into_iter().chain(out).collect(),
    }
}

fn let_in_words(kind: &Kind) -> &'static str {
    match kind {
        Kind::Guard | Kind::Scp => {
            "does not deny a request that is on none of the allowed paths, or lacks a tag: whoever another policy allows to presign gets in that way. Put back the Deny that is missing or weakened."
        }
        Kind::Grant | Kind::Caller(_) => {
            "allows a request that is on none of the allowed paths, lacks a tag or is for another profile. Take out or narrow the Allow."
        }
        Kind::Endpoint(_) | Kind::Through(_) => {
            "lets people presign for a domain that is not named, so that a foreign domain can be opened through it. Put back the Deny for other domains."
        }
    }
}

fn locked_out_words(kind: &Kind) -> &'static str {
    match kind {
        Kind::Guard | Kind::Scp => {
            "denies a request that it should leave alone: one on an allowed path, of an exempt principal or for another domain. Those people are locked out. Narrow the Deny."
        }
        Kind::Grant | Kind::Caller(_) => {
            "does not allow a request that is on an allowed path. Those people are locked out. Put back the Allow, or narrow the Deny."
        }
        Kind::Endpoint(_) | Kind::Through(_) => {
            "denies presigning for a domain that is named. Everyone who comes through it is locked out."
        }
    }
}

/// The policy that an endpoint has in fact.
fn through(analysis: &Analysis<'_>, system: usize, id: &str) -> Option<Finding> {
    let only = [(ENDPOINT, analysis.class(ENDPOINT, id))];
    Stage::ALL.into_iter().find_map(|stage| {
        let rules = Rules { only: &only, ..at(stage) };
        let found = analysis.space().search_own(rules, |choice| {
            let meant = analysis.is_ordinary(choice).and(analysis.tables.should_grant(&analysis.intent, choice));
            if meant == Truth::No { Truth::No } else { meant.and(analysis.shut(system, rules, choice)) }
        });
        let Found::Yes(choice) = found else { return None };
        let message = format!("The policy of the endpoint {id} does not let requests through that are on an allowed path: everyone who comes through it is locked out. Allow {} for the domains in it, reset it to full access, or have it set by endpoint_policies.", crate::policy::presign::PRESIGN);
        Some(analysis.finding(Code::LockedOut, Severity::Error, system, &Shown { choice, stage: Some(stage) }, message))
    })
}

/// What one role or user can do with all its policies.
fn caller(analysis: &Analysis<'_>, system: usize, index: usize) -> Option<Finding> {
    let arn = &analysis.surroundings.callers[index].arn;
    let only = [(crate::policy::analyze::space::PRINCIPAL, analysis.caller(arn))];
    let rules = Rules { only: &only, ..anywhere() };
    let space = analysis.space();
    let off_path = space.search(rules, |choice| {
        let meant = analysis
            .tables
            .should_grant(&analysis.intent, choice)
            .or(analysis.tables.is_spared(&analysis.intent, choice));
        match meant.not().and(analysis.tables.is_named(&analysis.intent, choice)) {
            Truth::No => Truth::No,
            off => off.and(analysis.allowed(system, choice)),
        }
    });
    // What a guard lets through for other profiles than the granted ones is the other policy's say.
    if !denies(analysis.presign.mode()) {
        match off_path {
            Found::Yes(choice) => {
                let message = format!(
                    "{arn} may presign off the allowed paths already, by another of its policies, and a grant takes nothing away: it is no restriction for it. Use mode \"guard\" or \"both\", or take the Allow out of the other policy."
                );
                return Some(analysis.finding(
                    Code::GrantIsNoRestriction,
                    Severity::Error,
                    system,
                    &Shown { choice, stage: None },
                    message,
                ));
            }
            Found::CantTell(choice) => {
                let message = format!(
                    "Whether {arn} may presign off the allowed paths by another of its policies cannot be told: one of them asks something that is not decided here. {ASK_IAM}"
                );
                return Some(analysis.finding(
                    Code::CannotTell,
                    Severity::Warning,
                    system,
                    &Shown { choice, stage: None },
                    message,
                ));
            }
            Found::No => {}
        }
    }
    nothing_allows(analysis, system, arn, rules)
}

/// A guard allows nothing by itself.
fn nothing_allows(analysis: &Analysis<'_>, system: usize, arn: &str, rules: Rules<'_>) -> Option<Finding> {
    let on_path = |choice: &Choice| analysis.tables.should_grant(&analysis.intent, choice);
    let allowed = analysis.space().search(rules, |choice| match on_path(choice) {
        Truth::No => Truth::No,
        on => on.and(analysis.allowed(system, choice)),
    });
    let (Found::No, Found::Yes(choice)) = (allowed, analysis.space().search(rules, on_path)) else { return None };
    let message = format!(
        "{arn} may not presign on any of the allowed paths: none of its policies allows it, or one denies it. A guard allows nothing by itself; use mode \"both\", or allow it in another policy."
    );
    Some(analysis.finding(Code::LockedOut, Severity::Warning, system, &Shown { choice, stage: None }, message))
}

/// Whether no ordinary request gets in at all, at one of the stages.
fn everyone(analysis: &Analysis<'_>, earlier: &[Finding]) -> Option<Finding> {
    let system = analysis.primary();
    let explained = |stage| {
        let code = match stage {
            Stage::Creation => Code::MissingApiEndpoint,
            Stage::Use => Code::MissingStudioEndpoint,
        };
        earlier.iter().any(|finding| finding.code == code && finding.severity == Severity::Error)
    };
    let nobody = |stage: &Stage| {
        let found = analysis.space().search(at(*stage), |choice| match analysis.is_ordinary(choice) {
            Truth::No => Truth::No,
            ordinary => ordinary.and(analysis.allowed(system, choice)),
        });
        found == Found::No && !explained(*stage)
    };
    let stage = Stage::ALL.into_iter().find(nobody)?;
    let denied = |choice: &Choice| analysis.is_ordinary(choice).and(analysis.allowed(system, choice).not());
    let on_path = |choice: &Choice| analysis.tables.is_on_any(&analysis.intent, choice).and(denied(choice));
    let shown = analysis.at_stage(stage, on_path).or_else(|| analysis.at_stage(stage, denied))?;
    let what = match stage {
        Stage::Creation => "make a presigned URL",
        Stage::Use => "use a presigned URL",
    };
    let message = format!(
        "Nobody can {what}: whatever the endpoint and the address, the request is denied to everyone but exempt principals. All that one path asks must hold at once; alternatives belong in paths of their own."
    );
    Some(analysis.finding(Code::EveryoneLockedOut, Severity::Error, system, &shown, message).at(At::Allowed))
}

/// Whether anyone is left who gets in when the paths are down.
fn no_exempt_principal(analysis: &Analysis<'_>) -> Option<Finding> {
    let system = analysis.system(&Kind::Guard)?;
    let off_path = |choice: &Choice| {
        let by_caller = choice[VIA_SERVICE].map_or(Truth::Unknown, |class| {
            let via = &analysis.space().dimensions[VIA_SERVICE].classes[class];
            Truth::from(via.value.as_deref() != Some("true"))
        });
        let off = analysis.tables.is_on_any(&analysis.intent, choice).not();
        analysis.tables.is_named(&analysis.intent, choice).and(off).and(by_caller)
    };
    let found = analysis.space().search(anywhere(), |choice| match off_path(choice) {
        Truth::No => Truth::No,
        off => off.and(analysis.allowed(system, choice)),
    });
    if found != Found::No {
        return None;
    }
    let from_internet = |choice: &Choice| off_path(choice).and(by_route(FROM_INTERNET, choice));
    let shown = analysis.at_any_stage(from_internet).or_else(|| analysis.at_any_stage(off_path))?;
    let message = "No principal is exempt: when the endpoints or the network fail, nobody can open Studio another way until the policy is changed. Name a break-glass role in exempt_principal_arns if that is not wanted.".to_owned();
    Some(analysis.finding(Code::NoExemptPrincipal, Severity::Info, system, &Shown { stage: None, ..shown }, message))
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    first + characters.as_str()
}
