"""Routes that lead out of a VPC, and those that no longer do."""

from __future__ import annotations

from typing import Any

from .support import EmulatorTest

CORPORATE = "192.168.0.0/16"


class RouteTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.net, self.ec2 = self.network(), self.client("ec2")
        self.table = self.ec2.create_route_table(VpcId=self.net["vpc_id"])["RouteTable"]["RouteTableId"]

    def route(self, destination: str = CORPORATE, **target: str) -> None:
        self.ec2.create_route(RouteTableId=self.table, DestinationCidrBlock=destination, **target)

    def no_route(self, code: str, **target: str) -> None:
        wanted = {"RouteTableId": self.table, "DestinationCidrBlock": CORPORATE, **target}
        self.refused(code, self.ec2.create_route, **wanted)

    def shown(self) -> dict[str, Any]:
        return self.ec2.describe_route_tables(RouteTableIds=[self.table])["RouteTables"][0]

    def way(self, destination: str = CORPORATE) -> dict[str, Any] | None:
        """The route to a range, without the range."""
        for route in self.shown()["Routes"]:
            if route.get("DestinationCidrBlock") == destination:
                return {name: value for name, value in route.items() if name != "DestinationCidrBlock"}
        return None

    def made(self, state: str = "active", **target: str) -> dict[str, Any]:
        return {"Origin": "CreateRoute", "State": state, **target}

    def kinds(self) -> list[str]:
        plain = ("ec2:vpc", "ec2:subnet", "ec2:route-table", "iam:role")
        return sorted({found["kind"] for found in self.leftovers() if found["kind"] not in plain})


class Tables(RouteTest):
    def test_a_subnet_has_its_table_or_the_main_one(self) -> None:
        first, second = self.net["subnet_ids"]
        made = self.ec2.associate_route_table(RouteTableId=self.table, SubnetId=first)["AssociationId"]
        by_subnet = lambda subnet: [  # noqa: E731
            table["RouteTableId"]
            for table in self.ec2.describe_route_tables(
                Filters=[{"Name": "association.subnet-id", "Values": [subnet]}]
            )["RouteTables"]
        ]
        self.assertEqual([by_subnet(first), by_subnet(second)], [[self.table], []])
        main = self.ec2.describe_route_tables(
            Filters=[
                {"Name": "vpc-id", "Values": [self.net["vpc_id"]]},
                {"Name": "association.main", "Values": ["true"]},
            ]
        )["RouteTables"]
        self.assertEqual([table["RouteTableId"] for table in main], [self.net["route_table_id"]])
        self.assertEqual(self.shown()["Associations"][0]["SubnetId"], first)
        self.ec2.disassociate_route_table(AssociationId=made)
        self.assertEqual(by_subnet(first), [])

    def test_what_came_with_a_table_stays(self) -> None:
        wanted = {"RouteTableId": self.table, "DestinationCidrBlock": "10.0.0.0/16"}
        self.refused("InvalidParameterValue", self.ec2.delete_route, **wanted)

    def test_a_route_is_made_once_and_deleted_once(self) -> None:
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.net["vpc_id"])
        self.route("0.0.0.0/0", GatewayId=gateway)
        wanted = {"RouteTableId": self.table, "DestinationCidrBlock": "0.0.0.0/0"}
        self.refused("RouteAlreadyExists", self.ec2.create_route, **wanted, GatewayId=gateway)
        self.ec2.delete_route(**wanted)
        self.refused("InvalidRoute.NotFound", self.ec2.delete_route, **wanted)


