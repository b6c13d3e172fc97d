"""Who makes a call: the owner of the jobs that it creates, reads and changes."""

import hashlib
import re
from dataclasses import dataclass

PUBLIC_OWNER = "public"
"""The owner of every job that was created without sign-in."""
ALL_OWNERS = "*"
"""What stands for all owners who are signed in, in requests of operators and in the ledger."""
OPERATORS = "operators"
"""The group whose members see and change the jobs of all owners."""

OWNER = re.compile(r"[0-9a-f]{32}")
"""The form of an owner who is signed in: see `owner_of`."""


@dataclass(frozen=True)
class Identity:
    """A verified caller. `expires_at` is when its token expires (epoch ms), or None without sign-in.

    `subject` is the issuer's id of the caller, for logs.
    """

    owner: str
    subject: str = ""
    is_operator: bool = False
    expires_at: int | None = None

    @property
    def only_owner(self) -> str | None:
        """The owner whose jobs it sees and changes, or None if those of all."""
        return None if self.is_operator else self.owner


PUBLIC = Identity(PUBLIC_OWNER)
"""Everyone, without sign-in."""


def owner_of(issuer: str, subject: str) -> str:
    """Return the owner that stands for a subject of an issuer: 32 hexadecimal digits, always the same."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode(errors="surrogatepass")).hexdigest()[:32]
