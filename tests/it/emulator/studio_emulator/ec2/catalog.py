"""The endpoint services that exist in a region, with the names each answers to.

Names by partition and the four private names of the studio service:
https://docs.aws.amazon.com/vpc/latest/privatelink/aws-services-privatelink-support.html and
https://docs.aws.amazon.com/sagemaker/latest/dg/studio-interface-endpoint.html
Which service names start with "cn." in China was read from AWS's public CDK sources.

Assumed, because nothing public says it: the private names of the studio service in China (the one
parent of the Public Suffix List) and in GovCloud (that list's two parents, of which one is the
FIPS one); that endpoints of appmesh-envoy-management take no policy; the names under api.amazonwebservices.com.cn; the names of DNS entries in China. There is
no FIPS service beyond the API and runtime ones that are listed for these regions.

**Invariant:** the same region always has the same services, with the same ids.
"""

from __future__ import annotations

import dataclasses
import hashlib
from functools import lru_cache

from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
from moto.utilities.utils import get_partition

# Suffixes whose service names start with "cn." in the China regions; the gateway service of S3 does not.
_CHINA_PREFIXED = ("sagemaker.", "ecr.", "sts", "servicecatalog", "monitoring", "s3")
# The zone of us-east-1 that SageMaker does not offer, so that a zone can be refused by default.
_ZONES_WITHOUT_SAGEMAKER = {"us-east-1": {"us-east-1e"}}
# https://docs.aws.amazon.com/general/latest/gr/sagemaker.html
_RUNTIME_FIPS = {"us-east-1", "us-east-2", "us-west-1", "us-west-2"}
_API_FIPS = _RUNTIME_FIPS | {"ca-central-1", "ca-west-1", "us-gov-east-1", "us-gov-west-1"}


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
    # Its DNS entries that are not private start with "*.", because a bucket's name comes first.
    has_wildcard_entries: bool = False

    @property
    def zone_names(self) -> set[str]:
        """The zones in which it can be reached."""
        return {name for name, _ in self.zones}

    @property
    def private_zone_names(self) -> list[str]:
        """The private DNS names without their wildcards: the zones that AWS makes for them."""
        return sorted({name.removeprefix("*.") for name in self.private_names})


@lru_cache
def services(region: str) -> tuple[Service, ...]:
    """All services of a region. A name can be there twice, as S3's is: once for each kind."""
    partition = get_partition(region)
    dns, dual_stack = _dns(partition)
    found = [_studio(region, partition), _notebook(region, partition), _gateway(region, "s3")]
    found.append(_s3(region, partition, dns))
    for suffix, private, dual in (
        ("sagemaker.api", (f"api.sagemaker.{region}.{dns}", f"api.sagemaker.{region}.{dual_stack}"), True),
        ("sagemaker.runtime", (f"runtime.sagemaker.{region}.{dns}", f"runtime.sagemaker.{region}.{dual_stack}"), True),
        ("sts", (f"sts.{region}.{dns}",), True),
        ("logs", (f"logs.{region}.{dns}", f"logs.{region}.{dual_stack}"), True),
        ("ecr.api", (f"api.ecr.{region}.{dns}", f"ecr.{region}.{dual_stack}"), True),
        ("ecr.dkr", (f"dkr.ecr.{region}.{dns}", f"*.dkr.ecr.{region}.{dns}"), True),
        ("kms", (f"kms.{region}.{dns}", f"kms.{region}.{dual_stack}"), True),
        ("ssm", (f"ssm.{region}.{dns}",), True),
        ("ssmmessages", (f"ssmmessages.{region}.{dns}",), True),
        ("monitoring", (f"monitoring.{region}.{dns}",), True),
        ("servicecatalog", (f"servicecatalog.{region}.{dns}",), False),
    ):
        found.append(_interface(region, partition, dns, suffix, private, dual))
    envoy = "appmesh-envoy-management"
    without_policy = _interface(region, partition, dns, envoy, (f"{envoy}.{region}.{dns}",), True)
    found.append(dataclasses.replace(without_policy, policy=False))
    for kind, regions in (("api", _API_FIPS), ("runtime", _RUNTIME_FIPS)):
        if region in regions:
            names = (f"{kind}-fips.sagemaker.{region}.{dns}",)
            found.append(_interface(region, partition, dns, f"sagemaker.{kind}-fips", names, True))
    return tuple(found)


