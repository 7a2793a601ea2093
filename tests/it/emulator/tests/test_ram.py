"""Resource shares, and the resolver rules they carry to other accounts."""

from __future__ import annotations

from .support import EmulatorTest


class Shares(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.ram, self.rr, net = self.client("ram"), self.client("route53resolver"), self.network()
        self.net = net
        made = self.rr.create_resolver_endpoint(
            CreatorRequestId="out",
            Direction="OUTBOUND",
            SecurityGroupIds=[net["default_security_group_id"]],
            IpAddresses=[{"SubnetId": subnet} for subnet in net["subnet_ids"]],
        )
        self.rule = self.rr.create_resolver_rule(
            CreatorRequestId="rule",
            RuleType="FORWARD",
            DomainName="corp.example",
            TargetIps=[{"Ip": "10.0.0.53"}],
            ResolverEndpointId=made["ResolverEndpoint"]["Id"],
        )["ResolverRule"]
        self.other = str(int(self.account) + 500000000000)
        self.their_rr = self.client("route53resolver", account=self.other)

    def share(self, *principals: str) -> str:
        """A share of the rule whose associations are made."""
        made = self.ram.create_resource_share(name="s", resourceArns=[self.rule["Arn"]], principals=list(principals))
        arn = made["resourceShare"]["resourceShareArn"]
        self.until(lambda: self.states(arn, "RESOURCE"), ["ASSOCIATED"])
        return arn

    def states(self, arn: str, kind: str) -> list[str]:
        listed = self.ram.get_resource_share_associations(associationType=kind, resourceShareArns=[arn])
        return [link["status"] for link in listed["resourceShareAssociations"]]

    def test_a_shared_rule_can_be_seen_and_associated_but_not_changed(self) -> None:
        key = {"ResolverRuleId": self.rule["Id"]}
        self.refused("ResourceNotFoundException", self.their_rr.get_resolver_rule, **key)
        self.share(self.other)
        self.assertEqual(self.their_rr.get_resolver_rule(**key)["ResolverRule"]["ShareStatus"], "SHARED_WITH_ME")
        self.assertEqual(self.rr.get_resolver_rule(**key)["ResolverRule"]["ShareStatus"], "SHARED_BY_ME")
        theirs = self.network(account=self.other)
        self.their_rr.associate_resolver_rule(**key, VPCId=theirs["vpc_id"])
        self.refused("ResourceInUseException", self.rr.delete_resolver_rule, **key)
        self.refused("AccessDeniedException", self.their_rr.delete_resolver_rule, **key)

    def test_a_principal_that_is_taken_back_sees_nothing(self) -> None:
        arn = self.share(self.other)
        self.ram.disassociate_resource_share(resourceShareArn=arn, principals=[self.other])
        self.assertEqual(self.states(arn, "PRINCIPAL"), ["DISASSOCIATING"])
        self.until(lambda: self.states(arn, "PRINCIPAL"), ["DISASSOCIATED"])
        key = {"ResolverRuleId": self.rule["Id"]}
        self.refused("ResourceNotFoundException", self.their_rr.get_resolver_rule, **key)
        self.ram.associate_resource_share(resourceShareArn=arn, principals=[self.other])
        self.until(lambda: self.states(arn, "PRINCIPAL"), ["ASSOCIATED"])
        self.their_rr.get_resolver_rule(**key)

    def test_a_rule_that_is_no_longer_shared_is_off_the_other_accounts_vpcs(self) -> None:
        arn = self.share(self.other)
        key, vpc = {"ResolverRuleId": self.rule["Id"]}, self.network(account=self.other)["vpc_id"]
        self.their_rr.associate_resolver_rule(**key, VPCId=vpc)
        own = self.rr.associate_resolver_rule(**key, VPCId=self.net["vpc_id"])["ResolverRuleAssociation"]["Id"]
        self.ram.delete_resource_share(resourceShareArn=arn)
        theirs = lambda: self.their_rr.list_resolver_rule_associations()["ResolverRuleAssociations"]  # noqa: E731
        self.until(theirs, [])
        self.rr.get_resolver_rule_association(ResolverRuleAssociationId=own)

    def test_an_organization_reaches_everybody(self) -> None:
        self.share("arn:aws:organizations::111111111111:organization/o-abc")
        self.their_rr.get_resolver_rule(ResolverRuleId=self.rule["Id"])

    def test_a_deleted_share_is_listed_as_deleted_and_is_no_leftover(self) -> None:
        arn = self.share(self.other)
        self.ram.delete_resource_share(resourceShareArn=arn)
        look = lambda: self.ram.get_resource_shares(resourceOwner="SELF")["resourceShares"][0]["status"]  # noqa: E731
        self.assertEqual(look(), "DELETING")
        self.until(look, "DELETED")
        self.assertNotIn("ram:resource-share", [f["kind"] for f in self.leftovers()])
        self.refused("UnknownResourceException", self.ram.delete_resource_share, resourceShareArn=arn)

    def test_names_tags_and_what_is_refused(self) -> None:
        arn = self.share(self.other)
        self.ram.tag_resource(resourceShareArn=arn, tags=[{"key": "a", "value": "1"}])
        self.ram.update_resource_share(resourceShareArn=arn, name="new")
        wanted = {"resourceOwner": "SELF", "tagFilters": [{"tagKey": "a", "tagValues": ["1"]}]}
        self.assertEqual([s["name"] for s in self.ram.get_resource_shares(**wanted)["resourceShares"]], ["new"])
        theirs = self.client("ram", account=self.other)
        self.assertEqual(len(theirs.get_resource_shares(resourceOwner="OTHER-ACCOUNTS")["resourceShares"]), 1)
        self.refused("InvalidParameterException", self.ram.create_resource_share, name="x", principals=["nobody"])
        foreign = ["arn:aws:route53resolver:us-east-1:999999999999:resolver-rule/rslvr-rr-1"]
        self.refused("OperationNotPermittedException", self.ram.create_resource_share, name="x", resourceArns=foreign)

    def test_an_account_outside_of_the_organization_is_invited(self) -> None:
        organizations = self.client("organizations")
        own = organizations.create_organization()["Organization"]
        member = organizations.create_account(AccountName="m", Email="m@example.com")["CreateAccountStatus"]
        theirs = self.client("organizations", account=member["AccountId"])
        self.assertEqual(theirs.describe_organization()["Organization"]["Arn"], own["Arn"])
        self.refused(
            "AWSOrganizationsNotInUseException", self.client("organizations", account=self.other).describe_organization
        )
        arn = self.share(self.other, member["AccountId"], own["Arn"])
        self.until(lambda: sorted(self.states(arn, "PRINCIPAL")), ["ASSOCIATED", "ASSOCIATED", "ASSOCIATING"])
        key = {"ResolverRuleId": self.rule["Id"]}
        self.client("route53resolver", account=member["AccountId"]).get_resolver_rule(**key)
        ram = self.client("ram", account=self.other)
        (found,) = ram.get_resource_share_invitations()["resourceShareInvitations"]
        self.assertEqual((found["status"], found["senderAccountId"]), ("PENDING", self.account))
        accept = {"resourceShareInvitationArn": found["resourceShareInvitationArn"]}
        ram.accept_resource_share_invitation(**accept)
        self.assertEqual(self.states(arn, "PRINCIPAL").count("ASSOCIATED"), 3)
        self.their_rr.get_resolver_rule(**key)
        self.refused(
            "ResourceShareInvitationAlreadyAcceptedException", ram.reject_resource_share_invitation, **accept
        )

    def test_another_organization_is_not_found(self) -> None:
        self.client("organizations").create_organization()
        foreign = "arn:aws:organizations::111111111111:organization/o-abcdefghij"
        self.refused("UnknownResourceException", self.ram.create_resource_share, name="x", principals=[foreign])
