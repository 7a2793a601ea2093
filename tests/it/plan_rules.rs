//! Terraform's rules for planned values, held against every resource that the provider offers.
//!
//! 1. What the user wrote is planned as written, or as the value that is there and means the same.
//! 2. What is known in the plan is the same after apply, and nothing is unknown any more.
//! 3. What the user did not write, and the provider does not compute, stays null.
//!
//! The first and third are tried with configurations that are made from the schemas alone, with
//! unknown values strewn in; the second needs something that can be applied.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value as Json, json};
use studio::{
    framework::{
        AnyResource, Call, Diagnostics, Dynamic, Private, Provider, Type, codec,
        schema::{Attribute, Kind, Nesting, Schema},
    },
    provider::Studio,
};

use crate::emulator::{Account, Network, REGION, SECRET_KEY};

/// Values for strings. Each attribute takes those that its own checks accept.
const WORDS: [&str; 44] = [
    "demo",
    "second",
    "demouser1",
    "studio",
    "sagemaker.api",
    "sts",
    "/",
    "/team/",
    "*",
    "vpc-0a1b2c3d",
    "subnet-0a1b2c3d",
    "subnet-1b2c3d4e",
    "subnet-2c3d4e5f",
    "sg-0a1b2c3d",
    "vpce-0a1b2c3d",
    "vpce-1b2c3d4e",
    "rslvr-in-0a1b2c3d",
    "d-abcdefghijkl",
    "Z0123456789ABC",
    "rtb-0a1b2c3d",
    "studio::",
    "ENABLED",
    "dualstack",
    "parent",
    "ip",
    "eu-central-1",
    "us-east-1",
    "30m",
    "IAM",
    "SSO",
    "ipv4",
    "Do53",
    "guard",
    "grant",
    "error",
    "warn",
    "retain",
    "none",
    "192.168.10.0/24",
    "10.1.2.3",
    "fd00::5",
    "123456789012",
    "arn:aws:iam::123456789012:role/example",
    "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl",
];

/// What names give away about the values, where a schema leaves the check to the whole.
const FORMS: [(&str, &str); 5] = [
    ("vpc_endpoint_id", "vpce-"),
    ("vpc_id", "vpc-"),
    ("cidr", "192."),
    ("domain_arn", "arn:aws:sagemaker"),
    ("arn", "arn:aws:iam"),
];

/// More tries than any attribute needs to hit upon a value that its checks accept.
const TRIES: usize = 2_000;

/// Makes configurations that a user could have written.
struct Maker {
    random: Rng,
    /// Whether values may be unknown.
    unknowns: bool,
}

impl Maker {
    fn object(&mut self, attributes: &[Attribute]) -> Dynamic {
        let fields = attributes.iter().map(|attribute| (attribute.name.to_owned(), self.attribute(attribute)));
        Dynamic::Map(fields.collect())
    }

    fn attribute(&mut self, attribute: &Attribute) -> Dynamic {
        use studio::framework::schema::Mode;
        let written = match attribute.mode {
            Mode::Required => true,
            Mode::Optional | Mode::OptionalComputed => self.random.u8(..3) == 0,
            Mode::Computed => false,
        };
        if !written {
            return Dynamic::Null;
        }
        if self.unknowns && self.random.u8(..6) == 0 {
            return Dynamic::unknown();
        }
        // Words that cannot be elements are left out beforehand; the rest is a matter of trying.
        let form = FORMS.iter().find(|(name, _)| attribute.name.contains(name)).map_or("", |(_, start)| start);
        let fits = |word: &&str| {
            let value = Dynamic::from(*word);
            word.starts_with(form) && attribute.element_checks.iter().all(|check| check(&value).is_ok())
        };
        let words: Vec<&str> = WORDS.into_iter().filter(fits).collect();
        for _ in 0..TRIES {
            let value = match &attribute.kind {
                Kind::Plain(of) => self.value(of, &words),
                Kind::Nested(nesting, inner) => self.nested(*nesting, inner),
            };
            if is_accepted(attribute, &value) {
                return value;
            }
        }
        panic!("WORDS has nothing that the checks of {:?} accept: add something", attribute.name)
    }

