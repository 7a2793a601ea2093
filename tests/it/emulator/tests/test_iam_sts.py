"""Policies and sessions."""

from __future__ import annotations

import json
from typing import Any

from urllib.parse import unquote
from urllib.request import Request, urlopen

from . import support
from .support import URL, EmulatorTest

TRUST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
)


def document(*statements: dict[str, Any]) -> str:
    """A policy of those statements, each a Deny of presigning unless it says otherwise."""
    base = {"Effect": "Deny", "Action": "sagemaker:CreatePresignedDomainUrl", "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [{**base, **s} for s in statements or ({},)]})


class Policies(EmulatorTest):
    def setUp(self) -> None:
        super().setUp()
        self.iam = self.client("iam")
        self.iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
        self.iam.create_user(UserName="user")
        self.iam.create_group(GroupName="group")

    def policy(self, name: str = "p", **more: Any) -> str:
        return self.iam.create_policy(PolicyName=name, PolicyDocument=document(), **more)["Policy"]["Arn"]

    def test_documents_that_are_refused(self) -> None:
        for code, text in (
            ("MalformedPolicyDocument", "{"),
            ("MalformedPolicyDocument", "[]"),
            ("MalformedPolicyDocument", document({"Sid": "not alphanumeric"})),
            ("MalformedPolicyDocument", document({"Sid": "Same"}, {"Sid": "Same"})),
            ("MalformedPolicyDocument", document({"Principal": "*"})),
            ("MalformedPolicyDocument", document({"Effect": "Perhaps"})),
            ("MalformedPolicyDocument", document({"Condition": {"StringIsh": {"a": "b"}}})),
            ("LimitExceeded", document({"Resource": ["arn:aws:sagemaker:*:*:user-profile/" + "x" * 6144]})),
        ):
            with self.subTest(text[:60]):
                self.refused(code, self.iam.create_policy, PolicyName="bad", PolicyDocument=text)
                arn = self.policy("good")
                self.refused(code, self.iam.create_policy_version, PolicyArn=arn, PolicyDocument=text)
                self.iam.delete_policy(PolicyArn=arn)

    def test_white_space_does_not_count(self) -> None:
        text = document({"Resource": ["arn:aws:sagemaker:*:*:user-profile/" + "x" * 5900]})
        self.iam.create_policy(PolicyName="spaced", PolicyDocument=text.replace(" ", " " * 40))

    def test_conditions_of_a_guard_are_accepted(self) -> None:
        conditions = {
            "StringNotEqualsIfExists": {"aws:SourceVpce": ["vpce-1", "vpce-2"]},
            "NotIpAddressIfExists": {"aws:VpcSourceIp": ["10.0.0.0/8"]},
            "ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/break-glass"]},
            "BoolIfExists": {"aws:ViaAWSService": "false"},
            "Null": {"aws:SourceVpc": "true"},
        }
        self.iam.create_policy(PolicyName="guard", PolicyDocument=document({"Sid": "Guard1", "Condition": conditions}))

    def test_a_name_is_taken_once_in_a_path(self) -> None:
        self.policy()
        self.refused("EntityAlreadyExists", self.iam.create_policy, PolicyName="p", PolicyDocument=document())
        self.policy(Path="/other/")

    def test_what_is_unknown(self) -> None:
        arn = f"arn:aws:iam::{self.account}:policy/unknown"
        self.refused("NoSuchEntity", self.iam.get_policy, PolicyArn=arn)
        self.refused("NoSuchEntity", self.iam.delete_policy, PolicyArn=arn)
        self.refused("NoSuchEntity", self.iam.attach_role_policy, PolicyArn=arn, RoleName="role")
        self.refused("NoSuchEntity", self.iam.attach_role_policy, PolicyArn=self.policy(), RoleName="unknown")

    def test_an_attached_policy_is_not_deleted(self) -> None:
        arn = self.policy()
        for kind, name in (("role", "RoleName"), ("user", "UserName"), ("group", "GroupName")):
            with self.subTest(kind):
                both = {"PolicyArn": arn, name: kind}
                getattr(self.iam, f"attach_{kind}_policy")(**both)
                getattr(self.iam, f"attach_{kind}_policy")(**both)
                self.assertEqual(self.iam.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"], 1)
                self.refused("DeleteConflict", self.iam.delete_policy, PolicyArn=arn)
                listed = getattr(self.iam, f"list_attached_{kind}_policies")(**{name: kind})["AttachedPolicies"]
                self.assertEqual([p["PolicyArn"] for p in listed], [arn])
                entities = self.iam.list_entities_for_policy(PolicyArn=arn)
                self.assertEqual([e[name] for e in entities[f"Policy{kind.title()}s"]], [kind])
                getattr(self.iam, f"detach_{kind}_policy")(**both)
                self.refused("NoSuchEntity", getattr(self.iam, f"detach_{kind}_policy"), **both)
        self.iam.delete_policy(PolicyArn=arn)

    def test_five_versions_are_the_most_and_old_ones_hold_the_policy(self) -> None:
        arn = self.policy()
        for _ in range(4):
            self.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document(), SetAsDefault=True)
        wanted = {"PolicyArn": arn, "PolicyDocument": document()}
        self.refused("LimitExceeded", self.iam.create_policy_version, **wanted)
        self.refused("DeleteConflict", self.iam.delete_policy, PolicyArn=arn)
        self.refused("DeleteConflict", self.iam.delete_policy_version, PolicyArn=arn, VersionId="v5")
        versions = self.iam.list_policy_versions(PolicyArn=arn)["Versions"]
        self.assertEqual([v["VersionId"] for v in versions if v["IsDefaultVersion"]], ["v5"])
        for version in ("v1", "v2", "v3", "v4"):
            self.iam.delete_policy_version(PolicyArn=arn, VersionId=version)
        self.iam.delete_policy(PolicyArn=arn)

    def test_documents_come_back_as_they_were(self) -> None:
        text = document({"Sid": "A1", "Resource": "arn:aws:sagemaker:us-east-1:1:user-profile/d-1/${aws:username}"})
        arn = self.iam.create_policy(PolicyName="p", PolicyDocument=text)["Policy"]["Arn"]
        shown = self.iam.get_policy_version(PolicyArn=arn, VersionId="v1")["PolicyVersion"]["Document"]
        self.assertEqual(shown, json.loads(text))

    def test_tags(self) -> None:
        arn = self.policy(Tags=[{"Key": "a", "Value": "1"}])
        self.iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "b", "Value": "2"}])
        self.iam.untag_policy(PolicyArn=arn, TagKeys=["a"])
        self.assertEqual(self.iam.list_policy_tags(PolicyArn=arn)["Tags"], [{"Key": "b", "Value": "2"}])


