//! What policies decide, and what the settings say they should, for a class of requests.
//!
//! Both are looked up in tables. Those of policies are filled by the evaluator's own functions, so
//! that what is found here holds there; those of the settings are filled from the settings alone.
//!
//! **Invariant:** with every choice made, [`Tables::decide`] is what
//! [`decide`](crate::policy::evaluate::decide) gives for the witness.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::mentions::variables;
use super::space::{Choice, PRINCIPAL, RESOURCE, Space, Table, VIA_SERVICE};
use crate::policy::document::{Document, Effect, Principals, Scope, Statement, Values, Version};
use crate::policy::evaluate::condition::Condition;
use crate::policy::evaluate::pattern::{Expanded, arn_like, equals, expand, glob, literal};
use crate::policy::evaluate::{
    Attached, Decision, Fact, Layer, Request, Truth, is_about_action, is_about_caller, is_about_resource, weigh,
};
use crate::policy::inputs::Key;
use crate::policy::paths::{Accepted, Requirements};
use crate::policy::presign::{PRESIGN, Presign};

/// All questions that were tabulated.
pub(super) struct Tables<'a> {
    pub(super) space: Space,
    pub(super) tables: Vec<Table>,
    /// Conditions that were asked already: documents share most of theirs.
    conditions: HashMap<(&'a str, &'a str, &'a Values, Version), usize>,
}

/// Policies that are in force together.
#[derive(Debug, Default)]
pub(super) struct InForce {
    /// The statements that allow, by layer.
    allows: BTreeMap<Layer, Vec<Parts>>,
    denies: Vec<Parts>,
}

/// The parts of a statement, as tables. All must hold.
type Parts = Vec<usize>;

/// What the settings say.
#[derive(Debug)]
pub(super) struct Intent {
    /// What each path asks, as it was written.
    pub(super) paths: Vec<BTreeMap<Key, usize>>,
    /// Whether the profile is one of the domains'.
    named: usize,
    /// Whether it is one that a grant is for.
    granted: usize,
    tags: Vec<usize>,
    /// Whether the caller is exempt.
    exempt: usize,
    /// Whether an AWS service asks for the caller.
    via_service: usize,
    via_service_is_spared: bool,
}

impl<'a> Tables<'a> {
    pub(super) fn new(space: Space) -> Self {
        Self { space, tables: Vec::new(), conditions: HashMap::new() }
    }

    /// Puts classes together that no question tells apart. To be called once, after the last one.
    pub(super) fn merge(&mut self) {
        self.space.merge(&self.tables);
    }

    /// The answer to a question that was tabulated.
    pub(super) fn at(&self, table: usize, choice: &Choice) -> Truth {
        self.tables[table].at(choice)
    }

    /// Tabulates policies.
    pub(super) fn in_force(&mut self, policies: &'a [Attached]) -> InForce {
        let mut in_force = InForce::default();
        // This layer always counts.
        in_force.allows.entry(Layer::Identity).or_default();
        for Attached { layer, document } in policies {
            let allows = in_force.allows.entry(*layer).or_default();
            for statement in &document.statements {
                let parts = self.statement(statement, document);
                match statement.effect {
                    Effect::Allow => allows.extend(parts),
                    Effect::Deny => in_force.denies.extend(parts),
                }
            }
        }
        in_force
    }

    /// `None` for a statement about other actions.
    fn statement(&mut self, statement: &'a Statement, document: &'a Document) -> Option<Parts> {
        let version = document.version;
        if is_about_action(statement, &Request::new(PRESIGN, "")) == Truth::No {
            return None;
        }
        let mut parts = Vec::new();
        if let Some(Scope::Only(arns) | Scope::AllBut(arns)) = &statement.resources {
            let dimensions = self.dimensions(RESOURCE, arns, version);
            let about = |request: &Request| is_about_resource(statement, version, request);
            parts.push(self.table(&dimensions, about));
        }
        if !matches!(&statement.principals, None | Some(Scope::Only(Principals::Everyone))) {
            parts.push(self.table(&[PRINCIPAL], |request| is_about_caller(statement, request)));
        }
        for (operator, keys) in &statement.conditions {
            for (key, values) in keys {
                parts.push(self.condition(operator, key, values, version));
            }
        }
        Some(parts)
    }

