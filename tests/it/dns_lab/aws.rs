//! What the lab's VPC serves: a private domain with its hosted zones, and an inbound endpoint, made by the real Terraform
//! in the emulator.

use std::{collections::BTreeMap, net::IpAddr};

use serde_json::json;

use crate::{
    emulator::{Account, Network, Outside},
    terraform::Workspace,
};

/// An account in which both are made.
pub struct Aws {
    /// The account.
    pub account: Account,
    /// With its credentials.
    pub outside: Outside,
    /// The domain's host names.
    pub host_names: Vec<String>,
    /// The addresses of the Studio endpoint, as EC2 has them, in order.
    pub endpoint: Vec<IpAddr>,
    /// Where corporate servers forward to.
    pub inbound: Vec<String>,
    /// What the provider rendered.
    pub configs: BTreeMap<String, String>,
    /// Where it was made. Kept until the end.
    _workspace: Workspace,
}

impl Aws {
    /// Makes it.
    pub fn new() -> Self {
        let account = Account::new();
        let network = account.network();
        let outside = account.outside();
        add_ipv6(&outside, &network);
        let workspace = Workspace::with(&account, &configuration(&network));
        workspace.apply();
        let domain = workspace.state().values("studio_private_domain.lab");
        let forwarding = workspace.state().values("studio_dns_forwarding.lab");
        let text = |json: &serde_json::Value| json.as_str().expect("it is text").to_owned();
        let texts = |json: &serde_json::Value| json.as_array().expect("it is a list").iter().map(text).collect();
        let configs = forwarding["forwarder_configs"].as_object().expect("it is a map");
        Aws {
            endpoint: addresses(&outside, &text(&domain["endpoint_ids"]["studio"])),
            host_names: texts(&domain["host_names"]),
            inbound: texts(&forwarding["inbound_ips"]),
            configs: configs.iter().map(|(kind, config)| (kind.clone(), text(config))).collect(),
            account,
            outside,
            _workspace: workspace,
        }
    }

    /// Those of one family.
    pub fn endpoint_of(&self, is_ipv6: bool) -> Vec<IpAddr> {
        self.endpoint.iter().copied().filter(|address| address.is_ipv6() == is_ipv6).collect()
    }
}

fn configuration(network: &Network) -> String {
    let (vpc_id, role_arn, subnet_ids) = (&network.vpc_id, &network.role_arn, json!(network.subnet_ids[..2]));
    let [first, second] = [&network.subnet_ids[0], &network.subnet_ids[1]];
    format!(
        r#"
resource "studio_private_domain" "lab" {{
  name               = "lab"
  vpc_id             = "{vpc_id}"
  subnet_ids         = {subnet_ids}
  execution_role_arn = "{role_arn}"
  client_cidr_blocks = ["192.168.10.0/24"]
  ip_address_type    = "dualstack"
  home_efs           = {{ enabled = false }}
  endpoints          = {{ private_dns_enabled = false }}
  hosted_zone        = {{ mode = "parent" }}
}}

resource "studio_dns_forwarding" "lab" {{
  name               = "lab"
  vpc_id             = "{vpc_id}"
  client_cidr_blocks = ["192.168.10.0/24"]
  ip_addresses = [
    {{ subnet_id = "{first}", ip = "10.0.0.53" }},
    {{ subnet_id = "{second}", ip = "10.0.1.53" }},
  ]
}}
"#
    )
}

/// So that there are AAAA records.
fn add_ipv6(outside: &Outside, network: &Network) {
    let ec2 = outside.ec2();
    let vpc = ec2.associate_vpc_cidr_block().vpc_id(&network.vpc_id).amazon_provided_ipv6_cidr_block(true);
    let block = outside.run(vpc.send()).ipv6_cidr_block_association.and_then(|block| block.ipv6_cidr_block);
    let block = block.expect("it has a range").replace("00::/56", "");
    for (index, subnet) in network.subnet_ids.iter().enumerate() {
        let range = format!("{block}{index:02x}::/64");
        outside.run(ec2.associate_subnet_cidr_block().subnet_id(subnet).ipv6_cidr_block(range).send());
    }
}

fn addresses(outside: &Outside, endpoint: &str) -> Vec<IpAddr> {
    let ec2 = outside.ec2();
    let found = outside.run(ec2.describe_vpc_endpoints().vpc_endpoint_ids(endpoint).send());
    let ids = found.vpc_endpoints()[0].network_interface_ids().to_vec();
    let found = outside.run(ec2.describe_network_interfaces().set_network_interface_ids(Some(ids)).send());
    let mut addresses = Vec::new();
    for interface in found.network_interfaces() {
        let v6 = interface.ipv6_addresses().iter().filter_map(|address| address.ipv6_address());
        addresses
            .extend(interface.private_ip_address().into_iter().chain(v6).map(|text| text.parse::<IpAddr>().unwrap()));
    }
    addresses.sort();
    assert_eq!(addresses.len(), 4, "two of each family: {addresses:?}");
    addresses
}
