"""VPC endpoints."""

from __future__ import annotations

import ipaddress
from typing import Any

from .support import EmulatorTest, control

API = "com.amazonaws.us-east-1.sagemaker.api"
STUDIO = "aws.sagemaker.us-east-1.studio"


class EndpointTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.net, self.ec2 = self.network(), self.client("ec2")

    def make(self, service: str = API, **more: Any) -> dict[str, Any]:
        wanted = {"VpcId": self.net["vpc_id"], "ServiceName": service, "VpcEndpointType": "Interface"}
        wanted.update({"SubnetIds": self.net["subnet_ids"], **more})
        return self.ec2.create_vpc_endpoint(**wanted)["VpcEndpoint"]

    def not_made(self, code: str, service: str = API, **more: Any) -> str:
        wanted = {"VpcId": self.net["vpc_id"], "ServiceName": service, "VpcEndpointType": "Interface"}
        wanted.update({"SubnetIds": self.net["subnet_ids"], **more})
        return self.refused(code, self.ec2.create_vpc_endpoint, **wanted)["Error"]["Message"]

    def look(self, endpoint: dict[str, Any]) -> dict[str, Any]:
        return self.ec2.describe_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])["VpcEndpoints"][0]

    def available(self, endpoint: dict[str, Any]) -> dict[str, Any]:
        self.until(lambda: self.look(endpoint)["State"], "available")
        return self.look(endpoint)

    def modify(self, endpoint: dict[str, Any], **more: Any) -> dict[str, Any]:
        self.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint["VpcEndpointId"], **more)
        return self.available(endpoint)

    def names(self, endpoint: dict[str, Any]) -> list[str]:
        return [entry["DnsName"] for entry in endpoint["DnsEntries"]]


class Services(EndpointTest):
    def test_the_studio_service_answers_for_four_names(self) -> None:
        details = self.ec2.describe_vpc_endpoint_services(ServiceNames=[STUDIO])["ServiceDetails"][0]
        self.assertEqual(
            [name["PrivateDnsName"] for name in details["PrivateDnsNames"]],
            [
                "studio.us-east-1.sagemaker.aws",
                "*.studio.us-east-1.sagemaker.aws",
                "studio.sagemaker.us-east-1.app.aws",
                "*.studio.sagemaker.us-east-1.app.aws",
            ],
        )
        self.assertTrue(details["VpcEndpointPolicySupported"])
        self.assertNotIn("us-east-1e", details["AvailabilityZones"])

    def test_s3_is_one_name_and_two_services(self) -> None:
        wanted = {"ServiceNames": ["com.amazonaws.us-east-1.s3"]}
        answer = self.ec2.describe_vpc_endpoint_services(**wanted)
        kinds = [detail["ServiceType"][0]["ServiceType"] for detail in answer["ServiceDetails"]]
        self.assertEqual([kinds, answer["ServiceNames"]], [["Gateway", "Interface"], wanted["ServiceNames"]])
        self.assertEqual(len({detail["ServiceId"] for detail in answer["ServiceDetails"]}), 2)
        only = [{"Name": "service-type", "Values": ["Gateway"]}]
        found = self.ec2.describe_vpc_endpoint_services(**wanted, Filters=only)["ServiceDetails"]
        self.assertEqual([detail["ServiceType"][0]["ServiceType"] for detail in found], ["Gateway"])

    def test_an_unknown_service_is_an_error(self) -> None:
        self.refused("InvalidServiceName", self.ec2.describe_vpc_endpoint_services, ServiceNames=["com.example"])

    def test_services_can_be_filtered(self) -> None:
        wanted = [{"Name": "service-name", "Values": ["*.sagemaker.runtime"]}]
        names = self.ec2.describe_vpc_endpoint_services(Filters=wanted)["ServiceNames"]
        self.assertEqual(names, ["com.amazonaws.us-east-1.sagemaker.runtime"])