    fn nested(&mut self, nesting: Nesting, inner: &[Attribute]) -> Dynamic {
        let count = self.random.usize(1..3);
        match nesting {
            Nesting::Single => self.object(inner),
            Nesting::List | Nesting::Set => Dynamic::List((0..count).map(|_| self.object(inner)).collect()),
            Nesting::Map => Dynamic::Map((0..count).map(|_| (self.word(&WORDS), self.object(inner))).collect()),
        }
    }

    fn value(&mut self, of: &Type, words: &[&str]) -> Dynamic {
        let count = self.random.usize(1..4);
        match of {
            Type::Bool => Dynamic::Bool(self.random.bool()),
            Type::Number => Dynamic::from(self.random.i64(1..600)),
            Type::String | Type::Dynamic => Dynamic::String(self.word(words)),
            Type::List(of) | Type::Set(of) => Dynamic::List((0..count).map(|_| self.value(of, words)).collect()),
            Type::Map(of) => Dynamic::Map((0..count).map(|_| (self.word(&WORDS), self.value(of, words))).collect()),
            Type::Tuple(types) => Dynamic::List(types.iter().map(|of| self.value(of, words)).collect()),
            Type::Object(fields) => {
                Dynamic::Map(fields.iter().map(|(name, of)| (name.clone(), self.value(of, words))).collect())
            }
        }
    }

    fn word(&mut self, words: &[&str]) -> String {
        self.random.choice(words).copied().unwrap_or_default().to_owned()
    }
}

fn is_accepted(attribute: &Attribute, value: &Dynamic) -> bool {
    let elements: Vec<&Dynamic> = match value {
        Dynamic::List(elements) => elements.iter().collect(),
        Dynamic::Map(elements) => elements.values().collect(),
        _ => Vec::new(),
    };
    let whole = !value.is_wholly_known() || attribute.checks.iter().all(|check| check(value).is_ok());
    whole && elements.iter().all(|element| attribute.element_checks.iter().all(|check| check(element).is_ok()))
}

/// Holds rules 1 and 3 against one object. Says where they are broken.
fn breaches(attributes: &[Attribute], values: [&Dynamic; 3], path: &str, found: &mut Vec<String>) {
    let [config, prior, planned] = values;
    for attribute in attributes {
        let path = format!("{path}.{}", attribute.name);
        let of = |object: &Dynamic| object.get(attribute.name).clone();
        let (config, prior, planned) = (of(config), of(prior), of(planned));
        if attribute.write_only {
            if !planned.is_null() {
                found.push(format!("{path} is write-only and planned as {planned:?}"));
            }
        } else if config.is_null() {
            if !attribute.is_computed() && !planned.is_null() {
                found.push(format!("{path} was not written and is planned as {planned:?}"));
            }
        } else if planned != prior {
            nested_breaches(attribute, [&config, &prior, &planned], &path, found);
        }
    }
}

fn nested_breaches(attribute: &Attribute, values: [&Dynamic; 3], path: &str, found: &mut Vec<String>) {
    let [config, prior, planned] = values;
    let Kind::Nested(nesting, inner) = &attribute.kind else {
        if config != planned {
            found.push(format!("{path} was written as {config:?} and is planned as {planned:?}"));
        }
        return;
    };
    match (nesting, config, planned) {
        (Nesting::Single, Dynamic::Map(_), Dynamic::Map(_)) => breaches(inner, values, path, found),
        (Nesting::Map, Dynamic::Map(written), Dynamic::Map(planned)) if written.keys().eq(planned.keys()) => {
            for (key, element) in written {
                breaches(inner, [element, prior.get(key), &planned[key]], &format!("{path}.{key}"), found);
            }
        }
        (Nesting::List | Nesting::Set, Dynamic::List(written), Dynamic::List(planned))
            if written.len() == planned.len() =>
        {
            // Defaults may sort a set in another way, so an element may be any of those planned.
            let fits = |element: &Dynamic, planned: &Dynamic| {
                let mut inside = Vec::new();
                breaches(inner, [element, &Dynamic::Null, planned], path, &mut inside);
                inside.is_empty()
            };
            for element in written {
                if !planned.iter().any(|planned| fits(element, planned)) {
                    found.push(format!("{path}: {element:?} is not planned as written: {planned:?}"));
                }
            }
        }
        _ if config == planned => {}
        _ => found.push(format!("{path} was written as {config:?} and is planned as {planned:?}")),
    }
}

