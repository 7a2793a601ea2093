//! The space of requests, split into finitely many classes, and the search through them.
//!
//! A request is a choice in each dimension: who asks, for which profile, by which route, through
//! which endpoint of which VPC, from which address, and what it says for every other key that is
//! mentioned. The classes of a dimension are such that no comparison tells two requests of one
//! class apart; classes that decide the same everywhere are then put together.
//!
//! **Invariant:** [`Space::search`] leaves out a class only when the goal is already settled for all
//! requests in it, so that "not found" means that there is none.

mod dimensions;

use std::collections::BTreeMap;

pub(super) use self::dimensions::{About, Dimension, space};
use super::Stage;
use super::surroundings::Service;
use crate::policy::evaluate::{Request, Truth};
use crate::policy::presign::PRESIGN;
use crate::policy::simulation::{ContextValue, NamedRequest};

/// The fixed dimensions, by their places.
pub(super) const RESOURCE: usize = 0;
pub(super) const PRINCIPAL: usize = 1;
pub(super) const ROUTE: usize = 2;
pub(super) const ENDPOINT: usize = 3;
pub(super) const VPC: usize = 4;
pub(super) const VPC_ADDRESS: usize = 5;
pub(super) const ADDRESS: usize = 6;
pub(super) const VIA_SERVICE: usize = 7;
pub(super) const FIXED: usize = 8;

/// The classes of [`ROUTE`].
pub(super) const THROUGH_ENDPOINT: usize = 0;
pub(super) const FROM_INTERNET: usize = 1;
/// Made by an AWS service from within AWS, with no key of the network.
pub(super) const WITHIN_AWS: usize = 2;

/// All requests for [`PRESIGN`], by class.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) dimensions: Vec<Dimension>,
    /// The order in which choices are made: first what settles most, the network last.
    pub(super) order: Vec<usize>,
    /// The number of dimensions, in that order, that settings speak of. Those behind them are asked
    /// for only by documents that are not made from the settings.
    pub(super) own: usize,
    /// What is known of the endpoint, by class of [`ENDPOINT`].
    pub(super) endpoints: Vec<KnownEndpoint>,
    /// Whether no endpoint but the known ones is in the VPC, by class of [`VPC`].
    pub(super) closed_vpcs: Vec<bool>,
    /// The class of an endpoint that nothing mentions.
    pub(super) other_endpoint: usize,
    /// The class of a VPC that nothing mentions.
    pub(super) other_vpc: usize,
}

/// What is known of an endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KnownEndpoint {
    pub(super) service: Option<Service>,
    /// A class of [`VPC`].
    pub(super) vpc: Option<usize>,
    /// Whether it is one that was looked up.
    pub(super) looked_up: bool,
}

/// A class of requests: the class in each dimension, where it is chosen already.
pub(super) type Choice = Vec<Option<usize>>;

/// Which requests are possible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'a> {
    /// When the request is made, which says through which kind of endpoint it can come.
    pub(super) stage: Stage,
    /// Whether what was looked up counts. Without it every endpoint may be of any kind and VPC.
    pub(super) facts: bool,
    /// Dimensions in which only one class is asked about, also one that was merged into another.
    pub(super) only: &'a [(usize, usize)],
}

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A class that meets the goal.
    Yes(Choice),
    /// None does.
    No,
    /// None surely does, and for this one it cannot be told.
    CantTell(Choice),
}

/// A question about requests, answered for every class of the dimensions that it depends on.
#[derive(Debug)]
pub(super) struct Table {
    dimensions: Vec<usize>,
    /// Row by row, the last dimension fastest.
    truths: Vec<Truth>,
    sizes: Vec<usize>,
}

/// More combinations of classes than this are not tabulated.
const MOST_ROWS: usize = 200_000;

impl Space {
    /// Looks for a class of requests that meets the goal. The goal is asked early, with choices
    /// still open, and may then answer that it is not settled yet.
    pub(super) fn search(&self, rules: Rules<'_>, goal: impl Fn(&Choice) -> Truth) -> Found {
        let mut choice = vec![None; self.dimensions.len()];
        self.deepen(rules, &mut choice, 0, self.dimensions.len(), &goal)
    }

    /// As [`Space::search`], over the dimensions that settings speak of only; the rest is filled in
    /// afterwards. The goal has to settle what it asks of the others by itself.
    pub(super) fn search_own(&self, rules: Rules<'_>, goal: impl Fn(&Choice) -> Truth) -> Found {
        let mut choice = vec![None; self.dimensions.len()];
        self.deepen(rules, &mut choice, 0, self.own, &goal)
    }

    /// Looks on behind a choice in all dimensions that settings speak of.
    pub(super) fn search_on(&self, rules: Rules<'_>, choice: &Choice, goal: impl Fn(&Choice) -> Truth) -> Found {
        let mut choice = choice.clone();
        self.deepen(rules, &mut choice, self.own, self.dimensions.len(), &goal)
    }