class Life(EndpointTest):
    def test_an_endpoint_is_pending_then_available(self) -> None:
        made = self.make()
        self.assertEqual(made["State"], "pending")
        self.available(made)

    def test_a_deleted_endpoint_is_deleting_then_unknown(self) -> None:
        made = self.available(self.make())
        self.ec2.delete_vpc_endpoints(VpcEndpointIds=[made["VpcEndpointId"]])
        self.assertEqual(self.look(made)["State"], "deleting")
        wanted = {"VpcEndpointIds": [made["VpcEndpointId"]]}
        self.until_gone(self.ec2.describe_vpc_endpoints, "InvalidVpcEndpointId.NotFound", **wanted)
        self.assertEqual([f["kind"] for f in self.leftovers() if "interface" in f["kind"]], [])

    def test_its_interfaces_outlive_it_where_the_pace_says_so(self) -> None:
        group = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=self.net["vpc_id"])["GroupId"]
        made = self.available(self.make(SecurityGroupIds=[group]))
        control("PUT", "/_studio/pace", {"default": 0, "ec2:vpc-endpoint:detaching": 3600})
        key = {"VpcEndpointIds": [made["VpcEndpointId"]]}
        self.ec2.delete_vpc_endpoints(**key)
        self.refused("InvalidVpcEndpointId.NotFound", self.ec2.describe_vpc_endpoints, **key)
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group)
        control("PUT", "/_studio/pace", {"default": 0})
        self.ec2.delete_security_group(GroupId=group)

    def test_deleting_what_is_unknown_is_answered_with_success_and_a_list(self) -> None:
        made = self.make()
        answer = self.ec2.delete_vpc_endpoints(VpcEndpointIds=["vpce-0unknown", made["VpcEndpointId"]])
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 200)
        self.assertEqual(
            [(u["ResourceId"], u["Error"]["Code"]) for u in answer["Unsuccessful"]],
            [("vpce-0unknown", "InvalidVpcEndpoint.NotFound")],
        )

    def test_a_rule_makes_it_fail_with_a_reason(self) -> None:
        rule = {"service": "ec2", "operation": "CreateVpcEndpoint", "account": self.account, "fail": "no capacity"}
        control("PUT", "/_studio/rules", [rule])
        made = self.make()
        self.until(lambda: self.look(made)["State"], "failed")
        self.assertEqual(self.look(made)["LastError"]["Message"], "no capacity")

    def test_the_same_token_gives_the_same_endpoint(self) -> None:
        first = self.make(ClientToken="token")
        self.assertEqual(self.make(ClientToken="token")["VpcEndpointId"], first["VpcEndpointId"])
        self.not_made("IdempotentParameterMismatch", ClientToken="token", PrivateDnsEnabled=False)

    def test_tags_and_filters(self) -> None:
        tags = [{"ResourceType": "vpc-endpoint", "Tags": [{"Key": "owner", "Value": "me"}]}]
        made = self.make(TagSpecifications=tags)
        self.make(STUDIO)
        for name, value in (("tag:owner", "me"), ("service-name", API), ("tag-key", "own*")):
            found = self.ec2.describe_vpc_endpoints(Filters=[{"Name": name, "Values": [value]}])["VpcEndpoints"]
            self.assertEqual([e["VpcEndpointId"] for e in found], [made["VpcEndpointId"]], name)
        self.ec2.create_tags(Resources=[made["VpcEndpointId"]], Tags=[{"Key": "more", "Value": "x"}])
        self.ec2.delete_tags(Resources=[made["VpcEndpointId"]], Tags=[{"Key": "owner"}])
        self.assertEqual(self.look(made)["Tags"], [{"Key": "more", "Value": "x"}])
        self.refused(
            "InvalidParameterValue", self.ec2.describe_vpc_endpoints, Filters=[{"Name": "color", "Values": ["red"]}]
        )


