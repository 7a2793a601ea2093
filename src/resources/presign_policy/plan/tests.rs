use super::*;
use crate::aws::Tags;
use crate::resources::presign_policy::read::{drift, project};
use crate::resources::presign_policy::schema::{Allowed, AttachTo};
use crate::resources::values::{StringMap, Strings, string_map, strings};

const DOMAIN: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-abcdefghijkl";
const OTHER: &str = "arn:aws:sagemaker:us-east-1:123456789012:domain/d-mnopqrstuvwx";
const STUDIO: &str = "vpce-0aaaaaaaa";
const API: &str = "vpce-0bbbbbbbb";

fn names(names: &[&str]) -> Strings {
    strings(names.iter().map(ToString::to_string))
}

fn endpoints(pairs: &[(&str, &str)]) -> StringMap {
    string_map(pairs.iter().map(|(service, id)| ((*service).to_owned(), (*id).to_owned())))
}

fn through(ids: &[&str]) -> Value<Vec<Value<Allowed>>> {
    Value::Known(vec![Value::Known(Allowed { vpc_endpoint_ids: names(ids), ..Allowed::default() })])
}

/// A whole one, as it is planned.
fn model() -> Model {
    let mut model = Model {
        region: "us-east-1".into(),
        name: "presign".into(),
        path: "/".into(),
        mode: "guard".into(),
        domain_arns: names(&[DOMAIN]),
        user_profile: "*".into(),
        allowed: through(&[STUDIO, API]),
        allow_via_aws_services: false.into(),
        attach_to: Value::Known(AttachTo { roles: names(&["data"]), users: names(&["ana"]), groups: Value::Null }),
        endpoint_policies: endpoints(&[("studio", STUDIO), ("sagemaker.api", API)]),
        tags_all: string_map([("team".to_owned(), "ml".to_owned())]),
        tags: string_map([("team".to_owned(), "ml".to_owned())]),
        drift: Value::Known(Vec::new()),
        ..Model::default()
    };
    foretell(&mut model, &Recorded::default());
    model
}

/// What there is after such a model was applied.
fn applied(model: &Model) -> Recorded {
    let desired = Desired::new(model).unwrap();
    let policy = Policy {
        arn: "arn:aws:iam::123456789012:policy/presign".into(),
        policy_id: "ANPA1".to_owned(),
        name: desired.name.clone(),
        path: desired.path.clone(),
        description: desired.description.clone(),
        document: desired.policy().unwrap().to_json(),
        ready: true,
        tags: desired.tags.clone(),
    };
    let endpoint = |(id, service): (&VpcEndpointId, &String)| {
        let document = desired.endpoint_policy(service).map(Document::to_json);
        (id.clone(), Endpoint { service: service.clone(), document })
    };
    Recorded {
        owner: "owner".to_owned(),
        policy: Some(policy),
        attached: desired.attached.iter().cloned().collect(),
        endpoints: desired.endpoints.iter().map(endpoint).collect(),
    }
}

fn planned(model: &Model, recorded: &Recorded) -> Vec<String> {
    let steps = steps(Some(&Desired::new(model).unwrap()), recorded);
    steps.iter().map(|step| format!("{:?} {}", step.action, step.key.name())).collect()
}

fn state(model: Model, recorded: &Recorded) -> Model {
    project(model, recorded, "us-east-1", &Tags::new())
}

#[test]
fn everything_is_made_after_the_policy() {
    let steps = steps(Some(&Desired::new(&model()).unwrap()), &Recorded::default());
    let names: Vec<_> = steps.iter().map(|step| format!("{} after {:?}", step.key.name(), step.after)).collect();
    assert_eq!(
        names,
        [
            "managed policy after {}",
            "attachment to role data after {Policy}",
            "attachment to user ana after {Policy}",
            "policy of vpce-0aaaaaaaa after {Policy}",
            "policy of vpce-0bbbbbbbb after {Policy}",
        ]
    );
}

#[test]
fn nothing_is_left_to_do_after_an_apply() {
    let recorded = applied(&model());
    assert_eq!(planned(&model(), &recorded), [""; 0]);
    let state = state(model(), &recorded);
    assert_eq!(drift(&state, &recorded), [""; 0]);
    let mut again = state.clone();
    foretell(&mut again, &recorded);
    assert_eq!(again.policy_json, state.policy_json);
    assert_eq!(again.endpoint_policy_json, state.endpoint_policy_json);
    assert_eq!(again.id, state.id);
}

