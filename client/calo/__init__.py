"""Create jobs of a Calo deployment, and follow them live.

    async with Calo() as calo:
        job = await calo.run("photo", query="pasta")
        async for change in job:
            print(change.status, change.output)

The same works without `async` and `await`.
"""

from calo.blocking import BlockingCalo, BlockingJob
from calo.change import Change
from calo.client import AsyncCalo, AsyncJob, Calo
from calo.errors import CaloError, InvalidRequest, JobNotFound, NotSignedIn, Unreachable

__all__ = [
    "AsyncCalo",
    "AsyncJob",
    "BlockingCalo",
    "BlockingJob",
    "Calo",
    "CaloError",
    "Change",
    "InvalidRequest",
    "JobNotFound",
    "NotSignedIn",
    "Unreachable",
]