/// A provider whose configuration is not known yet: it plans without asking anybody.
async fn provider_without_aws() -> Studio {
    configured(json!({}), |name| if name == "region" { Dynamic::unknown() } else { Dynamic::Null }).await
}

/// A provider on the emulator.
async fn provider_of(account: &Account) -> Studio {
    provider_with(account, account.url()).await
}

/// A provider on the emulator, with SageMaker at this address.
pub async fn provider_with(account: &Account, sagemaker: &str) -> Studio {
    let services = ["ec2", "efs", "iam", "organizations", "ram", "route53", "route53resolver", "sts"];
    let mut endpoints: BTreeMap<_, _> = services.into_iter().map(|service| (service, account.url())).collect();
    endpoints.insert("sagemaker", sagemaker);
    let config = json!({
        "region": REGION,
        "access_key": account.access_key(),
        "secret_key": SECRET_KEY,
        "poll_interval": "20ms",
        "endpoints": [endpoints],
    });
    configured(config, |_| Dynamic::Null).await
}

async fn configured(config: Json, otherwise: impl Fn(&str) -> Dynamic) -> Studio {
    let studio = Studio::new();
    let schema = Provider::schema(&studio);
    let mut value = codec::from_json(&config, &schema.value_type()).unwrap();
    let Dynamic::Map(fields) = &mut value else { panic!("a configuration is an object") };
    for attribute in &schema.attributes {
        let field = fields.get_mut(attribute.name).unwrap();
        if field.is_null() {
            *field = otherwise(attribute.name);
        }
    }
    for block in &schema.blocks {
        let field = fields.get_mut(block.name).unwrap();
        if field.is_null() {
            *field = Dynamic::List(Vec::new());
        }
    }
    assert_well(&studio.configure(&Call::default(), value, "1.11.4").await, "configure");
    studio
}

fn assert_well(diagnostics: &Diagnostics, what: &str) {
    assert!(!diagnostics.has_errors(), "{what}: {diagnostics:?}");
}

#[tokio::test]
async fn plans_of_generated_configurations_keep_what_was_written() {
    let studio = provider_without_aws().await;
    for resource in studio.resources() {
        let (schema, value_type) = (resource.schema(), resource.value_type());
        let mut compared = 0;
        for seed in 0..600 {
            let mut maker = Maker { random: Rng::with_seed(seed), unknowns: seed % 2 == 0 };
            let mut written = |schema: &Schema| maker.object(&schema.attributes).conform(value_type).unwrap();
            let (first, second) = (written(schema), written(schema));
            let Some(created) = plan(&**resource, &first, &Dynamic::Null).await else { continue };
            assert_kept(resource.type_name(), schema, seed, [&first, &Dynamic::Null, &created]);
            compared += 1;
            // What is there after an apply, as far as it can be told without one.
            let prior = created.without_unknowns();
            if let Some(updated) = plan(&**resource, &second, &prior).await {
                assert_kept(resource.type_name(), schema, seed, [&second, &prior, &updated]);
            }
        }
        assert!(compared >= 30, "{}: only {compared} of 600 configurations were valid", resource.type_name());
    }
}

/// `None` where the configuration is refused.
async fn plan(resource: &dyn AnyResource, config: &Dynamic, prior: &Dynamic) -> Option<Dynamic> {
    if resource.validate(config.clone()).has_errors() {
        return None;
    }
    let planned = resource.plan(&Call::default(), config.clone(), prior.clone(), Private::default()).await;
    (!planned.diagnostics.has_errors()).then_some(planned.state)
}

fn assert_kept(name: &str, schema: &Schema, seed: u64, values: [&Dynamic; 3]) {
    let mut found = Vec::new();
    breaches(&schema.attributes, values, name, &mut found);
    assert!(found.is_empty(), "seed {seed}:\n{}\n{:#?}", found.join("\n"), values[0]);
}

