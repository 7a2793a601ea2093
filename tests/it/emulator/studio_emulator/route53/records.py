"""Records: batches that are carried out whole or not at all, and listings in Route 53's order.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html

**Invariant:** a batch with one fault changes nothing.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from ..ec2 import catalog
from ..registry import AwsError, Call, handles
from .limits import fault_of_size
from .model import Key, Zone, change, zone_of

_PLAIN = re.compile(r"[a-z0-9_.\-]")
_MOST_VALUES = 1000


@handles("route53", "ChangeResourceRecordSets")
def change_resource_record_sets(call: Call) -> dict[str, Any]:
    """Carries out a batch, in order, on a copy; the copy counts only if nothing was wrong."""
    zone = zone_of(call, call["HostedZoneId"])
    batch = call["ChangeBatch"]
    _refuse_size(batch["Changes"])
    records, faults = dict(zone.records), []
    for entry in batch["Changes"]:
        faults += _apply(zone, records, entry["Action"], entry["ResourceRecordSet"])
    faults += fault_of_size(zone, len(records))
    if faults:
        raise AwsError("InvalidChangeBatch", "[" + ", ".join(faults) + "]", messages=faults)
    zone.records = records
    return {"ChangeInfo": change(call, batch.get("Comment"))}


@handles("route53", "ListResourceRecordSets")
def list_resource_record_sets(call: Call) -> dict[str, Any]:
    """Records in the order of their names read from the right."""
    zone = zone_of(call, call["HostedZoneId"])
    start_name, start_type = call.get("StartRecordName"), call.get("StartRecordType")
    if start_type and not start_name:
        raise AwsError("InvalidInput", "StartRecordType needs StartRecordName.")
    start: tuple[Any, ...] = ()
    if start_name:
        start = (_order(record_name(start_name)), start_type or "", call.get("StartRecordIdentifier") or "")
    keys = sorted(zone.records, key=_sort_key)
    keys = [key for key in keys if _sort_key(key) >= start]
    size = int(call.get("MaxItems") or 300)
    following = keys[size] if len(keys) > size else None
    return {
        "ResourceRecordSets": [zone.records[key] for key in keys[:size]],
        "IsTruncated": following is not None,
        "NextRecordName": following[0] if following else None,
        "NextRecordType": following[1] if following else None,
        "NextRecordIdentifier": (following[2] or None) if following else None,
        "MaxItems": str(size),
    }


def record_name(text: str) -> str:
    r"""A name as Route 53 keeps it: small letters, a dot at the end, other characters as \ooo.

    `*` becomes `\052`: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html
    """
    name = re.sub(r"\\(\d{3})", lambda m: chr(int(m.group(1), 8)), text.lower().rstrip(".") + ".")
    return "".join(c if _PLAIN.fullmatch(c) else f"\\{ord(c):03o}" for c in name)


def _apply(zone: Zone, records: dict[Key, dict[str, Any]], action: str, sent: dict[str, Any]) -> list[str]:
    _refuse_shape(action, sent)
    name, kind = record_name(sent["Name"]), sent["Type"]
    key = (name, kind, sent.get("SetIdentifier") or "")
    label = f"[name='{name}', type='{kind}'" + (f", set-identifier='{key[2]}'" if key[2] else "") + "]"
    if name != zone.name and not name.endswith("." + zone.name):
        return [f"RRSet with DNS name {name} is not permitted in zone {zone.name}"]
    record = _normal(sent, name)
    if action == "DELETE":
        return _delete(zone, records, key, record, label)
    faults = _faults_of_values(record) + _faults_of_alias(record)
    if action == "CREATE" and key in records:
        faults.append(f"Tried to create resource record set {label} but it already exists")
    others = {other for other_name, other, _ in records if other_name == name and other != kind}
    if (kind == "CNAME" and others) or "CNAME" in others:
        faults.append(
            f"RRSet of type {kind} with DNS name {name} is not permitted as it conflicts with other records with the "
            f"same DNS name in zone {zone.name}"
        )
    if not faults:
        records[key] = record
    return faults


def _delete(zone: Zone, records: dict[Key, dict[str, Any]], key: Key, record: dict[str, Any], label: str) -> list[str]:
    if key not in records:
        return [f"Tried to delete resource record set {label} but it was not found"]
    if key[0] == zone.name and key[1] in ("SOA", "NS"):
        return [f"A HostedZone must contain at least one {key[1]} record for the zone itself."]
    if _comparable(records[key]) != _comparable(record):
        return [f"Tried to delete resource record set {label} but the values provided do not match the current values"]
    del records[key]
    return []


def _refuse_size(changes: list[dict[str, Any]]) -> None:
    count = 0
    for entry in changes:
        weight = 2 if entry["Action"] == "UPSERT" else 1
        count += weight * max(1, len(entry["ResourceRecordSet"].get("ResourceRecords") or []))
    if count > _MOST_VALUES:
        fault = f"Number of records limit of {_MOST_VALUES} exceeded."
        raise AwsError("InvalidChangeBatch", f"[{fault}]", messages=[fault])


def _refuse_shape(action: str, sent: dict[str, Any]) -> None:
    is_alias = bool(sent.get("AliasTarget"))
    is_plain = sent.get("TTL") is not None and bool(sent.get("ResourceRecords"))
    some_plain = sent.get("TTL") is not None or bool(sent.get("ResourceRecords"))
    if is_alias == is_plain or (is_alias and some_plain):
        found = "none" if not (is_alias or is_plain) else "more than one"
        raise AwsError(
            "InvalidInput",
            "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found {found} in Change with [Action={action}, Name={sent['Name']}, "
            f"Type={sent['Type']}, SetIdentifier={sent.get('SetIdentifier') or 'null'}]",
        )


def _normal(sent: dict[str, Any], name: str) -> dict[str, Any]:
    record = {**{k: v for k, v in sent.items() if v is not None}, "Name": name}
    if "AliasTarget" in record:
        target = record["AliasTarget"]
        record["AliasTarget"] = {
            "HostedZoneId": target["HostedZoneId"],
            "DNSName": record_name(target["DNSName"]),
            "EvaluateTargetHealth": bool(target["EvaluateTargetHealth"]),
        }
    return record


def _comparable(record: dict[str, Any]) -> dict[str, Any]:
    values = sorted(entry["Value"] for entry in record.get("ResourceRecords") or [])
    return {**record, "ResourceRecords": values}


def _faults_of_values(record: dict[str, Any]) -> list[str]:
    faults = []
    versions = {"A": (4, "ARRDATAIllegalIPv4Address", "IPv4"), "AAAA": (6, "AAAARRDATAIllegalIPv6Address", "IPv6")}
    values = [entry["Value"] for entry in record.get("ResourceRecords") or []]
    if record["Type"] in versions:
        version, code, word = versions[record["Type"]]
        for value in values:
            if not _is_address(value, version):
                faults.append(
                    f"Invalid Resource Record: 'FATAL problem: {code} (Value is not a valid {word} address) "
                    f"encountered with '{value}''"
                )
    if len(values) != len(set(values)):
        faults.append(f"Duplicate Resource Record: '{values[0]}'")
    return faults


def _is_address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def _faults_of_alias(record: dict[str, Any]) -> list[str]:
    """The zone id of an alias to an endpoint is the one that DnsEntries gives for that name."""
    target = record.get("AliasTarget")
    if not target or ".vpce." not in target["DNSName"]:
        return []
    base = ".".join(target["DNSName"].rstrip(".").split(".")[1:])
    if target["HostedZoneId"] == catalog.zone_id_for(base):
        return []
    return [
        f"Tried to create an alias that targets {target['DNSName']}, type {record['Type']} in zone "
        f"{target['HostedZoneId']}, but the alias target name does not lie within the target zone"
    ]


def _order(name: str) -> tuple[str, ...]:
    return tuple(reversed(name.rstrip(".").split(".")))


def _sort_key(key: Key) -> tuple[Any, ...]:
    return (_order(key[0]), key[1], key[2])