class Targets(RouteTest):
    def test_an_internet_gateway(self) -> None:
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.no_route("InvalidParameterValue", GatewayId=gateway)
        both = {"InternetGatewayId": gateway, "VpcId": self.net["vpc_id"]}
        self.ec2.attach_internet_gateway(**both)
        self.route(GatewayId=gateway)
        self.assertEqual(self.way(), self.made(GatewayId=gateway))
        self.ec2.detach_internet_gateway(**both)
        self.assertEqual(self.way(), self.made("blackhole", GatewayId=gateway))
        self.assertEqual(self.kinds(), ["ec2:internet-gateway"])

    def test_a_nat_gateway(self) -> None:
        self.no_route("InvalidNatGatewayID.NotFound", NatGatewayId="nat-0unknown")
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.ec2.create_nat_gateway(SubnetId=self.net["subnet_ids"][0], AllocationId=address)
        gateway = made["NatGateway"]["NatGatewayId"]
        self.route(NatGatewayId=gateway)
        self.assertEqual(self.way(), self.made(NatGatewayId=gateway))
        self.ec2.delete_nat_gateway(NatGatewayId=gateway)
        self.assertEqual(self.way(), self.made("blackhole", NatGatewayId=gateway))
        self.refused("NatGatewayNotFound", self.ec2.delete_nat_gateway, NatGatewayId="nat-0unknown")
        self.assertEqual(self.kinds(), ["ec2:elastic-ip"])

    def test_a_peering_counts_once_the_other_side_has_accepted(self) -> None:
        other = str(int(self.account) + 500000000000)
        theirs = self.network(account=other, cidr="10.9.0.0/16")
        made = self.ec2.create_vpc_peering_connection(
            VpcId=self.net["vpc_id"], PeerVpcId=theirs["vpc_id"], PeerOwnerId=other
        )
        key = {"VpcPeeringConnectionId": made["VpcPeeringConnection"]["VpcPeeringConnectionId"]}
        self.route(**key)
        self.assertEqual(self.way(), self.made("blackhole", **key))
        self.client("ec2", account=other).accept_vpc_peering_connection(**key)
        self.assertEqual(self.way(), self.made(**key))
        self.assertEqual(self.kinds(), ["ec2:vpc-peering-connection"])
        self.ec2.delete_vpc_peering_connection(**key)
        self.assertEqual([self.way(), self.kinds()], [self.made("blackhole", **key), []])

    def test_a_transit_gateway_must_be_attached_to_the_vpc(self) -> None:
        gateway = self.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
        self.no_route("InvalidTransitGatewayID.NotFound", TransitGatewayId=gateway)
        self.no_route("InvalidTransitGatewayID.NotFound", TransitGatewayId="tgw-0unknown")
        made = self.ec2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=gateway, VpcId=self.net["vpc_id"], SubnetIds=self.net["subnet_ids"]
        )
        attachment = made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        self.route(TransitGatewayId=gateway)
        self.assertEqual(self.way(), self.made(TransitGatewayId=gateway))
        listed = self.ec2.describe_transit_gateway_vpc_attachments(
            Filters=[{"Name": "vpc-id", "Values": [self.net["vpc_id"]]}]
        )["TransitGatewayVpcAttachments"]
        self.assertEqual([a["TransitGatewayAttachmentId"] for a in listed], [attachment])
        self.assertEqual(self.kinds(), ["ec2:transit-gateway", "ec2:transit-gateway-attachment"])
        self.ec2.delete_transit_gateway_vpc_attachment(TransitGatewayAttachmentId=attachment)
        self.assertEqual(self.way(), self.made("blackhole", TransitGatewayId=gateway))
        self.ec2.delete_transit_gateway(TransitGatewayId=gateway)
        self.assertEqual(self.kinds(), [])

    def test_both_families_and_prefix_lists_are_destinations(self) -> None:
        gateway = self.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
        self.ec2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=gateway, VpcId=self.net["vpc_id"], SubnetIds=self.net["subnet_ids"]
        )
        prefixes = self.ec2.create_managed_prefix_list(
            PrefixListName="corporate", MaxEntries=2, AddressFamily="IPv4", Entries=[{"Cidr": CORPORATE}]
        )["PrefixList"]["PrefixListId"]
        target = {"RouteTableId": self.table, "TransitGatewayId": gateway}
        self.ec2.create_route(**target, DestinationIpv6CidrBlock="fd00::/8")
        self.ec2.create_route(**target, DestinationPrefixListId=prefixes)
        _local, sixth, listed = self.shown()["Routes"]
        self.assertEqual(sixth["DestinationIpv6CidrBlock"], "fd00::/8")
        self.assertEqual(listed["DestinationPrefixListId"], prefixes)
        entries = self.ec2.get_managed_prefix_list_entries(PrefixListId=prefixes)["Entries"]
        self.assertEqual([entry["Cidr"] for entry in entries], [CORPORATE])


