"""Security groups, and what cannot be deleted."""

from __future__ import annotations

from typing import Any

from .support import EmulatorTest

HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}


class GroupTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.net, self.ec2 = self.network(), self.client("ec2")

    def group(self, name: str = "g") -> str:
        return self.ec2.create_security_group(GroupName=name, Description="d", VpcId=self.net["vpc_id"])["GroupId"]

    def allow(self, group: str, *permissions: dict[str, Any]) -> list[dict[str, Any]]:
        answer = self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=list(permissions))
        return answer["SecurityGroupRules"]

    def rules(self, group: str) -> list[dict[str, Any]]:
        wanted = [{"Name": "group-id", "Values": [group]}]
        return self.ec2.describe_security_group_rules(Filters=wanted)["SecurityGroupRules"]


class Groups(GroupTest):
    def test_a_name_is_taken_once_in_a_vpc(self) -> None:
        self.group()
        wanted = {"GroupName": "g", "Description": "d", "VpcId": self.net["vpc_id"]}
        self.refused("InvalidGroup.Duplicate", self.ec2.create_security_group, **wanted)
        other = self.network(cidr="10.9.0.0/16", name="other")
        self.ec2.create_security_group(**{**wanted, "VpcId": other["vpc_id"]})

    def test_names_and_descriptions_are_checked(self) -> None:
        for wanted in ({"GroupName": "sg-x", "Description": "d"}, {"GroupName": "x", "Description": "größer"}):
            self.refused("InvalidParameterValue", self.ec2.create_security_group, VpcId=self.net["vpc_id"], **wanted)

    def test_tags_are_kept(self) -> None:
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": "k", "Value": "v"}]}]
        made = self.ec2.create_security_group(
            GroupName="g", Description="d", VpcId=self.net["vpc_id"], TagSpecifications=tags
        )
        found = self.ec2.describe_security_groups(Filters=[{"Name": "tag:k", "Values": ["v"]}])["SecurityGroups"]
        self.assertEqual([(g["GroupId"], g["Tags"]) for g in found], [(made["GroupId"], tags[0]["Tags"])])


class Rules(GroupTest):
    def test_every_rule_has_an_id_and_a_description_of_its_own(self) -> None:
        group, other = self.group(), self.group("other")
        ranges = [{"CidrIp": "10.1.0.0/16", "Description": "one"}, {"CidrIp": "10.2.0.0/16", "Description": "two"}]
        pairs = [{"GroupId": other, "Description": "three"}]
        made = self.allow(group, {**HTTPS, "IpRanges": ranges}, {"IpProtocol": "-1", "UserIdGroupPairs": pairs})
        self.assertEqual([rule["Description"] for rule in made], ["one", "two", "three"])
        self.assertEqual(len({rule["SecurityGroupRuleId"] for rule in made}), 3)
        self.assertEqual(made[2]["ReferencedGroupInfo"]["GroupId"], other)
        incoming = [rule for rule in self.rules(group) if not rule["IsEgress"]]
        self.assertEqual(incoming, made)

    def test_both_families_show_in_the_groups_permissions(self) -> None:
        group = self.group()
        self.allow(group, {**HTTPS, "IpRanges": [{"CidrIp": "10.1.0.0/16"}], "Ipv6Ranges": [{"CidrIpv6": "fd00::/8"}]})
        shown = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]
        self.assertEqual(
            [shown["IpRanges"], shown["Ipv6Ranges"]], [[{"CidrIp": "10.1.0.0/16"}], [{"CidrIpv6": "fd00::/8"}]]
        )

    def test_a_rule_is_there_once_however_its_range_is_written(self) -> None:
        group = self.group()
        self.assertEqual(
            self.allow(group, {**HTTPS, "IpRanges": [{"CidrIp": "10.1.2.3/16"}]})[0]["CidrIpv4"], "10.1.0.0/16"
        )
        again = {
            "GroupId": group,
            "IpPermissions": [{**HTTPS, "IpRanges": [{"CidrIp": "10.1.0.0/16", "Description": "x"}]}],
        }
        self.refused("InvalidPermission.Duplicate", self.ec2.authorize_security_group_ingress, **again)

    def test_a_refused_request_adds_nothing(self) -> None:
        group = self.group()
        twice = {**HTTPS, "IpRanges": [{"CidrIp": "10.1.0.0/16"}, {"CidrIp": "10.1.0.0/16"}]}
        self.refused(
            "InvalidPermission.Duplicate",
            self.ec2.authorize_security_group_ingress,
            GroupId=group,
            IpPermissions=[twice],
        )
        self.assertEqual(len(self.rules(group)), 1)

    def test_ranges_ports_and_groups_are_checked(self) -> None:
        group = self.group()
        for code, wrong in (
            ("InvalidParameterValue", {**HTTPS, "IpRanges": [{"CidrIp": "10.1.0.0/99"}]}),
            ("InvalidParameterValue", {**HTTPS, "IpRanges": [{"CidrIp": "fd00::/8"}]}),
            ("InvalidParameterValue", {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.1.0.0/16"}]}),
            ("InvalidGroup.NotFound", {**HTTPS, "UserIdGroupPairs": [{"GroupId": "sg-0unknown"}]}),
        ):
            with self.subTest(wrong):
                self.refused(code, self.ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[wrong])

    def test_rules_are_revoked_by_id_and_by_what_they_say(self) -> None:
        group = self.group()
        first, second = self.allow(group, {**HTTPS, "IpRanges": [{"CidrIp": "10.1.0.0/16"}, {"CidrIp": "10.2.0.0/16"}]})
        self.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[first["SecurityGroupRuleId"]])
        same = [{**HTTPS, "IpRanges": [{"CidrIp": "10.2.0.0/16", "Description": "ignored"}]}]
        self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=same)
        self.refused(
            "InvalidPermission.NotFound", self.ec2.revoke_security_group_ingress, GroupId=group, IpPermissions=same
        )
        unknown = [second["SecurityGroupRuleId"]]
        wanted = {"GroupId": group, "SecurityGroupRuleIds": unknown}
        self.refused("InvalidSecurityGroupRuleId.NotFound", self.ec2.revoke_security_group_ingress, **wanted)

    def test_the_rule_that_lets_everything_out_can_be_revoked(self) -> None:
        group = self.group()
        everything = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=everything)
        self.assertEqual(self.rules(group), [])

    def test_a_rule_is_changed_under_its_id(self) -> None:
        group = self.group()
        first, second = self.allow(group, {**HTTPS, "IpRanges": [{"CidrIp": "10.1.0.0/16"}, {"CidrIp": "10.2.0.0/16"}]})
        contents = {**HTTPS, "CidrIpv4": "10.3.0.0/16", "Description": "new"}
        change = {"SecurityGroupRuleId": first["SecurityGroupRuleId"], "SecurityGroupRule": contents}
        self.ec2.modify_security_group_rules(GroupId=group, SecurityGroupRules=[change])
        shown = {rule["SecurityGroupRuleId"]: rule for rule in self.rules(group)}[first["SecurityGroupRuleId"]]
        self.assertEqual([shown["CidrIpv4"], shown["Description"]], ["10.3.0.0/16", "new"])
        change["SecurityGroupRule"] = {**contents, "CidrIpv4": second["CidrIpv4"]}
        wanted = {"GroupId": group, "SecurityGroupRules": [change]}
        self.refused("InvalidPermission.Duplicate", self.ec2.modify_security_group_rules, **wanted)

    def test_descriptions_are_changed_by_id_and_by_what_the_rule_says(self) -> None:
        group = self.group()
        rule = self.allow(group, {**HTTPS, "IpRanges": [{"CidrIp": "10.1.0.0/16", "Description": "old"}]})[0]
        by_id = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "by id"}]
        self.ec2.update_security_group_rule_descriptions_ingress(GroupId=group, SecurityGroupRuleDescriptions=by_id)
        self.assertEqual(self.rules(group)[0]["Description"], "by id")
        same = [{**HTTPS, "IpRanges": [{"CidrIp": "10.1.0.0/16", "Description": "by contents"}]}]
        self.ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=same)
        self.assertEqual(self.rules(group)[0]["Description"], "by contents")
        shown = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"][0]
        self.assertEqual(shown["IpRanges"][0]["Description"], "by contents")