    fn condition(&mut self, operator: &'a str, key: &'a str, values: &'a Values, version: Version) -> usize {
        if let Some(table) = self.conditions.get(&(operator, key, values, version)) {
            return *table;
        }
        let condition = Condition::new(operator, key, values, version);
        let dimension = self.space.dimension_of(key);
        let table = match dimension {
            Some(dimension) => {
                let dimensions = self.dimensions(dimension, values, version);
                self.table(&dimensions, |request| condition.holds(request))
            }
            // Only an operator that is not read leaves its key unmentioned.
            None => self.table(&[], |_| Truth::Unknown),
        };
        self.conditions.insert((operator, key, values, version), table);
        table
    }

    /// A dimension, and those that the variables in these values depend on.
    fn dimensions(&self, dimension: usize, values: &Values, version: Version) -> Vec<usize> {
        let mut dimensions = BTreeSet::from([dimension]);
        if version == Version::V2012 {
            let keys: BTreeSet<String> = values.iter().flat_map(|value| variables(value)).collect();
            dimensions.extend(keys.iter().filter_map(|key| self.space.dimension_of(key)));
        }
        dimensions.into_iter().collect()
    }

    fn table(&mut self, dimensions: &[usize], holds: impl Fn(&Request) -> Truth) -> usize {
        self.tables.push(self.space.table(dimensions, holds));
        self.tables.len() - 1
    }

    /// Tabulates what the settings say.
    pub(super) fn intent(&mut self, presign: &'a Presign) -> Intent {
        let tags = presign.resource_tags().iter();
        let tags = tags.map(|(tag, value)| self.tag(&format!("sagemaker:ResourceTag/{tag}"), value)).collect();
        let paths = presign.paths_as_written().iter().map(|path| self.path(path)).collect();
        let all: Vec<String> = presign.domains().map(|domain| domain.user_profiles("*")).collect();
        let granted: Values = presign.domains().map(|domain| domain.user_profiles(presign.user_profile())).collect();
        let dimensions = self.dimensions(RESOURCE, &granted, Version::V2012);
        let exempt: Vec<_> = presign.exempt_principal_arns().iter().map(|arn| literal(arn)).collect();
        Intent {
            paths,
            named: self.table(&[RESOURCE], |request| {
                Truth::from(all.iter().any(|arn| glob(&literal(arn), &request.resource)))
            }),
            granted: self.table(&dimensions, |request| is_one_of(&granted, request)),
            tags,
            exempt: self.table(&[PRINCIPAL], |request| {
                let caller = request.principal.as_deref().unwrap_or_default();
                Truth::from(exempt.iter().any(|arn| arn_like(arn, caller)))
            }),
            via_service: self
                .table(&[VIA_SERVICE], |request| Truth::from(value(request, "aws:ViaAWSService") == Some("true"))),
            via_service_is_spared: presign.allows_via_aws_services(),
        }
    }

    fn path(&mut self, path: &Requirements) -> BTreeMap<Key, usize> {
        let table = |(key, accepted): (&Key, &Accepted)| (*key, self.accepted(key.condition_key(), accepted));
        path.iter().map(table).collect()
    }

    /// Whether a key has one of these values.
    pub(super) fn accepted(&mut self, key: &str, accepted: &Accepted) -> usize {
        let dimension = self.space.dimension(key);
        self.table(&[dimension], |request| value(request, key).is_some_and(|value| accepted.has(value)).into())
    }

    fn tag(&mut self, key: &str, wanted: &str) -> usize {
        let dimensions = self.dimensions(self.space.dimension(key), &Values::from([wanted.to_owned()]), Version::V2012);
        self.table(&dimensions, |request| match expand(wanted, Version::V2012, request) {
            Expanded::Pattern(tokens) => value(request, key).is_some_and(|value| equals(&tokens, value)).into(),
            Expanded::NoValue => Truth::No,
            Expanded::Unknown => Truth::Unknown,
        })
    }

