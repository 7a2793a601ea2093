//! What `studio_dns_forwarding` finds wrong before it makes anything: each kind of finding once, with the real Terraform,
//! at the attribute at fault.

use std::collections::BTreeSet;

use aws_sdk_route53resolver::types::{
    IpAddressRequest, Protocol, ResolverEndpointDirection, ResolverEndpointStatus, RuleTypeOption, TargetAddress,
};
use serde_json::{Value as Json, json};

use crate::{
    dns_forwarding::{ADDRESS, Forwarding},
    emulator::{Account, Call, Network, Outside, REGION},
    said::in_one_line,
    terraform::{Workspace, wait_until},
};

/// The look-ups of a refresh. `ListResolverRuleAssociations` is one, too, where it asks for those of a rule.
const REFRESH: [&str; 10] = [
    "DescribeSecurityGroupRules",
    "DescribeSecurityGroups",
    "GetCallerIdentity",
    "GetResolverEndpoint",
    "GetResolverRule",
    "GetResourceShareAssociations",
    "GetResourceShares",
    "ListResolverEndpointIpAddresses",
    "ListResolverRuleAssociations",
    "ListTagsForResource",
];

/// A network in an account, and somebody else who works there.
struct Place {
    account: Account,
    network: Network,
    outside: Outside,
}

impl Place {
    fn new() -> Self {
        Self::of(Account::new())
    }

    fn of(account: Account) -> Self {
        let network = account.network();
        let outside = account.outside();
        Place { account, network, outside }
    }

    /// The usual configuration, with these attributes instead.
    fn config(&self, attributes: Json) -> Forwarding {
        let attributes = attributes.as_object().expect("attributes have names").clone();
        attributes.into_iter().fold(Forwarding::new(&self.network), |config, (name, value)| config.with(&name, value))
    }

    /// Fixed addresses in the first two subnets instead of subnets.
    fn fixed(&self, ips: [&str; 2]) -> Forwarding {
        self.config(json!({ "subnet_ids": null, "ip_addresses": addresses(&self.network, ips) }))
    }

    /// The plan fails with one error, which stands at this attribute and says all of this. Nothing was made.
    fn assert_refused(&self, config: &Forwarding, attribute: &str, needed: &[&str]) {
        let before = self.account.changes();
        let text = in_one_line(&Workspace::with(&self.account, &config.hcl()).plan_expect_error());
        assert_eq!(text.matches("Error: ").count(), 1, "{text}");
        let error = &text[text.find("Error: ").expect("there is one")..];
        assert_said(error, attribute, needed);
        assert_eq!(self.account.changes(), before, "nothing may be made");
    }

    /// The plan comes about, with a warning that stands at this attribute and says all of this.
    fn assert_warned(&self, config: &Forwarding, attribute: &str, needed: &[&str]) {
        let text = in_one_line(&Workspace::with(&self.account, &config.hcl()).plan().text);
        let summary = format!("Warning: {}", needed[0]);
        let start = text.find(&summary).unwrap_or_else(|| panic!("{summary:?} is not in: {text}"));
        let rest = &text[start..];
        let end = rest[1..].find("Warning: ").map_or(rest.len(), |end| end + 1);
        assert_said(&rest[..end], attribute, needed);
    }

    /// The plan comes about, and says nothing of the kind.
    fn assert_silent(&self, config: &Forwarding, unwanted: &str) {
        let text = in_one_line(&Workspace::with(&self.account, &config.hcl()).plan().text);
        assert!(!text.contains(unwanted), "{unwanted:?} is in: {text}");
    }

    /// A network interface that somebody has.
    fn interface(&self, subnet: &str, ip: &str) -> String {
        let create = self.outside.ec2().create_network_interface().subnet_id(subnet).private_ip_address(ip);
        let made = self.outside.run(create.description("a printer").send());
        made.network_interface.and_then(|made| made.network_interface_id).expect("it was made")
    }

    /// A subnet in the first one's zone.
    fn neighbour(&self, network: &Network) -> String {
        let ec2 = self.outside.ec2();
        let found = self.outside.run(ec2.describe_subnets().subnet_ids(&network.subnet_ids[0]).send());
        let zone = found.subnets()[0].availability_zone().expect("it has one").to_owned();
        let create = ec2.create_subnet().vpc_id(&network.vpc_id).cidr_block("10.0.200.0/24").availability_zone(zone);
        self.outside.run(create.send()).subnet.and_then(|made| made.subnet_id).expect("it was made")
    }