class Roles(EmulatorTest):
    SCOPE = "Credential=AKIA{0}0000/20260101/us-east-1/iam/aws4_request, SignedHeaders=host, Signature=0"

    def test_a_role_shows_the_trust_policy_it_was_made_with_encoded_for_urls(self) -> None:
        iam = self.client("iam")
        iam.create_role(RoleName="studio", Path="/service-role/", AssumeRolePolicyDocument=TRUST)
        role = iam.get_role(RoleName="studio")["Role"]
        self.assertEqual(role["AssumeRolePolicyDocument"], json.loads(TRUST))
        self.assertEqual(role["Arn"], f"arn:aws:iam::{self.account}:role/service-role/studio")
        headers = {"Authorization": "AWS4-HMAC-SHA256 " + self.SCOPE.format(self.account)}
        wanted = b"Action=GetRole&Version=2010-05-08&RoleName=studio"
        with urlopen(Request(URL, data=wanted, headers=headers)) as answer:
            text = answer.read().decode()
        document = text.partition("<AssumeRolePolicyDocument>")[2].partition("</AssumeRolePolicyDocument>")[0]
        self.assertTrue(document.startswith("%7B%22"), document)
        self.assertEqual(json.loads(unquote(document)), json.loads(TRUST))
        self.refused("NoSuchEntity", iam.get_role, RoleName="unknown")


