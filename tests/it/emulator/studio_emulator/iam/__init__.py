"""IAM: what moto lets pass and AWS refuses, and the policy simulator. The objects are moto's."""

from . import policies, simulate  # noqa: F401
