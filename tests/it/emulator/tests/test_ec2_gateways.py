"""S3's two endpoints: the gateway with its routes, and the interface that wants one beside it."""

from __future__ import annotations

from typing import Any

from .test_ec2_endpoints import API, EndpointTest


class Gateways(EndpointTest):
    NAME = "com.amazonaws.us-east-1.s3"

    def gateway(self, **more: Any) -> dict[str, Any]:
        wanted = {"VpcId": self.net["vpc_id"], "ServiceName": self.NAME, "VpcEndpointType": "Gateway", **more}
        return self.ec2.create_vpc_endpoint(**wanted)["VpcEndpoint"]

    def table(self) -> str:
        return self.ec2.create_route_table(VpcId=self.net["vpc_id"])["RouteTable"]["RouteTableId"]

    def lead_to(self, endpoint: dict[str, Any]) -> list[str]:
        """The tables with a route to an endpoint."""
        every = self.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.net["vpc_id"]]}])
        return [
            table["RouteTableId"]
            for table in every["RouteTables"]
            for route in table["Routes"]
            if route.get("GatewayId") == endpoint["VpcEndpointId"]
        ]

    def test_its_route_is_for_the_prefix_list_of_s3(self) -> None:
        table = self.table()
        made = self.gateway(RouteTableIds=[table])
        route = self.ec2.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"][1]
        lists = self.ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [self.NAME]}])
        wanted = (lists["PrefixLists"][0]["PrefixListId"], made["VpcEndpointId"], "active")
        self.assertEqual((route["DestinationPrefixListId"], route["GatewayId"], route["State"]), wanted)

    def test_route_tables_are_added_and_removed(self) -> None:
        first, second = self.table(), self.table()
        made = self.gateway(RouteTableIds=[first])
        change = {"AddRouteTableIds": [second], "RemoveRouteTableIds": [first]}
        self.ec2.modify_vpc_endpoint(VpcEndpointId=made["VpcEndpointId"], **change)
        self.assertEqual([self.lead_to(made), self.look(made)["RouteTableIds"]], [[second], [second]])
        self.assertEqual(self.look(made)["State"], "available")

    def test_a_table_has_one_route_to_s3(self) -> None:
        table = self.table()
        self.gateway(RouteTableIds=[table])
        other = self.gateway()
        wanted = {"VpcEndpointId": other["VpcEndpointId"], "AddRouteTableIds": [table]}
        self.refused("RouteAlreadyExists", self.ec2.modify_vpc_endpoint, **wanted)
        unknown = {**wanted, "AddRouteTableIds": ["rtb-0unknown"]}
        self.refused("InvalidRouteTableID.NotFound", self.ec2.modify_vpc_endpoint, **unknown)
        theirs = self.network(cidr="10.9.0.0/16", name="other")["route_table_id"]
        self.refused("InvalidParameter", self.ec2.modify_vpc_endpoint, **{**wanted, "AddRouteTableIds": [theirs]})

    def test_its_policy_is_replaced_and_reset(self) -> None:
        made, key = self.gateway(), {}
        key["VpcEndpointId"] = made["VpcEndpointId"]
        text = '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}'
        self.ec2.modify_vpc_endpoint(**key, PolicyDocument=text)
        self.assertEqual(self.look(made)["PolicyDocument"], text)
        self.refused("InvalidPolicyDocument", self.ec2.modify_vpc_endpoint, **key, PolicyDocument="{")
        self.ec2.modify_vpc_endpoint(**key, ResetPolicy=True)
        self.assertEqual(self.look(made)["PolicyDocument"], made["PolicyDocument"])

    def test_deleting_it_takes_its_routes_away_which_nothing_else_can(self) -> None:
        table = self.table()
        made = self.gateway(RouteTableIds=[table])
        self.assertIn("ec2:vpc-endpoint", [found["kind"] for found in self.leftovers()])
        lists = self.ec2.describe_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [self.NAME]}])
        route = {"RouteTableId": table, "DestinationPrefixListId": lists["PrefixLists"][0]["PrefixListId"]}
        self.refused("InvalidParameterValue", self.ec2.delete_route, **route)
        self.ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
        self.until(lambda: self.lead_to(made), [])

    def test_what_is_for_interfaces_only(self) -> None:
        for wrong in (
            {"SubnetIds": self.net["subnet_ids"]},
            {"SecurityGroupIds": [self.net["default_security_group_id"]]},
            {"PrivateDnsEnabled": True},
            {"IpAddressType": "dualstack"},
            {"DnsOptions": {"PrivateDnsOnlyForInboundResolverEndpoint": False}},
        ):
            with self.subTest(wrong):
                self.refused("InvalidParameter", self.gateway, **wrong)
        self.not_made("InvalidParameter", RouteTableIds=[self.net["route_table_id"]])

    def test_s3_as_an_interface_needs_a_gateway_unless_told_otherwise(self) -> None:
        said = self.not_made("InvalidParameter", self.NAME)
        vpc = self.net["vpc_id"]
        self.assertIn(f"to true, the VPC {vpc} must have a Gateway endpoint for the service.", said)
        option = "PrivateDnsOnlyForInboundResolverEndpoint"
        for_all = self.available(self.make(self.NAME, DnsOptions={option: False}))
        self.assertFalse(for_all["DnsOptions"][option])
        self.assertTrue(self.names(for_all)[0].startswith("*." + for_all["VpcEndpointId"]))
        self.modify(for_all, PrivateDnsEnabled=False)
        self.gateway()
        self.assertTrue(self.make(self.NAME)["DnsOptions"][option])
        self.not_made("InvalidParameter", API, DnsOptions={option: True})