class Simulations(EmulatorTest):
    ACTION = "sagemaker:CreatePresignedDomainUrl"
    PROFILE = "arn:aws:sagemaker:us-east-1:111111111111:user-profile/d-1/ann"

    def decide(self, *policies: str, boundary: str | None = None, **context: str) -> dict[str, Any]:
        entries = [
            {"ContextKeyName": key.replace("__", ":"), "ContextKeyValues": [value], "ContextKeyType": "string"}
            for key, value in context.items()
        ]
        more = {"PermissionsBoundaryPolicyInputList": [boundary]} if boundary else {}
        answer = self.client("iam").simulate_custom_policy(
            PolicyInputList=list(policies),
            ActionNames=[self.ACTION],
            ResourceArns=[self.PROFILE],
            ContextEntries=entries,
            **more,
        )
        return answer["EvaluationResults"][0]

    def test_nothing_allows_by_itself_and_a_denial_wins(self) -> None:
        allow = document({"Effect": "Allow"})
        self.assertEqual(self.decide(document({"Action": "s3:*", "Effect": "Allow"}))["EvalDecision"], "implicitDeny")
        self.assertEqual(self.decide(allow)["EvalDecision"], "allowed")
        denied = self.decide(allow, document())
        self.assertEqual(denied["EvalDecision"], "explicitDeny")
        self.assertEqual([m["SourcePolicyId"] for m in denied["MatchedStatements"]], ["PolicyInputList.2"])

    def test_a_guard_denies_off_the_path_and_where_the_key_is_missing(self) -> None:
        guard = document({"Condition": {"StringNotEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}})
        allow = document({"Effect": "Allow"})
        for context, decision in (
            ({"aws__SourceVpce": "vpce-1"}, "allowed"),
            ({"aws__SourceVpce": "vpce-9"}, "explicitDeny"),
            ({}, "explicitDeny"),
        ):
            self.assertEqual(self.decide(allow, guard, **context)["EvalDecision"], decision, context)
        self.assertEqual(self.decide(allow, guard)["MissingContextValues"], ["aws:SourceVpce"])

    def test_operators(self) -> None:
        for operator, key, wanted, value, holds in (
            ("StringEquals", "aws:SourceVpc", "vpc-1", "vpc-1", True),
            ("StringEqualsIfExists", "aws:SourceVpc", "vpc-1", None, True),
            ("StringEquals", "aws:SourceVpc", "vpc-1", None, False),
            ("ForAllValues:StringEquals", "aws:SourceVpc", "vpc-1", None, True),
            ("ForAnyValue:StringEquals", "aws:SourceVpc", "vpc-1", None, False),
            ("StringLike", "aws:SourceVpc", "vpc-*", "vpc-1", True),
            ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8", "10.1.2.3", True),
            ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/8", "192.0.2.1", False),
            ("NotIpAddress", "aws:VpcSourceIp", "10.0.0.0/8", None, True),
            ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/admin", "arn:aws:iam::1:role/admin", False),
            ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/admin", "arn:aws:iam::1:role/other", True),
            ("Bool", "aws:ViaAWSService", "true", "true", True),
            ("Null", "aws:SourceVpc", "true", None, True),
            ("Null", "aws:SourceVpc", "true", "vpc-1", False),
        ):
            with self.subTest(operator=operator, value=value):
                policy = document({"Effect": "Allow", "Condition": {operator: {key: wanted}}})
                context = {} if value is None else {key.replace(":", "__"): value}
                decision = self.decide(policy, **context)["EvalDecision"]
                self.assertEqual(decision, "allowed" if holds else "implicitDeny")

    def test_variables_are_filled_in(self) -> None:
        resource = "arn:aws:sagemaker:us-east-1:111111111111:user-profile/d-1/${aws:username}"
        policy = document({"Effect": "Allow", "Resource": resource})
        self.assertEqual(self.decide(policy, aws__username="ann")["EvalDecision"], "allowed")
        self.assertEqual(self.decide(policy, aws__username="bob")["EvalDecision"], "implicitDeny")
        self.assertEqual(self.decide(policy)["EvalDecision"], "implicitDeny")

    def test_a_boundary_narrows(self) -> None:
        allow, other = document({"Effect": "Allow"}), document({"Effect": "Allow", "Action": "s3:*"})
        self.assertEqual(self.decide(allow, boundary=allow)["EvalDecision"], "allowed")
        self.assertEqual(self.decide(allow, boundary=other)["EvalDecision"], "implicitDeny")

    def test_a_principals_own_policies_count(self) -> None:
        iam = self.client("iam")
        role = iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        wanted = {"PolicySourceArn": role, "ActionNames": [self.ACTION]}
        decision = lambda: iam.simulate_principal_policy(**wanted)["EvaluationResults"][0]["EvalDecision"]  # noqa: E731
        self.assertEqual(decision(), "implicitDeny")
        arn = iam.create_policy(PolicyName="p", PolicyDocument=document({"Effect": "Allow"}))["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="role", PolicyArn=arn)
        self.assertEqual(decision(), "allowed")
        iam.put_role_policy(RoleName="role", PolicyName="inline", PolicyDocument=document())
        self.assertEqual(decision(), "explicitDeny")


class Sessions(EmulatorTest):
    def test_a_role_of_another_account_is_that_account(self) -> None:
        role = "arn:aws:iam::777777777777:role/path/reader"
        made = self.client("sts").assume_role(RoleArn=role, RoleSessionName="session")
        credentials = made["Credentials"]
        self.assertEqual(len(credentials["AccessKeyId"]), 20)
        shown = support.client("sts", "", key=credentials["AccessKeyId"]).get_caller_identity()
        self.assertEqual(shown["Account"], "777777777777")
        self.assertEqual(shown["Arn"], "arn:aws:sts::777777777777:assumed-role/reader/session")

    def test_a_web_identity_needs_a_token_and_nothing_else(self) -> None:
        role = f"arn:aws:iam::{self.account}:role/reader"
        made = self.client("sts").assume_role_with_web_identity(
            RoleArn=role, RoleSessionName="session", WebIdentityToken="abcd"
        )
        key = made["Credentials"]["AccessKeyId"]
        self.assertEqual(support.client("sts", "", key=key).get_caller_identity()["Account"], self.account)

    def test_chained_roles(self) -> None:
        first = self.client("sts").assume_role(RoleArn="arn:aws:iam::777777777777:role/a", RoleSessionName="session")
        key = first["Credentials"]["AccessKeyId"]
        second = support.client("sts", "", key=key).assume_role(
            RoleArn="arn:aws:iam::888888888888:role/b", RoleSessionName="session"
        )
        key = second["Credentials"]["AccessKeyId"]
        self.assertEqual(support.client("sts", "", key=key).get_caller_identity()["Account"], "888888888888")
