"""Domains, user profiles, spaces, apps, presigned URLs."""

from __future__ import annotations

import json
import re
from typing import Any

from .support import EmulatorTest, control


class StudioTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.net, self.ec2, self.sm = self.network(), self.client("ec2"), self.client("sagemaker")

    def wanted(self, **more: Any) -> dict[str, Any]:
        settings = {"ExecutionRole": self.net["role_arn"]}
        base = {"DomainName": "one", "AuthMode": "IAM", "DefaultUserSettings": settings, "VpcId": self.net["vpc_id"]}
        return {**base, "SubnetIds": self.net["subnet_ids"], "AppNetworkAccessType": "VpcOnly", **more}

    def domain(self, **more: Any) -> str:
        """A domain in service."""
        domain_id = self.sm.create_domain(**self.wanted(**more))["DomainId"]
        self.until(lambda: self.look(domain_id)["Status"], "InService")
        return domain_id

    def look(self, domain_id: str) -> dict[str, Any]:
        return self.sm.describe_domain(DomainId=domain_id)

    def profile(self, domain_id: str, name: str = "ann") -> dict[str, str]:
        """A profile in service; what names it."""
        key = {"DomainId": domain_id, "UserProfileName": name}
        self.sm.create_user_profile(**key)
        self.until(lambda: self.sm.describe_user_profile(**key)["Status"], "InService")
        return key

    def update(self, domain_id: str, **more: Any) -> dict[str, Any]:
        self.sm.update_domain(DomainId=domain_id, **more)
        self.until(lambda: self.look(domain_id)["Status"], "InService")
        return self.look(domain_id)

    def destroy(self, domain_id: str, keep: str | None = None) -> None:
        policy = {"RetentionPolicy": {"HomeEfsFileSystem": keep}} if keep else {}
        self.sm.delete_domain(DomainId=domain_id, **policy)
        self.until_gone(self.sm.describe_domain, "ResourceNotFound", DomainId=domain_id)

    def kinds(self) -> list[str]:
        found = [f["kind"] for f in self.leftovers()]
        return sorted(kind for kind in found if kind not in ("ec2:vpc", "ec2:subnet", "iam:role"))


