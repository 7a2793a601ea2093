//! Findings about paths: whether requests can be on them, when, and from where.

use std::collections::BTreeMap;

use super::{Shown, by_route};
use crate::policy::analyze::space::{
    ADDRESS, Choice, ENDPOINT, FROM_INTERNET, Found, KnownEndpoint, ROUTE, Rules, THROUGH_ENDPOINT, VPC,
};
use crate::policy::analyze::surroundings::Service;
use crate::policy::analyze::systems::{Analysis, anywhere, at};
use crate::policy::analyze::{Code, Finding, Severity, Stage};
use crate::policy::evaluate::Truth;
use crate::policy::inputs::{At, Key};
use crate::policy::paths::Accepted;

pub(super) fn findings(analysis: &Analysis<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for index in 0..analysis.intent.paths.len() {
        let path = PathIn { analysis, index };
        findings.extend(path.reach());
        findings.extend(path.strangers());
        findings.extend(path.internet());
    }
    findings.extend(internet_together(analysis, &findings));
    findings
}

/// One path of the settings.
struct PathIn<'a> {
    analysis: &'a Analysis<'a>,
    index: usize,
}

impl PathIn<'_> {
    fn asked(&self) -> &BTreeMap<Key, usize> {
        &self.analysis.intent.paths[self.index]
    }

    fn name(&self) -> String {
        At::Path(self.index).to_string()
    }

    /// Whether an ordinary request is on this path.
    fn takes(&self, choice: &Choice) -> Truth {
        match self.analysis.tables.is_on(self.asked(), choice) {
            Truth::No => Truth::No,
            on => on.and(self.analysis.is_ordinary(choice)),
        }
    }

    fn is_possible(&self, rules: Rules<'_>) -> bool {
        matches!(self.analysis.space().search(rules, |choice| self.takes(choice)), Found::Yes(_))
    }

    /// Whether requests can be on the path at all, and at both stages.
    fn reach(&self) -> Vec<Finding> {
        if !self.is_possible(anywhere()) {
            return self.source_ip().into_iter().collect();
        }
        let [creation, use_] = Stage::ALL.map(|stage| self.is_possible(at(stage)));
        let foreign = self.foreign_endpoints(creation || use_);
        if !foreign.is_empty() && !creation && !use_ {
            return foreign;
        }
        let missing = match (creation, use_) {
            (true, true) => None,
            (true, false) => self.missing(Stage::Use),
            (false, true) => self.missing(Stage::Creation),
            (false, false) => self.unreachable(),
        };
        foreign.into_iter().chain(missing).collect()
    }

    /// No request is on the path, for want of a public address.
    fn source_ip(&self) -> Option<Finding> {
        let analysis = self.analysis;
        let without: BTreeMap<_, _> =
            self.asked().iter().filter(|(key, _)| **key != Key::SourceIp).map(|(key, table)| (*key, *table)).collect();
        let system = analysis.primary();
        let meant = |choice: &Choice| {
            let on = analysis.tables.is_on(&without, choice).and(by_route(THROUGH_ENDPOINT, choice));
            match on.and(analysis.is_ordinary(choice)) {
                Truth::No => Truth::No,
                meant => meant.and(analysis.allowed(system, choice).not()),
            }
        };
        let inside = |choice: &Choice| match analysis.misplaced[self.index] {
            Some(table) => meant(choice).and(analysis.tables.at(table, choice)),
            None => Truth::No,
        };
        let shown = analysis.at_any_stage(inside).or_else(|| analysis.at_any_stage(meant));
        let shown = shown.or_else(|| analysis.at_any_stage(|choice| analysis.is_ordinary(choice)))?;
        let why = if without.is_empty() {
            "names private addresses, which no request from the internet has; and a request through a VPC endpoint has no aws:SourceIp"
        } else {
            "asks for public addresses of requests through a VPC endpoint, which have no aws:SourceIp"
        };
        let message = format!(
            "{} {why}: everyone on it is locked out. Write the ranges under vpc_source_cidr_blocks, together with the VPCs or endpoints, or give the public addresses a path of their own.",
            self.name()
        );
        let finding = analysis.finding(
            Code::SourceIpOverEndpoint,
            Severity::Error,
            system,
            &Shown { stage: None, ..shown },
            message,
        );
        Some(finding.at(At::PathList(self.index, Key::SourceIp)))
    }

    /// Endpoints of the path that are in none of its VPCs.
    fn foreign_endpoints(&self, others_work: bool) -> Vec<Finding> {
        let analysis = self.analysis;
        let ids = match analysis.presign.paths_as_written()[self.index].get(&Key::SourceVpce) {
            Some(Accepted::Ids(ids)) => ids.iter(),
            Some(Accepted::Networks(_)) | None => return Vec::new(),
        };
        ids.filter_map(|id| self.foreign_endpoint(id, others_work)).collect()
    }

    fn foreign_endpoint(&self, id: &str, others_work: bool) -> Option<Finding> {
        let analysis = self.analysis;
        let class = analysis.class(ENDPOINT, id);
        let KnownEndpoint { vpc: Some(vpc), ref service, .. } = analysis.space().endpoints[class] else { return None };
        let only = [(ENDPOINT, class)];
        let takes_in = |rules: Rules<'_>| self.is_possible(Rules { only: &only, ..rules });
        // What leads elsewhere is on no path whatever its VPC.
        let leads_elsewhere = matches!(service, Some(Service::Other(_)));
        if leads_elsewhere || !takes_in(anywhere()) || Stage::ALL.into_iter().any(|stage| takes_in(at(stage))) {
            return None;
        }
        let shown = analysis.space().search(Rules { only: &[(ENDPOINT, class), (VPC, vpc)], ..anywhere() }, |choice| {
            analysis.is_ordinary(choice).and(by_route(THROUGH_ENDPOINT, choice))
        });
        let Found::Yes(choice) = shown else { return None };
        let vpc = analysis.space().dimensions[VPC].classes[vpc].value.as_deref().unwrap_or_default();
        let severity = if others_work { Severity::Warning } else { Severity::Error };
        let message = format!(
            "{} names the endpoint {id}, which is in {vpc} and so in none of the path's VPCs: whoever comes through it is locked out. Add {vpc} to vpc_ids, or take the endpoint out.",
            self.name()
        );
        let shown = Shown { choice, stage: None };
        let finding = analysis.finding(Code::EndpointOfOtherVpc, severity, analysis.primary(), &shown, message);
        Some(finding.at(At::PathList(self.index, Key::SourceVpce)))
    }

    /// Requests are on the path at one stage only.
    fn missing(&self, stage: Stage) -> Option<Finding> {
        let analysis = self.analysis;
        let system = analysis.primary();
        let another = analysis.at_stage(stage, |choice| match analysis.is_ordinary(choice) {
            Truth::No => Truth::No,
            ordinary => ordinary.and(analysis.allowed(system, choice)),
        });
        let severity = if another.is_some() { Severity::Warning } else { Severity::Error };
        let denied = |choice: &Choice| {
            let through = analysis.is_ordinary(choice).and(by_route(THROUGH_ENDPOINT, choice));
            if through == Truth::No { Truth::No } else { through.and(analysis.allowed(system, choice).not()) }
        };
        // Best shown by an endpoint of this kind that is known, in a VPC that the path is in.
        let known = |choice: &Choice| {
            let is_known = |class: usize| self.is_candidate(class, stage).into();
            choice[ENDPOINT].map_or(Truth::Unknown, is_known).and(denied(choice))
        };
        let candidate = analysis.at_stage(stage, known);
        let add = self.how_to_add(candidate.as_ref());
        let shown = candidate
            .or_else(|| analysis.at_stage(stage, denied))
            .or_else(|| analysis.at_stage(stage, |c| analysis.is_ordinary(c)))?;
        let (code, what) = match stage {
            Stage::Creation => (Code::MissingApiEndpoint, "a presigned URL cannot be made on it, only used"),
            Stage::Use => (Code::MissingStudioEndpoint, "a presigned URL can be made on it, but opening it fails"),
        };
        let rest = match severity {
            Severity::Error => "No other path helps: everyone is locked out",
            Severity::Warning | Severity::Info => "Only those who can take another path for that get in",
        };
        let message = format!(
            "{} has no endpoint for {}, so that {what}. {rest}; {add}.",
            self.name(),
            stage.endpoint().as_str()
        );
        Some(analysis.finding(code, severity, system, &shown, message).at(At::Path(self.index)))
    }

    /// The classes of the endpoints that the path names.
    fn named(&self) -> Vec<usize> {
        match self.analysis.presign.paths_as_written()[self.index].get(&Key::SourceVpce) {
            Some(Accepted::Ids(ids)) => ids.iter().map(|id| self.analysis.class(ENDPOINT, id)).collect(),
            Some(Accepted::Networks(_)) | None => Vec::new(),
        }
    }

    /// What to change about the path, with the endpoint that would do.
    fn how_to_add(&self, candidate: Option<&Shown>) -> String {
        if !self.asked().contains_key(&Key::SourceVpce) {
            return "make one in the path's VPCs, or add the VPC of one to vpc_ids".to_owned();
        }
        let id = candidate.and_then(|shown| {
            let class = shown.choice[ENDPOINT]?;
            self.analysis.space().dimensions[ENDPOINT].classes[class].value.clone()
        });
        format!("add {} to vpc_endpoint_ids", id.as_deref().unwrap_or("the id of one"))
    }

    /// Whether this is an endpoint that was looked up, for this stage, in a VPC where the path is.
    fn is_candidate(&self, class: usize, stage: Stage) -> bool {
        let endpoints = &self.analysis.space().endpoints;
        let wanted = match stage {
            Stage::Creation => Service::SagemakerApi,
            Stage::Use => Service::Studio,
        };
        let named = self.named();
        let same_vpc = |other: &usize| endpoints[*other].vpc == endpoints[class].vpc;
        endpoints[class].service == Some(wanted)
            && !named.contains(&class)
            && (named.is_empty() || named.iter().any(same_vpc))
    }

    /// No request is on the path, by what was looked up. Shown by someone who comes from the VPC of one of the path's
    /// endpoints, or through any other endpoint, and is denied.
    fn unreachable(&self) -> Option<Finding> {
        let analysis = self.analysis;
        let system = analysis.primary();
        let denied = |choice: &Choice| match analysis.is_ordinary(choice) {
            Truth::No => Truth::No,
            ordinary => ordinary.and(analysis.allowed(system, choice).not()),
        };
        let through = |choice: &Choice| by_route(THROUGH_ENDPOINT, choice).and(denied(choice));
        let vpcs: Vec<usize> =
            self.named().into_iter().filter_map(|class| analysis.space().endpoints[class].vpc).collect();
        let near = |choice: &Choice| {
            let is_near = choice[VPC].map_or(Truth::Unknown, |vpc| vpcs.contains(&vpc).into());
            is_near.and(through(choice))
        };
        let shown = analysis.at_any_stage(near).or_else(|| analysis.at_any_stage(through));
        let shown = shown.or_else(|| analysis.at_any_stage(denied))?;
        let message = format!(
            "No request can be on {}: its endpoints, or those of its VPCs, lead to neither studio nor sagemaker.api. Those whom it is meant for are locked out. Name endpoints for both, or take the path out.",
            self.name()
        );
        let finding = analysis.finding(Code::UnreachablePath, Severity::Error, system, &shown, message);
        Some(finding.at(At::Path(self.index)))
    }

    /// Whether anyone's VPC will do.
    fn strangers(&self) -> Option<Finding> {
        let analysis = self.analysis;
        let space = analysis.space();
        let only = [(ROUTE, THROUGH_ENDPOINT), (ENDPOINT, space.other_endpoint), (VPC, space.other_vpc)];
        let system = analysis.primary();
        let found = space.search(Rules { only: &only, ..anywhere() }, |choice| match self.takes(choice) {
            Truth::No => Truth::No,
            takes => takes.and(analysis.allowed(system, choice)),
        });
        let Found::Yes(choice) = found else { return None };
        let message = format!(
            "{} takes private addresses in any VPC of anyone, for it names neither VPCs nor endpoints, and private ranges are the same everywhere: whoever has the caller's credentials gets in from a VPC of their own. Add vpc_ids or vpc_endpoint_ids.",
            self.name()
        );
        let shown = Shown { choice, stage: None };
        let finding = analysis.finding(Code::VpcSourceIpWithoutVpc, Severity::Error, system, &shown, message);
        Some(finding.at(At::PathList(self.index, Key::VpcSourceIp)))
    }

    /// How much of the internet the path takes.
    fn internet(&self) -> Option<Finding> {
        let open = Open::of(self.analysis, |choice| self.takes(choice));
        let (severity, much) = open.judge()?;
        let message = format!(
            "{} is open to {much}: whoever has the caller's credentials gets in from there. Name your own public ranges only.",
            self.name()
        );
        Some(open.finding(self.analysis, severity, message)?.at(At::PathList(self.index, Key::SourceIp)))
    }
}

