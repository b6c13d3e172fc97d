"""Who makes a call: the owner of the jobs that it creates, reads and changes."""

import hashlib
from dataclasses import dataclass

from functions.common.job import PUBLIC_OWNER

OPERATORS = "operators"
"""The group whose members see and change the jobs of all owners."""


@dataclass(frozen=True)
class Identity:
    """A verified caller. `expires_at` is when its token expires (epoch ms), or None without sign-in.

    `subject` is the issuer's id of the caller, for logs.
    """

    owner: str
    subject: str = ""
    is_operator: bool = False
    expires_at: int | None = None


PUBLIC = Identity(PUBLIC_OWNER)
"""Everyone, if there is no sign-in."""


def owner_of(issuer: str, subject: str) -> str:
    """Return the owner that stands for a subject of an issuer: 32 hexadecimal digits, always the same."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode(errors="surrogatepass")).hexdigest()[:32]
