"""People, their jobs, and the functions of the API with sign-in."""

from concurrent.futures import Executor
from typing import Any

from functions.change_job.change_job import JobChanger
from functions.change_job.change_jobs import BulkChanger
from functions.change_job.handler import ROUTES as CHANGES
from functions.common.api import Api
from functions.common.deliveries import Deliveries
from functions.common.find_jobs import JobFinder
from functions.common.identity import owner_of
from functions.common.job import Job
from functions.common.ledger import Ledger
from functions.common.schedule_store import ScheduleStore
from functions.common.store import JobStore
from functions.common.webhook_secrets import WebhookSecrets
from functions.create_job.create_job import JobIntake
from functions.create_job.handler import ROUTES as CREATES
from functions.create_job.handler import CreateJob
from functions.read_jobs.handler import ROUTES as READS
from functions.read_jobs.read_jobs import JobReader
from functions.schedules.handler import ROUTES as SCHEDULES
from functions.schedules.schedules import Schedules
from functions.webhooks.deliveries import DeliveryDesk
from functions.webhooks.handler import ROUTES as WEBHOOKS
from functions.webhooks.handler import Webhooks
from kinds import photo
from tests.unit.factories import SALT, make_job
from tests.unit.fakes import FakeClock, Queues

ISSUER = "https://issuer.test"
ANN, BOB = owner_of(ISSUER, "ann"), owner_of(ISSUER, "bob")
FAILED: dict[str, Any] = {"status": "error", "error": {"code": "c", "message": "m", "attempts": 3}}


def api_functions(
    store: JobStore,
    ledger: Ledger,
    schedules: ScheduleStore,
    queues: Queues,
    clock: FakeClock,
    pool: Executor,
) -> list[Api]:
    """Return the functions that create, change and read jobs, and those of schedules and webhooks."""
    by_kind, kinds = {"photo": queues.jobs}, {"photo": photo.KIND}
    intake = JobIntake(store, by_kind, clock, SALT)
    changer = JobChanger(store, by_kind, SALT)
    deliveries = Deliveries(ledger.webhooks("delivery"))
    secrets = WebhookSecrets(ledger.webhooks("webhook-secret"), lambda: b"key", clock)
    webhooks = Webhooks(DeliveryDesk(store, deliveries, queues.jobs, clock), secrets)
    return [
        Api(CREATES, CreateJob(intake, kinds), "oidc", clock),
        Api(CHANGES, BulkChanger(changer, JobFinder(store, pool, clock), clock), "oidc", clock),
        Api(READS, JobReader(store, ledger, {}, by_kind, pool, clock), "oidc", clock),
        Api(SCHEDULES, Schedules(schedules, kinds, clock, SALT), "oidc", clock),
        Api(WEBHOOKS, webhooks, "oidc", clock),
    ]


def add(store: JobStore, clock: FakeClock, owner: str, **values: Any) -> Job:
    job = make_job(owner=owner, **{"created_at": clock.now, **values})
    assert store.create(job)
    return job


def everything(dynamodb: Any) -> Any:
    """Return all items of both tables."""
    return [dynamodb.scan(TableName=name)["Items"] for name in ("jobs", "ledger")]