class Shape(EndpointTest):
    def test_dns_entries_are_regional_zonal_private(self) -> None:
        made = self.make(STUDIO)
        start = made["VpcEndpointId"] + "-"
        names = self.names(made)
        self.assertTrue(names[0].startswith(start) and names[0].endswith(".studio.us-east-1.vpce.sagemaker.aws"))
        self.assertTrue(all(f"-{zone}." in name for zone, name in zip(self.net["zones"], names[1:3], strict=True)))
        self.assertEqual(len(names), 7)
        self.assertEqual({entry["HostedZoneId"] for entry in made["DnsEntries"][3:]}, {"ZONEIDPENDING"})
        later = self.available(made)
        self.assertNotIn("ZONEIDPENDING", {entry["HostedZoneId"] for entry in later["DnsEntries"]})

    def test_the_labels_of_the_dns_name_are_turned_around(self) -> None:
        self.assertTrue(self.names(self.make())[0].endswith(".api.sagemaker.us-east-1.vpce.amazonaws.com"))

    def test_without_private_dns_there_are_no_private_names(self) -> None:
        names = self.names(self.make(PrivateDnsEnabled=False))
        self.assertTrue(all(name.startswith("vpce-") for name in names))

    def test_its_interfaces_have_addresses_of_their_subnets_and_the_groups(self) -> None:
        group = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=self.net["vpc_id"])["GroupId"]
        made = self.make(SecurityGroupIds=[group])
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])
        blocks = {s["SubnetId"]: s for s in self.ec2.describe_subnets(SubnetIds=self.net["subnet_ids"])["Subnets"]}
        for interface in found["NetworkInterfaces"]:
            block = ipaddress.ip_network(blocks[interface["SubnetId"]]["CidrBlock"])
            self.assertIn(ipaddress.ip_address(interface["PrivateIpAddress"]), block)
            self.assertEqual([g["GroupId"] for g in interface["Groups"]], [group])
            self.assertEqual(interface["Description"], f"VPC Endpoint Interface {made['VpcEndpointId']}")
            self.assertTrue(interface["RequesterManaged"])
            self.assertEqual(blocks[interface["SubnetId"]]["AvailableIpAddressCount"], 250)

    def test_the_default_group_and_policy_are_used_when_none_are_given(self) -> None:
        made = self.make()
        self.assertEqual([g["GroupId"] for g in made["Groups"]], [self.net["default_security_group_id"]])
        self.assertIn('"Action": "*"', made["PolicyDocument"])

    def test_addresses_can_be_chosen(self) -> None:
        first = self.net["subnet_ids"][0]
        chosen = [{"SubnetId": first, "Ipv4": "10.0.0.77"}]
        made = self.make(SubnetConfigurations=chosen)
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])
        self.assertIn("10.0.0.77", [i["PrivateIpAddress"] for i in found["NetworkInterfaces"]])
        taken = {"SubnetConfigurations": chosen, "PrivateDnsEnabled": False}
        self.not_made("InvalidIPAddress.InUse", **taken)
        outside = [{"SubnetId": first, "Ipv4": "10.0.1.77"}]
        self.not_made("InvalidParameterValue", SubnetConfigurations=outside, PrivateDnsEnabled=False)

    def test_a_gateway_endpoint_is_available_at_once_and_has_a_route(self) -> None:
        wanted = {"VpcId": self.net["vpc_id"], "ServiceName": "com.amazonaws.us-east-1.s3"}
        made = self.ec2.create_vpc_endpoint(RouteTableIds=[self.net["route_table_id"]], **wanted)["VpcEndpoint"]
        self.assertEqual([made["State"], made["VpcEndpointType"]], ["available", "Gateway"])
        table = self.ec2.describe_route_tables(RouteTableIds=[self.net["route_table_id"]])["RouteTables"][0]
        self.assertIn(made["VpcEndpointId"], [route.get("GatewayId") for route in table["Routes"]])
        again = {"RouteTableIds": [self.net["route_table_id"]], **wanted}
        self.refused("RouteAlreadyExists", self.ec2.create_vpc_endpoint, **again)
        self.ec2.modify_vpc_endpoint(
            VpcEndpointId=made["VpcEndpointId"], RemoveRouteTableIds=[self.net["route_table_id"]]
        )
        table = self.ec2.describe_route_tables(RouteTableIds=[self.net["route_table_id"]])["RouteTables"][0]
        self.assertNotIn(made["VpcEndpointId"], [route.get("GatewayId") for route in table["Routes"]])


