"""Private zones, their VPCs, and records."""

from __future__ import annotations

from typing import Any

from .support import EmulatorTest

NAME = "d-abc.studio.us-east-1.sagemaker.aws"


class ZoneTest(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.net, self.dns, self.references = self.network(), self.client("route53"), 0

    def vpc(self, network: dict[str, Any] | None = None) -> dict[str, str]:
        return {"VPCId": (network or self.net)["vpc_id"], "VPCRegion": "us-east-1"}

    def wanted(self, **more: Any) -> dict[str, Any]:
        self.references += 1
        return {"Name": NAME, "CallerReference": str(self.references), "VPC": self.vpc(), **more}

    def zone(self, **more: Any) -> str:
        return self.dns.create_hosted_zone(**self.wanted(**more))["HostedZone"]["Id"]

    def insync(self, answer: dict[str, Any]) -> None:
        change = answer["ChangeInfo"]["Id"]
        self.until(lambda: self.dns.get_change(Id=change)["ChangeInfo"]["Status"], "INSYNC")


class Zones(ZoneTest):
    def test_a_zone_is_pending_then_in_sync(self) -> None:
        answer = self.dns.create_hosted_zone(**self.wanted(HostedZoneConfig={"Comment": "hello"}))
        self.assertEqual(answer["ChangeInfo"]["Status"], "PENDING")
        self.insync(answer)
        shown = self.dns.get_hosted_zone(Id=answer["HostedZone"]["Id"])
        self.assertEqual(shown["VPCs"], [self.vpc()])
        self.assertEqual(shown["HostedZone"]["Config"], {"Comment": "hello", "PrivateZone": True})
        self.assertEqual(shown["HostedZone"]["Name"], NAME + ".")

    def test_an_unknown_change_is_an_error(self) -> None:
        self.refused("NoSuchChange", self.dns.get_change, Id="C000")

    def test_a_reference_is_used_once(self) -> None:
        self.zone(CallerReference="same")
        wanted = self.wanted(CallerReference="same", Name="other.example")
        answer = self.refused("HostedZoneAlreadyExists", self.dns.create_hosted_zone, **wanted)
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 409)

    def test_a_name_is_served_once_in_a_vpc(self) -> None:
        self.zone()
        self.refused("ConflictingDomainExists", self.dns.create_hosted_zone, **self.wanted())
        other = self.network(cidr="10.9.0.0/16", name="other")
        second = self.zone(VPC=self.vpc(other))
        wanted = {"HostedZoneId": second, "VPC": self.vpc()}
        self.refused("ConflictingDomainExists", self.dns.associate_vpc_with_hosted_zone, **wanted)
        self.zone(Name="sub." + NAME)

    def test_a_name_that_private_dns_serves_is_a_conflict(self) -> None:
        self.client("ec2").create_vpc_endpoint(
            VpcId=self.net["vpc_id"],
            ServiceName="aws.sagemaker.us-east-1.studio",
            VpcEndpointType="Interface",
            SubnetIds=self.net["subnet_ids"],
        )
        wanted = self.wanted(Name="studio.us-east-1.sagemaker.aws")
        self.refused("ConflictingDomainExists", self.dns.create_hosted_zone, **wanted)
        self.zone()

    def test_the_vpc_must_be_the_callers(self) -> None:
        unknown = {"VPCId": "vpc-0unknown", "VPCRegion": "us-east-1"}
        self.refused("InvalidVPCId", self.dns.create_hosted_zone, **self.wanted(VPC=unknown))
        wrong = {"VPCId": self.net["vpc_id"], "VPCRegion": "eu-west-1"}
        self.refused("InvalidVPCId", self.dns.create_hosted_zone, **self.wanted(VPC=wrong))

    def test_names_are_checked(self) -> None:
        self.refused("InvalidDomainName", self.dns.create_hosted_zone, **self.wanted(Name="a..b"))

    def test_a_zone_with_records_is_not_deleted(self) -> None:
        zone = self.zone()
        record = {"Name": NAME, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}
        change = lambda action: {"Changes": [{"Action": action, "ResourceRecordSet": record}]}  # noqa: E731
        self.dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change("CREATE"))
        self.refused("HostedZoneNotEmpty", self.dns.delete_hosted_zone, Id=zone)
        self.dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change("DELETE"))
        self.dns.delete_hosted_zone(Id=zone)
        answer = self.refused("NoSuchHostedZone", self.dns.get_hosted_zone, Id=zone)
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 404)

    def test_listings(self) -> None:
        first, second = self.zone(), self.zone(Name="a.example")
        listed = self.dns.list_hosted_zones(MaxItems="1")
        rest = self.dns.list_hosted_zones(MaxItems="1", Marker=listed["NextMarker"])
        self.assertEqual([z["Id"] for z in listed["HostedZones"] + rest["HostedZones"]], [first, second])
        by_name = self.dns.list_hosted_zones_by_name(DNSName="a.example", MaxItems="1")
        self.assertEqual([z["Id"] for z in by_name["HostedZones"]], [second])

    def test_tags(self) -> None:
        zone = self.zone().rpartition("/")[2]
        key = {"ResourceType": "hostedzone", "ResourceId": zone}
        self.dns.change_tags_for_resource(**key, AddTags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
        self.dns.change_tags_for_resource(**key, RemoveTagKeys=["a"])
        shown = self.dns.list_tags_for_resource(**key)["ResourceTagSet"]["Tags"]
        self.assertEqual(shown, [{"Key": "b", "Value": "2"}])
        sets = self.dns.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=[zone])["ResourceTagSets"]
        self.assertEqual(sets[0]["Tags"], shown)
        unknown = {**key, "ResourceId": "Z0UNKNOWN"}
        self.refused("NoSuchHostedZone", self.dns.list_tags_for_resource, **unknown)


