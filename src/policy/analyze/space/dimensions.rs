//! The dimensions of the space and their classes, from what is mentioned.
//!
//! Requests are as AWS documents them: one that comes through a VPC endpoint has `aws:SourceVpce`,
//! `aws:SourceVpc` and `aws:VpcSourceIp` and no `aws:SourceIp`; one from the internet the other way
//! round. Callers are of a domain's own account, for nobody else can be allowed to presign there.
//! Variables take a few values that nothing mentions, enough to tell any two of them apart.

use std::collections::{BTreeMap, BTreeSet};

use super::{FIXED, KnownEndpoint, Space};
use crate::policy::analyze::addresses::{Among, atoms};
use crate::policy::analyze::mentions::{Mentioned, Mentions};
use crate::policy::analyze::surroundings::Surroundings;
use crate::policy::analyze::texts::{Set, Step, Steps, exactly, examples, then_some};
use crate::policy::evaluate::Request;
use crate::policy::inputs::DomainArn;

/// One thing in which requests differ.
#[derive(Debug)]
pub(in crate::policy::analyze) struct Dimension {
    /// The condition key; empty for the resource and the route.
    pub(in crate::policy::analyze) key: String,
    /// All classes, the most ordinary first.
    pub(in crate::policy::analyze) classes: Vec<Class>,
    /// Those that are left after merging.
    pub(in crate::policy::analyze) live: Vec<usize>,
}

/// A class of values of one key.
#[derive(Debug)]
pub(in crate::policy::analyze) struct Class {
    /// One of the values; `None` where the request does not have the key.
    pub(in crate::policy::analyze) value: Option<String>,
    /// For addresses, how many they are.
    pub(in crate::policy::analyze) size: u128,
}

/// Values of variables that nothing mentions.
const POOL: [&str; 4] = ["alpha", "beta", "gamma", "delta"];

/// What the settings are about, as far as the space needs it.
pub(in crate::policy::analyze) struct About<'a> {
    pub(in crate::policy::analyze) domains: Vec<&'a DomainArn>,
    /// The keys that settings speak of, beyond the fixed ones, in lower case.
    pub(in crate::policy::analyze) own_keys: BTreeSet<String>,
}

/// The space of all that is mentioned. Adds doubts to the mentions where classes had to be left out.
pub(in crate::policy::analyze) fn space(
    mentions: &mut Mentions,
    about: &About<'_>,
    surroundings: &Surroundings,
) -> Space {
    for vpc in surroundings.endpoints.values().filter_map(|endpoint| endpoint.vpc_id.as_ref()) {
        mentions.key("aws:SourceVpc").literals.insert(vpc.clone());
    }
    mentions.key("aws:SourceVpc").literals.extend(surroundings.complete_vpcs.iter().cloned());
    mentions.key("aws:SourceVpce").literals.extend(surroundings.endpoints.keys().cloned());
    for key in mentions.variables.iter().chain(&about.own_keys).cloned().collect::<Vec<_>>() {
        mentions.key(&key);
    }
    let pools = variable_values(mentions);
    mentions.instantiate(&pools);
    let mut doubts = BTreeSet::new();
    let mut builder = Builder { mentions, about, pools: &pools, doubts: &mut doubts };
    let dimensions = builder.all();
    for key in dimensions[..FIXED].iter().map(|dimension| &dimension.key) {
        if mentions.variables.contains(&key.to_ascii_lowercase()) {
            doubts.insert(format!("values depend on the variable ${{{key}}}, of which not every value was tried"));
        }
    }
    let own = FIXED + about.own_keys.len();
    mentions.doubts.extend(doubts);
    with_facts(dimensions, own, mentions, surroundings)
}

/// What each variable can be: what its key is compared with, and as many values more as there are
/// variables that can be held against each other, so that any two of them can be alike or differ.
fn variable_values(mentions: &Mentions) -> BTreeMap<String, Vec<String>> {
    let of = |variable: &String| {
        let spare = POOL.len().min(linked(mentions, variable));
        let literals = mentions.keys.get(variable).into_iter().flat_map(|mentioned| mentioned.literals.iter().cloned());
        let values = POOL[..spare].iter().map(|value| (*value).to_owned()).chain(literals).collect();
        (variable.clone(), values)
    };
    mentions.variables.iter().map(of).collect()
}

