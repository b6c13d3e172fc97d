"""What can go wrong. Every message tells the user what to do."""

from typing import Any


class CaloError(Exception):
    """A call did not succeed."""


class Unreachable(CaloError):
    """The API cannot be reached, or it still answers with an error after several tries."""


class InvalidRequest(CaloError):
    """The API does not accept a request. `problem` is its answer (RFC 9457), `status` the HTTP status."""

    def __init__(self, problem: dict[str, Any], status: int) -> None:
        self.problem = problem
        self.status = status
        errors = problem.get("errors") or []
        lines = [f"{error.get('field')}: {error.get('message')}" for error in errors]
        detail = str(problem.get("detail") or problem.get("title") or f"status {status}")
        super().__init__("\n".join(lines) or detail)


class NotSignedIn(InvalidRequest):
    """The deployment has sign-in, and the token is missing, expired or not accepted."""


class JobNotFound(InvalidRequest):
    """There is no such job, or it is someone else's."""


class CommandError(CaloError):
    """A command cannot be carried out."""