#[test]
fn each_change_needs_exactly_its_steps() {
    type Change = fn(&mut Model);
    let cases: [(Change, &[&str]); 9] = [
        (|model| model.mode = "both".into(), &["Update managed policy"]),
        (|model| model.allowed = through(&[STUDIO]), &["Update managed policy"]),
        (|model| model.user_profile = "${aws:username}".into(), &[]),
        (|model| model.allow_via_aws_services = true.into(), &["Update managed policy"]),
        (|model| model.tags_all = Value::Null, &["Update managed policy"]),
        (
            |model| model.domain_arns = names(&[DOMAIN, OTHER]),
            &["Update managed policy", "Update policy of vpce-0aaaaaaaa", "Update policy of vpce-0bbbbbbbb"],
        ),
        (
            |model| {
                model.attach_to = Value::Known(AttachTo { roles: names(&["other"]), ..AttachTo::default() });
            },
            &["Create attachment to role other", "Delete attachment to role data", "Delete attachment to user ana"],
        ),
        (
            |model| model.endpoint_policies = Value::Null,
            &["Delete policy of vpce-0aaaaaaaa", "Delete policy of vpce-0bbbbbbbb"],
        ),
        (
            |model| model.endpoint_policies = endpoints(&[("studio", "vpce-0cccccccc"), ("sagemaker.api", API)]),
            &["Create policy of vpce-0cccccccc", "Delete policy of vpce-0aaaaaaaa"],
        ),
    ];
    for (change, expected) in cases {
        let recorded = applied(&model());
        let mut changed = model();
        change(&mut changed);
        assert_eq!(planned(&changed, &recorded), expected);
    }
}

#[test]
fn the_policy_goes_last() {
    let steps = steps(None, &applied(&model()));
    let policy = steps.iter().find(|step| step.key == Key::Policy).unwrap();
    assert_eq!(policy.after.len(), 4);
    assert!(steps.iter().filter(|step| step.key != Key::Policy).all(|step| step.after.is_empty()));
}

