//! With whom `studio_dns_forwarding` shares its rules: accounts, units and organizations, by id and by ARN.

use aws_sdk_organizations::types::OrganizationFeatureSet;
use serde_json::{Value as Json, json};

use crate::{
    dns_forwarding::ADDRESS,
    dns_forwarding_outbound::Made,
    emulator::{Account, Outside},
    said::in_one_line,
    terraform::Workspace,
};

/// An organization with two units and one member.
struct Organization {
    id: String,
    arn: String,
    units: [String; 2],
    unit_arns: [String; 2],
    member: String,
}

impl Organization {
    /// The account becomes its management account.
    fn of(outside: &Outside) -> Self {
        let asked = outside.organizations();
        let made = outside.run(asked.create_organization().feature_set(OrganizationFeatureSet::All).send());
        let made = made.organization.expect("it was made");
        let root = outside.run(asked.list_roots().send()).roots.unwrap_or_default()[0].id.clone();
        let unit = |name: &str| {
            let create = asked.create_organizational_unit().set_parent_id(root.clone()).name(name);
            let made = outside.run(create.send()).organizational_unit.expect("it was made");
            (made.id.expect("it has one"), made.arn.expect("it has one"))
        };
        let [(one, one_arn), (other, other_arn)] = ["one", "other"].map(unit);
        let member = asked.create_account().account_name("member").email("member@example.com");
        let member = outside.run(member.send()).create_account_status.and_then(|status| status.account_id);
        Organization {
            id: made.id.expect("it has one"),
            arn: made.arn.expect("it has one"),
            units: [one, other],
            unit_arns: [one_arn, other_arn],
            member: member.expect("it has an id"),
        }
    }
}

/// Nothing is made yet.
fn prepared(account: Account, share_with: impl Fn(&Organization) -> Json) -> (Made, Organization) {
    let mut made = Made::prepared(account);
    let organization = Organization::of(&made.outside);
    set(&mut made, share_with(&organization));
    (made, organization)
}

fn set(made: &mut Made, share_with: Json) {
    made.half["share_with"] = share_with;
    made.config = made.config.with("outbound", made.half.clone());
    made.workspace.write(&made.config.hcl());
}

fn sorted(mut texts: Vec<String>) -> Vec<String> {
    texts.sort();
    texts
}

