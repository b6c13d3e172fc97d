"""A job as it was at one moment."""

from dataclasses import dataclass, field
from typing import Any

PENDING = "pending"
FIELDS = (
    "id", "kind", "status", "input", "output", "progress", "error",
    "starts_at", "deferred_until", "created_at", "updated_at", "version",
)  # fmt: skip
"""The fields of a job in the API's contract."""


@dataclass(frozen=True)
class Change:
    """A job in one of its versions. Times are epoch ms.

    `status` is `pending`, `resolved`, `error` or `cancelled`. `output` is set once it is resolved, `error`
    (with `code`, `message` and `attempts`) if it failed, `progress` (with `fraction` and `message`) while its
    work runs. `data` is the whole JSON object; its other fields, such as `photo` and `result` of a photo, are
    attributes, too.
    """

    id: str
    kind: str
    status: str
    input: dict[str, Any]
    output: dict[str, Any] | None
    progress: dict[str, Any] | None
    error: dict[str, Any] | None
    starts_at: int | None
    deferred_until: int | None
    created_at: int
    updated_at: int
    version: int
    data: dict[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, data: Any) -> "Change":
        """Return the change of a JSON object. Raises ValueError if it is not a job."""
        try:
            return cls(**{name: data[name] for name in FIELDS}, data=data)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a job: {error!r}") from error

    @property
    def has_ended(self) -> bool:
        return self.status != PENDING

    def __getattr__(self, name: str) -> Any:
        if name != "data" and name in self.data:
            return self.data[name]
        raise AttributeError(f"a job of kind {self.kind} has no field {name}")
