"""RAM: resource shares, so that resolver rules can be used by other accounts.

https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html
moto makes shares but cannot change their associations, so all of it is ours. What is shared with an
account of the same organization is there when the association is. An account of no organization is
taken to be of one with all others. One that has an organization, which moto keeps, invites the
accounts outside of it; that their associations are associating until they accept is known from
reports of users, and so is the answer about an organization that is not one's own. What is shared
with an organization or a unit can be used by everybody who knows its id, but is listed for nobody,
so that tests that run side by side do not see each other's rules.

What an account has made of a share ends with it; the services that know of such things ask to be told.

**Invariant:** a deleted share, or an association that was taken back, shares nothing.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import uuid
from collections.abc import Callable
from typing import Any

from moto.organizations.models import organizations_backends

from . import lifecycle
from .registry import AwsError, Call, Store, handles, page

_ACCOUNT = re.compile(r"\d{12}")
_ORGANIZATION = re.compile(r"arn:[^:]+:organizations::\d{12}:(organization|ou)/.+")
_ARN = re.compile(r"arn:[^:]+:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


@dataclasses.dataclass
class Link:
    """A share's association with a principal or a resource."""

    entity: str
    kind: str  # "PRINCIPAL" or "RESOURCE"
    status: str = "ASSOCIATING"
    external: bool = False
    invitation: str | None = None  # "PENDING", "ACCEPTED" or "REJECTED", where there is one
    made: datetime.datetime = dataclasses.field(default_factory=_now)


@dataclasses.dataclass
class Share:
    """A resource share."""

    arn: str
    name: str
    owner: str
    external: bool
    tags: dict[str, str]
    status: str = "ACTIVE"
    made: datetime.datetime = dataclasses.field(default_factory=_now)
    links: dict[str, Link] = dataclasses.field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        """As GetResourceShares shows it."""
        return {
            "resourceShareArn": self.arn,
            "name": self.name,
            "owningAccountId": self.owner,
            "allowExternalPrincipals": self.external,
            "status": self.status,
            "tags": [{"key": key, "value": value} for key, value in self.tags.items()],
            "creationTime": self.made,
            "lastUpdatedTime": self.made,
            "featureSet": "STANDARD",
        }

    def link_shown(self, link: Link) -> dict[str, Any]:
        """One association, as GetResourceShareAssociations shows it."""
        return {
            "resourceShareArn": self.arn,
            "resourceShareName": self.name,
            "associatedEntity": link.entity,
            "associationType": link.kind,
            "status": link.status,
            "creationTime": link.made,
            "lastUpdatedTime": link.made,
            "external": link.external,
        }

    def invitation_shown(self, link: Link) -> dict[str, Any]:
        """One invitation, as GetResourceShareInvitations shows it."""
        return {
            "resourceShareInvitationArn": _invitation_arn(self, link),
            "resourceShareName": self.name,
            "resourceShareArn": self.arn,
            "senderAccountId": self.owner,
            "receiverAccountId": link.entity,
            "invitationTimestamp": link.made,
            "status": link.invitation,
        }

    def entities(self, kind: str) -> set[str]:
        """What is associated now."""
        return {link.entity for link in self.links.values() if link.kind == kind and link.status == "ASSOCIATED"}


SHARES: Store[dict[str, Share]] = Store(dict)

# Called whenever something may no longer be shared.
ON_LESS: list[Callable[[], None]] = []


def shares_of(account: str, through_organizations: bool = False) -> set[str]:
    """The ARNs that other accounts share with an account."""
    found: set[str] = set()
    for owner, _region, shares in SHARES.items():
        for share in shares.values():
            principals = share.entities("PRINCIPAL")
            reached = account in principals
            if through_organizations:
                reached = reached or any(_ORGANIZATION.fullmatch(principal) for principal in principals)
            if owner != account and share.status == "ACTIVE" and reached:
                found |= share.entities("RESOURCE")
    return found


def is_shared(arn: str) -> bool:
    """Whether an ARN is shared with anybody."""
    return any(
        share.status == "ACTIVE" and arn in share.entities("RESOURCE") and share.entities("PRINCIPAL")
        for _owner, _region, shares in SHARES.items()
        for share in shares.values()
    )


@handles("ram", "CreateResourceShare")
def create_resource_share(call: Call) -> dict[str, Any]:
    """Makes a share, with what it begins with."""
    _check(call)
    share = Share(
        f"arn:{call.partition}:ram:{call.region}:{call.account}:resource-share/{uuid.uuid4()}",
        call["name"],
        call.account,
        call.get("allowExternalPrincipals") is not False,
        {tag["key"]: tag.get("value") or "" for tag in call.get("tags") or []},
    )
    SHARES.of(call)[share.arn] = share
    _associate(share, call)
    return {"resourceShare": share.shown(), "clientToken": call.get("clientToken")}


