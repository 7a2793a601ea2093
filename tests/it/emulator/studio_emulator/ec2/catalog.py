"""The endpoint services that exist in a region, with the names each answers to.

Names by partition and the four private names of the studio service:
https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/studio-interface-endpoint.html

**Invariant:** the same region always has the same services, with the same ids.
"""

from __future__ import annotations

import dataclasses
import hashlib
from functools import lru_cache

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.utilities.utils import get_partition

# Suffixes whose service names start with "cn." in the China regions.
_CHINA_PREFIXED = ("sagemaker.", "ecr.", "sts", "servicecatalog")
# The zone of us-east-1 that SageMaker does not offer, so that a zone can be refused by default.
_ZONES_WITHOUT_SAGEMAKER = {"us-east-1": {"us-east-1e"}}


@dataclasses.dataclass(frozen=True)
class Service:
    """One endpoint service of a region."""

    name: str
    kind: str  # "Interface" or "Gateway"
    service_id: str
    base_names: tuple[str, ...]
    private_names: tuple[str, ...]
    zones: tuple[tuple[str, str], ...]  # (name, id)
    address_types: tuple[str, ...]
    policy: bool

    @property
    def zone_names(self) -> set[str]:
        """The zones in which it can be reached."""
        return {name for name, _ in self.zones}

    @property
    def private_zone_names(self) -> list[str]:
        """The private DNS names without their wildcards: the zones that AWS makes for them."""
        return sorted({name.removeprefix("*.") for name in self.private_names})


@lru_cache
def services(region: str) -> dict[str, Service]:
    """All services of a region, by name."""
    partition = get_partition(region)
    dns = "amazonaws.com.cn" if partition == "aws-cn" else "amazonaws.com"
    found = [_studio(region, partition), _gateway(region, "s3")]
    for suffix, private, dual in (
        ("sagemaker.api", (f"api.sagemaker.{region}.{dns}", f"api.sagemaker.{region}.api.aws"), True),
        ("sagemaker.runtime", (f"runtime.sagemaker.{region}.{dns}", f"runtime.sagemaker.{region}.api.aws"), True),
        ("sts", (f"sts.{region}.{dns}",), True),
        ("logs", (f"logs.{region}.{dns}", f"logs.{region}.api.aws"), True),
        ("ecr.api", (f"api.ecr.{region}.{dns}", f"ecr.{region}.api.aws"), True),
        ("ecr.dkr", (f"dkr.ecr.{region}.{dns}", f"*.dkr.ecr.{region}.{dns}"), True),
        ("kms", (f"kms.{region}.{dns}", f"kms.{region}.api.aws"), True),
        ("ssm", (f"ssm.{region}.{dns}",), True),
        ("ssmmessages", (f"ssmmessages.{region}.{dns}",), True),
        ("monitoring", (f"monitoring.{region}.{dns}",), True),
        ("servicecatalog", (f"servicecatalog.{region}.{dns}",), False),
    ):
        found.append(_interface(region, partition, dns, suffix, private, dual))
    if (
        partition == "aws"
        and region in ("us-east-1", "us-east-2", "us-west-1", "us-west-2")
        or partition == "aws-us-gov"
    ):
        for kind in ("api", "runtime"):
            names = (f"{kind}-fips.sagemaker.{region}.{dns}",)
            found.append(_interface(region, partition, dns, f"sagemaker.{kind}-fips", names, True))
    return {service.name: service for service in found}


def zone_id_for(name: str) -> str:
    """A hosted zone id, always the same for a name."""
    return "Z" + hashlib.sha256(name.encode()).hexdigest()[:13].upper()


def _studio(region: str, partition: str) -> Service:
    suffix = "sagemaker.com.cn" if partition == "aws-cn" else "sagemaker.aws"
    parents = [f"studio.{region}.{suffix}"]
    if partition != "aws-cn":
        parents.append(f"studio.sagemaker.{region}.app.aws")
    private = tuple(name for parent in parents for name in (parent, f"*.{parent}"))
    base = (f"studio.{region}.vpce.{suffix}",)
    name = f"aws.sagemaker.{region}.studio"
    return Service(name, "Interface", _id(name), base, private, _zones(region, name), ("ipv4", "ipv6"), True)


def _interface(region: str, partition: str, dns: str, suffix: str, private: tuple[str, ...], dual: bool) -> Service:
    prefix = "cn.com.amazonaws" if partition == "aws-cn" and suffix.startswith(_CHINA_PREFIXED) else "com.amazonaws"
    name = f"{prefix}.{region}.{suffix}"
    # The labels of the DNS name are those of the service name in the opposite order.
    base = (f"{'.'.join(reversed(suffix.split('.')))}.{region}.vpce.{dns}",)
    types = ("ipv4", "ipv6") if dual else ("ipv4",)
    return Service(name, "Interface", _id(name), base, private, _zones(region, name), types, True)


def _gateway(region: str, suffix: str) -> Service:
    name = f"com.amazonaws.{region}.{suffix}"
    base = (f"{suffix}.{region}.amazonaws.com",)
    return Service(name, "Gateway", _id(name), base, (), _zones(region, name), ("ipv4",), True)


def _zones(region: str, name: str) -> tuple[tuple[str, str], ...]:
    without = _ZONES_WITHOUT_SAGEMAKER.get(region, set()) if "sagemaker" in name else set()
    zones = RegionsAndZonesBackend.zones.get(region, [])
    return tuple((z.name, z.zone_id) for z in zones if z.zone_type == "availability-zone" and z.name not in without)


def _id(name: str) -> str:
    return "vpce-svc-0" + hashlib.sha256(name.encode()).hexdigest()[:16]
