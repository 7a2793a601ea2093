//! Whether answers of the endpoints find their way back to the clients: routes from the endpoints' subnets.
//!
//! What is looked at are the route tables of the VPC alone. Beyond the gateway, networks have rules of their own.
//!
//! **Invariant:** pure. Where a route's ranges are not known, as those of a prefix list, nothing is said.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::IpNet;

use super::clients::ClientRange;
use super::ranges::{listed, outside, split};
use crate::aws::SubnetId;
use crate::aws::ec2::route_table::{Destination, Route, RouteTable, Target};
use crate::framework::{Diagnostic, Path};

/// One warning for each client range that a route table of an endpoint's subnet does not lead to. `own` are the VPC's
/// ranges, which need no route.
pub fn check(
    clients: &[ClientRange],
    subnets: &BTreeSet<SubnetId>,
    tables: &[RouteTable],
    own: &[IpNet],
) -> Vec<Diagnostic> {
    let of_endpoints = tables_of(subnets, tables);
    clients.iter().filter_map(|client| check_range(client, &of_endpoints, own)).collect()
}

/// The route tables in force in these subnets: their own, else the main one. In a VPC of another account there is none
/// to be seen.
fn tables_of<'a>(
    subnets: &BTreeSet<SubnetId>,
    tables: &'a [RouteTable],
) -> BTreeMap<&'a str, (&'a RouteTable, Vec<SubnetId>)> {
    let mut found: BTreeMap<&str, (&RouteTable, Vec<SubnetId>)> = BTreeMap::new();
    for subnet in subnets {
        let own = tables.iter().find(|table| table.subnet_ids.contains(subnet));
        if let Some(table) = own.or_else(|| tables.iter().find(|table| table.is_main)) {
            found.entry(table.id.as_str()).or_insert((table, Vec::new())).1.push(subnet.clone());
        }
    }
    found
}

fn check_range(
    client: &ClientRange,
    tables: &BTreeMap<&str, (&RouteTable, Vec<SubnetId>)>,
    own: &[IpNet],
) -> Option<Diagnostic> {
    let lacking: Vec<String> = tables
        .values()
        .filter_map(|(table, subnets)| {
            let lack = lack(client.range, table, own)?;
            let subnets: Vec<&str> = subnets.iter().map(SubnetId::as_str).collect();
            let main = if table.is_main { "the main route table" } else { "route table" };
            Some(format!("- {main} {} ({}): {lack}", table.id, subnets.join(", ")))
        })
        .collect();
    if lacking.is_empty() {
        return None;
    }
    let text = format!(
        "Clients in {} may open connections to the endpoints, but the answers do not find back:\n{}\nAdd routes to {} through the peering connection, transit gateway or virtual private gateway that leads to the clients, or let the virtual private gateway propagate its own. Until then their connections time out. If nobody connects from there, remove the range.",
        client.text,
        lacking.join("\n"),
        client.text,
    );
    let path = Path::root("client_cidr_blocks").element(client.text.as_str());
    Some(Diagnostic::warning(format!("No route from the endpoints back to {}", client.text), text).at(path))
}

/// What a route table lacks for a range, in words.
fn lack(range: IpNet, table: &RouteTable, own: &[IpNet]) -> Option<String> {
    let may_lead = |route: &&Route| matches!(route.destination, Destination::PrefixList(_)) && leads(route);
    if table.routes.iter().any(|route| may_lead(&route)) {
        return None;
    }
    let routes = known_routes(table);
    let borders: Vec<IpNet> = routes.iter().map(|(range, _)| *range).collect();
    let wanted = outside(range, own);
    let mut lacking = Vec::new();
    for part in &wanted {
        split(*part, &borders, &mut |part| {
            if !best(part, &routes).is_some_and(|(_, route)| leads(route)) {
                lacking.push(part);
            }
        });
    }
    let lacking = IpNet::aggregate(&lacking);
    let first = *lacking.first()?;
    // A range of all addresses means whoever can connect; then one way back is enough.
    if range.prefix_len() == 0 && lacking != wanted {
        return None;
    }
    let now = match best(first, &routes) {
        None => "no route".to_owned(),
        Some((destination, route)) => describe(destination, route),
    };
    Some(if lacking == [range] { now } else { format!("{now}, for {}", listed(&lacking)) })
}