#[test]
fn another_spelling_in_aws_is_no_drift() {
    let mut recorded = applied(&model());
    let policy = recorded.policy.as_mut().unwrap();
    let reordered =
        policy.document.replace(r#""vpce-0aaaaaaaa","vpce-0bbbbbbbb""#, r#""vpce-0bbbbbbbb","vpce-0aaaaaaaa""#);
    assert_ne!(policy.document, reordered);
    policy.document =
        reordered.replace(r#""sagemaker:CreatePresignedDomainUrl""#, r#"["sagemaker:createpresigneddomainurl"]"#);
    assert_eq!(planned(&model(), &recorded), [""; 0]);
    assert_eq!(state(model(), &recorded).policy_json, model().policy_json);
}

#[test]
fn a_widened_policy_shows_and_is_put_right() {
    let mut recorded = applied(&model());
    let policy = recorded.policy.as_mut().unwrap();
    policy.document = policy.document.replace(r#""vpce-0bbbbbbbb""#, r#""vpce-0bbbbbbbb","vpce-0dddddddd""#);
    let state = state(model(), &recorded);
    assert!(state.policy_json.text().unwrap().contains("vpce-0dddddddd"));
    assert_eq!(drift(&state, &recorded), [""; 0], "an attribute shows it");
    assert_eq!(planned(&state, &recorded), ["Update managed policy"]);
    let mut again = state;
    foretell(&mut again, &recorded);
    assert_eq!(again.policy_json, model().policy_json);
}

#[test]
fn an_endpoint_whose_policy_was_taken_away_shows_and_is_put_right() {
    let mut recorded = applied(&model());
    recorded.endpoints.get_mut(&VpcEndpointId::from(API)).unwrap().document = None;
    let state = state(model(), &recorded);
    let shown = &state.endpoint_policy_json.known().unwrap()["sagemaker.api"];
    assert_eq!(*shown, Document::full_access().to_json());
    assert_eq!(planned(&state, &recorded), ["Update policy of vpce-0bbbbbbbb"]);
}

#[test]
fn a_lost_attachment_or_endpoint_shows_where_it_was_written() {
    let mut recorded = applied(&model());
    recorded.attached.users.clear();
    recorded.endpoints.remove(&VpcEndpointId::from(API));
    let state = state(model(), &recorded);
    let attach_to = state.attach_to.known().unwrap();
    assert_eq!(attach_to.roles, names(&["data"]));
    assert_eq!(attach_to.users, names(&[]));
    assert_eq!(state.endpoint_policies, endpoints(&[("studio", STUDIO)]));
    assert_eq!(planned(&model(), &recorded), ["Create attachment to user ana", "Create policy of vpce-0bbbbbbbb"]);
}

#[test]
fn what_was_not_written_stays_so() {
    let mut plain = model();
    plain.attach_to = Value::Null;
    plain.endpoint_policies = Value::Null;
    plain.tags = Value::Null;
    plain.tags_all = string_map([]);
    let recorded = applied(&plain);
    let state = state(plain, &recorded);
    assert!(state.attach_to.is_null() && state.endpoint_policies.is_null() && state.tags.is_null());
}

#[test]
fn an_endpoint_that_could_not_be_set_back_is_told_of() {
    let mut recorded = applied(&model());
    let old = recorded.endpoints[&VpcEndpointId::from(STUDIO)].clone();
    let mut moved = model();
    moved.endpoint_policies = endpoints(&[("studio", "vpce-0cccccccc"), ("sagemaker.api", API)]);
    recorded.endpoints.insert("vpce-0cccccccc".into(), old);
    let state = state(moved.clone(), &recorded);
    assert_eq!(state.endpoint_policies, moved.endpoint_policies);
    assert_eq!(drift(&state, &recorded), ["The policy of vpce-0aaaaaaaa is still set, and not wanted any more."]);
}

#[test]
fn a_policy_that_was_not_seen_yet_is_looked_at_again() {
    let mut recorded = applied(&model());
    recorded.policy.as_mut().unwrap().ready = false;
    assert_eq!(planned(&model(), &recorded), ["Update managed policy"]);
    assert_eq!(drift(&model(), &recorded), ["IAM has not yet shown the managed policy as it was made."]);
}

#[test]
fn a_failed_change_of_the_document_shows_what_still_holds() {
    let recorded = applied(&model());
    let mut changed = model();
    changed.mode = "both".into();
    foretell(&mut changed, &recorded);
    let after = state(changed.clone(), &recorded);
    assert_eq!(after.policy_json, model().policy_json);
    assert_ne!(after.policy_json, changed.policy_json);
}

#[test]
fn only_awss_own_names_are_unknown_in_the_plan_of_a_creation() {
    let planned = model();
    assert!(planned.id.is_unknown() && planned.arn.is_unknown() && planned.policy_id.is_unknown());
    assert!(planned.policy_json.is_known() && planned.scp_json.is_known() && planned.endpoint_policy_json.is_known());
}

#[test]
fn a_document_that_depends_on_something_unknown_is_unknown() {
    let mut unknown = model();
    unknown.allowed = Value::Unknown;
    foretell(&mut unknown, &applied(&model()));
    assert!(unknown.policy_json.is_unknown() && unknown.scp_json.is_unknown());
    assert!(unknown.endpoint_policy_json.is_known());
}

#[test]
fn what_is_not_known_is_not_taken_for_nothing() {
    let changes: [fn(&mut Model); 4] = [
        |model| model.attach_to = Value::Unknown,
        |model| model.attach_to = Value::Known(AttachTo { roles: Value::Unknown, ..AttachTo::default() }),
        |model| model.endpoint_policies = Value::Unknown,
        |model| model.tags_all = Value::Unknown,
    ];
    for change in changes {
        let mut unknown = model();
        change(&mut unknown);
        assert!(Desired::new(&unknown).is_none());
    }
    let mut unknown = model();
    unknown.allowed = Value::Unknown;
    assert!(!Desired::new(&unknown).unwrap().is_complete());
}

#[test]
fn after_the_import_of_another_policy_nothing_is_done_to_it() {
    let mut recorded = applied(&model());
    recorded.attached = Default::default();
    recorded.endpoints.clear();
    recorded.policy.as_mut().unwrap().document =
        r#"{"Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#.to_owned();
    let imported = state(Model::default(), &recorded);
    assert_eq!(drift(&imported, &recorded), [""; 0]);
    assert!(imported.domain_arns.is_null());
    let shown = imported.policy_json.text().unwrap();
    assert!(shown.contains("Deny"), "{shown}");
    assert_eq!(imported.tags, model().tags);
}