class Associations(ZoneTest):
    def setUp(self) -> None:
        super().setUp()
        self.other_account = str(int(self.account) + 500000000000)
        self.theirs = self.network(account=self.other_account)
        self.other_dns = self.client("route53", account=self.other_account)

    def test_the_first_vpc_and_more_of_the_same_account(self) -> None:
        zone, more = self.zone(), self.network(cidr="10.9.0.0/16", name="more")
        self.insync(self.dns.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC=self.vpc(more)))
        self.assertEqual(len(self.dns.get_hosted_zone(Id=zone)["VPCs"]), 2)
        again = {"HostedZoneId": zone, "VPC": self.vpc(more)}
        self.refused("ConflictingDomainExists", self.dns.associate_vpc_with_hosted_zone, **again)
        self.dns.disassociate_vpc_from_hosted_zone(HostedZoneId=zone, VPC=self.vpc())
        self.assertEqual(self.dns.get_hosted_zone(Id=zone)["VPCs"], [self.vpc(more)])
        self.refused("LastVPCAssociation", self.dns.disassociate_vpc_from_hosted_zone, **again)
        gone = {"HostedZoneId": zone, "VPC": self.vpc()}
        self.refused("VPCAssociationNotFound", self.dns.disassociate_vpc_from_hosted_zone, **gone)

    def test_another_account_needs_an_authorization(self) -> None:
        zone, vpc = self.zone(), self.vpc(self.theirs)
        both = {"HostedZoneId": zone, "VPC": vpc}
        answer = self.refused("NotAuthorizedException", self.other_dns.associate_vpc_with_hosted_zone, **both)
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 401)
        self.refused("NotAuthorizedException", self.dns.associate_vpc_with_hosted_zone, **both)
        self.dns.create_vpc_association_authorization(**both)
        self.dns.create_vpc_association_authorization(**both)
        listed = self.dns.list_vpc_association_authorizations(HostedZoneId=zone)["VPCs"]
        self.assertEqual(listed, [vpc])
        self.other_dns.associate_vpc_with_hosted_zone(**both)
        self.dns.delete_vpc_association_authorization(**both)
        self.refused("VPCAssociationAuthorizationNotFound", self.dns.delete_vpc_association_authorization, **both)
        self.assertIn(vpc, self.dns.get_hosted_zone(Id=zone)["VPCs"])
        self.other_dns.disassociate_vpc_from_hosted_zone(**both)
        self.assertEqual(self.dns.get_hosted_zone(Id=zone)["VPCs"], [self.vpc()])

    def test_zones_are_listed_by_vpc_whoever_owns_them(self) -> None:
        zone, vpc = self.zone(), self.vpc(self.theirs)
        self.dns.create_vpc_association_authorization(HostedZoneId=zone, VPC=vpc)
        self.other_dns.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC=vpc)
        self.client("ec2", account=self.other_account).create_vpc_endpoint(
            VpcId=vpc["VPCId"],
            ServiceName="com.amazonaws.us-east-1.sts",
            VpcEndpointType="Interface",
            SubnetIds=self.theirs["subnet_ids"],
        )
        listed = self.other_dns.list_hosted_zones_by_vpc(**vpc)["HostedZoneSummaries"]
        self.assertEqual(
            [(z["Name"], z["Owner"]) for z in listed],
            [
                (NAME + ".", {"OwningAccount": self.account}),
                ("sts.us-east-1.amazonaws.com.", {"OwningService": "vpce.amazonaws.com"}),
            ],
        )

    def test_the_zone_itself_is_its_owners_alone(self) -> None:
        zone = self.zone()
        self.refused("NoSuchHostedZone", self.other_dns.get_hosted_zone, Id=zone)
        both = {"HostedZoneId": zone, "VPC": self.vpc(self.theirs)}
        self.refused("NoSuchHostedZone", self.other_dns.create_vpc_association_authorization, **both)