fn known_routes(table: &RouteTable) -> Vec<(IpNet, &Route)> {
    let known = |route: &Route| match &route.destination {
        Destination::Cidr(cidr) => cidr.parse().ok(),
        Destination::PrefixList(_) => None,
    };
    table.routes.iter().filter_map(|route| Some((known(route)?, route))).collect()
}

/// The route that holds for all of a range: the most specific one, and of two alike the one made by hand.
fn best<'a>(range: IpNet, routes: &[(IpNet, &'a Route)]) -> Option<(IpNet, &'a Route)> {
    let matching = routes.iter().filter(|(destination, _)| destination.contains(&range));
    matching.max_by_key(|(destination, route)| (destination.prefix_len(), !route.propagated)).copied()
}

/// Whether packets get to another network this way. An endpoint has private addresses alone, and a gateway to the
/// internet takes nobody's answers from those. Behind a load balancer's endpoint there may be a firewall that passes
/// them on.
fn leads(route: &Route) -> bool {
    let reaches = match (&route.target, &route.destination) {
        (Target::Local | Target::Network(_), _) | (Target::Endpoint(_), Destination::Cidr(_)) => true,
        // A gateway endpoint: S3's or DynamoDB's own addresses.
        (Target::Endpoint(_), Destination::PrefixList(_)) => false,
        (Target::Internet(_), _) => false,
        // A kind of target that is newer than this.
        (Target::Unknown, _) => true,
    };
    route.active && reaches
}