/// How many variables stand in values of the same keys as this one, directly or over others.
fn linked(mentions: &Mentions, variable: &str) -> usize {
    let keys = mentions.keys.iter().map(|(key, mentioned)| (Some(key), mentioned));
    let groups = keys.chain([(None, &mentions.resources)]).map(|(key, mentioned)| {
        let in_values = mentioned.variables();
        // A variable can be compared with others itself.
        let own = key.filter(|key| mentions.variables.contains(*key)).cloned();
        in_values.into_iter().chain(own).collect::<BTreeSet<String>>()
    });
    let groups: Vec<_> = groups.collect();
    let mut together = BTreeSet::from([variable.to_owned()]);
    loop {
        let before = together.len();
        for group in groups.iter().filter(|group| !group.is_disjoint(&together)).cloned().collect::<Vec<_>>() {
            together.extend(group);
        }
        if together.len() == before {
            return before;
        }
    }
}

fn with_facts(dimensions: Vec<Dimension>, own: usize, mentions: &Mentions, surroundings: &Surroundings) -> Space {
    let class_of = |dimension: usize, value: &str| {
        let classes: &[Class] = &dimensions[dimension].classes;
        classes.iter().position(|class| class.value.as_deref() == Some(value))
    };
    let known = |class: &Class| {
        let endpoint = class.value.as_ref().and_then(|id| surroundings.endpoints.get(id));
        endpoint.map_or_else(KnownEndpoint::default, |endpoint| KnownEndpoint {
            service: endpoint.service.clone(),
            vpc: endpoint.vpc_id.as_deref().and_then(|vpc| class_of(super::VPC, vpc)),
            looked_up: true,
        })
    };
    let closed = |class: &Class| class.value.as_ref().is_some_and(|vpc| surroundings.complete_vpcs.contains(vpc));
    let other = |dimension: usize, key: &str| {
        let mentioned = |id: &String| mentions.keys.get(key).is_some_and(|mentioned| mentioned.literals.contains(id));
        let other = |class: &Class| class.value.as_ref().is_some_and(|id| !mentioned(id));
        dimensions[dimension].classes.iter().position(other).expect("there is always an id that nothing mentions")
    };
    let network = [super::ROUTE, super::ENDPOINT, super::VPC, super::VPC_ADDRESS, super::ADDRESS];
    let order = [super::RESOURCE, super::PRINCIPAL, super::VIA_SERVICE].into_iter().chain(FIXED..own);
    let order = order.chain(network).chain(own..dimensions.len());
    Space {
        order: order.collect(),
        own,
        endpoints: dimensions[super::ENDPOINT].classes.iter().map(known).collect(),
        closed_vpcs: dimensions[super::VPC].classes.iter().map(closed).collect(),
        other_endpoint: other(super::ENDPOINT, "aws:sourcevpce"),
        other_vpc: other(super::VPC, "aws:sourcevpc"),
        dimensions,
    }
}

struct Builder<'a> {
    mentions: &'a Mentions,
    about: &'a About<'a>,
    pools: &'a BTreeMap<String, Vec<String>>,
    doubts: &'a mut BTreeSet<String>,
}