def named(region: str, name: str) -> list[Service]:
    """The services of that name; none where it does not exist."""
    return [service for service in services(region) if service.name == name]


def zone_id_for(name: str) -> str:
    """A hosted zone id, always the same for a name."""
    return "Z" + hashlib.sha256(name.encode()).hexdigest()[:13].upper()


def _dns(partition: str) -> tuple[str, str]:
    """What the names of services end in: the usual ones, and those that have IPv6 too."""
    if partition == "aws-cn":
        return "amazonaws.com.cn", "api.amazonwebservices.com.cn"
    return "amazonaws.com", "api.aws"


def _studio(region: str, partition: str) -> Service:
    suffix = _suffix(partition)
    parents = [f"studio.{region}.{suffix}"]
    if partition == "aws":
        parents.append(f"studio.sagemaker.{region}.app.aws")
    elif partition == "aws-us-gov":
        parents.append(f"studio-fips.{region}.{suffix}")
    return _of_sagemaker(region, "studio", parents, suffix)


def _notebook(region: str, partition: str) -> Service:
    suffix = _suffix(partition)
    return _of_sagemaker(region, "notebook", [f"notebook.{region}.{suffix}"], suffix)


def _suffix(partition: str) -> str:
    return "sagemaker.com.cn" if partition == "aws-cn" else "sagemaker.aws"


def _of_sagemaker(region: str, kind: str, parents: list[str], suffix: str) -> Service:
    private = tuple(name for parent in parents for name in (parent, f"*.{parent}"))
    base = (f"{kind}.{region}.vpce.{suffix}",)
    name = f"aws.sagemaker.{region}.{kind}"
    return Service(name, "Interface", _id(name), base, private, _zones(region, name), ("ipv4", "ipv6"), True)


def _interface(region: str, partition: str, dns: str, suffix: str, private: tuple[str, ...], dual: bool) -> Service:
    prefix = "cn.com.amazonaws" if partition == "aws-cn" and suffix.startswith(_CHINA_PREFIXED) else "com.amazonaws"
    name = f"{prefix}.{region}.{suffix}"
    # The labels of the DNS name are those of the service name in the opposite order.
    base = (f"{'.'.join(reversed(suffix.split('.')))}.{region}.vpce.{dns}",)
    types = ("ipv4", "ipv6") if dual else ("ipv4",)
    return Service(name, "Interface", _id(name), base, private, _zones(region, name), types, True)


def _s3(region: str, partition: str, dns: str) -> Service:
    """S3 as an interface: https://docs.aws.amazon.com/AmazonS3/latest/userguide/privatelink-interface-endpoints.html"""
    private = (f"s3.{region}.{dns}", *(f"*.{kind}.{region}.{dns}" for kind in ("s3", "s3-accesspoint", "s3-control")))
    made = _interface(region, partition, dns, "s3", private, True)
    return dataclasses.replace(made, has_wildcard_entries=True)


def _gateway(region: str, suffix: str) -> Service:
    name = f"com.amazonaws.{region}.{suffix}"
    base = (f"{suffix}.{region}.{_dns(get_partition(region))[0]}",)
    return Service(name, "Gateway", _id(name + ".gateway"), base, (), _zones(region, name), ("ipv4",), True)


def _zones(region: str, name: str) -> tuple[tuple[str, str], ...]:
    without = _ZONES_WITHOUT_SAGEMAKER.get(region, set()) if "sagemaker" in name else set()
    zones = RegionsAndZonesBackend.zones.get(region, [])
    return tuple((z.name, z.zone_id) for z in zones if z.zone_type == "availability-zone" and z.name not in without)


def _id(name: str) -> str:
    return "vpce-svc-0" + hashlib.sha256(name.encode()).hexdigest()[:16]
