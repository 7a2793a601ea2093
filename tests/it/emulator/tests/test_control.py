"""The control API, the rules, and what the middleware answers for itself."""

from __future__ import annotations

import concurrent.futures
import time
import urllib.request

from botocore.exceptions import BotoCoreError, ClientError

from . import support
from .support import URL, EmulatorTest, control


class Calls(EmulatorTest):
    def test_every_call_is_recorded_with_account_region_and_parameters(self) -> None:
        self.client("ec2").describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])
        self.refused(
            "InvalidVpcEndpointId.NotFound", self.client("ec2").describe_vpc_endpoints, VpcEndpointIds=["vpce-1"]
        )
        first, second = self.calls()
        self.assertEqual([first["service"], first["operation"], first["status"]], ["ec2", "DescribeVpcs", 200])
        self.assertEqual([first["account"], first["region"]], [self.account, "us-east-1"])
        self.assertEqual(first["params"]["Filters"], [{"Name": "is-default", "Values": ["true"]}])
        self.assertEqual([second["status"], second["error"]], [400, "InvalidVpcEndpointId.NotFound"])
        self.assertGreaterEqual(second["time"], first["time"])

    def test_since_shows_only_what_came_later(self) -> None:
        self.client("sts").get_caller_identity()
        last = self.calls()[-1]["seq"]
        self.client("iam").list_roles()
        later = self.calls(since=str(last + 1))
        self.assertEqual([call["operation"] for call in later], ["ListRoles"])

    def test_a_web_identity_token_is_not_recorded(self) -> None:
        support.client("sts", self.account).assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{self.account}:role/r", RoleSessionName="session", WebIdentityToken="secret-token"
        )
        recorded = control("GET", "/_studio/calls?operation=AssumeRoleWithWebIdentity")
        self.assertNotIn("secret-token", str(recorded))

    def test_deleting_the_calls_forgets_them(self) -> None:
        self.client("sts").get_caller_identity()
        control("DELETE", "/_studio/calls")
        self.assertEqual(self.calls(), [])