    /// What policies decide.
    pub(super) fn decide(&self, in_force: &InForce, choice: &Choice) -> Decision {
        let any = |statements: &[Parts]| {
            let truths = statements.iter().map(|parts| self.all(parts, choice));
            settle(truths)
        };
        weigh(any(&in_force.denies), in_force.allows.values().map(|allows| any(allows)))
    }

    /// Whether policies allow.
    pub(super) fn allowed(&self, in_force: &InForce, choice: &Choice) -> Truth {
        match self.decide(in_force, choice) {
            Decision::Allow => Truth::Yes,
            Decision::ExplicitDeny | Decision::ImplicitDeny => Truth::No,
            Decision::CantTell => Truth::Unknown,
        }
    }

    fn all(&self, parts: &Parts, choice: &Choice) -> Truth {
        settle(parts.iter().map(|part| self.at(*part, choice).not())).not()
    }

    /// Whether the request is on a path.
    pub(super) fn is_on(&self, path: &BTreeMap<Key, usize>, choice: &Choice) -> Truth {
        settle(path.values().map(|part| self.at(*part, choice).not())).not()
    }

    /// Whether the request is on any of the paths.
    pub(super) fn is_on_any(&self, intent: &Intent, choice: &Choice) -> Truth {
        settle(intent.paths.iter().map(|path| self.is_on(path, choice)))
    }

    /// Whether the request is for a profile of the domains.
    pub(super) fn is_named(&self, intent: &Intent, choice: &Choice) -> Truth {
        self.at(intent.named, choice)
    }

    /// Whether the request is on a path and has the tags.
    fn meets(&self, intent: &Intent, choice: &Choice) -> Truth {
        let tags = intent.tags.iter().fold(Truth::Yes, |truth, tag| truth.and(self.at(*tag, choice)));
        tags.and(self.is_on_any(intent, choice))
    }

    /// Whether every Deny leaves the request out.
    pub(super) fn is_spared(&self, intent: &Intent, choice: &Choice) -> Truth {
        let via_service = self.at(intent.via_service, choice).and(intent.via_service_is_spared.into());
        self.at(intent.exempt, choice).or(via_service)
    }

    /// Whether an AWS service asks for the caller, or an exempt caller asks.
    pub(super) fn is_out_of_the_ordinary(&self, intent: &Intent, choice: &Choice) -> Truth {
        self.at(intent.exempt, choice).or(self.at(intent.via_service, choice))
    }

    /// Whether a grant allows the request.
    pub(super) fn should_grant(&self, intent: &Intent, choice: &Choice) -> Truth {
        self.at(intent.granted, choice).and(self.meets(intent, choice))
    }

    /// Whether a guard lets the request through, if something else allows it.
    pub(super) fn should_pass(&self, intent: &Intent, choice: &Choice) -> Truth {
        let foreign = self.is_named(intent, choice).not();
        foreign.or(self.is_spared(intent, choice)).or(self.meets(intent, choice))
    }
}

/// Whether any is true. Stops at the first that is.
fn settle(truths: impl Iterator<Item = Truth>) -> Truth {
    let mut any = Truth::No;
    for truth in truths {
        match truth {
            Truth::Yes => return Truth::Yes,
            Truth::Unknown => any = Truth::Unknown,
            Truth::No => {}
        }
    }
    any
}

fn is_one_of(arns: &Values, request: &Request) -> Truth {
    let matches = |arn: &String| match expand(arn, Version::V2012, request) {
        Expanded::Pattern(tokens) => glob(&tokens, &request.resource).into(),
        Expanded::NoValue => Truth::No,
        Expanded::Unknown => Truth::Unknown,
    };
    settle(arns.iter().map(matches))
}

fn value<'r>(request: &'r Request, key: &str) -> Option<&'r str> {
    match request.fact(key) {
        Some(Fact::Is(values)) => values.first().map(String::as_str),
        Some(Fact::Unknown) | None => None,
    }
}