/// The plan fails with this one error, at `share_with`, and nothing was made.
fn assert_refused(made: &Made, needed: &[&str]) {
    let before = made.account.changes();
    let text = in_one_line(&made.workspace.plan_expect_error());
    assert_eq!(text.matches("Error: ").count(), 1, "{text}");
    assert!(text.contains("outbound = {") && text.contains("share_with"), "it points at the attribute: {text}");
    for needed in needed {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    assert_eq!(made.account.changes(), before, "nothing may be made");
}

// ---- Spellings ----

#[test]
fn ids_are_completed_and_the_other_spelling_is_no_change() {
    let (mut made, organization) = prepared(Account::new(), |own| json!([own.member, own.id, own.units[0]]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    let expected = [&organization.arn, &organization.unit_arns[0], &organization.member].map(Clone::clone);
    assert_eq!(made.principals(), sorted(expected.to_vec()));
    let asked = made.account.count("DescribeOrganization");
    assert!(asked > 0);

    // The other spelling, all or in part.
    set(&mut made, json!(expected));
    made.workspace.plan().assert_empty();
    set(&mut made, json!([organization.member, organization.id, organization.unit_arns[0]]));
    made.workspace.plan().assert_empty();
    assert_eq!(made.account.count("DescribeOrganization"), asked, "what is shared with already is not asked for again");

    // An import finds ARNs, and the ids in the configuration mean the same.
    set(&mut made, json!([organization.member, organization.id, organization.units[0]]));
    let id = made.text("id");
    made.workspace.forget(ADDRESS);
    made.workspace.import(ADDRESS, &id);
    made.workspace.plan().assert_empty();

    // Another unit, in place; the others are left as they are.
    let share = made.text("resource_share_arn");
    let other = json!([organization.member, organization.id, organization.units[1]]);
    made.change_half("share_with", other, &["outbound.share_with"]);
    let expected = [&organization.arn, &organization.unit_arns[1], &organization.member].map(Clone::clone);
    assert_eq!(made.principals(), sorted(expected.to_vec()));
    assert_eq!(made.text("resource_share_arn"), share);
    assert_eq!(made.account.count("DisassociateResourceShare"), 1);
    made.destroy();
}

#[test]
fn arns_are_taken_as_they_are_and_nobody_is_asked() {
    let (made, organization) = prepared(Account::new(), |own| json!([own.arn, own.unit_arns[1]]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.principals(), sorted(vec![organization.arn.clone(), organization.unit_arns[1].clone()]));
    assert_eq!(made.account.count("DescribeOrganization"), 0);
    made.destroy();
}

#[test]
fn a_member_account_completes_ids_too() {
    let account = Account::new();
    let organization = Organization::of(&account.outside());
    let mut made = Made::prepared(account.named(&organization.member));
    set(&mut made, json!([organization.units[0]]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.principals(), [organization.unit_arns[0].as_str()]);
    made.destroy();
}

#[test]
fn an_id_that_is_known_late_is_completed_late() {
    let (made, organization) = prepared(Account::new(), |own| json!([own.member]));
    let data = format!("resource \"terraform_data\" \"unit\" {{\n  input = {:?}\n}}\n", organization.units[0]);
    let late = json!(organization.member).to_string();
    let hcl = made.config.hcl().replace(&late, "terraform_data.unit.output");
    made.workspace.write(&(hcl + &data));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.principals(), [organization.unit_arns[0].as_str()]);
    // One that is of no use is told of before anything is changed.
    let (made, organization) = prepared(Account::new(), |own| json!([own.member]));
    let data = "resource \"terraform_data\" \"unit\" {\n  input = \"o-zzzzzzzzzz\"\n}\n";
    let late = json!(organization.member).to_string();
    made.workspace.write(&(made.config.hcl().replace(&late, "terraform_data.unit.output") + data));
    let before = made.account.changes();
    let text = in_one_line(&made.workspace.apply_expect_error());
    assert!(text.contains("Another organization"), "{text}");
    assert_eq!(made.account.changes(), before);
}

// ---- Refused ----

#[test]
fn another_organization_is_refused_where_it_stands() {
    let (mut made, organization) = prepared(Account::new(), |_| json!(["o-zzzzzzzzzz"]));
    let own = format!("belongs to the organization {}", organization.id);
    assert_refused(&made, &["Another organization", &own, "single accounts of o-zzzzzzzzzz"]);
    let unit = "arn:aws:organizations::111111111111:ou/o-zzzzzzzzzz/ou-zzzz-zzzzzzzz";
    set(&mut made, json!([organization.id, unit]));
    assert_refused(&made, &["Another organization", &own]);
}

#[test]
fn without_an_organization_there_is_nothing_to_complete_an_id_from() {
    let mut made = Made::prepared(Account::new());
    set(&mut made, json!(["400000000001", "ou-abcd-abcdefgh"]));
    assert_refused(&made, &["The account belongs to no organization", "ou-abcd-abcdefgh", "Name single accounts"]);
    set(&mut made, json!(["ou-abcd"]));
    assert_refused(&made, &["\"ou-abcd\" is neither an account id of twelve digits, nor the id or ARN"]);
}

#[test]
fn without_the_permission_the_arn_can_be_given_instead() {
    let (mut made, organization) = prepared(Account::alone(), |own| json!([own.units[0]]));
    let denied = json!({ "code": "AccessDeniedException" });
    made.account.rules(json!([{ "service": "organizations", "operation": "DescribeOrganization", "error": denied }]));
    let arn = format!("arn:aws:organizations::<management account>:ou/o-…/{}", organization.units[0]);
    assert_refused(&made, &["An id cannot be completed", "organizations:DescribeOrganization", &arn]);
    set(&mut made, json!([organization.unit_arns[0]]));
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    made.destroy();
}

#[test]
fn where_sharing_with_the_organization_is_off_the_error_says_so_at_once() {
    let (made, organization) = prepared(Account::alone(), |own| json!([own.id]));
    let message = format!("Organization {} could not be found.", organization.id);
    let error = json!({ "code": "UnknownResourceException", "message": message });
    made.account.rules(json!([{ "service": "ram", "operation": "CreateResourceShare", "times": 1, "error": error }]));
    let text = in_one_line(&made.workspace.apply_expect_error());
    for needed in [&*message, "sharing with the organization is not turned on", "forward rule"] {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    made.workspace.untaint(ADDRESS);
    made.workspace.apply();
    made.workspace.plan().assert_empty();
    assert_eq!(made.principals(), [organization.arn.as_str()]);
    made.destroy();
}

// ---- Invited ----

#[test]
fn an_account_outside_of_the_organization_is_invited_and_not_waited_for() {
    let other = Account::new();
    let (mut made, organization) = prepared(Account::new(), |own| json!([own.member]));
    made.workspace.apply();
    set(&mut made, json!([organization.member, other.id]));
    let text = in_one_line(&made.workspace.apply());
    let warning = format!("RAM has invited it to {}", made.text("resource_share_arn"));
    for needed in ["Warning: An account has been invited", &other.id, &warning] {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    assert!(!in_one_line(&made.workspace.plan().text).contains("has been invited"), "it is said once");
    made.workspace.plan().assert_empty();
    assert_eq!(made.principals(), [organization.member.as_str()]);

    // It declines: that is told of, and the next apply invites it anew.
    let theirs = other.outside();
    let invitations = || {
        let found = theirs.run(theirs.ram().get_resource_share_invitations().send());
        let found = found.resource_share_invitations.unwrap_or_default();
        found.into_iter().filter_map(|one| one.resource_share_invitation_arn).collect::<Vec<_>>()
    };
    let first = invitations()[0].clone();
    theirs.run(theirs.ram().reject_resource_share_invitation().resource_share_invitation_arn(first).send());
    let before = made.workspace.plan().change().before["drift"].to_string();
    assert!(before.contains(&format!("{} is FAILED", other.id)), "{before}");
    assert!(in_one_line(&made.workspace.apply()).contains("An account has been invited"));
    made.workspace.plan().assert_empty();

    // It accepts.
    let second = invitations()[0].clone();
    theirs.run(theirs.ram().accept_resource_share_invitation().resource_share_invitation_arn(second).send());
    made.workspace.plan().assert_empty();
    assert_eq!(made.principals(), sorted(vec![organization.member.clone(), other.id.clone()]));
    let rule = made.rules()[0].id.clone();
    theirs.run(theirs.route53resolver().get_resolver_rule().set_resolver_rule_id(rule).send());
    made.destroy();
}

// ---- The example ----

#[test]
fn the_example_of_the_documentation_works() {
    const EXAMPLE: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/resources/studio_dns_forwarding/resource.tf"));
    let account = Account::new();
    let outside = account.outside();
    let organization = Organization::of(&outside);
    let [studio, network, data] = [(); 3].map(|()| account.network());
    // Nothing but what is said of the world around it is exchanged.
    let (start, rest) = EXAMPLE.split_once("# To be included in named.conf").expect("it shows a file");
    let (_, shared) = rest.split_once("\n}\n").expect("the file's block ends");
    let list = |subnets: &[String]| json!(subnets[..2]).to_string();
    let mut hcl = start.to_owned() + shared;
    for (name, value) in [
        ("aws_vpc.studio.id", json!(studio.vpc_id).to_string()),
        ("aws_vpc.network.id", json!(network.vpc_id).to_string()),
        ("aws_vpc.network.cidr_block", json!("10.0.0.0/16").to_string()),
        ("aws_vpc.data.id", json!(data.vpc_id).to_string()),
        ("aws_subnet.studio[*].id", list(&studio.subnet_ids)),
        ("aws_subnet.network[*].id", list(&network.subnet_ids)),
        ("aws_subnet.studio[0].id", json!(studio.subnet_ids[1]).to_string()),
        ("aws_subnet.studio[1].id", json!(studio.subnet_ids[2]).to_string()),
        ("ou-abcd-11111111", organization.units[0].clone()),
    ] {
        assert!(hcl.contains(name), "{name} is not in: {hcl}");
        hcl = hcl.replace(name, &value);
    }
    assert!(!hcl.contains("aws_"), "{hcl}");
    account.keep_everything();
    let workspace = Workspace::with(&account, &hcl);
    workspace.apply();
    workspace.plan().assert_empty();
    let shared = workspace.state().values("studio_dns_forwarding.shared");
    assert_eq!(shared["rule_ids"].as_object().map(serde_json::Map::len), Some(2));
    assert!(shared["resource_share_arn"].is_string());
    workspace.destroy();
    account.assert_nothing_is_left();
}