class Records(ZoneTest):
    def setUp(self) -> None:
        super().setUp()
        self.id = self.zone()

    def change(self, *changes: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        return self.dns.change_resource_record_sets(HostedZoneId=self.id, ChangeBatch=batch)

    def no(self, code: str, *changes: tuple[str, dict[str, Any]]) -> str:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
        function = self.dns.change_resource_record_sets
        return self.refused(code, function, HostedZoneId=self.id, ChangeBatch=batch)["Error"]["Message"]

    def records(self) -> list[dict[str, Any]]:
        listed = self.dns.list_resource_record_sets(HostedZoneId=self.id)["ResourceRecordSets"]
        return [record for record in listed if record["Type"] not in ("NS", "SOA")]

    def plain(self, name: str = NAME, value: str = "10.0.0.1", kind: str = "A") -> dict[str, Any]:
        return {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}

    def test_a_change_is_pending_then_in_sync(self) -> None:
        self.insync(self.change(("CREATE", self.plain())))

    def test_a_wildcard_is_listed_with_its_code(self) -> None:
        self.change(("UPSERT", self.plain("*." + NAME.upper())))
        self.assertEqual(self.records()[0]["Name"], f"\\052.{NAME}.")
        self.change(("DELETE", self.plain("*." + NAME)))
        self.assertEqual(self.records(), [])

    def test_aliases_are_kept_whole_for_both_families(self) -> None:
        made = self.client("ec2").create_vpc_endpoint(
            VpcId=self.net["vpc_id"],
            ServiceName="aws.sagemaker.us-east-1.studio",
            VpcEndpointType="Interface",
            SubnetIds=self.net["subnet_ids"],
        )["VpcEndpoint"]["DnsEntries"][0]
        target = {"HostedZoneId": made["HostedZoneId"], "DNSName": made["DnsName"], "EvaluateTargetHealth": False}
        self.change(*[("UPSERT", {"Name": NAME, "Type": kind, "AliasTarget": target}) for kind in ("A", "AAAA")])
        whole = {**target, "DNSName": made["DnsName"] + "."}
        self.assertEqual([r["AliasTarget"] for r in self.records()], [whole, whole])
        wrong = {**target, "HostedZoneId": "Z0OTHER"}
        message = self.no("InvalidChangeBatch", ("UPSERT", {"Name": NAME, "Type": "A", "AliasTarget": wrong}))
        self.assertIn("does not lie within the target zone", message)

    def test_a_batch_is_carried_out_whole_or_not_at_all(self) -> None:
        message = self.no(
            "InvalidChangeBatch", ("CREATE", self.plain()), ("CREATE", self.plain("x." + NAME, "10.0.0.300"))
        )
        self.assertIn("is not a valid IPv4 address", message)
        self.assertEqual(self.records(), [])

    def test_what_is_wrong_with_records(self) -> None:
        self.change(("CREATE", self.plain()))
        self.assertIn("but it already exists", self.no("InvalidChangeBatch", ("CREATE", self.plain())))
        self.assertIn(
            "do not match the current values", self.no("InvalidChangeBatch", ("DELETE", self.plain(value="10.0.0.2")))
        )
        self.assertIn("but it was not found", self.no("InvalidChangeBatch", ("DELETE", self.plain("x." + NAME))))
        self.assertIn("is not permitted in zone", self.no("InvalidChangeBatch", ("CREATE", self.plain("example.com"))))
        self.assertIn(
            "conflicts with other records",
            self.no("InvalidChangeBatch", ("CREATE", self.plain(value="a.b", kind="CNAME"))),
        )
        self.no("InvalidChangeBatch", ("CREATE", self.plain("y." + NAME, "10.0.0.1", "AAAA")))
        self.no("InvalidInput", ("CREATE", {"Name": NAME, "Type": "A"}))

    def test_upsert_replaces(self) -> None:
        self.change(("UPSERT", self.plain()), ("UPSERT", self.plain(value="10.0.0.2")))
        self.assertEqual([r["ResourceRecords"] for r in self.records()], [[{"Value": "10.0.0.2"}]])

    def test_records_are_listed_in_pages_in_order(self) -> None:
        self.change(("CREATE", self.plain("b." + NAME)), ("CREATE", self.plain("a." + NAME)))
        seen, more = [], {}
        while True:
            page = self.dns.list_resource_record_sets(HostedZoneId=self.id, MaxItems="1", **more)
            seen += [(r["Name"], r["Type"]) for r in page["ResourceRecordSets"]]
            if not page["IsTruncated"]:
                break
            more = {"StartRecordName": page["NextRecordName"], "StartRecordType": page["NextRecordType"]}
        self.assertEqual(seen, [(NAME + ".", "NS"), (NAME + ".", "SOA"), (f"a.{NAME}.", "A"), (f"b.{NAME}.", "A")])