    fn deepen(
        &self,
        rules: Rules<'_>,
        choice: &mut Choice,
        depth: usize,
        end: usize,
        goal: &dyn Fn(&Choice) -> Truth,
    ) -> Found {
        let settled = match goal(choice) {
            Truth::No => return Found::No,
            Truth::Yes => Truth::Yes,
            Truth::Unknown => Truth::Unknown,
        };
        if depth == self.dimensions.len() {
            return match settled {
                Truth::Yes => Found::Yes(choice.clone()),
                Truth::Unknown | Truth::No => Found::CantTell(choice.clone()),
            };
        }
        let still_open = move |_: &Choice| settled;
        // What is settled, or not to be settled any more, only wants an example.
        let goal = if settled == Truth::Yes || depth >= end { &still_open } else { goal };
        let dimension = self.order[depth];
        let mut found = Found::No;
        for class in self.choices(rules, choice, dimension) {
            choice[dimension] = Some(class);
            match self.deepen(rules, choice, depth + 1, end, goal) {
                Found::Yes(example) => {
                    found = Found::Yes(example);
                    break;
                }
                Found::CantTell(example) => {
                    if found == Found::No {
                        found = Found::CantTell(example);
                    }
                    if depth >= end {
                        break;
                    }
                }
                Found::No => {}
            }
        }
        choice[dimension] = None;
        found
    }

    /// The classes that are possible in a dimension, after those chosen before it.
    fn choices(&self, rules: Rules<'_>, choice: &Choice, dimension: usize) -> Vec<usize> {
        let dimension_classes = &self.dimensions[dimension];
        let only = rules.only.iter().find(|(only, _)| *only == dimension).map(|(_, class)| class);
        let classes = only.map_or(dimension_classes.live.as_slice(), std::slice::from_ref).iter().copied();
        let is = |route| choice[ROUTE] == Some(route);
        // A key of the network is there on its own route, and absent on the others.
        let present_if = |there: bool| move |class: &usize| dimension_classes.classes[*class].value.is_some() == there;
        match dimension {
            ENDPOINT => {
                let possible = |class: &usize| !rules.facts || self.endpoints[*class].may_serve(rules.stage);
                classes.filter(present_if(is(THROUGH_ENDPOINT))).filter(possible).collect()
            }
            VPC => {
                let endpoint = choice[ENDPOINT].map(|class| &self.endpoints[class]);
                let possible = |class: &usize| match endpoint {
                    Some(KnownEndpoint { vpc: Some(vpc), .. }) => vpc == class,
                    Some(KnownEndpoint { looked_up: false, .. }) => !self.closed_vpcs[*class],
                    Some(_) | None => true,
                };
                classes
                    .filter(present_if(is(THROUGH_ENDPOINT)))
                    .filter(|class| !rules.facts || possible(class))
                    .collect()
            }
            VPC_ADDRESS => classes.filter(present_if(is(THROUGH_ENDPOINT))).collect(),
            ADDRESS => classes.filter(present_if(is(FROM_INTERNET))).collect(),
            ROUTE => {
                let via =
                    choice[VIA_SERVICE].and_then(|class| self.dimensions[VIA_SERVICE].classes[class].value.as_deref());
                classes.filter(|class| *class != WITHIN_AWS || via == Some("true")).collect()
            }
            _ => classes.collect(),
        }
    }

    /// Answers a question for every class. `keys` are the dimensions it depends on; the request has
    /// nothing else in it.
    pub(super) fn table(&self, dimensions: &[usize], holds: impl Fn(&Request) -> Truth) -> Table {
        let sizes: Vec<usize> = dimensions.iter().map(|dimension| self.dimensions[*dimension].classes.len()).collect();
        let rows = sizes.iter().try_fold(1_usize, |rows, size| rows.checked_mul(*size));
        let Some(rows) = rows.filter(|rows| *rows <= MOST_ROWS) else {
            // Never settled: whatever depends on it cannot be told.
            return Table { dimensions: Vec::new(), truths: vec![Truth::Unknown], sizes: Vec::new() };
        };
        let truth = |row: usize| {
            let mut rest = row;
            let mut request = Request::new(PRESIGN, "");
            for (dimension, size) in dimensions.iter().zip(&sizes).rev() {
                request = self.dimensions[*dimension].put(*dimension, rest % size, request);
                rest /= size;
            }
            holds(&request)
        };
        Table { dimensions: dimensions.to_vec(), truths: (0..rows).map(truth).collect(), sizes }
    }

    /// The dimension of a condition key; `None` for one that nothing mentions.
    pub(super) fn dimension_of(&self, key: &str) -> Option<usize> {
        self.dimensions.iter().position(|dimension| dimension.key.eq_ignore_ascii_case(key))
    }