    /// An endpoint that somebody has.
    fn endpoint(&self, network: &Network, direction: ResolverEndpointDirection, name: &str) -> String {
        let resolver = self.outside.route53resolver();
        let address = |index: usize| {
            IpAddressRequest::builder().subnet_id(&network.subnet_ids[index]).build().expect("it is complete")
        };
        let create = resolver.create_resolver_endpoint().creator_request_id(name).name(name).direction(direction);
        let create = create.security_group_ids(&network.default_security_group_id).protocols(Protocol::Do53);
        let made = self.outside.run(create.ip_addresses(address(0)).ip_addresses(address(1)).send());
        let id = made.resolver_endpoint.and_then(|made| made.id).expect("it was made");
        wait_until("the endpoint is operational", || {
            let found = self.outside.run(resolver.get_resolver_endpoint().resolver_endpoint_id(&id).send());
            found.resolver_endpoint.and_then(|one| one.status) == Some(ResolverEndpointStatus::Operational)
        });
        id
    }

    /// A forward rule that somebody has put on a VPC.
    fn rule(&self, endpoint: &str, zone: &str, vpc: &str) -> String {
        let resolver = self.outside.route53resolver();
        let target = TargetAddress::builder().ip("192.168.1.1").port(53).build();
        let create = resolver.create_resolver_rule().creator_request_id(zone).name("theirs").domain_name(zone);
        let create = create.rule_type(RuleTypeOption::Forward).resolver_endpoint_id(endpoint).target_ips(target);
        let id = self.outside.run(create.send()).resolver_rule.and_then(|made| made.id).expect("it was made");
        self.outside.run(resolver.associate_resolver_rule().resolver_rule_id(&id).vpc_id(vpc).send());
        id
    }