class DomainLife(StudioTest):
    def test_a_domain_is_pending_then_in_service(self) -> None:
        made = self.sm.create_domain(**self.wanted())
        self.assertRegex(made["DomainId"], r"^d-[a-z0-9]{12}$")
        self.assertEqual(made["Url"], f"https://{made['DomainId']}.studio.us-east-1.sagemaker.aws")
        self.assertEqual(made["DomainArn"], f"arn:aws:sagemaker:us-east-1:{self.account}:domain/{made['DomainId']}")
        self.assertEqual(self.look(made["DomainId"])["Status"], "Pending")
        self.until(lambda: self.look(made["DomainId"])["Status"], "InService")

    def test_a_domain_shows_what_was_sent(self) -> None:
        self.net = self.network(ipv6=True, cidr="10.6.0.0/16", name="both")
        settings = {
            "ExecutionRole": self.net["role_arn"],
            "SecurityGroups": [self.net["default_security_group_id"]],
            "StudioWebPortal": "ENABLED",
            "JupyterLabAppSettings": {
                "AppLifecycleManagement": {
                    "IdleSettings": {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": 60}
                }
            },
        }
        more = {"IpAddressType": "dualstack", "DockerSettings": {"EnableDockerAccess": "DISABLED"}}
        shown = self.look(self.domain(DefaultUserSettings=settings, DomainSettings=more))
        for name, value in self.wanted(DefaultUserSettings=settings, DomainSettings=more).items():
            self.assertEqual(shown[name], value, name)
        self.assertEqual(shown["HomeEfsFileSystemCreation"], "Enabled")
        self.assertRegex(shown["HomeEfsFileSystemId"], "^fs-")

    def test_a_rule_makes_it_fail_with_a_reason(self) -> None:
        rule = {"service": "sagemaker", "operation": "CreateDomain", "account": self.account, "fail": "no subnet left"}
        control("PUT", "/_studio/rules", [rule])
        domain_id = self.sm.create_domain(**self.wanted())["DomainId"]
        self.until(lambda: self.look(domain_id)["Status"], "Failed")
        self.assertEqual(self.look(domain_id)["FailureReason"], "no subnet left")
        self.destroy(domain_id)

    def test_domains_are_listed(self) -> None:
        first, second = self.domain(), self.domain(DomainName="two")
        listed = self.sm.list_domains()["Domains"]
        self.assertEqual([d["DomainId"] for d in listed], [first, second])
        page = self.sm.list_domains(MaxResults=1)
        rest = self.sm.list_domains(MaxResults=1, NextToken=page["NextToken"])
        self.assertEqual([d["DomainName"] for d in page["Domains"] + rest["Domains"]], ["one", "two"])

    def test_a_deleted_domain_is_deleting_then_unknown(self) -> None:
        domain_id = self.domain()
        self.sm.delete_domain(DomainId=domain_id)
        self.assertEqual(self.look(domain_id)["Status"], "Deleting")
        self.refused("ResourceInUse", self.sm.delete_domain, DomainId=domain_id)
        self.until_gone(self.sm.describe_domain, "ResourceNotFound", DomainId=domain_id)
        self.assertEqual(self.sm.list_domains()["Domains"], [])


class DomainRefusals(StudioTest):
    def no(self, code: str, **more: Any) -> None:
        wanted = {k: v for k, v in self.wanted(**more).items() if v is not None}
        self.refused(code, self.sm.create_domain, **wanted)

    def test_a_name_is_taken_once(self) -> None:
        self.sm.create_domain(**self.wanted())
        self.no("ResourceInUse")

    def test_what_is_needed(self) -> None:
        for name in ("DomainName", "AuthMode", "VpcId", "SubnetIds", "DefaultUserSettings"):
            with self.subTest(name):
                self.no("ValidationException", **{name: None})
        self.no("ValidationException", DefaultUserSettings={})

    def test_network_and_groups_must_exist(self) -> None:
        self.no("ValidationException", VpcId="vpc-0unknown")
        self.no("ValidationException", SubnetIds=["subnet-0unknown"])
        role = {"ExecutionRole": self.net["role_arn"]}
        self.no("ValidationException", DefaultUserSettings={**role, "SecurityGroups": ["sg-0unknown"]})
        self.no("ValidationException", DomainSettings={"SecurityGroupIds": ["sg-0unknown"]})

    def test_the_role_must_exist_and_trust_sagemaker(self) -> None:
        unknown = f"arn:aws:iam::{self.account}:role/unknown"
        self.no("ValidationException", DefaultUserSettings={"ExecutionRole": unknown})
        principal = {"Service": "ec2.amazonaws.com"}
        statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        other = self.client("iam").create_role(RoleName="other", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        self.no("ValidationException", DefaultUserSettings={"ExecutionRole": other})

    def test_naming_sagemaker_in_a_trust_policy_is_not_trusting_it(self) -> None:
        sagemaker = {"Service": ["ec2.amazonaws.com", "sagemaker.amazonaws.com"]}
        allow = {"Effect": "Allow", "Principal": sagemaker, "Action": "sts:AssumeRole"}
        iam = self.client("iam")
        for name, works, statements in (
            ("allowed", True, [allow]),
            ("any-action", True, [{**allow, "Action": ["sts:*"]}]),
            ("denied", False, [{**allow, "Effect": "Deny"}]),
            ("denied-too", False, [allow, {**allow, "Effect": "Deny"}]),
            ("tags-only", False, [{**allow, "Action": "sts:TagSession"}]),
            ("account", False, [{**allow, "Principal": {"AWS": "sagemaker.amazonaws.com"}}]),
        ):
            with self.subTest(name):
                trust = json.dumps({"Version": "2012-10-17", "Statement": statements})
                role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
                if works:
                    self.domain(DomainName=name, DefaultUserSettings={"ExecutionRole": role})
                else:
                    self.no("ValidationException", DefaultUserSettings={"ExecutionRole": role})

    def test_both_address_types_need_subnets_with_ipv6(self) -> None:
        self.no("ValidationException", DomainSettings={"IpAddressType": "dualstack"})
        self.domain(DomainSettings={"IpAddressType": "ipv4"})

    def test_studio_as_landing_needs_its_web_portal(self) -> None:
        role = {"ExecutionRole": self.net["role_arn"]}
        self.no("ValidationException", DefaultUserSettings={**role, "DefaultLandingUri": "studio::"})
        off = {**role, "DefaultLandingUri": "studio::", "StudioWebPortal": "DISABLED"}
        self.no("ValidationException", DefaultUserSettings=off)
        self.no("ValidationException", DefaultUserSettings={**role, "DefaultLandingUri": "app:Elsewhere:"})
        self.domain(DefaultUserSettings={**off, "StudioWebPortal": "ENABLED"})
        self.domain(DomainName="two", DefaultUserSettings={**role, "DefaultLandingUri": "app:JupyterServer:"})

    def test_a_refused_domain_left_nothing(self) -> None:
        self.no("ValidationException", DefaultUserSettings={})
        self.assertEqual(self.kinds(), [])


class Home(StudioTest):
    def test_retaining_leaves_file_system_mount_targets_and_groups(self) -> None:
        domain_id = self.domain()
        self.destroy(domain_id)
        left = (
            ["ec2:network-interface"] * 2 + ["ec2:security-group"] * 2 + ["efs:file-system"] + ["efs:mount-target"] * 2
        )
        self.assertEqual(self.kinds(), left)
        self.refused("DependencyViolation", self.ec2.delete_subnet, SubnetId=self.net["subnet_ids"][0])

    def test_what_was_retained_can_be_cleared_away_by_hand(self) -> None:
        domain_id = self.domain()
        file_system, efs = self.look(domain_id)["HomeEfsFileSystemId"], self.client("efs")
        self.destroy(domain_id)
        for target in efs.describe_mount_targets(FileSystemId=file_system)["MountTargets"]:
            efs.delete_mount_target(MountTargetId=target["MountTargetId"])
        efs.delete_file_system(FileSystemId=file_system)
        self.clear_groups(domain_id)
        self.assertEqual(self.kinds(), [])

    def test_deleting_leaves_only_the_two_groups_which_name_each_other(self) -> None:
        domain_id = self.domain()
        self.destroy(domain_id, "Delete")
        self.until(self.kinds, ["ec2:security-group"] * 2)
        for group in self.groups(domain_id):
            self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group["GroupId"])
        self.clear_groups(domain_id)
        self.assertEqual(self.kinds(), [])

    def test_a_file_system_that_goes_outlives_its_domain_and_holds_a_group(self) -> None:
        domain_id, efs = self.domain(), self.client("efs")
        control("PUT", "/_studio/pace", {"default": 0, "efs:mount-target:deleting": 3600})
        file_system = {"FileSystemId": self.look(domain_id)["HomeEfsFileSystemId"]}
        self.destroy(domain_id, "Delete")
        states = [t["LifeCycleState"] for t in efs.describe_mount_targets(**file_system)["MountTargets"]]
        self.assertEqual(states, ["deleting", "deleting"])
        self.assertEqual(efs.describe_file_systems(**file_system)["FileSystems"][0]["LifeCycleState"], "deleting")
        inbound, outbound = self.groups(domain_id)
        self.ec2.revoke_security_group_ingress(GroupId=inbound["GroupId"], IpPermissions=inbound["IpPermissions"])
        out = outbound["IpPermissionsEgress"]
        self.ec2.revoke_security_group_egress(GroupId=outbound["GroupId"], IpPermissions=out)
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=inbound["GroupId"])
        self.ec2.delete_security_group(GroupId=outbound["GroupId"])
        control("PUT", "/_studio/pace", {"default": 0})
        self.ec2.delete_security_group(GroupId=inbound["GroupId"])
        self.assertEqual(self.kinds(), [])

    def test_its_interfaces_outlive_it_where_the_pace_says_so(self) -> None:
        domain_id = self.domain(HomeEfsFileSystemCreation="Disabled")
        control("PUT", "/_studio/pace", {"default": 0, "sagemaker:domain:detaching": 3600})
        self.destroy(domain_id)
        self.assertEqual(self.kinds(), ["ec2:network-interface"] * 2)
        control("PUT", "/_studio/pace", {"default": 0})
        self.assertEqual(self.kinds(), [])

    def test_the_groups_allow_nfs_between_them(self) -> None:
        inbound, outbound = self.groups(self.domain())
        rule = inbound["IpPermissions"][0]
        self.assertEqual([rule["FromPort"], rule["UserIdGroupPairs"][0]["GroupId"]], [2049, outbound["GroupId"]])
        self.assertEqual(outbound["IpPermissionsEgress"][0]["UserIdGroupPairs"][0]["GroupId"], inbound["GroupId"])

    def test_without_a_home_there_is_no_file_system_and_it_can_be_added_but_not_taken_away(self) -> None:
        domain_id = self.domain(HomeEfsFileSystemCreation="Disabled", AppNetworkAccessType="PublicInternetOnly")
        self.assertNotIn("HomeEfsFileSystemId", self.look(domain_id))
        self.assertEqual(self.kinds(), ["sagemaker:domain"])
        shown = self.update(domain_id, HomeEfsFileSystemCreation="Enabled")
        self.assertIn("HomeEfsFileSystemId", shown)
        wanted = {"DomainId": domain_id, "HomeEfsFileSystemCreation": "Disabled"}
        self.refused("ValidationException", self.sm.update_domain, **wanted)

    def test_a_domain_in_the_vpc_holds_its_groups(self) -> None:
        group = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=self.net["vpc_id"])["GroupId"]
        settings = {"ExecutionRole": self.net["role_arn"], "SecurityGroups": [group]}
        domain_id = self.domain(DefaultUserSettings=settings)
        self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group)
        self.destroy(domain_id, "Delete")
        self.ec2.delete_security_group(GroupId=group)

    def groups(self, domain_id: str) -> list[dict[str, Any]]:
        names = [f"security-group-for-{way}-nfs-{domain_id}" for way in ("inbound", "outbound")]
        found = self.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": names}])["SecurityGroups"]
        return sorted(found, key=lambda group: group["GroupName"])

    def clear_groups(self, domain_id: str) -> None:
        inbound, outbound = self.groups(domain_id)
        self.ec2.revoke_security_group_ingress(GroupId=inbound["GroupId"], IpPermissions=inbound["IpPermissions"])
        out = outbound["IpPermissionsEgress"]
        self.ec2.revoke_security_group_egress(GroupId=outbound["GroupId"], IpPermissions=out)
        for group in (inbound, outbound):
            self.ec2.delete_security_group(GroupId=group["GroupId"])