class Deletes(GroupTest):
    def test_a_whole_network_can_be_taken_apart(self) -> None:
        for subnet in self.net["subnet_ids"]:
            self.ec2.delete_subnet(SubnetId=subnet)
        self.ec2.delete_vpc(VpcId=self.net["vpc_id"])
        self.client("iam").delete_role(RoleName="studio-execution")
        self.assertEqual(self.leftovers(), [])

    def endpoint(self, group: str) -> str:
        wanted = {
            "VpcId": self.net["vpc_id"],
            "ServiceName": "com.amazonaws.us-east-1.sts",
            "VpcEndpointType": "Interface",
        }
        made = self.ec2.create_vpc_endpoint(SubnetIds=self.net["subnet_ids"], SecurityGroupIds=[group], **wanted)
        return made["VpcEndpoint"]["VpcEndpointId"]

    def test_a_group_and_a_subnet_in_use_stay_until_the_endpoint_is_gone(self) -> None:
        group, subnet = self.group(), self.net["subnet_ids"][0]
        endpoint = self.endpoint(group)
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group)
        self.refused("DependencyViolation", self.ec2.delete_subnet, SubnetId=subnet)
        self.refused("DependencyViolation", self.ec2.delete_vpc, VpcId=self.net["vpc_id"])
        self.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group)
        self.until_gone(self.ec2.describe_vpc_endpoints, "InvalidVpcEndpointId.NotFound", VpcEndpointIds=[endpoint])
        self.ec2.delete_security_group(GroupId=group)
        self.ec2.delete_subnet(SubnetId=subnet)

    def test_a_group_that_another_groups_rule_names_stays(self) -> None:
        group, other = self.group(), self.group("other")
        self.allow(other, {**HTTPS, "UserIdGroupPairs": [{"GroupId": group}]})
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group)
        self.ec2.delete_security_group(GroupId=other)
        self.ec2.delete_security_group(GroupId=group)

    def test_a_group_that_names_itself_can_go(self) -> None:
        group = self.group()
        self.allow(group, {**HTTPS, "UserIdGroupPairs": [{"GroupId": group}]})
        self.ec2.delete_security_group(GroupId=group)
        self.refused("InvalidGroup.NotFound", self.ec2.delete_security_group, GroupId=group)

    def test_the_default_group_cannot_go(self) -> None:
        self.refused("CannotDelete", self.ec2.delete_security_group, GroupId=self.net["default_security_group_id"])

    def test_an_interface_of_a_service_cannot_be_deleted(self) -> None:
        self.endpoint(self.group())
        found = self.ec2.describe_network_interfaces()["NetworkInterfaces"][0]["NetworkInterfaceId"]
        self.refused("InvalidParameterValue", self.ec2.delete_network_interface, NetworkInterfaceId=found)
