"""Domains: create, describe, list. Changes and deletion are in `domain_changes`.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateDomain.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UserSettings.html (the landing URI)
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DomainSettings.html (dualstack needs subnets with IPv6)
The texts of these refusals are ours.

**Invariant:** a domain that was refused left nothing in the VPC.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

from .. import lifecycle
from ..ec2 import interfaces
from ..registry import AwsError, Call, handles, page, random_id
from . import home
from .model import STUDIOS, Domain, arn, domain_of, keep_tags
from .trust import lets_sagemaker_in

_NOT_SHOWN = {"Tags", "AuthMode", "DomainName"}


@handles("sagemaker", "CreateDomain")
def create_domain(call: Call) -> dict[str, Any]:
    """Makes a domain, with a home file system unless that is disabled."""
    studio, backend = STUDIOS.of(call), ec2_backends[call.account][call.region]
    for other in studio.domains.values():
        if other.sent["DomainName"] == call["DomainName"]:
            message = f"Domain with name {call['DomainName']} already exists. Choose a different name."
            raise AwsError("ResourceInUse", "Resource Already Exists: " + message)
    if not call.get("VpcId") or not call.get("SubnetIds"):
        raise AwsError("ValidationException", "VpcId and SubnetIds are required.")
    check_subnets(backend, call["VpcId"], call["SubnetIds"])
    check_user_settings(call, backend, call["VpcId"], call["DefaultUserSettings"], role_needed=True)
    settings = call.get("DomainSettings") or {}
    check_groups(backend, call["VpcId"], settings.get("SecurityGroupIds") or [])
    check_app_groups(call, settings)
    check_address_type(backend, settings, call["SubnetIds"])
    check_landing(call["DefaultUserSettings"], {})
    sent = {k: v for k, v in call.params.items() if k != "Tags"}
    sent.setdefault("AppNetworkAccessType", "PublicInternetOnly")
    sent.setdefault("HomeEfsFileSystemCreation", "Enabled")
    sent.setdefault("TagPropagation", "DISABLED")
    if sent.get("HomeEfsFileSystemKmsKeyId") and not sent.get("KmsKeyId"):
        sent["KmsKeyId"] = sent["HomeEfsFileSystemKmsKeyId"]

    domain_id = "d-" + random_id(12)
    domain = Domain(arn(call, f"domain/{domain_id}"), sent, id=domain_id, url=domain_url(call, domain_id))
    studio.domains[domain_id] = domain
    keep_tags(studio, domain.arn, call.get("Tags"))
    if sent["HomeEfsFileSystemCreation"] == "Enabled":
        home.make(call, domain)
    home.place_interfaces(backend, domain)
    domain.begin("Pending", "domain", "InService", call.fail_reason)
    return {"DomainArn": domain.arn, "DomainId": domain_id, "Url": domain.url}


@handles("sagemaker", "DescribeDomain")
def describe_domain(call: Call) -> dict[str, Any]:
    """The domain with all that was sent for it."""
    domain = domain_of(call)
    shown = {name: value for name, value in domain.sent.items() if name not in _NOT_SHOWN}
    shown.update(domain.times())
    shown.update(
        {
            "DomainArn": domain.arn,
            "DomainId": domain.id,
            "DomainName": domain.sent["DomainName"],
            "AuthMode": domain.sent["AuthMode"],
            "Url": domain.url,
            "HomeEfsFileSystemId": domain.file_system_id,
        }
    )
    if domain.sent["AuthMode"] == "SSO":
        shown["SingleSignOnManagedApplicationInstanceId"] = "ins-" + domain.id[2:].ljust(16, "0")
    return shown


@handles("sagemaker", "ListDomains")
def list_domains(call: Call) -> dict[str, Any]:
    """All domains, one page at a time."""
    domains = [
        {
            "DomainArn": domain.arn,
            "DomainId": domain.id,
            "DomainName": domain.sent["DomainName"],
            "Status": domain.status,
            "CreationTime": domain.created,
            "LastModifiedTime": domain.changed,
            "Url": domain.url,
        }
        for domain in STUDIOS.of(call).domains.values()
    ]
    shown, token = page(domains, call.get("NextToken"), call.get("MaxResults"), 10)
    return {"Domains": shown, "NextToken": token}


def domain_url(call: Call, domain_id: str) -> str:
    """Where a domain is opened: its host name is the id under the region's Studio parent."""
    suffix = "sagemaker.com.cn" if call.partition == "aws-cn" else "sagemaker.aws"
    return f"https://{domain_id}.studio.{call.region}.{suffix}"