    /// The dimension of a condition key of the settings.
    pub(super) fn dimension(&self, key: &str) -> usize {
        self.dimension_of(key).expect("every key of the settings has a dimension")
    }

    /// Puts classes together that no table tells apart.
    pub(super) fn merge(&mut self, tables: &[Table]) {
        for dimension in 0..self.dimensions.len() {
            let mut groups: BTreeMap<Vec<Truth>, Vec<usize>> = BTreeMap::new();
            for class in 0..self.dimensions[dimension].classes.len() {
                let asked = tables.iter().filter(|table| table.dimensions.contains(&dimension));
                let column = asked.flat_map(|table| table.column(dimension, class)).collect();
                groups.entry(column).or_default().push(class);
            }
            for group in groups.into_values() {
                self.merge_group(dimension, group);
            }
            self.dimensions[dimension].live.sort_unstable();
        }
    }

    /// Keeps one class of a group, or one of each kind where more is known of them than the tables
    /// say.
    fn merge_group(&mut self, dimension: usize, group: Vec<usize>) {
        let mut kept: Vec<usize> = Vec::new();
        for class in group {
            let same = |other: &&usize| self.is_alike(dimension, **other, class);
            match kept.iter().find(same).copied() {
                Some(other) => {
                    let size = self.dimensions[dimension].classes[class].size;
                    let merged = &mut self.dimensions[dimension].classes[other].size;
                    *merged = merged.saturating_add(size);
                }
                None => kept.push(class),
            }
        }
        self.dimensions[dimension].live.extend(kept);
    }

    /// Whether every dimension that settings speak of is chosen.
    pub(super) fn is_chosen(&self, choice: &Choice) -> bool {
        self.order[..self.own].iter().all(|dimension| choice[*dimension].is_some())
    }

    fn is_alike(&self, dimension: usize, one: usize, other: usize) -> bool {
        let classes = &self.dimensions[dimension].classes;
        let (a, b) = (&classes[one], &classes[other]);
        a.is_ipv6() == b.is_ipv6()
            && match dimension {
                VIA_SERVICE => (a.value.as_deref() == Some("true")) == (b.value.as_deref() == Some("true")),
                _ if a.value.is_some() != b.value.is_some() => false,
                ROUTE => false,
                ENDPOINT => {
                    self.endpoints[one] == self.endpoints[other]
                        && (one == self.other_endpoint) == (other == self.other_endpoint)
                }
                VPC => {
                    let is_known = |class: usize| self.endpoints.iter().any(|endpoint| endpoint.vpc == Some(class));
                    self.closed_vpcs[one] == self.closed_vpcs[other]
                        && !is_known(one)
                        && !is_known(other)
                        && (one == self.other_vpc) == (other == self.other_vpc)
                }
                _ => true,
            }
    }

    /// A class as a request, with every choice made.
    pub(super) fn witness(&self, choice: &Choice, name: String) -> NamedRequest {
        let value = |dimension: usize| {
            let class = choice[dimension].expect("every choice of a found class is made");
            self.dimensions[dimension].classes[class].value.clone()
        };
        let keys = (ENDPOINT..self.dimensions.len()).filter_map(|dimension| {
            let key = self.dimensions[dimension].key.clone();
            value(dimension).map(|value| (key, Some(ContextValue::One(value))))
        });
        NamedRequest {
            name: Some(name),
            action: PRESIGN.to_owned(),
            resource: value(RESOURCE).expect("every request has a resource"),
            principal_arn: value(PRINCIPAL),
            context: keys.collect(),
            unknown: Vec::new(),
        }
    }
}

impl Table {
    /// The answer for a class; not settled while a choice that it depends on is open.
    pub(super) fn at(&self, choice: &Choice) -> Truth {
        let mut row = 0;
        for (dimension, size) in self.dimensions.iter().zip(&self.sizes) {
            let Some(class) = choice[*dimension] else { return Truth::Unknown };
            row = row * size + class;
        }
        self.truths[row]
    }

    /// The answers for one class of one dimension.
    fn column(&self, dimension: usize, class: usize) -> Vec<Truth> {
        let place = self.dimensions.iter().position(|d| *d == dimension).expect("the table depends on it");
        let behind: usize = self.sizes[place + 1..].iter().product();
        let rows = self.truths.iter().enumerate().filter(|(row, _)| row / behind % self.sizes[place] == class);
        rows.map(|(_, truth)| *truth).collect()
    }
}

impl KnownEndpoint {
    fn may_serve(&self, stage: Stage) -> bool {
        match &self.service {
            None => true,
            Some(Service::Studio) => stage == Stage::Use,
            Some(Service::SagemakerApi) => stage == Stage::Creation,
            Some(Service::Other(_)) => false,
        }
    }
}