#[test]
fn what_is_known_in_a_plan_is_the_same_after_apply() {
    let account = Account::new();
    let network = account.network();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let studio = provider_of(&account).await;
        for resource in studio.resources() {
            let mut config = configuration(resource.type_name(), &network);
            let made = apply(&**resource, &config, Dynamic::Null, Private::default()).await;
            config["tags"] = json!({ "team": "ml" });
            let (state, private) = apply(&**resource, &config, made.0, made.1).await;
            let call = Call::default();
            let gone = resource.apply(&call, Dynamic::Null, state, Dynamic::Null, private).await;
            assert_well(&gone.diagnostics, "destroy");
            assert_eq!(gone.state, None);
        }
    });
    account.assert_nothing_is_left();
}

/// The smallest configuration of each resource that can be applied.
fn configuration(name: &str, network: &Network) -> Json {
    let subnet_ids = &network.subnet_ids[..2];
    match name {
        "studio_private_domain" => json!({
            "name": "rules",
            "vpc_id": network.vpc_id,
            "subnet_ids": subnet_ids,
            "execution_role_arn": network.role_arn,
            "user_profiles": { "demouser1": {} },
            "home_efs": { "enabled": false },
        }),
        "studio_dns_forwarding" => json!({
            "name": "rules",
            "vpc_id": network.vpc_id,
            "subnet_ids": subnet_ids,
            "client_cidr_blocks": ["192.168.10.0/24"],
        }),
        "studio_presign_policy" => json!({
            "name": "rules",
            "domain_arns": ["arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl"],
            "allowed": [{ "vpc_ids": [network.vpc_id] }],
        }),
        other => panic!("{other} has no configuration here: add one"),
    }
}

/// Plans and applies, holds rule 2 against the result, and makes sure that nothing is left to do.
async fn apply(resource: &dyn AnyResource, config: &Json, prior: Dynamic, private: Private) -> (Dynamic, Private) {
    let (call, name) = (Call::default(), resource.type_name());
    let config = codec::from_json(config, resource.value_type()).unwrap();
    assert_well(&resource.validate(config.clone()), name);
    let planned = resource.plan(&call, config.clone(), prior.clone(), private).await;
    assert_well(&planned.diagnostics, name);
    assert_eq!(planned.replace, [], "{name} is not replaced");
    assert_kept(name, resource.schema(), 0, [&config, &prior, &planned.state]);

    let applied = resource.apply(&call, config.clone(), prior, planned.state.clone(), planned.private).await;
    assert_well(&applied.diagnostics, name);
    let state = applied.state.expect("it was made");
    assert!(state.is_wholly_known(), "{name}: {state:#?}");
    let mut changed = Vec::new();
    changed_values(&planned.state, &state, name, &mut changed);
    assert!(changed.is_empty(), "{}", changed.join("\n"));

    let read = resource.read(&call, state, applied.private).await;
    assert_well(&read.diagnostics, name);
    let state = read.state.expect("it is there");
    let again = resource.plan(&call, config, state.clone(), read.private.clone()).await;
    assert_well(&again.diagnostics, name);
    changed_values(&state, &again.state, name, &mut changed);
    assert!(changed.is_empty(), "a second plan is not empty: {}", changed.join("\n"));
    (state, read.private)
}

/// Where what was known is different now.
fn changed_values(before: &Dynamic, after: &Dynamic, path: &str, found: &mut Vec<String>) {
    match (before, after) {
        (Dynamic::Unknown(_), _) => {}
        (Dynamic::Map(one), Dynamic::Map(two)) if one.keys().eq(two.keys()) => {
            for (name, value) in one {
                changed_values(value, &two[name], &format!("{path}.{name}"), found);
            }
        }
        (Dynamic::List(one), Dynamic::List(two)) if one.len() == two.len() => {
            for (index, (one, two)) in one.iter().zip(two).enumerate() {
                changed_values(one, two, &format!("{path}[{index}]"), found);
            }
        }
        (one, two) if one == two => {}
        (one, two) => found.push(format!("{path}: {one:?} became {two:?}")),
    }
}