def check_subnets(backend: Any, vpc_id: str, subnet_ids: list[str]) -> None:
    """The VPC and its subnets exist."""
    if vpc_id not in backend.vpcs:
        raise AwsError("ValidationException", f"The vpc ID '{vpc_id}' does not exist")
    known = {subnet_id: s for zone in backend.subnets.values() for subnet_id, s in zone.items()}
    for subnet_id in subnet_ids:
        if subnet_id not in known:
            raise AwsError("ValidationException", f"The subnet ID '{subnet_id}' does not exist")
        if known[subnet_id].vpc_id != vpc_id:
            raise AwsError("ValidationException", f"The subnet {subnet_id} is not in the VPC {vpc_id}")


def check_groups(backend: Any, vpc_id: str, group_ids: list[str]) -> None:
    """The security groups exist, in the VPC."""
    for group_id in group_ids:
        group = backend.get_security_group_from_id(group_id)
        if group is None:
            raise AwsError("ValidationException", f"The security group '{group_id}' does not exist")
        if group.vpc_id != vpc_id:
            raise AwsError("ValidationException", f"The security group {group_id} is not in the VPC {vpc_id}")


def check_user_settings(call: Call, backend: Any, vpc_id: str, settings: dict[str, Any], role_needed: bool) -> None:
    """Groups exist, and the execution role exists and trusts SageMaker."""
    check_groups(backend, vpc_id, settings.get("SecurityGroups") or [])
    role_arn = settings.get("ExecutionRole")
    if role_arn is None:
        if role_needed:
            raise AwsError("ValidationException", "DefaultUserSettings.ExecutionRole is required.")
        return
    roles = iam_backends[call.account][call.partition].roles.values()
    role = next((role for role in roles if role.arn == role_arn), None)
    if role is None or not lets_sagemaker_in(role.assume_role_policy_document):
        raise AwsError(
            "ValidationException",
            f"The execution role ARN {role_arn} is invalid. Please ensure that the role exists and that its trust "
            "relationship policy allows the action sts:AssumeRole for the service principal sagemaker.amazonaws.com.",
        )


def check_address_type(backend: Any, settings: dict[str, Any], subnet_ids: list[str]) -> None:
    """A domain with both address types needs them in each of its subnets."""
    if settings.get("IpAddressType") != "dualstack":
        return
    for subnet_id in subnet_ids:
        if interfaces.ipv6_block(backend.get_subnet(subnet_id)) is None:
            message = f"The subnet {subnet_id} does not support IPv6, which the IP address type dualstack needs."
            raise AwsError("ValidationException", message)


def check_landing(settings: dict[str, Any], before: dict[str, Any]) -> None:
    """Studio can be where users land only with its web portal enabled, now or before."""
    landing = settings.get("DefaultLandingUri")
    if landing is None:
        return
    if landing.startswith("studio::"):
        if (settings.get("StudioWebPortal") or before.get("StudioWebPortal")) != "ENABLED":
            message = "DefaultLandingUri can only be studio:: if StudioWebPortal is set to ENABLED."
            raise AwsError("ValidationException", message)
    elif not landing.startswith("app:JupyterServer:"):
        raise AwsError("ValidationException", f"DefaultLandingUri {landing} is not supported.")


def check_app_groups(call: Call, settings: dict[str, Any]) -> None:
    """Who manages the groups of apps can be said only for domains with RStudio."""
    if call.get("AppSecurityGroupManagement") and not settings.get("RStudioServerProDomainSettings"):
        message = "AppSecurityGroupManagement can only be set for Rstudio enabled domains."
        raise AwsError("ValidationException", message)


def forget(call: Call, domain: Domain) -> None:
    """Removes a domain for good."""
    studio = STUDIOS.of(call)
    studio.domains.pop(domain.id, None)
    studio.tags.pop(domain.arn, None)


def after_deletion(call: Call, domain: Domain, then: Any) -> None:
    """Calls `then` when the deletion of a domain is over."""
    lifecycle.after("sagemaker:domain:deleting", then)
