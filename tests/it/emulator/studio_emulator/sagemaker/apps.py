"""Apps of profiles and spaces.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateApp.html
A deleted app stays listed, as Deleted; its name can be used again.

**Invariant:** an app belongs to a profile or to a space, never to both.
"""

from __future__ import annotations

from typing import Any

from ..registry import AwsError, Call, handles, page
from .model import STUDIOS, App, arn, domain_of, keep_tags


@handles("sagemaker", "CreateApp")
def create_app(call: Call) -> dict[str, Any]:
    """Starts an app."""
    domain, studio = domain_of(call, ready=True), STUDIOS.of(call)
    key = _key(call)
    _, profile, space, kind, name = key
    if profile and (domain.id, profile) not in studio.profiles:
        raise AwsError("ResourceNotFound", f"UserProfile [{profile}] does not exist in Domain [{domain.id}].")
    if space and (domain.id, space) not in studio.spaces:
        raise AwsError("ResourceNotFound", f"Space [{space}] does not exist in Domain [{domain.id}].")
    if key in studio.apps and studio.apps[key].is_there:
        raise AwsError("ResourceInUse", f"Resource Already Exists: App [{name}] of type [{kind}].")
    sent = {k: v for k, v in call.params.items() if k != "Tags"}
    resource = arn(call, f"app/{domain.id}/{profile or space}/{kind.lower()}/{name}")
    made = App(resource, sent, domain_id=domain.id, profile=profile, space=space, type=kind, name=name)
    studio.apps[key] = made
    keep_tags(studio, made.arn, call.get("Tags"))
    made.begin("Pending", "app", "InService", call.fail_reason)
    return {"AppArn": made.arn}


@handles("sagemaker", "DescribeApp")
def describe_app(call: Call) -> dict[str, Any]:
    """The app with all that was sent for it."""
    app = _app_of(call)
    return dict(app.sent, AppArn=app.arn, **app.times())


@handles("sagemaker", "ListApps")
def list_apps(call: Call) -> dict[str, Any]:
    """Apps of all domains, or of one domain, profile or space; deleted ones too."""
    details = [
        {
            "DomainId": app.domain_id,
            "UserProfileName": app.profile,
            "SpaceName": app.space,
            "AppType": app.type,
            "AppName": app.name,
            "Status": app.status,
            "CreationTime": app.created,
        }
        for app in STUDIOS.of(call).apps.values()
        if call.get("DomainIdEquals") in (None, app.domain_id)
        and call.get("UserProfileNameEquals") in (None, app.profile)
        and call.get("SpaceNameEquals") in (None, app.space)
    ]
    if call.get("SortOrder") == "Descending":
        details.reverse()
    shown, token = page(details, call.get("NextToken"), call.get("MaxResults"), 10)
    return {"Apps": shown, "NextToken": token}


@handles("sagemaker", "DeleteApp")
def delete_app(call: Call) -> None:
    """Stops an app."""
    domain_of(call)
    app = _app_of(call)
    if app.status in ("Deleting", "Deleted"):
        raise AwsError("ResourceNotFound", f"App [{app.name}] of type [{app.type}] is {app.status.lower()} already.")
    app.begin("Deleting", "app", "Deleted", call.fail_reason)


def _key(call: Call) -> tuple[str, str | None, str | None, str, str]:
    profile, space = call.get("UserProfileName"), call.get("SpaceName")
    if bool(profile) == bool(space):
        raise AwsError("ValidationException", "Exactly one of UserProfileName and SpaceName must be set.")
    return call["DomainId"], profile, space, call["AppType"], call["AppName"]


def _app_of(call: Call) -> App:
    app = STUDIOS.of(call).apps.get(_key(call))
    if app is None:
        raise AwsError("ResourceNotFound", f"App [{call['AppName']}] of type [{call['AppType']}] does not exist.")
    return app
