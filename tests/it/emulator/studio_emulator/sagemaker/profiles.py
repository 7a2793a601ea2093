"""User profiles.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateUserProfile.html

**Invariant:** a profile with apps or spaces is never deleted.
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from .. import lifecycle
from ..registry import AwsError, Call, handles, page
from .domains import check_landing, check_user_settings
from .model import STUDIOS, Profile, arn, domain_of, keep_tags, refuse_while_changing


@handles("sagemaker", "CreateUserProfile")
def create_user_profile(call: Call) -> dict[str, Any]:
    """Makes a profile in a domain that is in service."""
    domain, studio = domain_of(call, ready=True), STUDIOS.of(call)
    name = call["UserProfileName"]
    if (domain.id, name) in studio.profiles:
        raise AwsError("ResourceInUse", f"Resource Already Exists: UserProfile [{name}] of Domain [{domain.id}].")
    is_sso = domain.sent["AuthMode"] == "SSO"
    if is_sso != bool(call.get("SingleSignOnUserValue")):
        word = "required" if is_sso else "only allowed"
        raise AwsError("ValidationException", f"SingleSignOnUserValue is {word} for domains with AuthMode SSO.")
    backend = ec2_backends[call.account][call.region]
    check_user_settings(call, backend, domain.sent["VpcId"], call.get("UserSettings") or {}, role_needed=False)
    check_landing(call.get("UserSettings") or {}, domain.sent["DefaultUserSettings"])
    sent = {k: v for k, v in call.params.items() if k != "Tags"}
    resource = arn(call, f"user-profile/{domain.id}/{name}")
    made = Profile(resource, sent, domain_id=domain.id, name=name, uid=str(domain.next_uid))
    domain.next_uid += 1
    studio.profiles[domain.id, name] = made
    keep_tags(studio, made.arn, call.get("Tags"))
    made.begin("Pending", "user-profile", "InService", call.fail_reason)
    return {"UserProfileArn": made.arn}


@handles("sagemaker", "DescribeUserProfile")
def describe_user_profile(call: Call) -> dict[str, Any]:
    """The profile with all that was sent for it."""
    profile = profile_of(call)
    shown = dict(profile.sent, **profile.times())
    shown.update({"UserProfileArn": profile.arn, "HomeEfsFileSystemUid": profile.uid})
    return shown


@handles("sagemaker", "ListUserProfiles")
def list_user_profiles(call: Call) -> dict[str, Any]:
    """Profiles of all domains or one, newest last unless asked otherwise."""
    found = [
        profile
        for profile in STUDIOS.of(call).profiles.values()
        if call.get("DomainIdEquals") in (None, profile.domain_id)
        and (call.get("UserProfileNameContains") or "") in profile.name
    ]
    found.sort(key=lambda p: p.changed if call.get("SortBy") == "LastModifiedTime" else p.created)
    if call.get("SortOrder") == "Descending":
        found.reverse()
    details = [
        {
            "DomainId": profile.domain_id,
            "UserProfileName": profile.name,
            "Status": profile.status,
            "CreationTime": profile.created,
            "LastModifiedTime": profile.changed,
        }
        for profile in found
    ]
    shown, token = page(details, call.get("NextToken"), call.get("MaxResults"), 10)
    return {"UserProfiles": shown, "NextToken": token}


@handles("sagemaker", "UpdateUserProfile")
def update_user_profile(call: Call) -> dict[str, Any]:
    """Changes the settings that are sent."""
    domain, profile = domain_of(call), profile_of(call)
    refuse_while_changing(profile, f"UserProfile [{profile.name}]")
    settings = call.get("UserSettings") or {}
    backend = ec2_backends[call.account][call.region]
    check_user_settings(call, backend, domain.sent["VpcId"], settings, role_needed=False)
    check_landing(settings, {**domain.sent["DefaultUserSettings"], **(profile.sent.get("UserSettings") or {})})
    profile.sent["UserSettings"] = {**(profile.sent.get("UserSettings") or {}), **settings}
    profile.begin("Updating", "user-profile", "InService", call.fail_reason, "Update_Failed")
    return {"UserProfileArn": profile.arn}


@handles("sagemaker", "DeleteUserProfile")
def delete_user_profile(call: Call) -> None:
    """Deletes a profile that has no apps and owns no spaces."""
    domain_of(call)
    profile, studio = profile_of(call), STUDIOS.of(call)
    refuse_while_changing(profile, f"UserProfile [{profile.name}]")
    owned = [
        space
        for space in studio.spaces.values()
        if space.domain_id == profile.domain_id
        and (space.sent.get("OwnershipSettings") or {}).get("OwnerUserProfileName") == profile.name
    ]
    for kind, there in (("App", studio.apps_of(profile.domain_id, profile=profile.name)), ("Space", owned)):
        if there:
            message = f"Unable to delete UserProfile [{profile.name}] because {kind}(s) are associated with it."
            raise AwsError("ResourceInUse", message)
    profile.status = "Deleting"
    profile.turn += 1
    reason = call.fail_reason

    def end() -> None:
        if reason:
            profile.status, profile.failure_reason = "Delete_Failed", reason
            return
        studio.profiles.pop((profile.domain_id, profile.name), None)
        studio.tags.pop(profile.arn, None)

    lifecycle.after("sagemaker:user-profile:deleting", end)


def profile_of(call: Call) -> Profile:
    """The profile a call names."""
    name = call["UserProfileName"]
    profile = STUDIOS.of(call).profiles.get((call["DomainId"], name))
    if profile is None:
        raise AwsError("ResourceNotFound", f"UserProfile [{name}] does not exist in Domain [{call['DomainId']}].")
    return profile
