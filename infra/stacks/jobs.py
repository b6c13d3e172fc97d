"""CaloJobs: the tables, queues, workers and images, and the publishing of changes."""

from aws_cdk import CfnOutput, Duration, SecretValue
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.access_logs import AccessLogs
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import CaloFunction
from infra.constructs.images import Images
from infra.constructs.job_worker import JobWorker
from infra.constructs.publishing import Publishing
from infra.constructs.queues import MAX_RECEIVES, Queues
from infra.constructs.sign_in import SignIn
from infra.constructs.tables import Tables
from infra.constructs.ticket_key import TicketKey
from infra.constructs.webhooks import Webhooks
from infra.deployed_kinds import PHOTO, DeployedKind, Kinds
from infra.names import construct_name
from infra.settings import Settings
from infra.stacks.base import CaloStack
from infra.tools.bundle import Bundles

WRITER_TIMEOUT = 20
"""Seconds, for the functions that only write to the tables."""
WATCHDOG_TIMEOUT = 60
"""Seconds: longer than a run, which ends before the next begins."""
ACCESS_KEY = "unsplash_access_key"
PLACEHOLDER = "put-the-access-key-here"
"""The first value of every secret. If it changed, CloudFormation would overwrite their values."""


class JobsStack(CaloStack):
    """Everything from an accepted job to the topic to which its changes are published."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, kinds: Kinds, bundles: Bundles
    ) -> None:
        super().__init__(scope, construct_id)
        self.settings = settings
        self.kinds = kinds
        self.bundles = bundles
        self.tables = Tables(self, "Tables", settings=settings)
        self.queues = Queues(
            self,
            "Queues",
            settings=settings,
            kinds=kinds.deployed.values(),
            writer_timeout=WRITER_TIMEOUT,
        )
        self.access_logs = AccessLogs(self, "AccessLogs", settings=settings) if settings.access_logs else None
        self.images = self._images()
        self.publishing = Publishing(self, "Publishing", settings=settings, jobs=self.tables.jobs)
        self.webhooks = self._webhooks()
        self.secrets = {name: self._secret(name) for name in kinds.secrets}
        self.job_workers = {name: self._job_worker(kind) for name, kind in kinds.deployed.items()}
        self.result_worker = self._result_worker()
        self.dlq_worker = self._dlq_worker()
        self.job_counter = self._job_counter()
        self.job_watchdog = self._job_watchdog()
        # here, because the relay is deployed before the API
        self.sign_in = SignIn(self, "SignIn", settings=settings) if settings.auth == "cognito" else None
        self.ticket_key = None if settings.auth == "none" else TicketKey(self, "TicketKey")
        self._add_outputs()
        self._publish_names()

    @property
    def functions(self) -> list[CaloFunction]:
        """The functions, in the order in which they process a job."""
        workers = [self.result_worker, self.dlq_worker, self.job_counter, self.job_watchdog]
        return [*self.job_workers.values(), *workers, *([self.webhooks.sender] if self.webhooks else [])]

    @property
    def watched_queues(self) -> list[sqs.Queue]:
        """The queues that alarms and the dashboard watch."""
        queues, webhooks = self.queues, self.webhooks
        ours = [*queues.jobs.values(), queues.results, queues.dead_letters, self.publishing.undelivered]
        return [*ours, *([webhooks.queue, webhooks.dead_letters] if webhooks else [])]

    def _images(self) -> Images | None:
        if not self.kinds.store_files:
            return None
        return Images(self, "Images", settings=self.settings, access_logs=self.access_logs)

    def _webhooks(self) -> Webhooks | None:
        if not self.settings.webhooks:
            return None
        return Webhooks(
            self,
            "Webhooks",
            settings=self.settings,
            topic=self.publishing.topic,
            ledger_arn=self.tables.ledger.table_arn,
            ledger=self.tables.ledger.table_name,
            bundles=self.bundles,
        )

    def _secret(self, name: str) -> secretsmanager.Secret:
        """Create a secret with a placeholder. Its value is set after the deployment."""
        secret = secretsmanager.Secret(
            self,
            construct_name(name),
            description=f"Calo: {name}, as plain text",
            secret_string_value=SecretValue.unsafe_plain_text(PLACEHOLDER),
        )
        acknowledge(
            secret,
            {"AwsSolutions-SMG4": "Third parties issue their keys on a website, so they cannot be rotated."},
        )
        return secret

    def _job_worker(self, kind: DeployedKind) -> JobWorker:
        return JobWorker(
            self,
            f"JobWorker{kind.construct_name}",
            kind=kind,
            limits=self.kinds.limits(self.settings, kind.kind.budgets),
            metrics=self.settings.metrics,
            bundles=self.bundles,
            tables=self.tables,
            queues=self.queues,
            secrets={name: self.secrets[name] for name in kind.kind.secrets},
            images=self.images if kind.kind.stores_files else None,
        )

    def _result_worker(self) -> CaloFunction:
        worker = CaloFunction(
            self,
            "ResultWorker",
            name="result_worker",
            bundles=self.bundles,
            metrics=self.settings.metrics,
            timeout=WRITER_TIMEOUT,
            environment={"JOBS_TABLE": self.tables.jobs.table_name},
        )
        worker.read_queue(
            self.queues.results, batch_size=10, max_concurrency=self.settings.result_concurrency
        )
        worker.allow(["dynamodb:UpdateItem"], self.tables.jobs.table_arn)
        return worker

    def _dlq_worker(self) -> CaloFunction:
        worker = CaloFunction(
            self,
            "DlqWorker",
            name="dlq_worker",
            bundles=self.bundles,
            metrics=self.settings.metrics,
            timeout=WRITER_TIMEOUT,
            environment={
                "JOBS_TABLE": self.tables.jobs.table_name,
                "MAX_RECEIVES": str(MAX_RECEIVES),
            },
        )
        # failures are not urgent and often occur together, so waiting for a second saves invocations
        worker.read_queue(
            self.queues.dead_letters,
            batch_size=25,
            max_concurrency=self.settings.dlq_concurrency,
            window=1,
        )
        worker.allow(["dynamodb:UpdateItem"], self.tables.jobs.table_arn)
        return worker

    def _job_counter(self) -> CaloFunction:
        counter = CaloFunction(
            self,
            "JobCounter",
            name="job_counter",
            bundles=self.bundles,
            metrics=self.settings.metrics,
            timeout=WRITER_TIMEOUT,
            environment={"LEDGER_TABLE": self.tables.ledger.table_name},
        )
        counter.add_event_source(
            sources.DynamoEventSource(
                self.tables.jobs,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                # with two counters and two items of minutes, of an owner and of all, a transaction of 100
                batch_size=96,
                max_batching_window=Duration.seconds(1),
                bisect_batch_on_error=True,
                # retry until the record expires; skipping a record would make the counts wrong permanently
                retry_attempts=-1,
            )
        )
        acknowledge(
            counter,
            {
                "Serverless-LambdaEventSourceMappingDestination": "The function retries every record until "
                "it expires, so a destination would stay empty. An alarm reports when the function lags."
            },
        )
        ledger_actions = ["BatchGetItem", "PutItem", "UpdateItem"]
        counter.allow([f"dynamodb:{action}" for action in ledger_actions], self.tables.ledger.table_arn)
        return counter

    def _job_watchdog(self) -> CaloFunction:
        watchdog = CaloFunction(
            self,
            "JobWatchdog",
            name="job_watchdog",
            bundles=self.bundles,
            metrics=self.settings.metrics,
            timeout=WATCHDOG_TIMEOUT,
            memory=1024,  # thousands of jobs may be due at the same time
            environment={
                "JOBS_TABLE": self.tables.jobs.table_name,
                "KINDS": self.to_json_string(
                    {
                        name: {"module": kind.declaration.module, "queue": self.queues.jobs[name].queue_url}
                        for name, kind in self.kinds.deployed.items()
                    }
                ),
                "RESULTS_QUEUE_URL": self.queues.results.queue_url,
                "DEAD_LETTER_QUEUE_URL": self.queues.dead_letters.queue_url,
                "GRACE_SECONDS": str(self.settings.grace_seconds),
            },
        )
        every_minute = events.Schedule.rate(Duration.minutes(1))
        rule = events.Rule(
            self, "EveryMinute", schedule=every_minute, targets=[targets.LambdaFunction(watchdog)]
        )
        acknowledge(
            rule, {"Serverless-EventBusDLQ": "After a missed run, the next run follows a minute later."}
        )
        watchdog.allow(["dynamodb:Query"], self.tables.index_arn("by-due"))
        table_actions = ["BatchGetItem", "PutItem", "UpdateItem"]
        watchdog.allow([f"dynamodb:{action}" for action in table_actions], self.tables.jobs.table_arn)
        watchdog.allow(["sqs:SendMessage"], *(queue.queue_arn for queue in self.queues.jobs.values()))
        watchdog.allow(["sqs:GetQueueAttributes"], *self.queues.arns)
        return watchdog

    def _add_outputs(self) -> None:
        """Add outputs with stable names, which the end-to-end tests and the local run read."""
        values = {
            "JobsTable": self.tables.jobs.table_name,
            "LedgerTable": self.tables.ledger.table_name,
            **{
                "JobsQueueUrl" + ("" if name == PHOTO else construct_name(name)): queue.queue_url
                for name, queue in self.queues.jobs.items()
            },
            "ResultsQueueUrl": self.queues.results.queue_url,
            "DeadLetterQueueUrl": self.queues.dead_letters.queue_url,
            "TopicArn": self.publishing.topic.topic_arn,
            **{f"Secret{construct_name(name)}": secret.secret_arn for name, secret in self.secrets.items()},
        }
        if self.webhooks is not None:
            values["WebhooksQueueUrl"] = self.webhooks.queue.queue_url
            values["WebhookDeadLetterQueueUrl"] = self.webhooks.dead_letters.queue_url
            values["WebhookSecret"] = self.webhooks.key.secret_arn
        if ACCESS_KEY in self.secrets:
            values["UnsplashSecret"] = self.secrets[ACCESS_KEY].secret_arn
        if self.images is not None:
            values["ImagesBucket"] = self.images.bucket.bucket_name
            values["ImagesBaseUrl"] = self.images.base_url
        if self.sign_in is not None:
            values["UserPoolId"] = self.sign_in.pool.user_pool_id
            values["UserPoolClientId"] = self.sign_in.client.user_pool_client_id
            values["SignInUrl"] = self.sign_in.domain.base_url()
        if self.ticket_key is not None:
            values["TicketSecret"] = self.ticket_key.secret_arn
        for name, value in values.items():
            CfnOutput(self, name, value=value)

    def _publish_names(self) -> None:
        """Publish the values that other stacks read."""
        self.publish("jobs-table", self.tables.jobs.table_name)
        self.publish("ledger-table", self.tables.ledger.table_name)
        for name, kind_queue in self.queues.jobs.items():
            self.publish(f"queue-url/{name}", kind_queue.queue_url)
        self.publish("topic-arn", self.publishing.topic.topic_arn)
        self.publish("pipe", self.publishing.pipe.ref)
        for queue in self.watched_queues:
            self.publish(f"queue/{queue.node.id}", queue.queue_name)
        for function in self.functions:
            self.publish(f"function/{function.node.id}", function.function_name)
        if self.webhooks is not None:
            self.publish("queue-url/WebhookNotices", self.webhooks.queue.queue_url)
            self.publish("webhook-key", self.webhooks.key.secret_arn)
        if self.sign_in is not None:
            self.publish("sign-in/issuer", self.sign_in.issuer)
            self.publish("sign-in/pool", self.sign_in.pool.user_pool_id)
            self.publish("sign-in/client", self.sign_in.client.user_pool_client_id)
            self.publish("sign-in/url", self.sign_in.domain.base_url())
        if self.ticket_key is not None:
            self.publish("ticket-secret", self.ticket_key.secret_arn)
        if self.images is not None:
            self.publish("images-base-url", self.images.base_url)
        if self.access_logs is not None:
            self.publish("access-logs-bucket", self.access_logs.bucket_name)
