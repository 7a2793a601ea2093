"""SageMaker: domains, user profiles, spaces, apps, their tags, and presigned URLs.

moto has domains without a life and none of the rest, so all of it is ours. What a domain leaves
in the VPC (file system, mount targets, groups, interfaces) is made of moto's objects.
"""

from . import apps, domain_changes, domains, presigned, profiles, spaces, tags  # noqa: F401
