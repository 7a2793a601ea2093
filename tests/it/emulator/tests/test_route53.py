"""Private zones, their VPCs, and records."""

from __future__ import annotations

from typing import Any

from .support import EmulatorTest, control

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

    def test_another_accounts_vpc_cannot_be_the_first(self) -> None:
        other = self.network(account=str(int(self.account) + 500000000000))
        self.refused("InvalidVPCId", self.dns.create_hosted_zone, **self.wanted(VPC=self.vpc(other)))

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


class Limits(ZoneTest):
    def limit(self, **limits: int) -> None:
        control("PUT", "/_studio/limits", {"account": self.account, **limits})

    def zones(self) -> tuple[int, int]:
        """The limit and the count of zones."""
        answer = self.dns.get_account_limit(Type="MAX_HOSTED_ZONES_BY_OWNER")
        return answer["Limit"]["Value"], answer["Count"]

    def of_zone(self, zone: str, kind: str) -> tuple[int, int]:
        """The limit and the count of something in a zone."""
        answer = self.dns.get_hosted_zone_limit(HostedZoneId=zone.rpartition("/")[2], Type=kind)
        return answer["Limit"]["Value"], answer["Count"]

    def test_an_account_has_500_zones_unless_told_otherwise(self) -> None:
        self.assertEqual(self.zones(), (500, 0))
        self.zone()
        self.limit(MAX_HOSTED_ZONES_BY_OWNER=2)
        self.zone(Name="a.example")
        self.assertEqual(self.zones(), (2, 2))
        self.refused("TooManyHostedZones", self.dns.create_hosted_zone, **self.wanted(Name="b.example"))
        self.limit()
        self.zone(Name="b.example")
        self.assertEqual(self.zones(), (500, 3))

    def test_a_refused_zone_did_not_use_its_reference(self) -> None:
        self.limit(MAX_HOSTED_ZONES_BY_OWNER=0)
        wanted = self.wanted()
        self.refused("TooManyHostedZones", self.dns.create_hosted_zone, **wanted)
        self.limit()
        self.dns.create_hosted_zone(**wanted)

    def test_other_accounts_keep_their_limits(self) -> None:
        self.limit(MAX_HOSTED_ZONES_BY_OWNER=0)
        other = self.client("route53", account=str(int(self.account) + 500000000000))
        self.assertEqual(other.get_account_limit(Type="MAX_HOSTED_ZONES_BY_OWNER")["Limit"]["Value"], 500)
        shown = control("GET", f"/_studio/limits?account={self.account}")
        self.assertEqual([shown["MAX_HOSTED_ZONES_BY_OWNER"], shown["MAX_RRSETS_BY_ZONE"]], [0, 10000])

    def test_a_zone_serves_300_vpcs_unless_told_otherwise(self) -> None:
        zone, more = self.zone(), self.network(cidr="10.9.0.0/16", name="more")
        self.assertEqual(self.of_zone(zone, "MAX_VPCS_ASSOCIATED_BY_ZONE"), (300, 1))
        self.limit(MAX_VPCS_ASSOCIATED_BY_ZONE=1)
        both = {"HostedZoneId": zone, "VPC": self.vpc(more)}
        self.refused("LimitsExceeded", self.dns.associate_vpc_with_hosted_zone, **both)
        self.limit(MAX_VPCS_ASSOCIATED_BY_ZONE=2)
        self.dns.associate_vpc_with_hosted_zone(**both)
        self.assertEqual(self.of_zone(zone, "MAX_VPCS_ASSOCIATED_BY_ZONE"), (2, 2))

    def test_a_zone_has_10000_records_unless_told_otherwise(self) -> None:
        zone = self.zone()
        self.assertEqual(self.of_zone(zone, "MAX_RRSETS_BY_ZONE"), (10000, 2))
        self.limit(MAX_RRSETS_BY_ZONE=2)
        record = {"Name": NAME, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "10.0.0.1"}]}
        batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
        change = self.dns.change_resource_record_sets
        self.refused("InvalidChangeBatch", change, HostedZoneId=zone, ChangeBatch=batch)
        self.limit()
        change(HostedZoneId=zone, ChangeBatch=batch)

    def test_what_has_no_such_limit(self) -> None:
        public = self.dns.create_hosted_zone(Name="example.com", CallerReference="public")["HostedZone"]["Id"]
        wanted = {"HostedZoneId": public.rpartition("/")[2], "Type": "MAX_VPCS_ASSOCIATED_BY_ZONE"}
        self.refused("HostedZoneNotPrivate", self.dns.get_hosted_zone_limit, **wanted)
        unknown = {**wanted, "HostedZoneId": "Z0UNKNOWN"}
        self.refused("NoSuchHostedZone", self.dns.get_hosted_zone_limit, **unknown)
        self.refused("InvalidInput", self.dns.get_account_limit, Type="MAX_WISHES")
        for wrong in ({"MAX_WISHES": 3}, {"MAX_RRSETS_BY_ZONE": -1}, {"MAX_RRSETS_BY_ZONE": "many"}):
            with self.subTest(wrong), self.assertRaises(AssertionError):
                self.limit(**wrong)


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

    def associated(self) -> dict[str, Any]:
        """A zone that serves the other account's VPC: what names both."""
        both = {"HostedZoneId": self.zone(), "VPC": self.vpc(self.theirs)}
        self.dns.create_vpc_association_authorization(**both)
        self.other_dns.associate_vpc_with_hosted_zone(**both)
        return both

    def test_the_zones_owner_may_end_an_association_too(self) -> None:
        both = self.associated()
        third = self.client("route53", account=str(int(self.account) + 300000000000))
        self.refused("NoSuchHostedZone", third.disassociate_vpc_from_hosted_zone, **both)
        self.insync(self.dns.disassociate_vpc_from_hosted_zone(**both))
        self.assertEqual(self.dns.get_hosted_zone(Id=both["HostedZoneId"])["VPCs"], [self.vpc()])

    def test_a_zone_with_several_vpcs_can_be_deleted_at_once(self) -> None:
        both = self.associated()
        self.dns.delete_hosted_zone(Id=both["HostedZoneId"])
        self.assertEqual(self.other_dns.list_hosted_zones_by_vpc(**both["VPC"])["HostedZoneSummaries"], [])

    def test_names_that_are_served_in_the_other_vpc_are_conflicts(self) -> None:
        self.client("ec2", account=self.other_account).create_vpc_endpoint(
            VpcId=self.theirs["vpc_id"],
            ServiceName="aws.sagemaker.us-east-1.studio",
            VpcEndpointType="Interface",
            SubnetIds=self.theirs["subnet_ids"],
        )
        for name in ("studio.us-east-1.sagemaker.aws", "studio.sagemaker.us-east-1.app.aws"):
            both = {"HostedZoneId": self.zone(Name=name), "VPC": self.vpc(self.theirs)}
            self.dns.create_vpc_association_authorization(**both)
            self.refused("ConflictingDomainExists", self.other_dns.associate_vpc_with_hosted_zone, **both)

    def test_an_authorization_names_a_vpc_that_exists_and_a_private_zone(self) -> None:
        unknown = {"VPCId": "vpc-0unknown", "VPCRegion": "us-east-1"}
        authorize = self.dns.create_vpc_association_authorization
        self.refused("InvalidVPCId", authorize, HostedZoneId=self.zone(), VPC=unknown)
        public = self.dns.create_hosted_zone(Name="example.com", CallerReference="public")["HostedZone"]["Id"]
        self.refused("InvalidInput", authorize, HostedZoneId=public, VPC=self.vpc(self.theirs))

    def test_only_its_owner_lists_the_zones_of_a_vpc(self) -> None:
        both = self.associated()
        self.refused("InvalidInput", self.dns.list_hosted_zones_by_vpc, **both["VPC"])
        self.assertEqual(len(self.other_dns.list_hosted_zones_by_vpc(**both["VPC"])["HostedZoneSummaries"]), 1)

    def test_authorizations_and_associations_are_leftovers_of_both_accounts(self) -> None:
        both = self.associated()
        found = lambda account: [  # noqa: E731
            (f["kind"], f["id"]) for f in self.leftovers(account) if f["kind"].startswith("route53:vpc")
        ]
        vpc = both["VPC"]["VPCId"]
        mine = [("route53:vpc-association-authorization", vpc), ("route53:vpc-association", vpc)]
        self.assertEqual([found(self.account), found(self.other_account)], [mine, mine[1:]])
        self.dns.delete_vpc_association_authorization(**both)
        self.other_dns.disassociate_vpc_from_hosted_zone(**both)
        self.assertEqual([found(self.account), found(self.other_account)], [[], []])

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

    def test_a_name_has_several_addresses_of_both_families(self) -> None:
        values = lambda *texts: [{"Value": text} for text in texts]  # noqa: E731
        first = {**self.plain(), "ResourceRecords": values("10.0.0.1", "10.0.1.1")}
        sixth = {**self.plain(kind="AAAA"), "ResourceRecords": values("fd00::1", "fd00::2")}
        self.change(("UPSERT", first), ("UPSERT", sixth))
        wanted = [(r["Type"], r["ResourceRecords"]) for r in (first, sixth)]
        self.assertEqual([(r["Type"], r["ResourceRecords"]) for r in self.records()], wanted)
        turned = {**first, "ResourceRecords": values("10.0.1.1", "10.0.0.1")}
        self.change(("DELETE", turned), ("DELETE", sixth))
        self.assertEqual(self.records(), [])

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