@handles("ram", "UpdateResourceShare")
def update_resource_share(call: Call) -> dict[str, Any]:
    """Changes the name, or whether accounts outside the organization are allowed."""
    share = _share(call, call["resourceShareArn"])
    share.name = call.get("name") or share.name
    if call.get("allowExternalPrincipals") is not None:
        share.external = call["allowExternalPrincipals"]
    return {"resourceShare": share.shown(), "clientToken": call.get("clientToken")}


@handles("ram", "DeleteResourceShare")
def delete_resource_share(call: Call) -> dict[str, Any]:
    """Deletes a share. It stays listed as deleted, as in AWS."""
    share = _share(call, call["resourceShareArn"])
    share.status = "DELETING"
    for link in share.links.values():
        link.status = "DISASSOCIATING"

    def end() -> None:
        share.status = "DELETED"
        for link in share.links.values():
            link.status = "DISASSOCIATED"
        _tell()

    lifecycle.after("ram:share:deleting", end)
    return {"returnValue": True, "clientToken": call.get("clientToken")}


@handles("ram", "GetResourceShares")
def get_resource_shares(call: Call) -> dict[str, Any]:
    """The caller's shares, or those that reach the caller."""
    if call["resourceOwner"] == "SELF":
        shares = list(SHARES.of(call).values())
    else:
        shares = [
            share
            for owner, region, held in SHARES.items()
            for share in held.values()
            if owner != call.account and region == call.region and call.account in share.entities("PRINCIPAL")
        ]
    wanted = call.get("resourceShareArns")
    for arn in wanted or []:
        if arn not in {share.arn for share in shares}:
            raise _unknown(arn)
    found = [
        share.shown()
        for share in shares
        if (not wanted or share.arn in wanted)
        and call.get("name") in (None, share.name)
        and call.get("resourceShareStatus") in (None, share.status)
        and all(share.tags.get(f["tagKey"]) in f["tagValues"] for f in call.get("tagFilters") or [])
    ]
    shown, token = page(found, call.get("nextToken"), call.get("maxResults"))
    return {"resourceShares": shown, "nextToken": token}


@handles("ram", "AssociateResourceShare")
def associate_resource_share(call: Call) -> dict[str, Any]:
    """Adds principals and resources."""
    _check(call)
    share = _share(call, call["resourceShareArn"])
    made = _associate(share, call)
    return {
        "resourceShareAssociations": [share.link_shown(link) for link in made],
        "clientToken": call.get("clientToken"),
    }


@handles("ram", "DisassociateResourceShare")
def disassociate_resource_share(call: Call) -> dict[str, Any]:
    """Takes principals and resources back."""
    share = _share(call, call["resourceShareArn"])
    links = []
    for entity in [*(call.get("principals") or []), *(call.get("resourceArns") or [])]:
        link = share.links.get(entity)
        if link is None or link.status == "DISASSOCIATED":
            raise AwsError("UnknownResourceException", f"{entity} is not associated with {share.arn}.")
        link.status = "DISASSOCIATING"
        links.append(link)

        def end(link: Link = link) -> None:
            if link.status == "DISASSOCIATING":
                link.status = "DISASSOCIATED"
                _tell()

        lifecycle.after("ram:association:disassociating", end)
    return {
        "resourceShareAssociations": [share.link_shown(link) for link in links],
        "clientToken": call.get("clientToken"),
    }


@handles("ram", "GetResourceShareAssociations")
def get_resource_share_associations(call: Call) -> dict[str, Any]:
    """The associations of the caller's shares."""
    wanted = call.get("resourceShareArns")
    for arn in wanted or []:
        _share(call, arn, deleted_too=True)
    found = [
        share.link_shown(link)
        for share in SHARES.of(call).values()
        for link in share.links.values()
        if (not wanted or share.arn in wanted)
        and link.kind == call["associationType"]
        and call.get("principal") in (None, link.entity)
        and call.get("resourceArn") in (None, link.entity)
        and call.get("associationStatus") in (None, link.status)
    ]
    shown, token = page(found, call.get("nextToken"), call.get("maxResults"))
    return {"resourceShareAssociations": shown, "nextToken": token}


@handles("ram", "GetResourceShareInvitations")
def get_resource_share_invitations(call: Call) -> dict[str, Any]:
    """What the caller is invited to."""
    found = [share.invitation_shown(link) for share, link in _invitations(call)]
    wanted = call.get("resourceShareInvitationArns")
    found = [one for one in found if not wanted or one["resourceShareInvitationArn"] in wanted]
    shown, token = page(found, call.get("nextToken"), call.get("maxResults"))
    return {"resourceShareInvitations": shown, "nextToken": token}


@handles("ram", "AcceptResourceShareInvitation")
def accept_resource_share_invitation(call: Call) -> dict[str, Any]:
    """From now on the caller can use what is shared."""
    return _answer(call, "ACCEPTED", "ASSOCIATED")