/// Paths may leave nothing of the internet out together, each a part.
fn internet_together(analysis: &Analysis<'_>, earlier: &[Finding]) -> Option<Finding> {
    let open = Open::of(analysis, |choice| match analysis.tables.is_on_any(&analysis.intent, choice) {
        Truth::No => Truth::No,
        on => on.and(analysis.is_ordinary(choice)),
    });
    let (Severity::Error, much) = open.judge()? else { return None };
    if earlier.iter().any(|finding| finding.code == Code::PublicPath && finding.severity == Severity::Error) {
        return None;
    }
    let message = format!(
        "The paths together are open to {much}: whoever has the caller's credentials gets in from there. Name your own public ranges only."
    );
    Some(open.finding(analysis, Severity::Error, message)?.at(At::Allowed))
}

/// The public addresses from which requests get in.
#[derive(Default)]
struct Open {
    choice: Option<Choice>,
    /// By family, IPv4 first: how many get in, out of how many.
    families: [(u128, u128); 2],
}

impl Open {
    fn of(analysis: &Analysis<'_>, takes: impl Fn(&Choice) -> Truth) -> Self {
        let mut open = Self::default();
        let system = analysis.primary();
        let dimension = &analysis.space().dimensions[ADDRESS];
        for class in dimension.live.iter().copied().filter(|class| dimension.classes[*class].value.is_some()) {
            let atom = &dimension.classes[class];
            let (inside, all) = &mut open.families[usize::from(atom.is_ipv6())];
            *all = all.saturating_add(atom.size);
            let only = [(ROUTE, FROM_INTERNET), (ADDRESS, class)];
            let found = analysis.space().search(Rules { only: &only, ..anywhere() }, |choice| match takes(choice) {
                Truth::No => Truth::No,
                takes => takes.and(analysis.allowed(system, choice)),
            });
            if let Found::Yes(choice) = found {
                *inside = inside.saturating_add(atom.size);
                open.choice.get_or_insert(choice);
            }
        }
        open
    }

    /// Nobody has as much of the internet to themselves as an IPv4 /8 or an IPv6 /16.
    fn judge(&self) -> Option<(Severity, &'static str)> {
        let [(ipv4, all_ipv4), (ipv6, all_ipv6)] = self.families;
        if ipv4 == all_ipv4 {
            Some((Severity::Error, "the whole internet"))
        } else if ipv6 == all_ipv6 {
            Some((Severity::Error, "the whole IPv6 internet"))
        } else if ipv4 >= 1 << (32 - 8) || ipv6 >= 1 << (128 - 16) {
            Some((Severity::Warning, "a large part of the internet"))
        } else {
            None
        }
    }

    fn finding(&self, analysis: &Analysis<'_>, severity: Severity, message: String) -> Option<Finding> {
        let shown = Shown { choice: self.choice.clone()?, stage: None };
        Some(analysis.finding(Code::PublicPath, severity, analysis.primary(), &shown, message))
    }
}