class VpnGateways(RouteTest):
    def setUp(self) -> None:
        super().setUp()
        self.gateway = self.ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
        self.both = {"VpnGatewayId": self.gateway, "VpcId": self.net["vpc_id"]}
        self.pair = {"GatewayId": self.gateway, "RouteTableId": self.table}

    def connection(self) -> str:
        customer = self.ec2.create_customer_gateway(Type="ipsec.1", PublicIp="198.51.100.1", BgpAsn=65000)
        made = self.ec2.create_vpn_connection(
            Type="ipsec.1",
            CustomerGatewayId=customer["CustomerGateway"]["CustomerGatewayId"],
            VpnGatewayId=self.gateway,
            Options={"StaticRoutesOnly": True},
        )
        return made["VpnConnection"]["VpnConnectionId"]

    def test_a_static_route(self) -> None:
        self.no_route("InvalidParameterValue", GatewayId=self.gateway)
        self.ec2.attach_vpn_gateway(**self.both)
        self.route(GatewayId=self.gateway)
        self.assertEqual(self.way(), self.made(GatewayId=self.gateway))
        wanted = [{"Name": "attachment.vpc-id", "Values": [self.net["vpc_id"]]}]
        found = self.ec2.describe_vpn_gateways(Filters=wanted)["VpnGateways"]
        attached = {"VpcId": self.net["vpc_id"], "State": "attached"}
        self.assertEqual([(g["VpnGatewayId"], g["VpcAttachments"]) for g in found], [(self.gateway, [attached])])
        self.ec2.detach_vpn_gateway(**self.both)
        self.assertEqual(self.way(), self.made("blackhole", GatewayId=self.gateway))
        self.ec2.delete_vpn_gateway(VpnGatewayId=self.gateway)
        self.assertEqual(self.kinds(), [])

    def test_what_it_propagates_shows_in_the_table(self) -> None:
        self.refused("Gateway.NotAttached", self.ec2.enable_vgw_route_propagation, **self.pair)
        self.ec2.attach_vpn_gateway(**self.both)
        self.ec2.enable_vgw_route_propagation(**self.pair)
        self.ec2.enable_vgw_route_propagation(**self.pair)
        self.assertEqual(self.shown()["PropagatingVgws"], [{"GatewayId": self.gateway}])
        self.assertIsNone(self.way())
        route = {"VpnConnectionId": self.connection(), "DestinationCidrBlock": CORPORATE}
        self.ec2.create_vpn_connection_route(**route)
        propagated = {"GatewayId": self.gateway, "Origin": "EnableVgwRoutePropagation", "State": "active"}
        self.assertEqual(self.way(), propagated)
        self.ec2.delete_vpn_connection_route(**route)
        self.refused("InvalidRoute.NotFound", self.ec2.delete_vpn_connection_route, **route)
        self.assertIsNone(self.way())
        self.ec2.create_vpn_connection_route(**route)
        self.ec2.disable_vgw_route_propagation(**self.pair)
        self.assertEqual([self.way(), self.shown()["PropagatingVgws"]], [None, []])

    def test_a_route_of_the_tables_own_goes_before(self) -> None:
        self.ec2.attach_vpn_gateway(**self.both)
        self.ec2.enable_vgw_route_propagation(**self.pair)
        self.ec2.create_vpn_connection_route(VpnConnectionId=self.connection(), DestinationCidrBlock=CORPORATE)
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.net["vpc_id"])
        self.route(GatewayId=gateway)
        self.assertEqual(self.way(), self.made(GatewayId=gateway))

    def test_the_connection_must_exist(self) -> None:
        wanted = {"VpnConnectionId": "vpn-0unknown", "DestinationCidrBlock": CORPORATE}
        self.refused("InvalidVpnConnectionID.NotFound", self.ec2.create_vpn_connection_route, **wanted)


class Account(RouteTest):
    def test_account_attributes(self) -> None:
        listed = self.ec2.describe_account_attributes()["AccountAttributes"]
        values = {a["AttributeName"]: [v["AttributeValue"] for v in a["AttributeValues"]] for a in listed}
        self.assertEqual(values["vpc-max-security-groups-per-interface"], ["5"])
        self.assertIn("supported-platforms", values)
