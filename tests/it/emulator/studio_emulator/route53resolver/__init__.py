"""Route 53 Resolver: endpoints and their addresses, forward rules and their associations, tags.

All of it is ours: moto's endpoints have no life, and lose their protocols and type.
DNS Firewall and query logging go to moto.
"""

from . import addresses, associations, endpoints, rules, tags  # noqa: F401