@handles("ram", "RejectResourceShareInvitation")
def reject_resource_share_invitation(call: Call) -> dict[str, Any]:
    """The association fails."""
    return _answer(call, "REJECTED", "FAILED")


@handles("ram", "TagResource")
def tag_resource(call: Call) -> dict[str, Any]:
    """Adds tags to a share."""
    share = _share(call, call.get("resourceShareArn") or call.get("resourceArn") or "")
    share.tags.update({tag["key"]: tag.get("value") or "" for tag in call["tags"]})
    return {}


@handles("ram", "UntagResource")
def untag_resource(call: Call) -> dict[str, Any]:
    """Takes tags of a share away."""
    share = _share(call, call.get("resourceShareArn") or call.get("resourceArn") or "")
    for key in call["tagKeys"]:
        share.tags.pop(key, None)
    return {}


def _tell() -> None:
    for told in ON_LESS:
        told()


def _check(call: Call) -> None:
    for principal in call.get("principals") or []:
        if not (_ACCOUNT.fullmatch(principal) or _ORGANIZATION.fullmatch(principal)):
            message = f"Principal ID {principal} is malformed. Verify the ID and try again."
            raise AwsError("InvalidParameterException", message)
        _check_organization(call, principal)
    for arn in call.get("resourceArns") or []:
        if not _ARN.fullmatch(arn):
            message = f"The specified resource ARN {arn} is not valid. Verify the ARN and try again."
            raise AwsError("MalformedArnException", message)
        if arn.split(":")[4] != call.account:
            message = f"You cannot share a resource of another account: {arn}."
            raise AwsError("OperationNotPermittedException", message)


def _organization_of(account: str, partition: str) -> Any:
    """The organization that an account belongs to, as moto keeps it."""
    master, of = organizations_backends.master_accounts.get(account, (account, partition))
    return organizations_backends[master][of].org


def _check_organization(call: Call, principal: str) -> None:
    own = _organization_of(call.account, call.partition)
    if own is None or not _ORGANIZATION.fullmatch(principal):
        return
    of = principal.split(":", 5)[5].split("/")[1]
    if of != own.id or principal.split(":")[4] != own.master_account_id:
        raise AwsError("UnknownResourceException", f"Organization {of} could not be found.")


def _is_external(share: Share, principal: str, partition: str) -> bool:
    own = _organization_of(share.owner, partition)
    if own is None or not _ACCOUNT.fullmatch(principal):
        return False
    return _organization_of(principal, partition) is not own


def _invitation_arn(share: Share, link: Link) -> str:
    return share.arn.replace(":resource-share/", ":resource-share-invitation/", 1) + f"-{link.entity}"


def _invitations(call: Call) -> list[tuple[Share, Link]]:
    return [
        (share, link)
        for _owner, region, shares in SHARES.items()
        for share in shares.values()
        for link in share.links.values()
        if region == call.region and link.entity == call.account and link.invitation and share.status == "ACTIVE"
    ]


def _answer(call: Call, invitation: str, status: str) -> dict[str, Any]:
    wanted = call["resourceShareInvitationArn"]
    for share, link in _invitations(call):
        if _invitation_arn(share, link) != wanted:
            continue
        if link.invitation != "PENDING":
            code = f"ResourceShareInvitationAlready{str(link.invitation).capitalize()}Exception"
            raise AwsError(code, f"The invitation {wanted} is {link.invitation}.")
        link.invitation, link.status = invitation, status
        return {"resourceShareInvitation": share.invitation_shown(link), "clientToken": call.get("clientToken")}
    raise AwsError("ResourceShareInvitationArnNotFoundException", f"The invitation {wanted} could not be found.")


def _associate(share: Share, call: Call) -> list[Link]:
    made = []
    for kind, entities in (("PRINCIPAL", call.get("principals")), ("RESOURCE", call.get("resourceArns"))):
        for entity in entities or []:
            link = share.links.get(entity)
            if link is None or link.status.startswith("DISASSOCIAT"):
                link = share.links[entity] = Link(entity, kind)
                link.external = kind == "PRINCIPAL" and _is_external(share, entity, call.partition)
                link.invitation = "PENDING" if link.external else None

                def end(link: Link = link) -> None:
                    if link.status == "ASSOCIATING" and link.invitation != "PENDING":
                        link.status = "ASSOCIATED"

                lifecycle.after("ram:association:associating", end)
            made.append(link)
    return made


def _share(call: Call, arn: str, deleted_too: bool = False) -> Share:
    share = SHARES.of(call).get(arn)
    if share is None or (share.status != "ACTIVE" and not deleted_too):
        raise _unknown(arn)
    return share


def _unknown(arn: str) -> AwsError:
    return AwsError("UnknownResourceException", f"ResourceShare {arn} could not be found.")