fn describe(destination: IpNet, route: &Route) -> String {
    match &route.target {
        Target::Network(id) | Target::Endpoint(id) => {
            format!("the route to {destination} is a blackhole, {id} is gone")
        }
        Target::Internet(id) => format!("{destination} leads to the internet, by {id}"),
        Target::Local | Target::Unknown => format!("the route to {destination} is a blackhole"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn route(destination: &str, target: Target) -> Route {
        let destination = match destination.strip_prefix("pl-") {
            Some(_) => Destination::PrefixList(destination.into()),
            None => Destination::Cidr(destination.to_owned()),
        };
        Route { destination, target, active: true, propagated: false }
    }

    fn to_network(destination: &str) -> Route {
        route(destination, Target::Network("tgw-1".to_owned()))
    }

    fn to_internet(destination: &str) -> Route {
        route(destination, Target::Internet("igw-1".to_owned()))
    }

    fn blackhole(destination: &str) -> Route {
        Route { active: false, ..route(destination, Target::Network("pcx-1".to_owned())) }
    }

    fn table(routes: Vec<Route>) -> RouteTable {
        let local = route("10.0.0.0/16", Target::Local);
        let routes = [local].into_iter().chain(routes).collect();
        RouteTable { id: "rtb-1".into(), is_main: true, subnet_ids: BTreeSet::new(), routes }
    }

    fn found(client: &str, tables: &[RouteTable]) -> Option<String> {
        let client = ClientRange { text: client.to_owned(), range: client.parse().unwrap() };
        let subnets = ["subnet-1".into(), "subnet-2".into()].into();
        let found = check(&[client], &subnets, tables, &["10.0.0.0/16".parse().unwrap()]);
        assert!(found.len() < 2);
        found.into_iter().next().map(|found| found.detail)
    }

    fn lacks(client: &str, routes: Vec<Route>) -> Option<String> {
        let found = found(client, &[table(routes)])?;
        let line = found.lines().nth(1).unwrap();
        Some(line.strip_prefix("- the main route table rtb-1 (subnet-1, subnet-2): ").unwrap().to_owned())
    }

    #[test]
    fn the_warning_names_the_tables_the_subnets_and_the_range() {
        let own = RouteTable {
            id: "rtb-2".into(),
            is_main: false,
            subnet_ids: ["subnet-2".into()].into(),
            ..table(vec![to_internet("0.0.0.0/0")])
        };
        expect![[r#"
            Clients in 192.168.0.0/16 may open connections to the endpoints, but the answers do not find back:
            - the main route table rtb-1 (subnet-1): no route
            - route table rtb-2 (subnet-2): 0.0.0.0/0 leads to the internet, by igw-1
            Add routes to 192.168.0.0/16 through the peering connection, transit gateway or virtual private gateway that leads to the clients, or let the virtual private gateway propagate its own. Until then their connections time out. If nobody connects from there, remove the range."#]]
        .assert_eq(&found("192.168.0.0/16", &[table(vec![]), own]).unwrap());
    }

    #[test]
    fn a_route_to_another_network_is_enough_however_wide_it_is() {
        for destination in ["192.168.0.0/16", "192.168.0.0/17", "0.0.0.0/0"] {
            assert_eq!(lacks("192.168.10.0/24", vec![to_network(destination)]), None, "{destination}");
        }
    }

    #[test]
    fn several_routes_together_are_enough() {
        let halves = ["192.168.0.0/17", "192.168.128.0/17"].map(to_network);
        assert_eq!(lacks("192.168.0.0/16", halves.into()), None);
    }

    #[test]
    fn a_part_without_a_route_is_named() {
        let found = lacks("192.168.0.0/16", vec![to_network("192.168.0.0/17"), to_internet("0.0.0.0/0")]);
        assert_eq!(found.unwrap(), "0.0.0.0/0 leads to the internet, by igw-1, for 192.168.128.0/17");
    }

    #[test]
    fn a_more_specific_blackhole_takes_its_part_away() {
        let found = lacks("192.168.0.0/16", vec![to_network("192.168.0.0/16"), blackhole("192.168.4.0/24")]);
        assert_eq!(found.unwrap(), "the route to 192.168.4.0/24 is a blackhole, pcx-1 is gone, for 192.168.4.0/24");
        assert!(lacks("192.168.4.0/24", vec![to_network("192.168.0.0/16"), blackhole("192.168.4.0/24")]).is_some());
        assert_eq!(lacks("192.168.5.0/24", vec![to_network("192.168.0.0/16"), blackhole("192.168.4.0/24")]), None);
    }

    #[test]
    fn a_route_made_by_hand_goes_before_a_propagated_one() {
        let learnt = Route { propagated: true, ..to_network("192.168.0.0/16") };
        assert_eq!(lacks("192.168.0.0/16", vec![learnt.clone()]), None);
        assert!(lacks("192.168.0.0/16", vec![learnt.clone(), to_internet("192.168.0.0/16")]).is_some());
        assert!(lacks("192.168.0.0/16", vec![to_internet("192.168.0.0/16"), learnt]).is_some());
    }

    #[test]
    fn clients_in_the_vpc_need_no_route_and_around_it_only_the_rest_does() {
        assert_eq!(lacks("10.0.7.0/24", vec![]), None);
        assert_eq!(lacks("10.0.0.0/15", vec![to_network("10.1.0.0/16")]), None);
        assert_eq!(lacks("10.0.0.0/15", vec![]).unwrap(), "no route, for 10.1.0.0/16");
    }

    #[test]
    fn for_all_addresses_one_way_back_is_enough() {
        assert_eq!(lacks("0.0.0.0/0", vec![to_network("192.168.0.0/16"), to_internet("0.0.0.0/0")]), None);
        assert!(lacks("0.0.0.0/0", vec![to_internet("0.0.0.0/0")]).is_some());
    }

    #[test]
    fn the_families_are_kept_apart() {
        assert!(lacks("fd00:1::/32", vec![to_network("0.0.0.0/0")]).is_some());
        assert_eq!(lacks("fd00:1::/32", vec![to_network("::/0")]), None);
    }

    #[test]
    fn a_prefix_list_that_leads_elsewhere_may_hold_the_clients() {
        let s3 = route("pl-1", Target::Endpoint("vpce-1".to_owned()));
        assert!(lacks("192.168.0.0/16", vec![s3]).is_some());
        assert_eq!(lacks("192.168.0.0/16", vec![to_network("pl-2")]), None);
    }

    #[test]
    fn a_firewall_on_the_way_is_not_judged() {
        assert_eq!(lacks("192.168.0.0/16", vec![route("0.0.0.0/0", Target::Endpoint("vpce-1".to_owned()))]), None);
    }

    #[test]
    fn where_no_table_can_be_seen_nothing_is_said() {
        assert_eq!(found("192.168.0.0/16", &[]), None);
    }
}
