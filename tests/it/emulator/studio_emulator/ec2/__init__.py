"""EC2: interface endpoints, their interfaces and services, and what may be deleted when.

VPCs, subnets, route tables, security groups and network interfaces are moto's objects; the
refusals around them, and the endpoints, are ours.
"""

from . import deletes, endpoints, group_changes, groups, modify, routes, services_list, subnets  # noqa: F401
