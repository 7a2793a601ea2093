"""Regions of all three partitions: services, names, ARNs, and what is kept apart."""

from __future__ import annotations

from typing import Any

from .support import EmulatorTest

COMMERCIAL = ("us-west-2", "eu-central-1")
CHINA = ("cn-north-1", "cn-northwest-1")
GOV = ("us-gov-west-1", "us-gov-east-1")
PARTITIONS = {"us-west-2": "aws", "cn-north-1": "aws-cn", "cn-northwest-1": "aws-cn", "us-gov-east-1": "aws-us-gov"}


class Names(EmulatorTest):
    def served(self, region: str, name: str, kind: str = "Interface") -> list[str]:
        """The private names of a service."""
        answer = self.client("ec2", region=region).describe_vpc_endpoint_services(
            ServiceNames=[name], Filters=[{"Name": "service-type", "Values": [kind]}]
        )
        return [entry["PrivateDnsName"] for entry in answer["ServiceDetails"][0].get("PrivateDnsNames", [])]

    def exists(self, region: str, name: str) -> bool:
        names = self.client("ec2", region=region).describe_vpc_endpoint_services()["ServiceNames"]
        return name in names

    def test_the_parents_that_studio_answers_for(self) -> None:
        for regions, parents in (
            (COMMERCIAL, ["studio.{0}.sagemaker.aws", "studio.sagemaker.{0}.app.aws"]),
            (CHINA, ["studio.{0}.sagemaker.com.cn"]),
            (GOV, ["studio.{0}.sagemaker.aws", "studio-fips.{0}.sagemaker.aws"]),
        ):
            for region in regions:
                with self.subTest(region):
                    wanted = [name.format(region) for parent in parents for name in (parent, "*." + parent)]
                    self.assertEqual(self.served(region, f"aws.sagemaker.{region}.studio"), wanted)

    def test_api_and_runtime(self) -> None:
        for region, prefix, dns, dual_stack in (
            ("us-west-2", "com.amazonaws", "amazonaws.com", "api.aws"),
            ("us-gov-east-1", "com.amazonaws", "amazonaws.com", "api.aws"),
            ("cn-northwest-1", "cn.com.amazonaws", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
        ):
            for kind in ("api", "runtime"):
                with self.subTest(region, kind=kind):
                    wanted = [f"{kind}.sagemaker.{region}.{suffix}" for suffix in (dns, dual_stack)]
                    self.assertEqual(self.served(region, f"{prefix}.{region}.sagemaker.{kind}"), wanted)
        self.assertFalse(self.exists("cn-north-1", "com.amazonaws.cn-north-1.sagemaker.api"))

    def test_fips_where_it_is_listed(self) -> None:
        for region, kinds in (
            ("us-east-1", ["api", "runtime"]),
            ("us-west-1", ["api", "runtime"]),
            ("us-gov-west-1", ["api"]),
            ("ca-west-1", ["api"]),
            ("eu-central-1", []),
            ("cn-north-1", []),
        ):
            for kind in ("api", "runtime"):
                name = f"com.amazonaws.{region}.sagemaker.{kind}-fips"
                with self.subTest(name):
                    self.assertEqual(self.exists(region, name), kind in kinds)
                    if kind in kinds:
                        self.assertEqual(self.served(region, name), [f"{kind}-fips.sagemaker.{region}.amazonaws.com"])

    def test_other_services_in_china(self) -> None:
        for name in ("cn.com.amazonaws.{0}.sts", "com.amazonaws.{0}.logs", "cn.com.amazonaws.{0}.ecr.api"):
            self.assertTrue(self.exists("cn-north-1", name.format("cn-north-1")), name)

    def test_s3_is_a_gateway_and_an_interface_everywhere(self) -> None:
        for region, interface in (
            ("us-west-2", "com.amazonaws.us-west-2.s3"),
            ("us-gov-west-1", "com.amazonaws.us-gov-west-1.s3"),
            ("cn-north-1", "cn.com.amazonaws.cn-north-1.s3"),
        ):
            with self.subTest(region):
                self.assertEqual(self.served(region, f"com.amazonaws.{region}.s3", "Gateway"), [])
                self.assertIn(f"s3.{region}.amazonaws.com", self.served(region, interface)[0])


class Everything(EmulatorTest):
    def make(self, region: str) -> dict[str, Any]:
        """A domain with endpoints and a zone; all that was answered."""
        net = self.network(region=region)
        domain = self.client("sagemaker", region=region).create_domain(
            DomainName="one",
            AuthMode="IAM",
            VpcId=net["vpc_id"],
            SubnetIds=net["subnet_ids"],
            DefaultUserSettings={"ExecutionRole": net["role_arn"]},
        )
        ec2 = self.client("ec2", region=region)
        endpoint = ec2.create_vpc_endpoint(
            VpcId=net["vpc_id"],
            ServiceName=f"aws.sagemaker.{region}.studio",
            VpcEndpointType="Interface",
            SubnetIds=net["subnet_ids"],
        )["VpcEndpoint"]
        ec2.create_vpc_endpoint(
            VpcId=net["vpc_id"], ServiceName=f"com.amazonaws.{region}.s3", RouteTableIds=[net["route_table_id"]]
        )
        zone = self.client("route53", region=region).create_hosted_zone(
            Name=domain["Url"].removeprefix("https://"),
            CallerReference=region,
            VPC={"VPCId": net["vpc_id"], "VPCRegion": region},
        )["HostedZone"]
        return {"net": net, "domain": domain, "endpoint": endpoint, "zone": zone}

    def test_a_domain_with_all_around_it(self) -> None:
        for region, partition in PARTITIONS.items():
            with self.subTest(region):
                made = self.make(region)
                suffix = "sagemaker.com.cn" if partition == "aws-cn" else "sagemaker.aws"
                host = f"{made['domain']['DomainId']}.studio.{region}.{suffix}"
                self.assertEqual(made["domain"]["Url"], f"https://{host}")
                self.assertEqual(made["zone"]["Name"], host + ".")
                start = made["endpoint"]["DnsEntries"][0]["DnsName"]
                self.assertTrue(start.endswith(f".studio.{region}.vpce.{suffix}"), start)

    def test_arns_carry_the_partition(self) -> None:
        for region, partition in PARTITIONS.items():
            with self.subTest(region):
                made = self.make(region)
                net, ec2 = made["net"], self.client("ec2", region=region)
                arns = [net["role_arn"], made["domain"]["DomainArn"]]
                arns.append(self.client("sts", region=region).get_caller_identity()["Arn"])
                arns.append(ec2.describe_subnets(SubnetIds=net["subnet_ids"])["Subnets"][0]["SubnetArn"])
                groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [net["vpc_id"]]}])
                arns += [group["SecurityGroupArn"] for group in groups["SecurityGroups"]]
                files = self.client("efs", region=region).describe_file_systems()["FileSystems"]
                arns.append(files[0]["FileSystemArn"])
                self.assertEqual({arn.split(":")[1] for arn in arns}, {partition}, arns)

    def test_roles_and_zones_are_of_their_partition(self) -> None:
        self.make("cn-north-1")
        roles = lambda region: self.client("iam", region=region).list_roles()["Roles"]  # noqa: E731
        zones = lambda region: self.client("route53", region=region).list_hosted_zones()["HostedZones"]  # noqa: E731
        self.assertEqual([len(roles("cn-northwest-1")), len(zones("cn-northwest-1"))], [1, 1])
        self.assertEqual([roles("us-east-1"), zones("us-east-1"), self.leftovers()], [[], [], []])
