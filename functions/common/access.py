"""Which jobs a caller may see and change."""

from collections.abc import Mapping

from functions.common.errors import Problem, invalid
from functions.common.identity import ALL_OWNERS, OPERATORS, OWNER, PUBLIC_OWNER, Identity
from functions.common.job import Job
from functions.common.observability import logger
from functions.common.store import JobStore


def find_job(store: JobStore, job_id: str, identity: Identity) -> Job:
    """Return a job as it is now. Raises Damaged, or Problem 404.

    The answer for another owner's job is the same as for a job that does not exist.
    """
    job = store.get(job_id, identity.only_owner)
    if job is None:
        raise Problem(404, f"there is no job {job_id}")
    return job


def select_owner(query: Mapping[str, str], identity: Identity) -> str:
    """Return whose jobs a call is about: the caller's own, unless an operator selects others with `owner`.

    Raises Problem 403, or 400.
    """
    owner = query.get("owner")
    if owner is None:
        return identity.owner
    if not identity.is_operator:
        raise Problem(403, f"owner: only members of the group {OPERATORS} may select an owner")
    if owner not in (ALL_OWNERS, PUBLIC_OWNER) and not OWNER.fullmatch(owner):
        raise invalid("owner", f"must be an owner's 32 hexadecimal digits, {PUBLIC_OWNER} or {ALL_OWNERS}")
    logger.info("owner selected", extra={"operator": identity.subject, "owner": owner})
    return owner