impl Builder<'_> {
    fn all(&mut self) -> Vec<Dimension> {
        let mut dimensions = vec![
            self.resources(),
            self.principals(),
            Dimension::of("", ["through an endpoint", "from the internet", "within AWS"].map(Some)),
            self.ids("aws:SourceVpce", "vpce-"),
            self.ids("aws:SourceVpc", "vpc-"),
            self.addresses("aws:VpcSourceIp", Among::All),
            self.addresses("aws:SourceIp", Among::Public),
            Dimension::of("aws:ViaAWSService", [Some("false"), None, Some("true")]),
        ];
        debug_assert_eq!(dimensions.len(), FIXED);
        let fixed: BTreeSet<String> = dimensions.iter().map(|dimension| dimension.key.to_ascii_lowercase()).collect();
        let mut keys: Vec<&String> = Vec::new();
        for (key, mentioned) in &self.mentions.keys {
            // A variable comes right before the key that is compared with it: both settle it.
            let variables = mentioned.variables();
            let variables = variables.iter().filter_map(|variable| self.mentions.keys.get_key_value(variable));
            for key in variables.map(|(variable, _)| variable).chain([key]) {
                if !fixed.contains(key) && !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        let (own, others): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| self.about.own_keys.contains(*key));
        debug_assert_eq!(own.len(), self.about.own_keys.len());
        for key in own.into_iter().chain(others) {
            dimensions.push(self.other(key));
        }
        dimensions
    }

    /// Profiles of the domains, of another domain beside each, and of one in another account.
    fn resources(&mut self) -> Dimension {
        let mut formats = Vec::new();
        let mut liked = Vec::new();
        for domain in &self.about.domains {
            let DomainArn { partition, region, account, .. } = domain;
            liked.push(domain.user_profiles("ada"));
            for account in [account.as_str(), other_account(account)] {
                let prefix = format!("arn:{partition}:sagemaker:{region}:{account}:user-profile/");
                let format = [then_some(&format!("{prefix}d-"), Set::Word), then_some("/", Set::Profile)].concat();
                if !formats.contains(&format) {
                    formats.push(format);
                    liked.push(format!("{prefix}d-zzzzzzzzzzzz/eve"));
                }
            }
        }
        let mentioned = &self.mentions.resources;
        let arns = self.texts("the resource", mentioned, &formats, liked);
        Dimension::of("", arns.iter().map(|arn| Some(arn.as_str())))
    }

    fn principals(&mut self) -> Dimension {
        let mut formats: Vec<Steps> = Vec::new();
        let mut liked = Vec::new();
        let accounts: BTreeSet<_> =
            self.about.domains.iter().map(|domain| (&domain.partition, &domain.account)).collect();
        for (partition, account) in accounts {
            let prefix = format!("arn:{partition}:iam::{account}:");
            formats.push(then_some(&format!("{prefix}role/"), Set::Name));
            formats.push(then_some(&format!("{prefix}user/"), Set::Name));
            formats.push(then_some(&format!("arn:{partition}:sts::{account}:federated-user/"), Set::Name));
            formats.push(exactly(&format!("{prefix}root")));
            liked.push(format!("{prefix}role/Scientist"));
        }
        let key = "aws:PrincipalArn";
        let arns = self.key_texts(key, &formats, liked);
        Dimension::of(key, arns.iter().map(|arn| Some(arn.as_str())))
    }

    fn ids(&mut self, key: &str, prefix: &str) -> Dimension {
        let mentioned = self.mentions.keys.get(&key.to_ascii_lowercase());
        let taken = |id: &String| mentioned.is_some_and(|mentioned| mentioned.literals.contains(id));
        let others = (0..16_u128.pow(8)).rev().map(|number| format!("{prefix}0ffffffff{number:08x}"));
        let liked = others.filter(|id| !taken(id)).take(1).collect();
        let ids = self.key_texts(key, &[then_some(prefix, Set::Hex)], liked);
        let present = ids.iter().map(|id| Some(id.as_str()));
        Dimension::of(key, present.chain([None]))
    }

    fn addresses(&mut self, key: &str, among: Among) -> Dimension {
        let mentioned = self.mentions.keys.get(&key.to_ascii_lowercase());
        let atoms = atoms(mentioned.into_iter().flat_map(|mentioned| &mentioned.ranges), among);
        let class = |value: Option<String>, size| Class { value, size };
        let classes = atoms.into_iter().map(|atom| class(Some(atom.example.to_string()), atom.size));
        Dimension { key: key.to_owned(), classes: classes.chain([class(None, 0)]).collect(), live: Vec::new() }
    }

    /// Any other key: absent, or one of its values.
    fn other(&mut self, key: &str) -> Dimension {
        let mentioned = &self.mentions.keys[key];
        let name = mentioned.name.clone();
        if let Some(value) = self.fixed(key) {
            return Dimension::of(&name, [Some(value.as_str())]);
        }
        let is_truth = |value: &String| ["true", "false"].contains(&value.as_str());
        if !mentioned.literals.is_empty() && mentioned.literals.iter().all(is_truth) {
            return Dimension::of(&name, [Some("true"), Some("false"), None]);
        }
        let formats = [vec![Step::One(Set::Any), Step::Many(Set::Any)]];
        // A variable that nothing is asked of but its value needs no value that no other key has.
        let only_a_variable = self.pools.contains_key(key) && mentioned.is_unasked();
        let mut values = match only_a_variable {
            true => Vec::new(),
            false => self.key_texts(key, &formats, vec!["something-else".to_owned()]),
        };
        let addresses = atoms(&mentioned.ranges, Among::All).into_iter().map(|atom| atom.example.to_string());
        values.extend(addresses.filter(|_| !mentioned.ranges.is_empty()));
        for value in self.pools.get(key).into_iter().flatten() {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        let present = values.iter().map(|value| Some(value.as_str()));
        Dimension::of(&name, present.chain([None]))
    }

    /// Keys that have the same value in every request for these domains.
    fn fixed(&self, key: &str) -> Option<String> {
        let first = self.about.domains.first()?;
        let same = |of: fn(&DomainArn) -> &str| {
            self.about.domains.iter().all(|domain| of(domain) == of(first)).then(|| of(first).to_owned())
        };
        match key {
            "aws:securetransport" => Some("true".to_owned()),
            "aws:principalisawsservice" => Some("false".to_owned()),
            "aws:principalaccount" => same(|domain| &domain.account),
            "aws:requestedregion" => same(|domain| &domain.region),
            _ => None,
        }
    }

    fn key_texts(&mut self, key: &str, formats: &[Steps], liked: Vec<String>) -> Vec<String> {
        let nothing = Mentioned::default();
        let mentions = self.mentions;
        let mentioned = mentions.keys.get(&key.to_ascii_lowercase()).unwrap_or(&nothing);
        self.texts(key, mentioned, formats, liked)
    }

    /// What is liked, then what is mentioned, then what other combinations of patterns match.
    fn texts(&mut self, what: &str, mentioned: &Mentioned, formats: &[Steps], liked: Vec<String>) -> Vec<String> {
        let mut texts = liked;
        texts.extend(mentioned.literals.iter().filter(|literal| !texts.contains(literal)).cloned().collect::<Vec<_>>());
        let literals = mentioned.literals.iter().map(|literal| exactly(literal));
        let patterns: Vec<Steps> = mentioned.patterns.iter().cloned().chain(literals).collect();
        match examples(&patterns, formats, &texts) {
            Ok(found) => {
                let new: Vec<_> = found.into_iter().filter(|text| !texts.contains(text)).collect();
                texts.extend(new);
            }
            Err(_) => drop(self.doubts.insert(format!("{what} is compared with too many patterns"))),
        }
        texts
    }
}

impl Dimension {
    fn of<'a>(key: &str, values: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let class = |value: Option<&str>| Class { value: value.map(str::to_owned), size: 0 };
        Self { key: key.to_owned(), classes: values.into_iter().map(class).collect(), live: Vec::new() }
    }

    /// Puts a class into a request.
    pub(super) fn put(&self, dimension: usize, class: usize, mut request: Request) -> Request {
        match (dimension, &self.classes[class].value) {
            (super::ROUTE, _) | (_, None) => request,
            (super::RESOURCE, Some(arn)) => {
                request.resource.clone_from(arn);
                request
            }
            (super::PRINCIPAL, Some(arn)) => request.by(arn),
            (_, Some(value)) => request.with(&self.key, value),
        }
    }
}

impl Class {
    pub(in crate::policy::analyze) fn is_ipv6(&self) -> bool {
        self.value.as_ref().and_then(|value| value.parse::<std::net::Ipv6Addr>().ok()).is_some()
    }
}

/// An account that is not this one.
fn other_account(account: &str) -> &'static str {
    if account == "999999999999" { "888888888888" } else { "999999999999" }
}
