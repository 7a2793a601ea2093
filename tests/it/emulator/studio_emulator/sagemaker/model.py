"""The objects of SageMaker Studio and where they are kept.

**Invariant:** an object that is gone is not in its store. Only deleted apps stay, as in AWS, where
they are listed for another day.
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

from .. import lifecycle
from ..registry import AwsError, Call, Store


@dataclasses.dataclass
class Thing:
    """What all of them have: an ARN, a status, and the request's members as they were sent."""

    arn: str
    sent: dict[str, Any]
    status: str = "Pending"
    failure_reason: str | None = None
    created: datetime.datetime = dataclasses.field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
    changed: datetime.datetime = dataclasses.field(default_factory=lambda: datetime.datetime.now(datetime.timezone.utc))
    # What a finished change did not survive to do: a later change makes an earlier one void.
    turn: int = 0

    def begin(self, status: str, kind: str, then: str, fail_reason: str | None = None, failed: str = "Failed") -> None:
        """Starts a change that ends in the status `then`, or in `failed` for a reason."""
        self.status, self.failure_reason = status, None
        self.touch()
        self.turn += 1
        turn = self.turn

        def end() -> None:
            if self.turn == turn:
                self.status = failed if fail_reason else then
                self.failure_reason = fail_reason
                self.touch()

        lifecycle.after(f"sagemaker:{kind}:{status.lower()}", end)

    def touch(self) -> None:
        """Notes that it has changed now."""
        self.changed = datetime.datetime.now(datetime.timezone.utc)

    def times(self) -> dict[str, Any]:
        """Status and times, as every Describe shows them."""
        return {
            "Status": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.changed,
            "FailureReason": self.failure_reason,
        }


@dataclasses.dataclass
class Domain(Thing):
    """A domain and what it holds in the VPC."""

    id: str = ""
    url: str = ""
    file_system_id: str | None = None
    # Interfaces by subnet id, for domains whose traffic stays in the VPC.
    interfaces: dict[str, str] = dataclasses.field(default_factory=dict)
    next_uid: int = 200005


@dataclasses.dataclass
class Profile(Thing):
    """A user profile."""

    domain_id: str = ""
    name: str = ""
    uid: str = ""


@dataclasses.dataclass
class Space(Thing):
    """A space, private to a profile or shared."""

    domain_id: str = ""
    name: str = ""
    uid: str = ""
    url: str = ""


@dataclasses.dataclass
class App(Thing):
    """An app of a profile or a space."""

    domain_id: str = ""
    profile: str | None = None
    space: str | None = None
    type: str = ""
    name: str = ""

    @property
    def is_there(self) -> bool:
        """Whether it stands in the way of deleting what it belongs to."""
        return self.status not in ("Deleted", "Failed")


@dataclasses.dataclass
class Studio:
    """Everything of one account and region."""

    domains: dict[str, Domain] = dataclasses.field(default_factory=dict)
    profiles: dict[tuple[str, str], Profile] = dataclasses.field(default_factory=dict)
    spaces: dict[tuple[str, str], Space] = dataclasses.field(default_factory=dict)
    apps: dict[tuple[str, str | None, str | None, str, str], App] = dataclasses.field(default_factory=dict)
    tags: dict[str, dict[str, str]] = dataclasses.field(default_factory=dict)
    presigned: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    def apps_of(self, domain_id: str, profile: str | None = None, space: str | None = None) -> list[App]:
        """The apps that are there, of a domain or one of its profiles or spaces."""
        return [
            app
            for app in self.apps.values()
            if app.is_there
            and app.domain_id == domain_id
            and (profile is None or app.profile == profile)
            and (space is None or app.space == space)
        ]


STUDIOS: Store[Studio] = Store(Studio)


def arn(call: Call, rest: str) -> str:
    """An ARN of SageMaker in the call's account and region."""
    return f"arn:{call.partition}:sagemaker:{call.region}:{call.account}:{rest}"


def domain_of(call: Call, ready: bool = False) -> Domain:
    """The domain a call names. `ready`: it must also be in service."""
    domain_id = call["DomainId"]
    domain = STUDIOS.of(call).domains.get(domain_id)
    if domain is None:
        raise AwsError("ResourceNotFound", f"Domain [{domain_id}] does not exist.")
    if ready and domain.status not in ("InService", "Updating", "Update_Failed"):
        raise AwsError("ValidationException", f"Domain [{domain_id}] is not in service: {domain.status}.")
    return domain


def refuse_while_changing(thing: Thing, name: str) -> None:
    """A change or deletion is refused while another one is under way."""
    if thing.status in ("Pending", "Updating", "Deleting"):
        raise AwsError("ResourceInUse", f"{name} cannot be changed while it is in status {thing.status}.")


def keep_tags(studio: Studio, resource_arn: str, tags: list[dict[str, str]] | None) -> None:
    """Stores the tags of a creation."""
    studio.tags[resource_arn] = {tag["Key"]: tag["Value"] for tag in tags or []}