class Refusals(EndpointTest):
    def test_unknown_vpc_service_subnet_and_group(self) -> None:
        self.not_made("InvalidVpcId.NotFound", VpcId="vpc-0unknown")
        self.not_made("InvalidServiceName", "com.amazonaws.us-east-1.nothing")
        self.not_made("InvalidSubnetID.NotFound", SubnetIds=["subnet-0unknown"])
        self.not_made("InvalidGroup.NotFound", SecurityGroupIds=["sg-0unknown"])

    def test_the_wrong_type_for_the_service(self) -> None:
        self.not_made("InvalidParameter", VpcEndpointType="Gateway")

    def test_two_subnets_in_one_zone(self) -> None:
        zone, vpc = self.net["zones"][0], self.net["vpc_id"]
        second = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        self.not_made("DuplicateSubnetsInSameZone", SubnetIds=[self.net["subnet_ids"][0], second])

    def test_a_subnet_and_a_group_of_another_vpc(self) -> None:
        other = self.network(cidr="10.9.0.0/16", name="other")
        self.not_made("InvalidParameter", SubnetIds=other["subnet_ids"])
        self.not_made("InvalidParameter", SecurityGroupIds=[other["default_security_group_id"]])

    def test_a_zone_that_the_service_does_not_have(self) -> None:
        vpc = self.net["vpc_id"]
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1e")["Subnet"]
        message = self.not_made("InvalidParameter", SubnetIds=[subnet["SubnetId"]])
        wanted = (
            f"The VPC endpoint service {API} does not support the availability zone of the subnet: {subnet['SubnetId']}"
        )
        self.assertIn(wanted, message)

    def test_private_dns_twice_for_a_name(self) -> None:
        self.make()
        message = self.not_made("InvalidParameter")
        self.assertIn(
            "private-dns-enabled cannot be set because there is already a conflicting DNS domain for", message
        )
        self.assertIn(f"in the VPC {self.net['vpc_id']}", message)
        self.make(PrivateDnsEnabled=False)

    def test_private_dns_where_a_zone_serves_the_name(self) -> None:
        vpc = {"VPCId": self.net["vpc_id"], "VPCRegion": "us-east-1"}
        self.client("route53").create_hosted_zone(Name="studio.us-east-1.sagemaker.aws", CallerReference="1", VPC=vpc)
        self.assertIn(
            "conflicting DNS domain for studio.us-east-1.sagemaker.aws", self.not_made("InvalidParameter", STUDIO)
        )

    def test_private_dns_in_a_vpc_without_host_names(self) -> None:
        self.ec2.modify_vpc_attribute(VpcId=self.net["vpc_id"], EnableDnsHostnames={"Value": False})
        self.assertIn("enableDnsHostnames", self.not_made("InvalidParameter"))
        self.make(PrivateDnsEnabled=False)

    def test_private_dns_cannot_be_switched_on_later_either(self) -> None:
        made = self.available(self.make(STUDIO, PrivateDnsEnabled=False))
        wanted = {"VpcEndpointId": made["VpcEndpointId"], "PrivateDnsEnabled": True}
        vpc = {"VPCId": self.net["vpc_id"], "VPCRegion": "us-east-1"}
        name = "studio.sagemaker.us-east-1.app.aws"
        zone = self.client("route53").create_hosted_zone(Name=name, CallerReference=self.account, VPC=vpc)
        message = self.refused("InvalidParameter", self.ec2.modify_vpc_endpoint, **wanted)["Error"]["Message"]
        said = f"there is already a conflicting DNS domain for {name} in the VPC {vpc['VPCId']}"
        self.assertEqual(message, "private-dns-enabled cannot be set because " + said)
        self.client("route53").delete_hosted_zone(Id=zone["HostedZone"]["Id"])
        self.ec2.modify_vpc_attribute(VpcId=vpc["VPCId"], EnableDnsSupport={"Value": False})
        self.refused("InvalidParameter", self.ec2.modify_vpc_endpoint, **wanted)
        self.ec2.modify_vpc_attribute(VpcId=vpc["VPCId"], EnableDnsSupport={"Value": True})
        self.modify(made, PrivateDnsEnabled=True)

    def test_ipv6_alone_needs_subnets_with_ipv6_alone(self) -> None:
        both = self.network(cidr="10.8.0.0/16", ipv6=True, name="both")
        wanted = {"VpcId": both["vpc_id"], "IpAddressType": "ipv6"}
        self.not_made("InvalidParameter", SubnetIds=both["subnet_ids"], **wanted)
        ranges = self.ec2.describe_vpcs(VpcIds=[both["vpc_id"]])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"]
        block = list(ipaddress.ip_network(ranges[0]["Ipv6CidrBlock"]).subnets(new_prefix=64))[-1]
        alone = self.ec2.create_subnet(
            VpcId=both["vpc_id"], Ipv6Native=True, Ipv6CidrBlock=str(block), AvailabilityZone=both["zones"][0]
        )["Subnet"]["SubnetId"]
        self.not_made("InvalidParameter", SubnetIds=[alone], VpcId=both["vpc_id"])
        made = self.available(self.make(SubnetIds=[alone], **wanted))
        self.assertEqual([made["IpAddressType"], made["DnsOptions"]["DnsRecordIpType"]], ["ipv6", "ipv6"])
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])
        interface = found["NetworkInterfaces"][0]
        self.assertNotIn("PrivateIpAddress", interface)
        self.assertIn(ipaddress.ip_address(interface["Ipv6Addresses"][0]["Ipv6Address"]), block)

    def test_a_policy_that_is_not_one(self) -> None:
        for text in ("{", "[]", '{"Statement": []}', '{"Statement": [{"Effect": "Allow"}]}'):
            with self.subTest(text):
                self.not_made("InvalidPolicyDocument", PolicyDocument=text)

    def test_dual_stack_needs_ipv6_in_service_and_subnets(self) -> None:
        self.not_made("InvalidParameter", IpAddressType="dualstack")
        both = self.network(cidr="10.8.0.0/16", ipv6=True, name="both")
        wanted = {"VpcId": both["vpc_id"], "SubnetIds": both["subnet_ids"], "IpAddressType": "dualstack"}
        made = self.make(**wanted)
        self.assertEqual([made["IpAddressType"], made["DnsOptions"]["DnsRecordIpType"]], ["dualstack", "dualstack"])
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])
        self.assertTrue(all(i["Ipv6Addresses"] for i in found["NetworkInterfaces"]))
        self.not_made("InvalidParameter", "com.amazonaws.us-east-1.servicecatalog", **wanted)