    /// Routes these addresses to a virtual private gateway, as a VPN has it.
    fn lead_to(&self, cidr: &str) {
        let ec2 = self.outside.ec2();
        let gateway = self.outside.run(ec2.create_vpn_gateway().r#type("ipsec.1".into()).send());
        let gateway = gateway.vpn_gateway.and_then(|made| made.vpn_gateway_id).expect("it was made");
        let attach = ec2.attach_vpn_gateway().vpn_gateway_id(&gateway).vpc_id(&self.network.vpc_id);
        self.outside.run(attach.send());
        let route = ec2.create_route().route_table_id(&self.network.route_table_id).destination_cidr_block(cidr);
        self.outside.run(route.gateway_id(&gateway).send());
    }
}

fn addresses(network: &Network, ips: [&str; 2]) -> Json {
    json!([
        { "subnet_id": network.subnet_ids[0], "ip": ips[0] },
        { "subnet_id": network.subnet_ids[1], "ip": ips[1] },
    ])
}

/// Terraform shows the line that the attribute stands on.
fn assert_said(text: &str, attribute: &str, needed: &[&str]) {
    for needed in needed {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    assert!(text.contains(&format!(": {attribute} = ")), "it does not stand at {attribute}: {text}");
}

fn operations(calls: &[Call]) -> BTreeSet<&str> {
    calls.iter().map(|call| call.operation.as_str()).collect()
}

fn studio_zone() -> String {
    format!("studio.{REGION}.sagemaker.aws")
}

// ---- Addresses ----

#[test]
fn a_fixed_address_that_another_interface_has_is_refused() {
    let place = Place::new();
    let interface = place.interface(&place.network.subnet_ids[1], "10.0.1.77");
    let said = format!(
        "10.0.1.77 of {} belongs to the network interface {interface} (a printer). Choose another address.",
        place.network.subnet_ids[1]
    );
    place.assert_refused(&place.fixed(["10.0.0.77", "10.0.1.77"]), "ip_addresses", &["An address is taken", &said]);
    let outbound = json!({ "ip_addresses": addresses(&place.network, ["10.0.0.77", "10.0.1.77"]) });
    let needed = ["An address is taken", &*said];
    place.assert_refused(&place.config(json!({ "outbound": outbound })), "outbound", &needed);
}

#[test]
fn the_addresses_of_the_endpoint_itself_are_not_in_its_way() {
    let place = Place::new();
    let config = place.fixed(["10.0.0.10", "10.0.1.10"]);
    let workspace = Workspace::with(&place.account, &config.hcl());
    workspace.apply();
    // Neither when one is changed, nor when another endpoint with the same addresses takes its place.
    workspace.write(&place.fixed(["10.0.0.10", "10.0.1.20"]).hcl());
    workspace.apply();
    let group = place.network.default_security_group_id.clone();
    let moved = place.fixed(["10.0.0.10", "10.0.1.20"]).with("client_cidr_blocks", Json::Null);
    workspace.write(&moved.with("security_group_ids", json!([group])).hcl());
    assert_eq!(workspace.plan().change().actions, ["delete", "create"]);
    workspace.apply();
    workspace.plan().assert_empty();
    assert_eq!(workspace.state().values(ADDRESS)["inbound_ips"], json!(["10.0.0.10", "10.0.1.20"]));
    workspace.destroy();
    place.account.assert_nothing_is_left();
}

#[test]
fn an_address_that_its_subnet_cannot_give_is_refused() {
    let place = Place::new();
    let kept = format!("is one of the five addresses that AWS keeps for itself in {}", place.network.subnet_ids[0]);
    let outside = format!("10.0.9.9 is not in {}, whose range is 10.0.0.0/24.", place.network.subnet_ids[0]);
    for (ip, said) in [("10.0.0.0", &kept), ("10.0.0.3", &kept), ("10.0.0.255", &kept), ("10.0.9.9", &outside)] {
        place.assert_refused(&place.fixed([ip, "10.0.1.10"]), "ip_addresses", &["Invalid ip", said]);
    }
    let outbound = json!({ "ip_addresses": addresses(&place.network, ["10.0.9.9", "10.0.1.10"]) });
    place.assert_refused(&place.config(json!({ "outbound": outbound })), "outbound", &["Invalid ip", &outside]);
}

#[test]
fn what_is_fixed_late_is_checked_late_and_before_anything_is_made() {
    let place = Place::new();
    let interface = place.interface(&place.network.subnet_ids[1], "10.0.1.77");
    let data = "resource \"terraform_data\" \"ip\" {\n  input = \"10.0.1.77\"\n}\n";
    let hcl = place.fixed(["10.0.0.77", "10.0.1.77"]).hcl().replace("\"10.0.1.77\"", "terraform_data.ip.output");
    let workspace = Workspace::with(&place.account, &(hcl + data));
    assert!(!workspace.plan().text.contains("is taken"));
    let before = place.account.changes();
    let text = in_one_line(&workspace.apply_expect_error());
    assert!(text.contains("An address is taken") && text.contains(&interface), "{text}");
    assert_eq!(place.account.changes(), before, "nothing may be made");
}

// ---- Subnets ----

#[test]
fn subnets_of_one_zone_are_refused_for_either_endpoint() {
    let place = Place::new();
    let neighbour = place.neighbour(&place.network);
    let subnets = json!([place.network.subnet_ids[0], neighbour]);
    let needed = ["Only one Availability Zone", "All subnets are in us-east-1a", "two Availability Zones at least"];
    place.assert_refused(&place.config(json!({ "subnet_ids": subnets })), "subnet_ids", &needed);
    let outbound = json!({ "subnet_ids": subnets });
    place.assert_refused(&place.config(json!({ "outbound": outbound })), "outbound", &needed);
    let fixed = json!([
        { "subnet_id": place.network.subnet_ids[0], "ip": "10.0.0.10" },
        { "subnet_id": neighbour, "ip": "10.0.200.10" },
    ]);
    let fixed = place.config(json!({ "subnet_ids": null, "ip_addresses": fixed }));
    place.assert_refused(&fixed, "ip_addresses", &needed);
}

#[test]
fn a_subnet_of_another_vpc_or_of_nobody_is_refused() {
    let place = Place::new();
    let other = place.account.network();
    let (ours, theirs) = (&place.network, &other.subnet_ids[1]);
    let said = format!("{theirs} is in {}, not in {}. Give subnets of vpc_id.", other.vpc_id, ours.vpc_id);
    let subnets = json!([ours.subnet_ids[0], theirs]);
    place.assert_refused(&place.config(json!({ "subnet_ids": subnets })), "subnet_ids", &["Invalid subnet", &said]);
    let said = format!("{theirs} is in {}, not in {}. Give subnets of outbound.vpc_id.", other.vpc_id, ours.vpc_id);
    let outbound = place.config(json!({ "outbound": { "subnet_ids": subnets } }));
    place.assert_refused(&outbound, "outbound", &["Invalid subnet", &said]);
    let nobodys = place.config(json!({ "subnet_ids": [ours.subnet_ids[0], "subnet-0123456789abcdef0"] }));
    let said = "There is no subnet subnet-0123456789abcdef0 in this account and Region.";
    place.assert_refused(&nobodys, "subnet_ids", &["Invalid subnet", said]);
    let six = place.config(json!({ "ip_address_type": "dualstack" }));
    let text = in_one_line(&Workspace::with(&place.account, &six.hcl()).plan_expect_error());
    assert!(text.contains("has no IPv6 range, and the endpoint is to have IPv6 addresses."), "{text}");
}

// ---- Loops ----

#[test]
fn rules_that_ask_the_inbound_addresses_by_name_are_a_loop_too() {
    let place = Place::new();
    let half = |targets: Json| {
        let subnets = &place.network.subnet_ids[..2];
        json!({ "subnet_ids": subnets, "vpc_ids": [place.network.vpc_id], "target_ips": targets })
    };
    let fixed = place.fixed(["10.0.0.10", "10.0.1.10"]);
    let needed = ["The queries would go round in a loop", &place.network.vpc_id, "remove it from vpc_ids"];
    place.assert_refused(&fixed.with("outbound", half(json!(["10.0.1.10"]))), "outbound", &needed);
    place.assert_refused(&fixed.with("outbound", half(Json::Null)), "outbound", &needed);
    place.assert_silent(&fixed.with("outbound", half(json!(["192.168.1.53"]))), "in a loop");
    // Addresses that Resolver chose are known once the endpoint is there.
    let workspace = Workspace::with(&place.account, &place.config(json!({})).hcl());
    workspace.apply();
    let ips = workspace.state().values(ADDRESS)["inbound_ips"].clone();
    let before = place.account.changes();
    workspace.write(&place.config(json!({ "outbound": half(ips) })).hcl());
    let text = in_one_line(&workspace.plan_expect_error());
    assert!(needed.iter().all(|needed| text.contains(needed)), "{text}");
    assert_eq!(place.account.changes(), before);
    workspace.write(&place.config(json!({})).hcl());
    workspace.destroy();
}

// ---- Rules of others ----

#[test]
fn another_rule_for_a_zone_on_a_vpc_is_refused() {
    let place = Place::new();
    let [theirs, client, spare] = [(); 3].map(|()| place.account.network());
    let endpoint = place.endpoint(&theirs, ResolverEndpointDirection::Outbound, "theirs");
    let rule = place.rule(&endpoint, &studio_zone(), &client.vpc_id);
    place.rule(&endpoint, "corp.example.com", &spare.vpc_id);
    let half = |vpcs: &[&str]| json!({ "subnet_ids": place.network.subnet_ids[..2], "vpc_ids": vpcs });
    let said = format!("{} has the rule {rule} for {} already", client.vpc_id, studio_zone());
    let needed = ["A VPC has another rule for the zone", &*said, "remove the VPC from vpc_ids"];
    let both = place.config(json!({ "outbound": half(&[&client.vpc_id, &spare.vpc_id]) }));
    place.assert_refused(&both, "outbound", &needed);
    // A rule for something else is nobody's business, and what this resource made is not in its own way.
    let workspace = Workspace::with(&place.account, &place.config(json!({ "outbound": half(&[&spare.vpc_id]) })).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let id = workspace.state().values(ADDRESS)["id"].as_str().expect("it has one").to_owned();
    workspace.forget(ADDRESS);
    workspace.import(ADDRESS, &id);
    workspace.write(&place.config(json!({ "outbound": half(&[&spare.vpc_id, &theirs.vpc_id]) })).hcl());
    workspace.apply();
    workspace.plan().assert_empty();
    let zones = place.config(json!({ "outbound": half(&[&spare.vpc_id]), "zones": ["corp.example.com"] }));
    workspace.write(&zones.hcl());
    let text = in_one_line(&workspace.plan_expect_error());
    assert!(text.contains("for corp.example.com already"), "{text}");
    workspace.write(&place.config(json!({})).hcl());
    workspace.destroy();
}

// ---- Zones ----

#[test]
fn a_zone_with_all_of_aws_in_it_is_refused_and_a_wide_one_warned_of() {
    let place = Place::new();
    for zone in ["amazonaws.com", "aws", "com", "api.aws"] {
        let config = place.config(json!({ "zones": [studio_zone(), zone] }));
        let said = format!("{zone} holds the names of every AWS service");
        place.assert_refused(&config, "zones", &["A zone holds the names of all of AWS", &said, "name those instead"]);
    }
    for zone in ["sagemaker.aws".to_owned(), format!("{REGION}.amazonaws.com"), "app.aws".to_owned()] {
        let config = place.config(json!({ "zones": [zone] }));
        let said = format!("Everything below {zone} goes to the VPC");
        place.assert_warned(&config, "zones", &["A zone holds more than Studio's names", &said, "name those instead"]);
    }
    place.assert_silent(&place.config(json!({ "zones": [studio_zone(), "corp.example.com"] })), "A zone holds");
}

#[test]
fn the_names_that_domains_leave_out_are_told() {
    let place = Place::new();
    let config = place.config(json!({ "domain_ids": ["d-abcdefghijkl"] }));
    let hosts = format!("Only d-abcdefghijkl.{0}, studio-d-abcdefghijkl.{0} and what lies below", studio_zone());
    let left = format!("*.{} and *.studio.sagemaker.{REGION}.app.aws", studio_zone());
    let needed = ["Apps are left out of what is forwarded", &*hosts, &left, "Remove domain_ids"];
    place.assert_warned(&config, "domain_ids", &needed);
    place.assert_silent(&place.config(json!({})), "Apps are left out");
}

// ---- Ways back ----

#[test]
fn a_client_range_without_a_way_back_is_warned_of_once() {
    let place = Place::new();
    let config = place.config(json!({ "client_cidr_blocks": ["192.168.10.0/24"] }));
    let table = format!("main route table {}", place.network.route_table_id);
    let needed = ["No route from the endpoints back to 192.168.10.0/24", &*table, "no route"];
    place.assert_warned(&config, "client_cidr_blocks", &needed);
    place.lead_to("192.168.0.0/16");
    place.assert_silent(&config, "No route");
    let more = place.config(json!({ "client_cidr_blocks": ["192.168.10.0/24", "172.16.0.0/24"] }));
    place.assert_warned(&more, "client_cidr_blocks", &["No route from the endpoints back to 172.16.0.0/24"]);
    // Who has an endpoint of his own groups says nothing of clients.
    let own = place.config(json!({
        "client_cidr_blocks": null,
        "security_group_ids": [place.network.default_security_group_id],
    }));
    place.assert_silent(&own, "No route");
}

// ---- The quota ----

#[test]
fn more_endpoints_than_a_region_usually_has_are_warned_of() {
    let place = Place::new();
    let theirs = place.account.network();
    for name in ["one", "two", "three"] {
        place.endpoint(&theirs, ResolverEndpointDirection::Outbound, name);
    }
    place.assert_silent(&place.config(json!({})), "quota");
    let outbound = place.config(json!({ "outbound": { "subnet_ids": place.network.subnet_ids[..2] } }));
    let said = format!("{REGION} has 3 Resolver endpoints, and 2 more are to be made. A Region may have 4");
    place.assert_warned(&outbound, "subnet_ids", &["The quota of Resolver endpoints", &said]);
    // With the outbound one to be made alone, it is the one that is pointed at.
    let workspace = Workspace::with(&place.account, &place.config(json!({})).hcl());
    workspace.apply();
    workspace.write(&outbound.hcl());
    let text = in_one_line(&workspace.plan().text);
    let start = text.find("Warning: The quota of Resolver endpoints").expect("it is warned of");
    assert_said(&text[start..], "outbound", &["has 4 Resolver endpoints, and 1 more is to be made"]);
    workspace.write(&place.config(json!({})).hcl());
    workspace.destroy();
}

// ---- Only what is needed, as far as it is allowed ----

#[test]
fn a_plan_without_changes_asks_nothing_but_the_refresh_and_a_change_what_it_needs() {
    let place = Place::new();
    let [client, spare] = [(); 2].map(|()| place.account.network());
    let config = |vpcs: Json, more: Json| {
        let half = json!({ "ip_addresses": addresses(&place.network, ["10.0.0.60", "10.0.1.60"]), "vpc_ids": vpcs });
        let config = place.fixed(["10.0.0.10", "10.0.1.10"]).with("outbound", half);
        more.as_object()
            .expect("it is one")
            .iter()
            .fold(config, |config, (name, value)| config.with(name, value.clone()))
    };
    let workspace = Workspace::with(&place.account, &config(json!([client.vpc_id]), json!({})).hcl());
    workspace.apply();
    let asked = |config: &Forwarding| {
        workspace.write(&config.hcl());
        let before = place.account.calls().len();
        workspace.plan();
        let calls = place.account.calls()[before..].to_vec();
        let of_vpcs = calls.iter().filter(|call| call.params.to_string().contains("\"VPCId\"")).count();
        let more: Vec<String> =
            operations(&calls).into_iter().filter(|one| !REFRESH.contains(one)).map(str::to_owned).collect();
        (more, of_vpcs)
    };
    let nothing = (Vec::<String>::new(), 0);
    assert_eq!(asked(&config(json!([client.vpc_id]), json!({}))), nothing);
    assert_eq!(asked(&config(json!([client.vpc_id]), json!({ "tags": { "a": "b" }, "name": "other" }))), nothing);
    assert_eq!(asked(&config(json!([client.vpc_id, spare.vpc_id]), json!({}))), (Vec::new(), 1));
    let more = json!({ "client_cidr_blocks": ["192.168.10.0/24", "172.16.0.0/24"] });
    let (looks, _) = asked(&config(json!([client.vpc_id]), more));
    assert_eq!(looks, ["DescribeRouteTables", "DescribeVpcAttribute", "DescribeVpcs"]);
    workspace.destroy();
}

#[test]
fn what_may_not_be_looked_at_is_left_out_with_one_note() {
    let place = Place::of(Account::alone());
    let client = place.account.network();
    let interface = place.interface(&place.network.subnet_ids[1], "10.0.1.77");
    let denied = |service: &str, operation: &str, code: &str| json!({ "service": service, "operation": operation, "error": { "code": code } });
    place.account.rules(json!([
        denied("ec2", "DescribeSubnets", "UnauthorizedOperation"),
        denied("ec2", "DescribeNetworkInterfaces", "UnauthorizedOperation"),
        denied("ec2", "DescribeVpcs", "UnauthorizedOperation"),
        denied("ec2", "DescribeRouteTables", "UnauthorizedOperation"),
        denied("route53resolver", "ListResolverEndpoints", "AccessDeniedException"),
        denied("route53resolver", "ListResolverRuleAssociations", "AccessDeniedException"),
    ]));
    let half = json!({ "subnet_ids": place.network.subnet_ids[..2], "vpc_ids": [client.vpc_id] });
    let config = place.fixed(["10.0.0.77", "10.0.1.77"]).with("outbound", half);
    let workspace = Workspace::with(&place.account, &config.hcl());
    let text = in_one_line(&workspace.plan().text);
    assert_eq!(text.matches("Warning: ").count(), 2, "one is Terraform's own, of the override: {text}");
    for needed in [
        "Warning: Not everything could be checked beforehand",
        "the subnets, their VPC, zones and ranges: needs ec2:DescribeSubnets",
        "whether the fixed addresses are free: needs ec2:DescribeNetworkInterfaces",
        "the VPC and its ranges: needs ec2:DescribeVpcs",
        "routes from the endpoint back to the clients: needs ec2:DescribeRouteTables",
        "how many Resolver endpoints the Region has: needs route53resolver:ListResolverEndpoints",
        "whether the VPCs have other rules for the zones: needs route53resolver:ListResolverRuleAssociations",
    ] {
        assert!(text.contains(needed), "{needed:?} is not in: {text}");
    }
    // With the permission it is found.
    place.account.rules(json!([]));
    let text = in_one_line(&workspace.plan_expect_error());
    assert!(text.contains(&interface), "{text}");
}
