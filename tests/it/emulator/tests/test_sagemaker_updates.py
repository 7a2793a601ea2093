"""What UpdateDomain changes, leaves alone and refuses."""

from __future__ import annotations

from typing import Any

from .support import control
from .test_sagemaker import StudioTest


class DomainUpdates(StudioTest):
    def test_settings_that_are_not_sent_stay(self) -> None:
        domain_id = self.domain(DomainSettings={"DockerSettings": {"EnableDockerAccess": "ENABLED"}})
        shown = self.update(
            domain_id,
            DefaultUserSettings={"StudioWebPortal": "DISABLED"},
            DomainSettingsForUpdate={"SecurityGroupIds": [self.net["default_security_group_id"]]},
        )
        self.assertEqual(shown["DefaultUserSettings"]["ExecutionRole"], self.net["role_arn"])
        self.assertEqual(shown["DefaultUserSettings"]["StudioWebPortal"], "DISABLED")
        self.assertEqual(set(shown["DomainSettings"]), {"DockerSettings", "SecurityGroupIds"})

    def test_a_member_of_the_settings_is_replaced_as_a_whole(self) -> None:
        def idle(minutes: int, **more: Any) -> dict[str, Any]:
            settings = {"LifecycleManagement": "ENABLED", "IdleTimeoutInMinutes": minutes, **more}
            return {"AppLifecycleManagement": {"IdleSettings": settings}}

        group = self.ec2.create_security_group(GroupName="g", Description="d", VpcId=self.net["vpc_id"])["GroupId"]
        both = [group, self.net["default_security_group_id"]]
        first = {"JupyterLabAppSettings": idle(60, MaxIdleTimeoutInMinutes=120), "CodeEditorAppSettings": idle(60)}
        settings = {"ExecutionRole": self.net["role_arn"], "SecurityGroups": both, **first}
        domain_id = self.domain(DefaultUserSettings=settings)
        change = {"JupyterLabAppSettings": idle(90), "SecurityGroups": [group]}
        shown = self.update(domain_id, DefaultUserSettings=change)["DefaultUserSettings"]
        self.assertEqual(shown, {**settings, **change})

    def test_domain_settings_are_changed_in_place(self) -> None:
        self.net = self.network(ipv6=True, cidr="10.6.0.0/16", name="both")
        domain_id = self.domain()
        change = {
            "SecurityGroupIds": [self.net["default_security_group_id"]],
            "IpAddressType": "dualstack",
            "DockerSettings": {"EnableDockerAccess": "ENABLED"},
        }
        self.assertEqual(self.update(domain_id, DomainSettingsForUpdate=change)["DomainSettings"], change)
        shown = self.update(domain_id, DomainSettingsForUpdate={"IpAddressType": "ipv4"})["DomainSettings"]
        self.assertEqual(shown, {**change, "IpAddressType": "ipv4"})

    def test_both_address_types_need_subnets_with_ipv6(self) -> None:
        both = self.network(ipv6=True, cidr="10.6.0.0/16", name="both")
        plain = self.ec2.create_subnet(VpcId=both["vpc_id"], CidrBlock="10.6.9.0/24")["Subnet"]["SubnetId"]
        domain_id = self.domain(VpcId=both["vpc_id"], SubnetIds=[plain])
        wanted = {"DomainId": domain_id, "DomainSettingsForUpdate": {"IpAddressType": "dualstack"}}
        self.refused("ValidationException", self.sm.update_domain, **wanted)
        self.update(domain_id, SubnetIds=both["subnet_ids"], DomainSettingsForUpdate={"IpAddressType": "dualstack"})
        wanted = {"DomainId": domain_id, "SubnetIds": [*both["subnet_ids"], plain]}
        self.refused("ValidationException", self.sm.update_domain, **wanted)

    def test_studio_as_landing_needs_its_web_portal(self) -> None:
        domain_id, landing = self.domain(), {"DefaultLandingUri": "studio::"}
        self.refused("ValidationException", self.sm.update_domain, DomainId=domain_id, DefaultUserSettings=landing)
        self.update(domain_id, DefaultUserSettings={"StudioWebPortal": "ENABLED"})
        self.assertEqual(
            self.update(domain_id, DefaultUserSettings=landing)["DefaultUserSettings"]["DefaultLandingUri"], "studio::"
        )

    def test_an_update_is_updating_and_refuses_another(self) -> None:
        domain_id = self.domain()
        control("PUT", "/_studio/pace", {"default": 0, "sagemaker:domain:updating": 3600})
        self.sm.update_domain(DomainId=domain_id, TagPropagation="ENABLED")
        self.assertEqual(self.look(domain_id)["Status"], "Updating")
        self.refused("ResourceInUse", self.sm.update_domain, DomainId=domain_id, TagPropagation="DISABLED")
        self.refused("ResourceInUse", self.sm.delete_domain, DomainId=domain_id)

    def test_a_rule_makes_an_update_fail(self) -> None:
        domain_id = self.domain()
        rule = {"service": "sagemaker", "operation": "UpdateDomain", "account": self.account, "fail": "broken"}
        control("PUT", "/_studio/rules", [rule])
        self.sm.update_domain(DomainId=domain_id, TagPropagation="ENABLED")
        self.until(lambda: self.look(domain_id)["Status"], "Update_Failed")

    def test_going_into_the_vpc_needs_vpc_and_subnets(self) -> None:
        domain_id = self.domain(AppNetworkAccessType="PublicInternetOnly")
        alone = {"DomainId": domain_id, "AppNetworkAccessType": "VpcOnly"}
        message = self.refused("ValidationException", self.sm.update_domain, **alone)["Error"]["Message"]
        self.assertEqual(message, "VpcId and Subnet IDs are required for updating domains to VpcOnly mode.")
        whole = {"VpcId": self.net["vpc_id"], "SubnetIds": self.net["subnet_ids"]}
        shown = self.update(domain_id, AppNetworkAccessType="VpcOnly", **whole)
        self.assertEqual(shown["AppNetworkAccessType"], "VpcOnly")

    def test_subnets_are_changed_with_the_interfaces(self) -> None:
        wide = self.network(cidr="10.7.0.0/16", subnets=3, name="wide")
        domain_id = self.domain(VpcId=wide["vpc_id"], SubnetIds=wide["subnet_ids"][:2])
        shown = self.update(domain_id, SubnetIds=wide["subnet_ids"][1:])
        self.assertEqual(shown["SubnetIds"], wide["subnet_ids"][1:])
        text = f"*{domain_id}*"
        found = self.ec2.describe_network_interfaces(Filters=[{"Name": "description", "Values": [text]}])
        self.assertEqual({i["SubnetId"] for i in found["NetworkInterfaces"]}, set(wide["subnet_ids"][1:]))

    def test_what_cannot_be_changed(self) -> None:
        domain_id = self.domain()
        other = self.network(cidr="10.9.0.0/16", name="other")
        self.refused("ValidationException", self.sm.update_domain, DomainId=domain_id, VpcId=other["vpc_id"])
        self.refused("ValidationException", self.sm.update_domain, DomainId=domain_id, SubnetIds=other["subnet_ids"])
        wanted = {"DomainId": domain_id, "AppSecurityGroupManagement": "Customer"}
        message = self.refused("ValidationException", self.sm.update_domain, **wanted)["Error"]["Message"]
        self.assertEqual(message, "AppSecurityGroupManagement can only be set for Rstudio enabled domains.")
        self.refused("ResourceNotFound", self.sm.update_domain, DomainId="d-unknown")

    def test_subnets_stay_while_an_app_runs(self) -> None:
        domain_id = self.domain()
        key = self.profile(domain_id)
        self.sm.create_app(**key, AppType="JupyterLab", AppName="default")
        wanted = {"DomainId": domain_id, "SubnetIds": self.net["subnet_ids"][:1]}
        app = {**key, "AppType": "JupyterLab", "AppName": "default"}
        self.refused("ValidationException", self.sm.update_domain, **wanted)
        self.until(lambda: self.sm.describe_app(**app)["Status"], "InService")
        self.refused("ValidationException", self.sm.update_domain, **wanted)
        control("PUT", "/_studio/pace", {"default": 0, "sagemaker:app": 3600})
        self.sm.delete_app(**app)
        self.refused("ValidationException", self.sm.update_domain, **wanted)
        self.assertEqual(self.sm.describe_app(**app)["Status"], "Deleting")
        control("PUT", "/_studio/pace", {"default": 0})
        self.assertEqual(self.update(domain_id, SubnetIds=wanted["SubnetIds"])["SubnetIds"], wanted["SubnetIds"])
