"""UpdateDomain and DeleteDomain.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_UpdateDomain.html
https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeleteDomain.html
The two ValidationException texts about VpcOnly and RStudio are quoted in public issue reports.

**Invariant:** a refused update changed nothing.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from ..registry import AwsError, Call, handles
from . import home
from .domains import (
    after_deletion,
    check_address_type,
    check_app_groups,
    check_groups,
    check_landing,
    check_subnets,
    check_user_settings,
    forget,
)
from .model import STUDIOS, Domain, domain_of, refuse_while_changing


@handles("sagemaker", "UpdateDomain")
def update_domain(call: Call) -> dict[str, Any]:
    """Changes what may be changed. Members that are not sent stay as they are."""
    domain, backend = domain_of(call), ec2_backends[call.account][call.region]
    refuse_while_changing(domain, f"Domain [{domain.id}]")
    sent = domain.sent
    _check(call, backend, domain)
    before = dict(sent)
    for name in ("AppNetworkAccessType", "AppSecurityGroupManagement", "SubnetIds", "TagPropagation"):
        if call.get(name) is not None:
            sent[name] = call[name]
    for name in ("DefaultUserSettings", "DefaultSpaceSettings"):
        if call.get(name) is not None:
            sent[name] = {**(sent.get(name) or {}), **call[name]}
    if call.get("DomainSettingsForUpdate") is not None:
        sent["DomainSettings"] = {**(sent.get("DomainSettings") or {}), **call["DomainSettingsForUpdate"]}
    if call.get("HomeEfsFileSystemCreation") == "Enabled" and before["HomeEfsFileSystemCreation"] == "Disabled":
        sent["HomeEfsFileSystemCreation"] = "Enabled"
        home.make(call, domain)
    elif domain.file_system_id:
        home.extend(call, domain)
    home.place_interfaces(backend, domain)
    domain.begin("Updating", "domain", "InService", call.fail_reason, "Update_Failed")
    return {"DomainArn": domain.arn}


@handles("sagemaker", "DeleteDomain")
def delete_domain(call: Call) -> None:
    """Deletes an empty domain; its file system only if that was asked for."""
    domain, studio = domain_of(call), STUDIOS.of(call)
    refuse_while_changing(domain, f"Domain [{domain.id}]")
    for kind, there in (
        ("App", studio.apps_of(domain.id)),
        ("UserProfile", [p for p in studio.profiles.values() if p.domain_id == domain.id]),
        ("Space", [s for s in studio.spaces.values() if s.domain_id == domain.id]),
    ):
        if there:
            message = f"Unable to delete Domain [{domain.id}] because {kind}(s) are associated with it."
            raise AwsError("ResourceInUse", message)
    retention = (call.get("RetentionPolicy") or {}).get("HomeEfsFileSystem") or "Retain"
    reason = call.fail_reason
    domain.status, domain.failure_reason = "Deleting", None
    domain.turn += 1

    def end() -> None:
        if reason:
            domain.status, domain.failure_reason = "Delete_Failed", reason
            return
        if retention == "Delete":
            home.delete(call, domain)
        home.remove_interfaces(ec2_backends[call.account][call.region], domain)
        forget(call, domain)

    after_deletion(call, domain, end)


def _check(call: Call, backend: Any, domain: Domain) -> None:
    sent = domain.sent
    if call.get("AppNetworkAccessType") == "VpcOnly" and not (call.get("VpcId") and call.get("SubnetIds")):
        message = "VpcId and Subnet IDs are required for updating domains to VpcOnly mode."
        raise AwsError("ValidationException", message)
    if call.get("VpcId") and call["VpcId"] != sent["VpcId"]:
        raise AwsError("ValidationException", "VpcId cannot be changed once the domain has one.")
    vpc_id = sent["VpcId"]
    if call.get("SubnetIds") is not None:
        check_subnets(backend, vpc_id, call["SubnetIds"])
    removes = set(sent["SubnetIds"]) - set(call.get("SubnetIds") or sent["SubnetIds"])
    access = call.get("AppNetworkAccessType") or sent["AppNetworkAccessType"]
    if (removes or access != sent["AppNetworkAccessType"]) and STUDIOS.of(call).apps_of(domain.id):
        message = "Subnets and network access type cannot be changed while apps are InService, Pending or Deleting."
        raise AwsError("ValidationException", message)
    settings = {**(sent.get("DomainSettings") or {}), **(call.get("DomainSettingsForUpdate") or {})}
    check_app_groups(call, settings)
    check_groups(backend, vpc_id, settings.get("SecurityGroupIds") or [])
    check_address_type(backend, settings, call.get("SubnetIds") or sent["SubnetIds"])
    if call.get("DefaultUserSettings"):
        check_landing(call["DefaultUserSettings"], sent.get("DefaultUserSettings") or {})
        check_user_settings(call, backend, vpc_id, call["DefaultUserSettings"], role_needed=False)
    if call.get("HomeEfsFileSystemCreation") == "Disabled" and sent["HomeEfsFileSystemCreation"] == "Enabled":
        raise AwsError("ValidationException", "HomeEfsFileSystemCreation cannot go from Enabled to Disabled.")
