"""Resolver endpoints, addresses, rules, associations."""

from __future__ import annotations

from typing import Any

from .support import EmulatorTest, control


class ResolverTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.net, self.rr, self.ec2 = self.network(subnets=3), self.client("route53resolver"), self.client("ec2")
        self.group = self.ec2.create_security_group(GroupName="dns", Description="d", VpcId=self.net["vpc_id"])[
            "GroupId"
        ]
        self.requests = 0

    def wanted(self, **more: Any) -> dict[str, Any]:
        self.requests += 1
        addresses = [{"SubnetId": subnet} for subnet in self.net["subnet_ids"][:2]]
        base = {"CreatorRequestId": str(self.requests), "Direction": "INBOUND", "SecurityGroupIds": [self.group]}
        return {**base, "IpAddresses": addresses, **more}

    def make(self, **more: Any) -> str:
        """An operational endpoint."""
        endpoint = self.rr.create_resolver_endpoint(**self.wanted(**more))["ResolverEndpoint"]["Id"]
        self.operational(endpoint)
        return endpoint

    def operational(self, endpoint: str) -> None:
        self.until(lambda: self.look(endpoint)["Status"], "OPERATIONAL")

    def look(self, endpoint: str) -> dict[str, Any]:
        return self.rr.get_resolver_endpoint(ResolverEndpointId=endpoint)["ResolverEndpoint"]

    def addresses(self, endpoint: str) -> list[dict[str, Any]]:
        return self.rr.list_resolver_endpoint_ip_addresses(ResolverEndpointId=endpoint)["IpAddresses"]

    def no(self, code: str, **more: Any) -> str:
        return self.refused(code, self.rr.create_resolver_endpoint, **self.wanted(**more))["Error"]["Message"]

    def gone(self, endpoint: str) -> None:
        self.rr.delete_resolver_endpoint(ResolverEndpointId=endpoint)
        self.until_gone(self.rr.get_resolver_endpoint, "ResourceNotFoundException", ResolverEndpointId=endpoint)


