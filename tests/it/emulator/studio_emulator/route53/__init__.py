"""Route 53: private zones, their VPCs across accounts, and records.

Zones are moto's, extended; what they hold and who may do what with them is ours. Public zones work
as far as moto goes.
"""

from . import associations, limits, listings, records, zones  # noqa: F401
