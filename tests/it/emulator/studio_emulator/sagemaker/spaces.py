"""Spaces.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateSpace.html

**Invariant:** a space with apps is never deleted.
"""

from __future__ import annotations

from typing import Any

from .. import lifecycle
from ..registry import AwsError, Call, handles, page, random_id
from .model import STUDIOS, Space, arn, domain_of, keep_tags, refuse_while_changing


@handles("sagemaker", "CreateSpace")
def create_space(call: Call) -> dict[str, Any]:
    """Makes a space; its owner, if it has one, is a profile of the domain."""
    domain, studio = domain_of(call, ready=True), STUDIOS.of(call)
    name = call["SpaceName"]
    if (domain.id, name) in studio.spaces:
        raise AwsError("ResourceInUse", f"Resource Already Exists: Space [{name}] of Domain [{domain.id}].")
    owner = (call.get("OwnershipSettings") or {}).get("OwnerUserProfileName")
    if owner and (domain.id, owner) not in studio.profiles:
        raise AwsError("ResourceNotFound", f"UserProfile [{owner}] does not exist in Domain [{domain.id}].")
    sent = {k: v for k, v in call.params.items() if k != "Tags"}
    # The host of a space cannot be told from anything else: fifteen random characters.
    url = domain.url.replace(domain.id, random_id(15), 1)
    made = Space(arn(call, f"space/{domain.id}/{name}"), sent, domain_id=domain.id, name=name, url=url)
    made.uid = str(domain.next_uid)
    domain.next_uid += 1
    studio.spaces[domain.id, name] = made
    keep_tags(studio, made.arn, call.get("Tags"))
    made.begin("Pending", "space", "InService", call.fail_reason)
    return {"SpaceArn": made.arn}


@handles("sagemaker", "DescribeSpace")
def describe_space(call: Call) -> dict[str, Any]:
    """The space with all that was sent for it."""
    space = space_of(call)
    shown = dict(space.sent, **space.times())
    shown.update({"SpaceArn": space.arn, "HomeEfsFileSystemUid": space.uid, "Url": space.url})
    return shown


@handles("sagemaker", "ListSpaces")
def list_spaces(call: Call) -> dict[str, Any]:
    """Spaces of all domains or one."""
    details = [
        {
            "DomainId": space.domain_id,
            "SpaceName": space.name,
            "Status": space.status,
            "CreationTime": space.created,
            "LastModifiedTime": space.changed,
            "SpaceDisplayName": space.sent.get("SpaceDisplayName"),
            "SpaceSettingsSummary": {"AppType": (space.sent.get("SpaceSettings") or {}).get("AppType")},
            "SpaceSharingSettingsSummary": space.sent.get("SpaceSharingSettings"),
            "OwnershipSettingsSummary": space.sent.get("OwnershipSettings"),
        }
        for space in STUDIOS.of(call).spaces.values()
        if call.get("DomainIdEquals") in (None, space.domain_id) and (call.get("SpaceNameContains") or "") in space.name
    ]
    if call.get("SortOrder") == "Descending":
        details.reverse()
    shown, token = page(details, call.get("NextToken"), call.get("MaxResults"), 10)
    return {"Spaces": shown, "NextToken": token}


@handles("sagemaker", "UpdateSpace")
def update_space(call: Call) -> dict[str, Any]:
    """Changes the settings that are sent."""
    domain_of(call)
    space = space_of(call)
    refuse_while_changing(space, f"Space [{space.name}]")
    space.sent["SpaceSettings"] = {**(space.sent.get("SpaceSettings") or {}), **(call.get("SpaceSettings") or {})}
    if call.get("SpaceDisplayName") is not None:
        space.sent["SpaceDisplayName"] = call["SpaceDisplayName"]
    space.begin("Updating", "space", "InService", call.fail_reason, "Update_Failed")
    return {"SpaceArn": space.arn}


@handles("sagemaker", "DeleteSpace")
def delete_space(call: Call) -> None:
    """Deletes a space that has no apps."""
    domain_of(call)
    space, studio = space_of(call), STUDIOS.of(call)
    refuse_while_changing(space, f"Space [{space.name}]")
    if studio.apps_of(space.domain_id, space=space.name):
        message = f"Unable to delete Space [{space.name}] because App(s) are associated with it."
        raise AwsError("ResourceInUse", message)
    space.status = "Deleting"
    space.turn += 1

    def end() -> None:
        studio.spaces.pop((space.domain_id, space.name), None)
        studio.tags.pop(space.arn, None)

    lifecycle.after("sagemaker:space:deleting", end)


def space_of(call: Call) -> Space:
    """The space a call names."""
    name = call["SpaceName"]
    space = STUDIOS.of(call).spaces.get((call["DomainId"], name))
    if space is None:
        raise AwsError("ResourceNotFound", f"Space [{name}] does not exist in Domain [{call['DomainId']}].")
    return space