class Rules(EmulatorTest):
    def rule(self, **text: object) -> None:
        control("PUT", "/_studio/rules", [{"account": self.account, **text}])

    def fired(self) -> int:
        return control("GET", "/_studio/rules")[0]["fired"]

    def test_a_rule_refuses_the_second_call_only(self) -> None:
        error = {"code": "ThrottlingException", "message": "slow down", "status": 400}
        self.rule(service="sagemaker", operation="ListDomains", nth=2, error=error)
        client = self.client("sagemaker")
        client.list_domains()
        self.refused("ThrottlingException", client.list_domains)
        client.list_domains()
        self.assertEqual(self.fired(), 1)

    def test_a_rule_without_nth_acts_as_often_as_told(self) -> None:
        self.rule(service="iam", operation="*", times=2, error={"code": "Throttling"})
        client = self.client("iam")
        self.refused("Throttling", client.list_roles)
        self.refused("Throttling", client.list_users)
        client.list_roles()

    def test_an_error_is_written_in_each_services_protocol(self) -> None:
        for service, operation, call in (
            ("ec2", "DescribeVpcs", "describe_vpcs"),
            ("route53", "ListHostedZones", "list_hosted_zones"),
            ("route53resolver", "ListResolverEndpoints", "list_resolver_endpoints"),
            ("sts", "GetCallerIdentity", "get_caller_identity"),
        ):
            with self.subTest(service):
                self.rule(
                    service=service,
                    operation=operation,
                    error={"code": "AccessDenied", "message": "no <way>", "status": 403},
                )
                answer = self.refused("AccessDenied", getattr(self.client(service), call))
                self.assertEqual(answer["Error"]["Message"], "no <way>")
                self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 403)

    def test_a_refused_permission_is_as_the_service_says_it(self) -> None:
        for service, operation, call, code, status in (
            ("ec2", "DescribeRouteTables", "describe_route_tables", "UnauthorizedOperation", 403),
            ("sagemaker", "ListDomains", "list_domains", "AccessDeniedException", 400),
            ("route53", "ListHostedZones", "list_hosted_zones", "AccessDenied", 403),
            ("route53resolver", "ListResolverRules", "list_resolver_rules", "AccessDeniedException", 400),
            ("iam", "ListRoles", "list_roles", "AccessDenied", 403),
            ("sts", "GetCallerIdentity", "get_caller_identity", "AccessDenied", 403),
            ("efs", "DescribeFileSystems", "describe_file_systems", "AccessDeniedException", 403),
        ):
            with self.subTest(service):
                self.rule(service=service, operation=operation, error={"code": code})
                answer = self.refused(code, getattr(self.client(service), call))
                self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], status)
                prefix = "elasticfilesystem" if service == "efs" else service
                user = f"User: arn:aws:iam::{self.account}:user/studio is not authorized to perform: "
                self.assertIn(f"{user}{prefix}:{operation} because", answer["Error"]["Message"])
                self.assertEqual(self.calls()[-1]["error"], code)

    def test_without_a_status_a_code_has_its_own(self) -> None:
        for service, operation, call, code, status in (
            ("route53", "ListHostedZones", "list_hosted_zones", "NoSuchHostedZone", 404),
            ("iam", "ListRoles", "list_roles", "NoSuchEntity", 404),
            ("sagemaker", "ListDomains", "list_domains", "Unheard", 400),
        ):
            with self.subTest(operation):
                self.rule(service=service, operation=operation, error={"code": code})
                answer = self.refused(code, getattr(self.client(service), call))
                self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], status)

    def test_any_status_can_be_asked_for(self) -> None:
        self.rule(service="sts", operation="*", error={"code": "Odd", "status": 499})
        answer = self.refused("Odd", self.client("sts").get_caller_identity)
        self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], 499)

    def test_a_refused_call_is_not_carried_out(self) -> None:
        self.rule(service="iam", operation="CreateUser", error={"code": "Throttling"})
        self.refused("Throttling", self.client("iam").create_user, UserName="u")
        self.assertEqual(self.client("iam").list_users()["Users"], [])

    def test_a_lost_answer_is_carried_out_all_the_same(self) -> None:
        self.rule(service="iam", operation="CreateUser", lose_answer=True)
        with self.assertRaises(BotoCoreError):
            self.client("iam").create_user(UserName="u")
        self.assertEqual([user["UserName"] for user in self.client("iam").list_users()["Users"]], ["u"])
        self.assertIsNone(self.calls(operation="CreateUser")[0]["status"])

    def test_a_lost_answer_can_be_an_error_instead(self) -> None:
        error = {"code": "InternalFailure", "status": 500}
        self.rule(service="iam", operation="CreateUser", lose_answer=True, error=error)
        with self.assertRaises(ClientError):
            self.client("iam").create_user(UserName="u")
        self.assertEqual(len(self.client("iam").list_users()["Users"]), 1)

    def test_latency_holds_a_call_back_without_holding_others(self) -> None:
        self.rule(service="sts", operation="GetCallerIdentity", latency_ms=400)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            slow = pool.submit(self.client("sts").get_caller_identity)
            time.sleep(0.1)
            self.client("iam").list_users()
            self.assertFalse(slow.done())
        self.assertGreaterEqual(self.calls(operation="GetCallerIdentity")[0]["duration"], 0.4)

    def test_a_rule_of_another_account_does_not_act(self) -> None:
        control(
            "PUT",
            "/_studio/rules",
            [{"service": "*", "operation": "*", "account": "999999999999", "error": {"code": "X"}}],
        )
        self.client("sts").get_caller_identity()

    def test_what_is_not_a_rule_is_refused(self) -> None:
        for wrong in ({}, [{"service": "ec2"}], [{"service": "a", "operation": "b", "color": "red"}]):
            with self.subTest(wrong), self.assertRaises(AssertionError):
                control("PUT", "/_studio/rules", wrong)


class Pace(EmulatorTest):
    def test_a_kind_goes_before_the_default_and_a_change_counts_at_once(self) -> None:
        control("PUT", "/_studio/pace", {"default": 0, "route53:change": 3600})
        network, client = self.network(), self.client("route53")
        vpc = {"VPCId": network["vpc_id"], "VPCRegion": "us-east-1"}
        change = client.create_hosted_zone(Name="a.example", CallerReference="1", VPC=vpc)["ChangeInfo"]["Id"]
        self.assertEqual(client.get_change(Id=change)["ChangeInfo"]["Status"], "PENDING")
        control("PUT", "/_studio/pace", {"default": 0})
        self.assertEqual(client.get_change(Id=change)["ChangeInfo"]["Status"], "INSYNC")


