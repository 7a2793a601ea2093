"""What a domain puts into the VPC: home file system, mount targets, two NFS groups, interfaces.

https://docs.aws.amazon.com/sagemaker/latest/dg/gs-studio-delete-domain.html says what stays when
the file system is retained. That the two groups name each other, and stay in both cases, is
reported by many users and not documented; it is why deleting the VPC fails until the rules are
revoked and the groups deleted.

When the file system is deleted with the domain, it is assumed to outlive it: file system, mount
targets and their interfaces are deleting once the domain is gone, and go together. So the group that
the mount targets carry cannot be deleted at once. The domain's own interfaces go with it, or later,
if the pace names "sagemaker:domain:detaching".

**Invariant:** the file system, the mount targets and the groups are moto's, so EFS and EC2 calls see them.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.efs.models import efs_backends

from .. import lifecycle
from ..ec2 import interfaces
from ..registry import Call
from .model import Domain

NFS_PORT = 2049


def make(call: Call, domain: Domain) -> None:
    """Makes the file system, the groups, and a mount target in each zone of the subnets."""
    backend, efs = ec2_backends[call.account][call.region], efs_backends[call.account][call.region]
    file_system = efs.create_file_system(
        creation_token=domain.id,
        performance_mode="generalPurpose",
        encrypted=True,
        kms_key_id=domain.sent.get("KmsKeyId") or "",
        throughput_mode="bursting",
        provisioned_throughput_in_mibps=0,
        availability_zone_name="",
        backup=False,
        tags=[{"Key": "ManagedByAmazonSageMakerResource", "Value": domain.arn}],
    )
    domain.file_system_id = file_system.file_system_id
    inbound, outbound = _groups(backend, domain)
    _allow_nfs(backend, inbound, outbound, is_egress=False)
    _allow_nfs(backend, outbound, inbound, is_egress=True)
    extend(call, domain)


def extend(call: Call, domain: Domain) -> None:
    """Makes mount targets in the zones of the domain's subnets that have none."""
    backend, efs = ec2_backends[call.account][call.region], efs_backends[call.account][call.region]
    file_system = efs.file_systems_by_id.get(domain.file_system_id)
    if file_system is None:
        return
    inbound = backend.get_security_group_from_name(inbound_name(domain.id), domain.sent["VpcId"])
    for subnet_id in domain.sent["SubnetIds"]:
        subnet = backend.get_subnet(subnet_id)
        if file_system.has_mount_target(subnet):
            continue
        address = interfaces.free_ipv4(backend, subnet)
        target = efs.create_mount_target(
            file_system.file_system_id, subnet_id, ip_address=address, security_groups=[inbound.id] if inbound else None
        )
        interface = backend.enis[target.network_interface_id]
        interface.description = f"EFS mount target for {file_system.file_system_id} ({target.mount_target_id})"
        interface.requester_managed, interface.status = True, "in-use"


def delete(call: Call, domain: Domain) -> None:
    """Starts the deletion of the file system with its mount targets. The two groups stay."""
    efs = efs_backends[call.account][call.region]
    file_system = efs.file_systems_by_id.get(domain.file_system_id)
    if file_system is None:
        return
    file_system.life_cycle_state = "deleting"
    for target in file_system.iter_mount_targets():
        target.life_cycle_state = "deleting"
    lifecycle.after("efs:mount-target:deleting", lambda: _take_away(call, file_system))


def _take_away(call: Call, file_system: Any) -> None:
    backend, efs = ec2_backends[call.account][call.region], efs_backends[call.account][call.region]
    for target in list(file_system.iter_mount_targets()):
        interfaces.remove(backend, target.network_interface_id)
        target.clean_up()
        efs.mount_targets_by_id.pop(target.mount_target_id, None)
    efs.file_systems_by_id.pop(file_system.file_system_id, None)


def place_interfaces(backend: Any, domain: Domain) -> None:
    """Brings the domain's interfaces in line with its subnets and groups.

    A domain whose traffic stays in the VPC holds one in each subnet; another domain holds none.
    """
    wanted = domain.sent["SubnetIds"] if domain.sent["AppNetworkAccessType"] == "VpcOnly" else []
    for subnet_id in [s for s in domain.interfaces if s not in wanted]:
        interfaces.remove(backend, domain.interfaces.pop(subnet_id))
    groups = _groups_of(domain)
    for subnet_id in wanted:
        if subnet_id in domain.interfaces:
            held = [backend.get_security_group_from_id(group) for group in groups]
            if held:
                backend.enis[domain.interfaces[subnet_id]]._group_set = held
            continue
        text = f"[DO NOT DELETE] ENI managed by SageMaker for Studio Domain ({domain.id})"
        domain.interfaces[subnet_id] = interfaces.place(backend, subnet_id, groups, text, "sagemaker").id


def remove_interfaces(backend: Any, domain: Domain) -> None:
    """Takes the domain's interfaces away."""
    held = list(domain.interfaces.values())
    domain.interfaces.clear()
    lifecycle.after_if_named("sagemaker:domain:detaching", lambda: [interfaces.remove(backend, one) for one in held])


def inbound_name(domain_id: str) -> str:
    """The name of the group that the mount targets carry."""
    return f"security-group-for-inbound-nfs-{domain_id}"


def outbound_name(domain_id: str) -> str:
    """The name of the group that apps carry to reach them."""
    return f"security-group-for-outbound-nfs-{domain_id}"


def _groups(backend: Any, domain: Domain) -> tuple[Any, Any]:
    made = []
    for name, direction in ((inbound_name(domain.id), "inbound"), (outbound_name(domain.id), "outbound")):
        group = backend.create_security_group(
            name,
            f"[DO NOT DELETE] {direction} NFS traffic of SageMaker domain {domain.id}",
            vpc_id=domain.sent["VpcId"],
            tags={"ManagedByAmazonSageMakerResource": domain.arn},
        )
        group.egress_rules.clear()
        made.append(group)
    return made[0], made[1]


def _allow_nfs(backend: Any, group: Any, peer: Any, is_egress: bool) -> None:
    source = {"GroupId": peer.id, "UserId": backend.account_id}
    rule = SecurityGroupRule(backend, "tcp", group.id, NFS_PORT, NFS_PORT, None, source, None, is_egress=is_egress)
    (group.egress_rules if is_egress else group.ingress_rules).append(rule)


def _groups_of(domain: Domain) -> list[str]:
    own = (domain.sent.get("DefaultUserSettings") or {}).get("SecurityGroups") or []
    shared = (domain.sent.get("DomainSettings") or {}).get("SecurityGroupIds") or []
    return list(dict.fromkeys([*own, *shared]))
