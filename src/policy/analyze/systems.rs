//! The policies that are judged together, and all that is needed to judge them.
//!
//! A guard is judged beside an Allow for everything: whatever another policy may allow, it is part
//! of that. A grant is judged alone.
//!
//! **Invariant:** the policies of a system are what a person has to simulate to see what a finding
//! says.

use std::collections::BTreeSet;

use super::judge::{InForce, Intent, Tables};
use super::mentions::{Mentions, Reading, variables};
use super::space::{About, Choice, Found, PRINCIPAL, Rules, Space, space};
use super::surroundings::Surroundings;
use super::{Documents, Stage, allows, denies};
use crate::policy::document::{Document, Effect, Statement, Version, values};
use crate::policy::evaluate::{Attached, Layer, Truth, decide};
use crate::policy::paths::Accepted;
use crate::policy::presign::{EndpointKind, Presign};
use crate::policy::simulation::NamedRequest;

/// Policies that apply together.
#[derive(Debug)]
pub(super) struct System {
    pub(super) kind: Kind,
    pub(super) policies: Vec<Attached>,
}

/// What a system is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// The identity policy, beside an Allow for everything.
    Guard,
    /// The identity policy alone.
    Grant,
    /// The service control policy, beside an Allow for everything.
    Scp,
    /// The policy for an endpoint, beside an Allow for everything.
    Endpoint(EndpointKind),
    /// The policy that an endpoint has or will have, beside an Allow for everything.
    Through(String),
    /// The identity policy and all else that a caller has, by its place in the surroundings.
    Caller(usize),
}

/// Everything that is needed to make findings.
pub(super) struct Analysis<'a> {
    pub(super) presign: &'a Presign,
    pub(super) surroundings: &'a Surroundings,
    pub(super) systems: &'a [System],
    in_force: Vec<InForce>,
    pub(super) tables: Tables<'a>,
    pub(super) intent: Intent,
    /// For each path with public addresses, whether a private address lies in those ranges.
    pub(super) misplaced: Vec<Option<usize>>,
    pub(super) doubts: BTreeSet<String>,
}

/// The systems that these documents and surroundings make.
pub(super) fn inventory(presign: &Presign, documents: &Documents, surroundings: &Surroundings) -> Vec<System> {
    let attached = |layer, document: &Document| Attached { layer, document: document.clone() };
    let identity: Vec<_> = documents.identity.iter().map(|document| attached(Layer::Identity, document)).collect();
    let beside = |kind, policies: Vec<Attached>| System {
        kind,
        policies: [vec![allow_all(Layer::Identity)], policies].concat(),
    };
    let mut systems = Vec::new();
    if allows(presign.mode()) {
        systems.push(System { kind: Kind::Grant, policies: identity.clone() });
    }
    if denies(presign.mode()) {
        systems.push(beside(Kind::Guard, identity.clone()));
    }
    if let Some(scp) = &documents.scp {
        systems.push(beside(Kind::Scp, vec![allow_all(Layer::Scp), attached(Layer::Scp, scp)]));
    }
    for (kind, document) in &documents.endpoints {
        systems.push(beside(Kind::Endpoint(*kind), vec![attached(Layer::Endpoint, document)]));
    }
    for (id, endpoint) in &surroundings.endpoints {
        if let Some(policy) = &endpoint.policy {
            systems.push(beside(Kind::Through(id.clone()), vec![attached(Layer::Endpoint, policy)]));
        }
    }
    for (index, caller) in surroundings.callers.iter().enumerate() {
        if let Some(policies) = &caller.policies {
            let policies = [identity.clone(), policies.clone()].concat();
            systems.push(System { kind: Kind::Caller(index), policies });
        }
    }
    systems
}

/// An Allow for everything.
pub(super) fn allow_all(layer: Layer) -> Attached {
    let statement = Statement::new(Effect::Allow, values(["*"])).on(values(["*"]));
    Attached { layer, document: Document::new(vec![statement]) }
}

impl<'a> Analysis<'a> {
    pub(super) fn new(presign: &'a Presign, surroundings: &'a Surroundings, systems: &'a [System]) -> Self {
        let mut mentions = mentions(presign, surroundings, systems);
        let about = About { domains: presign.domains().collect(), own_keys: own_keys(presign) };
        let space = space(&mut mentions, &about, surroundings);
        let mut tables = Tables::new(space);
        let intent = tables.intent(presign);
        let in_force = systems.iter().map(|system| tables.in_force(&system.policies)).collect();
        let mut misplaced = |path: &crate::policy::paths::Requirements| {
            let public = path.get(&crate::policy::inputs::Key::SourceIp);
            public.map(|accepted| tables.accepted("aws:VpcSourceIp", accepted))
        };
        let misplaced = presign.paths_as_written().iter().map(&mut misplaced).collect();
        tables.merge();
        Self { presign, surroundings, systems, in_force, tables, intent, misplaced, doubts: mentions.doubts }
    }