class Changes(EndpointTest):
    def test_subnets_are_added_and_removed_with_their_interfaces(self) -> None:
        wide = self.network(cidr="10.7.0.0/16", subnets=3, name="wide")
        first, second, third = wide["subnet_ids"]
        made = self.available(self.make(VpcId=wide["vpc_id"], SubnetIds=[first, second]))
        after = self.modify(made, AddSubnetIds=[third], RemoveSubnetIds=[first])
        self.assertEqual(after["SubnetIds"], [second, third])
        found = self.ec2.describe_network_interfaces(Filters=[{"Name": "vpc-id", "Values": [wide["vpc_id"]]}])
        self.assertEqual({i["SubnetId"] for i in found["NetworkInterfaces"]}, {second, third})

    def test_groups_are_changed_on_the_interfaces_too(self) -> None:
        group = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=self.net["vpc_id"])["GroupId"]
        old = self.net["default_security_group_id"]
        made = self.available(self.make())
        after = self.modify(made, AddSecurityGroupIds=[group], RemoveSecurityGroupIds=[old])
        self.assertEqual([g["GroupId"] for g in after["Groups"]], [group])
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])
        self.assertEqual([g["GroupId"] for g in found["NetworkInterfaces"][0]["Groups"]], [group])
        only = {"VpcEndpointId": made["VpcEndpointId"], "RemoveSecurityGroupIds": [group]}
        self.refused("InvalidParameter", self.ec2.modify_vpc_endpoint, **only)

    def test_private_dns_goes_off_and_on(self) -> None:
        made = self.available(self.make())
        self.assertEqual(len(self.modify(made, PrivateDnsEnabled=False)["DnsEntries"]), 3)
        self.assertEqual(len(self.modify(made, PrivateDnsEnabled=True)["DnsEntries"]), 5)
        other = self.make(PrivateDnsEnabled=False)
        wanted = {"VpcEndpointId": other["VpcEndpointId"], "PrivateDnsEnabled": True}
        self.refused("InvalidParameter", self.ec2.modify_vpc_endpoint, **wanted)

    def test_the_policy_is_replaced_and_reset(self) -> None:
        made = self.available(self.make())
        text = '{"Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}]}'
        self.assertEqual(self.modify(made, PolicyDocument=text)["PolicyDocument"], text)
        self.assertEqual(self.modify(made, ResetPolicy=True)["PolicyDocument"], made["PolicyDocument"])
        wrong = {"VpcEndpointId": made["VpcEndpointId"], "PolicyDocument": "{"}
        self.refused("InvalidPolicyDocument", self.ec2.modify_vpc_endpoint, **wrong)

    def test_a_chosen_address_replaces_the_interface(self) -> None:
        made, first = self.available(self.make()), self.net["subnet_ids"][0]
        after = self.modify(made, SubnetConfigurations=[{"SubnetId": first, "Ipv4": "10.0.0.99"}])
        self.assertEqual(len(set(after["NetworkInterfaceIds"]) & set(made["NetworkInterfaceIds"])), 1)
        self.assertEqual(set(after["SubnetIds"]), set(made["SubnetIds"]))

    def test_the_address_type_changes_in_place(self) -> None:
        both = self.network(cidr="10.8.0.0/16", ipv6=True, name="both")
        made = self.available(self.make(VpcId=both["vpc_id"], SubnetIds=both["subnet_ids"]))
        after = self.modify(made, IpAddressType="dualstack")
        self.assertEqual([after["IpAddressType"], after["DnsOptions"]["DnsRecordIpType"]], ["dualstack", "dualstack"])
        back = self.modify(made, IpAddressType="ipv4")
        self.assertEqual([back["IpAddressType"], back["DnsOptions"]["DnsRecordIpType"]], ["ipv4", "ipv4"])
        found = self.ec2.describe_network_interfaces(NetworkInterfaceIds=back["NetworkInterfaceIds"])
        self.assertEqual([i["Ipv6Addresses"] for i in found["NetworkInterfaces"]], [[], []])
        plain = {"VpcEndpointId": self.make()["VpcEndpointId"], "IpAddressType": "dualstack"}
        self.refused("InvalidParameter", self.ec2.modify_vpc_endpoint, **plain)

    def test_unknown_endpoints_cannot_be_changed(self) -> None:
        wanted = {"VpcEndpointId": "vpce-0unknown", "ResetPolicy": True}
        self.refused("InvalidVpcEndpointId.NotFound", self.ec2.modify_vpc_endpoint, **wanted)