class Endpoints(ResolverTest):
    pace = {"default": 0.05, "route53resolver:ip": 0.15}

    def test_addresses_are_created_attached_and_then_the_endpoint_is_operational(self) -> None:
        made = self.rr.create_resolver_endpoint(**self.wanted(Name="in", Protocols=["Do53", "DoH"]))["ResolverEndpoint"]
        self.assertEqual(
            [made["Status"], made["IpAddressCount"], made["HostVPCId"]], ["CREATING", 2, self.net["vpc_id"]]
        )
        self.assertEqual([made["Protocols"], made["ResolverEndpointType"]], [["Do53", "DoH"], "IPV4"])
        states = lambda: {a["Status"] for a in self.addresses(made["Id"])}  # noqa: E731
        self.assertEqual(states(), {"CREATING"})
        self.until(states, {"ATTACHING"})
        self.assertEqual(self.look(made["Id"])["Status"], "CREATING")
        self.until(states, {"ATTACHED"})
        self.assertEqual(self.look(made["Id"])["Status"], "OPERATIONAL")

    def test_it_holds_its_subnets_and_group(self) -> None:
        endpoint = self.make()
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=self.group)
        self.refused("DependencyViolation", self.ec2.delete_subnet, SubnetId=self.net["subnet_ids"][0])
        self.rr.delete_resolver_endpoint(ResolverEndpointId=endpoint)
        self.assertEqual(self.look(endpoint)["Status"], "DELETING")
        self.until_gone(self.rr.get_resolver_endpoint, "ResourceNotFoundException", ResolverEndpointId=endpoint)
        self.ec2.delete_security_group(GroupId=self.group)

    def test_the_same_request_gives_the_same_endpoint(self) -> None:
        wanted = self.wanted()
        first = self.rr.create_resolver_endpoint(**wanted)["ResolverEndpoint"]["Id"]
        self.assertEqual(self.rr.create_resolver_endpoint(**wanted)["ResolverEndpoint"]["Id"], first)
        changed = {**wanted, "Name": "other"}
        self.refused("ResourceExistsException", self.rr.create_resolver_endpoint, **changed)

    def test_two_addresses_are_the_least(self) -> None:
        message = self.no("InvalidRequestException", IpAddresses=[{"SubnetId": self.net["subnet_ids"][0]}])
        self.assertEqual(message, "[RSLVR-00400] Resolver endpoint need to have at least 2 IP addresses")

    def test_chosen_addresses_lie_in_the_subnet_and_are_free(self) -> None:
        first, second, _ = self.net["subnet_ids"]
        chosen = [{"SubnetId": first, "Ip": "10.0.0.53"}, {"SubnetId": second, "Ip": "10.0.1.53"}]
        self.assertEqual([a["Ip"] for a in self.addresses(self.make(IpAddresses=chosen))], ["10.0.0.53", "10.0.1.53"])
        self.no("InvalidRequestException", IpAddresses=chosen)
        for wrong in ("10.0.1.54", "10.0.0.1", "10.0.0.255"):
            self.no("InvalidRequestException", IpAddresses=[{"SubnetId": first, "Ip": wrong}, {"SubnetId": second}])
        self.assertEqual(len(self.rr.list_resolver_endpoints()["ResolverEndpoints"]), 1)
        interfaces = self.ec2.describe_network_interfaces()["NetworkInterfaces"]
        self.assertEqual(len(interfaces), 2, "a refused endpoint left an interface")

    def test_interfaces_are_found_by_their_ipv6_addresses(self) -> None:
        net = self.network(ipv6=True)
        subnets = self.client("ec2").describe_subnets(SubnetIds=net["subnet_ids"])["Subnets"]
        blocks = {one["SubnetId"]: one["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"] for one in subnets}
        chosen = [blocks[subnet].replace("::/64", "::20") for subnet in net["subnet_ids"]]
        self.rr.create_resolver_endpoint(
            CreatorRequestId="six",
            Direction="INBOUND",
            ResolverEndpointType="IPV6",
            SecurityGroupIds=[net["default_security_group_id"]],
            IpAddresses=[{"SubnetId": subnet, "Ipv6": ip} for subnet, ip in zip(net["subnet_ids"], chosen)],
        )

        def found(*wanted: str) -> list[str]:
            by = [{"Name": "ipv6-addresses.ipv6-address", "Values": list(wanted)}]
            interfaces = self.client("ec2").describe_network_interfaces(Filters=by)["NetworkInterfaces"]
            return sorted(one["Ipv6Addresses"][0]["Ipv6Address"] for one in interfaces)

        self.assertEqual(found(chosen[0]), [chosen[0]])
        self.assertEqual(found(*chosen, blocks[net["subnet_ids"][0]].replace("::/64", "::99")), sorted(chosen))
        self.assertEqual(found("2001:db8::1"), [])

    def test_two_addresses_may_be_in_one_subnet(self) -> None:
        subnet = self.net["subnet_ids"][0]
        self.make(IpAddresses=[{"SubnetId": subnet}, {"SubnetId": subnet}])

    def test_subnets_groups_and_numbers_are_checked(self) -> None:
        unknown = [{"SubnetId": "subnet-0unknown"}] * 2
        self.no("InvalidParameterException", IpAddresses=unknown)
        self.no("InvalidParameterException", SecurityGroupIds=["sg-0unknown"])
        other = self.network(cidr="10.9.0.0/16", name="other")
        mixed = [{"SubnetId": self.net["subnet_ids"][0]}, {"SubnetId": other["subnet_ids"][0]}]
        self.no("InvalidParameterException", IpAddresses=mixed)
        self.no("InvalidParameterException", SecurityGroupIds=[other["default_security_group_id"]])
        self.no("LimitExceededException", IpAddresses=[{"SubnetId": self.net["subnet_ids"][0]}] * 7)
        self.no("InvalidParameterException", Direction="OUTBOUND", Protocols=["DoH-FIPS"])

    def test_the_fifth_endpoint_is_too_many(self) -> None:
        for _ in range(4):
            self.rr.create_resolver_endpoint(**self.wanted())
        self.no("LimitExceededException")

    def test_named_and_unnamed_endpoints_are_listed_and_filtered(self) -> None:
        named, unnamed = self.make(Name="in"), self.make(Direction="OUTBOUND")
        ids = lambda **f: [e["Id"] for e in self.rr.list_resolver_endpoints(**f)["ResolverEndpoints"]]  # noqa: E731
        self.assertEqual(ids(), [named, unnamed])
        for name, value in (("Name", "in"), ("Direction", "INBOUND"), ("DIRECTION", "INBOUND")):
            self.assertEqual(ids(Filters=[{"Name": name, "Values": [value]}]), [named], name)
        self.assertEqual(ids(Filters=[{"Name": "HostVPCId", "Values": [self.net["vpc_id"]]}]), [named, unnamed])
        wrong = [{"Name": "Color", "Values": ["red"]}]
        self.refused("InvalidParameterException", self.rr.list_resolver_endpoints, Filters=wrong)

    def test_name_and_protocols_change_through_updating(self) -> None:
        endpoint = self.make(Name="in")
        self.rr.update_resolver_endpoint(ResolverEndpointId=endpoint, Name="new", Protocols=["Do53", "DoH"])
        self.assertEqual(self.look(endpoint)["Status"], "UPDATING")
        again = {"ResolverEndpointId": endpoint, "Name": "newer"}
        self.refused("InvalidRequestException", self.rr.update_resolver_endpoint, **again)
        self.operational(endpoint)
        self.assertEqual([self.look(endpoint)["Name"], self.look(endpoint)["Protocols"]], ["new", ["Do53", "DoH"]])

    def test_protocols_are_exchanged_in_two_steps(self) -> None:
        endpoint = self.make()
        wanted = {"ResolverEndpointId": endpoint, "Protocols": ["DoH"]}
        self.refused("InvalidRequestException", self.rr.update_resolver_endpoint, **wanted)
        for protocols in (["Do53", "DoH"], ["DoH"]):
            self.rr.update_resolver_endpoint(ResolverEndpointId=endpoint, Protocols=protocols)
            self.operational(endpoint)

    def test_ipv4_becomes_dualstack_and_back_but_never_ipv6(self) -> None:
        both = self.network(cidr="10.8.0.0/16", ipv6=True, name="both")
        group = [both["default_security_group_id"]]
        endpoint = self.make(IpAddresses=[{"SubnetId": s} for s in both["subnet_ids"]], SecurityGroupIds=group)
        self.rr.update_resolver_endpoint(ResolverEndpointId=endpoint, ResolverEndpointType="DUALSTACK")
        self.operational(endpoint)
        self.assertTrue(all(a["Ip"] and a["Ipv6"] for a in self.addresses(endpoint)))
        wanted = {"ResolverEndpointId": endpoint, "ResolverEndpointType": "IPV6"}
        self.refused("InvalidRequestException", self.rr.update_resolver_endpoint, **wanted)
        self.rr.update_resolver_endpoint(ResolverEndpointId=endpoint, ResolverEndpointType="IPV4")
        self.operational(endpoint)
        self.assertFalse(any(a.get("Ipv6") for a in self.addresses(endpoint)))

    def test_a_rule_makes_addresses_fail(self) -> None:
        rule = {
            "service": "route53resolver",
            "operation": "CreateResolverEndpoint",
            "account": self.account,
            "fail": "full",
        }
        control("PUT", "/_studio/rules", [rule])
        endpoint = self.rr.create_resolver_endpoint(**self.wanted())["ResolverEndpoint"]["Id"]
        self.until(lambda: self.look(endpoint)["Status"], "ACTION_NEEDED")
        self.assertEqual({a["Status"] for a in self.addresses(endpoint)}, {"FAILED_CREATION"})

    def test_tags(self) -> None:
        endpoint = self.make(Tags=[{"Key": "a", "Value": "1"}])
        arn = self.look(endpoint)["Arn"]
        self.rr.tag_resource(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
        self.rr.untag_resource(ResourceArn=arn, TagKeys=["a"])
        self.assertEqual(self.rr.list_tags_for_resource(ResourceArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])
        self.refused("ResourceNotFoundException", self.rr.list_tags_for_resource, ResourceArn=arn + "x")


class Addresses(ResolverTest):
    def swap(self, method: str, endpoint: str, **address: Any) -> None:
        getattr(self.rr, f"{method}_resolver_endpoint_ip_address")(ResolverEndpointId=endpoint, IpAddress=address)

    def test_an_address_is_added_and_then_another_taken_away(self) -> None:
        endpoint = self.make()
        first = self.addresses(endpoint)[0]
        self.swap("associate", endpoint, SubnetId=self.net["subnet_ids"][2], Ip="10.0.2.53")
        self.assertEqual(self.look(endpoint)["Status"], "UPDATING")
        self.operational(endpoint)
        self.assertEqual([a["Status"] for a in self.addresses(endpoint)], ["ATTACHED"] * 3)
        self.swap("disassociate", endpoint, IpId=first["IpId"])
        self.assertEqual(self.addresses(endpoint)[0]["Status"], "DETACHING")
        self.operational(endpoint)
        left = self.addresses(endpoint)
        self.assertEqual([len(left), left[1]["Ip"]], [2, "10.0.2.53"])
        self.assertEqual(self.look(endpoint)["IpAddressCount"], 2)
        self.ec2.delete_subnet(SubnetId=first["SubnetId"])

    def test_it_never_goes_below_two(self) -> None:
        endpoint = self.make()
        gone = {"ResolverEndpointId": endpoint, "IpAddress": {"IpId": self.addresses(endpoint)[0]["IpId"]}}
        answer = self.refused("InvalidRequestException", self.rr.disassociate_resolver_endpoint_ip_address, **gone)
        self.assertIn("[RSLVR-00400]", answer["Error"]["Message"])

    def test_the_only_attached_address_stays(self) -> None:
        control("PUT", "/_studio/pace", {"default": 0.05, "route53resolver:ip": 3600})
        endpoint = self.rr.create_resolver_endpoint(**self.wanted())["ResolverEndpoint"]["Id"]
        gone = {"ResolverEndpointId": endpoint, "IpAddress": {"IpId": self.addresses(endpoint)[0]["IpId"]}}
        answer = self.refused("InvalidRequestException", self.rr.disassociate_resolver_endpoint_ip_address, **gone)
        self.assertEqual(answer["Error"]["Message"], "[RSLVR-00506] Can't remove the only attached IP address")

    def test_one_change_at_a_time(self) -> None:
        endpoint = self.make()
        self.swap("associate", endpoint, SubnetId=self.net["subnet_ids"][2])
        more = {"ResolverEndpointId": endpoint, "IpAddress": {"SubnetId": self.net["subnet_ids"][2]}}
        self.refused("InvalidRequestException", self.rr.associate_resolver_endpoint_ip_address, **more)

    def test_an_address_that_is_not_there(self) -> None:
        gone = {"ResolverEndpointId": self.make(), "IpAddress": {"IpId": "rni-0unknown"}}
        self.refused("ResourceNotFoundException", self.rr.disassociate_resolver_endpoint_ip_address, **gone)


class Rules(ResolverTest):
    def setUp(self) -> None:
        super().setUp()
        self.out = self.make(Direction="OUTBOUND")

    def rule_wanted(self, **more: Any) -> dict[str, Any]:
        self.requests += 1
        base = {"CreatorRequestId": f"rule-{self.requests}", "RuleType": "FORWARD", "DomainName": "corp.example"}
        return {**base, "TargetIps": [{"Ip": "10.0.0.53"}], "ResolverEndpointId": self.out, **more}

    def rule(self, **more: Any) -> dict[str, Any]:
        return self.rr.create_resolver_rule(**self.rule_wanted(**more))["ResolverRule"]

    def test_a_rule_is_complete_and_shows_what_was_sent(self) -> None:
        made = self.rule(Name="corp", Tags=[{"Key": "a", "Value": "1"}])
        self.assertEqual([made["Status"], made["DomainName"]], ["COMPLETE", "corp.example."])
        self.assertEqual(made["TargetIps"], [{"Ip": "10.0.0.53", "Port": 53, "Protocol": "Do53"}])
        self.assertEqual(self.rr.get_resolver_rule(ResolverRuleId=made["Id"])["ResolverRule"], made)
        self.assertEqual(self.rr.list_tags_for_resource(ResourceArn=made["Arn"])["Tags"], [{"Key": "a", "Value": "1"}])

    def test_the_same_request_gives_the_same_rule(self) -> None:
        wanted = self.rule_wanted()
        first = self.rr.create_resolver_rule(**wanted)["ResolverRule"]["Id"]
        self.assertEqual(self.rr.create_resolver_rule(**wanted)["ResolverRule"]["Id"], first)
        other = {**wanted, "DomainName": "other.example"}
        self.refused("ResourceExistsException", self.rr.create_resolver_rule, **other)

    def test_rules_are_listed_with_the_one_that_aws_made(self) -> None:
        made = self.rule()
        listed = self.rr.list_resolver_rules()["ResolverRules"]
        self.assertEqual([r["Id"] for r in listed], ["rslvr-autodefined-rr-internet-resolver", made["Id"]])
        wanted = [{"Name": "Type", "Values": ["FORWARD"]}]
        self.assertEqual([r["Id"] for r in self.rr.list_resolver_rules(Filters=wanted)["ResolverRules"]], [made["Id"]])

    def test_what_is_refused(self) -> None:
        both = [{"Ip": "10.0.0.53"}, {"Ipv6": "fd00::53"}]
        for code, more in (
            ("InvalidParameterException", {"TargetIps": both}),
            ("InvalidParameterException", {"TargetIps": [{"Ip": "nonsense"}]}),
            ("LimitExceededException", {"TargetIps": [{"Ip": f"10.0.0.{n}"} for n in range(10, 17)]}),
            ("ResourceNotFoundException", {"ResolverEndpointId": "rslvr-out-0unknown"}),
            ("InvalidRequestException", {"ResolverEndpointId": self.make()}),
        ):
            with self.subTest(more):
                self.refused(code, self.rr.create_resolver_rule, **self.rule_wanted(**more))

    def test_an_update_is_updating_then_complete(self) -> None:
        rule = self.rule()["Id"]
        made = self.rr.update_resolver_rule(
            ResolverRuleId=rule, Config={"TargetIps": [{"Ip": "10.0.0.54", "Port": 5353}]}
        )
        self.assertEqual(made["ResolverRule"]["Status"], "UPDATING")
        self.until(lambda: self.rr.get_resolver_rule(ResolverRuleId=rule)["ResolverRule"]["Status"], "COMPLETE")
        self.assertEqual(self.rr.get_resolver_rule(ResolverRuleId=rule)["ResolverRule"]["TargetIps"][0]["Port"], 5353)

    def test_an_association_lives_and_holds_its_rule_which_holds_its_endpoint(self) -> None:
        rule, vpc = self.rule()["Id"], self.net["vpc_id"]
        both = {"ResolverRuleId": rule, "VPCId": vpc}
        made = self.rr.associate_resolver_rule(**both)["ResolverRuleAssociation"]
        self.assertEqual(made["Status"], "CREATING")
        key = {"ResolverRuleAssociationId": made["Id"]}
        look = lambda: self.rr.get_resolver_rule_association(**key)["ResolverRuleAssociation"]["Status"]  # noqa: E731
        self.until(look, "COMPLETE")
        self.refused("ResourceExistsException", self.rr.associate_resolver_rule, **both)
        self.refused("ResourceInUseException", self.rr.delete_resolver_rule, ResolverRuleId=rule)
        answer = self.refused("InvalidRequestException", self.rr.delete_resolver_endpoint, ResolverEndpointId=self.out)
        self.assertIn("[RSLVR-00600]", answer["Error"]["Message"])
        self.rr.disassociate_resolver_rule(**both)
        self.assertEqual(look(), "DELETING")
        self.until_gone(self.rr.get_resolver_rule_association, "ResourceNotFoundException", **key)
        self.refused("ResourceNotFoundException", self.rr.disassociate_resolver_rule, **both)
        self.rr.delete_resolver_rule(ResolverRuleId=rule)
        self.until_gone(self.rr.get_resolver_rule, "ResourceNotFoundException", ResolverRuleId=rule)
        self.gone(self.out)

    def test_a_vpc_has_one_rule_for_a_name(self) -> None:
        first, second = self.rule()["Id"], self.rule()["Id"]
        self.rr.associate_resolver_rule(ResolverRuleId=first, VPCId=self.net["vpc_id"])
        wanted = {"ResolverRuleId": second, "VPCId": self.net["vpc_id"]}
        self.refused("InvalidRequestException", self.rr.associate_resolver_rule, **wanted)
        listed = self.rr.list_resolver_rule_associations(Filters=[{"Name": "VPCId", "Values": [self.net["vpc_id"]]}])
        self.assertEqual([a["ResolverRuleId"] for a in listed["ResolverRuleAssociations"]], [first])
