"""Imports every module that registers handlers."""

from . import ec2, iam, ram, route53, route53resolver, sagemaker, sts  # noqa: F401
