"""RAM: resource shares, so that resolver rules can be used by other accounts.

https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html
Accounts are taken to be of one organization: what is shared with an account is there at once,
without an invitation.

**Invariant:** a deleted share, or an association that was taken back, shares nothing.
"""

from __future__ import annotations


def shares_of(account: str) -> set[str]:
    """The ARNs that other accounts share with an account."""
    return set()


def is_shared(arn: str) -> bool:
    """Whether an ARN is shared with anybody."""
    return False