    pub(super) fn space(&self) -> &Space {
        &self.tables.space
    }

    /// The place of a system.
    pub(super) fn system(&self, kind: &Kind) -> Option<usize> {
        self.systems.iter().position(|system| system.kind == *kind)
    }

    /// The system that says what a caller can do: the grant if there is one, else the guard.
    pub(super) fn primary(&self) -> usize {
        let primary = self.system(&Kind::Grant).or_else(|| self.system(&Kind::Guard));
        primary.expect("every mode grants or guards")
    }

    /// Whether a system allows the request.
    pub(super) fn allowed(&self, system: usize, choice: &Choice) -> Truth {
        self.tables.allowed(&self.in_force[system], choice)
    }

    /// Whether a system denies the request, whatever it says for keys that the settings do not
    /// speak of.
    pub(super) fn shut(&self, system: usize, rules: Rules<'_>, choice: &Choice) -> Truth {
        let space = self.space();
        let shut = self.allowed(system, choice).not();
        if shut != Truth::Unknown || !space.is_chosen(choice) || space.own == space.dimensions.len() {
            return shut;
        }
        match space.search_on(rules, choice, |choice| self.allowed(system, choice)) {
            Found::Yes(_) => Truth::No,
            Found::No => Truth::Yes,
            Found::CantTell(_) => Truth::Unknown,
        }
    }

    /// A class as a request that people can simulate.
    pub(super) fn witness(&self, system: usize, choice: &Choice, name: String) -> NamedRequest {
        let witness = self.space().witness(choice, name);
        debug_assert_eq!(
            decide(&self.systems[system].policies, &witness.to_request()).decision,
            self.tables.decide(&self.in_force[system], choice),
            "tables and evaluator must agree on {witness:?}"
        );
        witness
    }

    /// The class of a caller.
    pub(super) fn caller(&self, arn: &str) -> usize {
        self.class(PRINCIPAL, arn)
    }

    /// The class of a value that was mentioned.
    pub(super) fn class(&self, dimension: usize, value: &str) -> usize {
        let classes = &self.space().dimensions[dimension].classes;
        let class = classes.iter().position(|class| class.value.as_deref() == Some(value));
        class.expect("what is mentioned has a class")
    }
}

/// Possible requests at a stage, by what was looked up.
pub(super) fn at(stage: Stage) -> Rules<'static> {
    Rules { stage, facts: true, only: &[] }
}

/// Any request, whatever was looked up.
pub(super) fn anywhere() -> Rules<'static> {
    // Without facts there is no difference between the stages.
    Rules { stage: Stage::Creation, facts: false, only: &[] }
}

/// The keys, beyond those of the network and the caller, that the settings speak of.
fn own_keys(presign: &Presign) -> BTreeSet<String> {
    let tags = presign.resource_tags().keys().map(|tag| format!("sagemaker:ResourceTag/{tag}").to_ascii_lowercase());
    let texts = presign.resource_tags().values().map(String::as_str).chain([presign.user_profile()]);
    let mut keys: BTreeSet<String> = tags.chain(texts.flat_map(variables)).collect();
    for fixed in
        ["aws:sourcevpce", "aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip", "aws:principalarn", "aws:viaawsservice"]
    {
        keys.remove(fixed);
    }
    keys
}

/// All that documents, settings and surroundings mention.
fn mentions(presign: &Presign, surroundings: &Surroundings, systems: &[System]) -> Mentions {
    let mut mentions = Mentions::default();
    for policy in systems.iter().flat_map(|system| &system.policies) {
        mentions.add_document(&policy.document);
    }
    for (key, accepted) in presign.paths_as_written().iter().flatten() {
        let reading = if key.holds_addresses() { Reading::Address } else { Reading::Whole };
        for value in accepted.to_values() {
            mentions.add(key.condition_key(), &value, reading, Version::V2008);
        }
        if let Accepted::Networks(networks) = accepted {
            // People mix up the keys of public and private addresses, so both know all ranges.
            for key in ["aws:SourceIp", "aws:VpcSourceIp"] {
                mentions.key(key).ranges.extend(networks);
            }
        }
    }
    for domain in presign.domains() {
        for pattern in ["*", presign.user_profile()] {
            let arn = domain.user_profiles(pattern);
            let variables = mentions.resources.add(&arn, Reading::Wild, Version::V2012);
            mentions.variables.extend(variables);
        }
    }
    for (tag, value) in presign.resource_tags() {
        mentions.add(&format!("sagemaker:ResourceTag/{tag}"), value, Reading::Whole, Version::V2012);
    }
    for arn in presign.exempt_principal_arns() {
        mentions.add("aws:PrincipalArn", arn, Reading::Arn, Version::V2012);
    }
    let roles = surroundings.domains.values().flat_map(|domain| &domain.execution_role_arns);
    for arn in surroundings.callers.iter().map(|caller| &caller.arn).chain(roles) {
        mentions.key("aws:PrincipalArn").literals.insert(arn.clone());
    }
    mentions
}
