"""IAM: what moto lets pass and AWS refuses. The objects are moto's."""

from . import policies  # noqa: F401