class Inside(StudioTest):
    def test_a_profile_lives_and_shows_what_was_sent(self) -> None:
        domain_id = self.domain()
        key = {"DomainId": domain_id, "UserProfileName": "ann"}
        made = self.sm.create_user_profile(**key, UserSettings={"StudioWebPortal": "DISABLED"})
        self.assertEqual(made["UserProfileArn"].rpartition(":")[2], f"user-profile/{domain_id}/ann")
        self.assertEqual(self.sm.describe_user_profile(**key)["Status"], "Pending")
        self.until(lambda: self.sm.describe_user_profile(**key)["Status"], "InService")
        self.sm.update_user_profile(**key, UserSettings={"ExecutionRole": self.net["role_arn"]})
        self.assertEqual(self.sm.describe_user_profile(**key)["Status"], "Updating")
        self.until(lambda: self.sm.describe_user_profile(**key)["Status"], "InService")
        settings = self.sm.describe_user_profile(**key)["UserSettings"]
        self.assertEqual(settings, {"StudioWebPortal": "DISABLED", "ExecutionRole": self.net["role_arn"]})
        self.refused("ResourceInUse", self.sm.create_user_profile, **key)
        listed = self.sm.list_user_profiles(DomainIdEquals=domain_id)["UserProfiles"]
        self.assertEqual([p["UserProfileName"] for p in listed], ["ann"])
        self.sm.delete_user_profile(**key)
        self.until_gone(self.sm.describe_user_profile, "ResourceNotFound", **key)

    def test_a_profile_waits_for_its_domain(self) -> None:
        domain_id = self.sm.create_domain(**self.wanted())["DomainId"]
        wanted = {"DomainId": domain_id, "UserProfileName": "ann"}
        self.refused("ValidationException", self.sm.create_user_profile, **wanted)
        self.refused("ResourceNotFound", self.sm.create_user_profile, DomainId="d-unknown", UserProfileName="ann")

    def test_deletion_goes_from_the_inside_out(self) -> None:
        domain_id = self.domain()
        key = self.profile(domain_id)
        owner = {
            "OwnershipSettings": {"OwnerUserProfileName": "ann"},
            "SpaceSharingSettings": {"SharingType": "Private"},
        }
        space = {"DomainId": domain_id, "SpaceName": "lab"}
        self.sm.create_space(**space, **owner)
        self.until(lambda: self.sm.describe_space(**space)["Status"], "InService")
        self.assertRegex(
            self.sm.describe_space(**space)["Url"], r"^https://[a-z0-9]{15}\.studio\.us-east-1\.sagemaker\.aws$"
        )
        app = {**space, "AppType": "JupyterLab", "AppName": "default"}
        self.sm.create_app(**app)
        self.until(lambda: self.sm.describe_app(**app)["Status"], "InService")
        self.refused("ResourceInUse", self.sm.delete_domain, DomainId=domain_id)
        message = self.refused("ResourceInUse", self.sm.delete_user_profile, **key)["Error"]["Message"]
        self.assertIn("Unable to delete UserProfile [ann] because Space(s) are associated with it.", message)
        self.refused("ResourceInUse", self.sm.delete_space, **space)
        self.sm.delete_app(**app)
        self.until(lambda: self.sm.describe_app(**app)["Status"], "Deleted")
        self.assertEqual([a["Status"] for a in self.sm.list_apps(DomainIdEquals=domain_id)["Apps"]], ["Deleted"])
        self.sm.delete_space(**space)
        self.until_gone(self.sm.describe_space, "ResourceNotFound", **space)
        self.refused("ResourceInUse", self.sm.delete_domain, DomainId=domain_id)
        self.sm.delete_user_profile(**key)
        self.until_gone(self.sm.describe_user_profile, "ResourceNotFound", **key)
        self.destroy(domain_id, "Delete")

    def test_a_failed_app_stands_in_nobodys_way(self) -> None:
        domain_id = self.domain()
        key = self.profile(domain_id)
        rule = {"service": "sagemaker", "operation": "CreateApp", "account": self.account, "fail": "no instance"}
        control("PUT", "/_studio/rules", [rule])
        app = {**key, "AppType": "JupyterServer", "AppName": "default"}
        self.sm.create_app(**app)
        self.until(lambda: self.sm.describe_app(**app)["Status"], "Failed")
        self.sm.delete_user_profile(**key)
        self.until_gone(self.sm.describe_user_profile, "ResourceNotFound", **key)

    def test_spaces_and_apps_are_listed_with_whom_they_belong_to(self) -> None:
        domain_id = self.domain()
        key = self.profile(domain_id)
        private = {"OwnerUserProfileName": "ann"}
        self.sm.create_space(
            DomainId=domain_id,
            SpaceName="lab",
            OwnershipSettings=private,
            SpaceSharingSettings={"SharingType": "Private"},
            SpaceSettings={"AppType": "JupyterLab"},
        )
        self.sm.create_space(DomainId=domain_id, SpaceName="shared")
        spaces = self.sm.list_spaces(DomainIdEquals=domain_id)["Spaces"]
        self.assertEqual([s.get("OwnershipSettingsSummary") for s in spaces], [private, None])
        self.assertEqual(spaces[0]["SpaceSharingSettingsSummary"], {"SharingType": "Private"})
        self.assertEqual(spaces[0]["SpaceSettingsSummary"]["AppType"], "JupyterLab")
        self.assertEqual(self.sm.describe_space(DomainId=domain_id, SpaceName="lab")["OwnershipSettings"], private)
        self.sm.create_app(**key, AppType="JupyterServer", AppName="default")
        self.sm.create_app(DomainId=domain_id, SpaceName="lab", AppType="JupyterLab", AppName="default")
        apps = self.sm.list_apps(DomainIdEquals=domain_id)["Apps"]
        self.assertEqual(
            [(a.get("UserProfileName"), a.get("SpaceName"), a["AppType"]) for a in apps],
            [("ann", None, "JupyterServer"), (None, "lab", "JupyterLab")],
        )
        self.assertEqual(self.sm.list_apps(DomainIdEquals="d-other")["Apps"], [])
        found = [f["kind"] for f in self.leftovers() if f["kind"] in ("sagemaker:app", "sagemaker:space")]
        self.assertEqual(sorted(found), ["sagemaker:app"] * 2 + ["sagemaker:space"] * 2)

    def test_an_app_of_a_profile_stands_in_its_way(self) -> None:
        key = self.profile(self.domain())
        self.sm.create_app(**key, AppType="JupyterServer", AppName="default")
        message = self.refused("ResourceInUse", self.sm.delete_user_profile, **key)["Error"]["Message"]
        self.assertEqual(message, "Unable to delete UserProfile [ann] because App(s) are associated with it.")

    def test_tags_of_each_kind(self) -> None:
        domain_id = self.domain(Tags=[{"Key": "a", "Value": "1"}])
        arn = self.look(domain_id)["DomainArn"]
        self.sm.add_tags(ResourceArn=arn, Tags=[{"Key": "b", "Value": "2"}])
        self.sm.delete_tags(ResourceArn=arn, TagKeys=["a", "unknown"])
        self.assertEqual(self.sm.list_tags(ResourceArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])
        self.refused("ResourceNotFound", self.sm.list_tags, ResourceArn=arn + "x")

    def test_a_presigned_url_is_for_a_profile_of_an_iam_domain(self) -> None:
        domain_id = self.domain()
        key = self.profile(domain_id)
        url = self.sm.create_presigned_domain_url(**key, ExpiresInSeconds=60)["AuthorizedUrl"]
        self.assertRegex(
            url, "^" + re.escape(f"https://{domain_id}.studio.us-east-1.sagemaker.aws/auth?token=") + "[A-Za-z0-9]+$"
        )
        self.refused("ValidationException", self.sm.create_presigned_domain_url, **key, ExpiresInSeconds=1)
        unknown = {**key, "UserProfileName": "bob"}
        self.refused("ResourceNotFound", self.sm.create_presigned_domain_url, **unknown)
        sso = self.domain(DomainName="two", AuthMode="SSO")
        bob = {"DomainId": sso, "UserProfileName": "bob"}
        self.refused("ValidationException", self.sm.create_user_profile, **bob)
        self.sm.create_user_profile(**bob, SingleSignOnUserIdentifier="UserName", SingleSignOnUserValue="bob")
        self.refused("ValidationException", self.sm.create_presigned_domain_url, **bob)

    def test_the_urls_that_were_handed_out_are_known_afterwards(self) -> None:
        key = self.profile(self.domain())
        url = self.sm.create_presigned_domain_url(**key, ExpiresInSeconds=60)["AuthorizedUrl"]
        [known] = control("GET", f"/_studio/presigned?account={self.account}")
        self.assertEqual(known["url"], url)
        self.assertTrue(url.endswith("?token=" + known["token"]))
        self.assertEqual(known["asked"], {**key, "ExpiresInSeconds": 60})
        self.assertEqual(control("GET", "/_studio/presigned?account=999999999999"), [])
        control("POST", "/_studio/reset")
        self.assertEqual(control("GET", f"/_studio/presigned?account={self.account}"), [])