class Answers(EmulatorTest):
    def test_the_key_chooses_the_account(self) -> None:
        self.assertEqual(self.client("sts").get_caller_identity()["Account"], self.account)
        plain = support.client("sts", self.account, key="mock")
        self.assertEqual(plain.get_caller_identity()["Account"], "123456789012")

    def test_accounts_and_regions_do_not_see_each_other(self) -> None:
        self.client("ec2").create_security_group(GroupName="g", Description="d")
        names = lambda client: [g["GroupName"] for g in client.describe_security_groups()["SecurityGroups"]]  # noqa: E731
        self.assertIn("g", names(self.client("ec2")))
        self.assertNotIn("g", names(self.client("ec2", region="eu-west-1")))
        self.assertNotIn("g", names(self.client("ec2", account="200000000001")))

    def test_two_keys_are_refused_as_aws_refuses_them(self) -> None:
        for key, codes in (
            ("AKIADENIED0000000000", ("UnrecognizedClientException", "InvalidClientTokenId", "AuthFailure")),
            ("AKIAEXPIRED000000000", ("ExpiredTokenException", "ExpiredToken", "RequestExpired")),
        ):
            json_code, query_code, ec2_code = codes
            self.refused(json_code, support.client("sagemaker", "", key=key).list_domains)
            self.refused(query_code, support.client("sts", "", key=key).get_caller_identity)
            self.refused(query_code, support.client("route53", "", key=key).list_hosted_zones)
            self.refused(ec2_code, support.client("ec2", "", key=key).describe_vpcs)

    def test_what_is_not_emulated_answers_a_client_error(self) -> None:
        self.refused("UnknownOperationException", self.client("sagemaker").list_contexts)
        self.refused("InvalidAction", self.client("ec2").describe_spot_datafeed_subscription)
        self.refused("UnknownOperationException", self.client("route53").list_cidr_collections)

    def test_an_unsigned_request_is_refused(self) -> None:
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(URL + "/2013-04-01/hostedzone")
        self.assertEqual(caught.exception.code, 403)

    def test_missing_and_malformed_input_is_refused_in_the_words_of_the_model(self) -> None:
        answer = self.refused("ValidationException", self.client("sagemaker").create_domain, DomainName="not_valid")
        self.assertIn("at 'domainName' failed to satisfy constraint", answer["Error"]["Message"])
        self.assertIn("Value null at 'authMode'", answer["Error"]["Message"])

    def test_a_reset_forgets_everything(self) -> None:
        self.network()
        control("POST", "/_studio/reset")
        self.assertEqual(self.leftovers(), [])

    def test_twenty_callers_at_once_are_all_answered(self) -> None:
        network = self.network(subnets=3)

        def work(index: int) -> int:
            ec2 = self.client("ec2")
            group = ec2.create_security_group(GroupName=f"g{index}", Description="d", VpcId=network["vpc_id"])[
                "GroupId"
            ]
            return len(ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"])

        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            self.assertEqual(list(pool.map(work, range(60))), [1] * 60)


class Leftovers(EmulatorTest):
    def test_a_fresh_account_has_none(self) -> None:
        self.assertEqual(self.leftovers(), [])

    def test_a_network_shows_as_what_it_is(self) -> None:
        network = self.network(subnets=3)
        kinds = [found["kind"] for found in self.leftovers()]
        self.assertEqual(kinds, ["ec2:vpc", *["ec2:subnet"] * 3, "iam:role"])
        self.assertEqual(len(set(network["zones"])), 3)

    def test_what_is_only_still_listed_as_deleted_is_none(self) -> None:
        ec2 = self.client("ec2")
        gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
        self.assertEqual([(f["kind"], f["id"]) for f in self.leftovers()], [("ec2:vpn-gateway", gateway)])
        ec2.delete_vpn_gateway(VpnGatewayId=gateway)
        self.assertEqual(self.leftovers(), [])

    def test_a_network_with_ipv6_has_a_range_in_each_subnet(self) -> None:
        network = self.network(ipv6=True)
        subnets = self.client("ec2").describe_subnets(SubnetIds=network["subnet_ids"])["Subnets"]
        self.assertTrue(all(subnet["Ipv6CidrBlockAssociationSet"] for subnet in subnets))

    def test_a_network_with_corporate_ranges_has_routes_to_them(self) -> None:
        network = self.network(corporate=["192.168.10.0/24"])
        tables = self.client("ec2").describe_route_tables(RouteTableIds=[network["route_table_id"]])["RouteTables"]
        routes = {route["DestinationCidrBlock"]: route["GatewayId"] for route in tables[0]["Routes"]}
        self.assertTrue(routes["192.168.10.0/24"].startswith("vgw-"), routes)
