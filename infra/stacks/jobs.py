"""CaloJobs: the tables, queues, workers and images, and the publishing of changes."""

from typing import cast

from aws_cdk import CfnElement, CfnOutput, Duration, SecretValue
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_lambda_event_sources as sources
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sqs as sqs
from constructs import Construct, IConstruct

from infra.constructs.access_logs import AccessLogs
from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import CaloFunction
from infra.constructs.images import Images
from infra.constructs.publishing import Publishing
from infra.constructs.queues import MAX_RECEIVES, Queues
from infra.constructs.tables import Tables
from infra.settings import Settings
from infra.stacks.base import CaloStack

WRITER_TIMEOUT = 20
"""Seconds, for the functions that only write to the tables. Limited to the worker's timeout."""


class JobsStack(CaloStack):
    """Everything from an accepted job to the topic to which its changes are published."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        self.settings = settings
        self.tables = Tables(self, "Tables", settings=settings)
        self.writer_timeout = min(WRITER_TIMEOUT, settings.worker_timeout)
        self.queues = Queues(self, "Queues", settings=settings, writer_timeout=self.writer_timeout)
        self.access_logs = AccessLogs(self, "AccessLogs", settings=settings) if settings.access_logs else None
        self.images = self._images()
        self.publishing = Publishing(self, "Publishing", settings=settings, jobs=self.tables.jobs)
        self.access_key = secretsmanager.Secret(
            self,
            "UnsplashAccessKey",
            description="Calo: the Unsplash access key, as plain text",
            secret_string_value=SecretValue.unsafe_plain_text("put-the-access-key-here"),
        )
        acknowledge(
            self.access_key,
            {"AwsSolutions-SMG4": "Unsplash issues keys only on its website, so they cannot be rotated."},
        )
        self.job_worker = self._job_worker()
        self.result_worker = self._result_worker()
        self.dlq_worker = self._dlq_worker()
        self.job_counter = self._job_counter()
        self.job_watchdog = self._job_watchdog()
        self._add_outputs()
        self._publish_names()

    @property
    def functions(self) -> list[CaloFunction]:
        """The functions, in the order in which they process a job."""
        return [self.job_worker, self.result_worker, self.dlq_worker, self.job_counter, self.job_watchdog]

    @property
    def watched_queues(self) -> list[sqs.Queue]:
        """The queues that alarms and the dashboard watch."""
        queues = self.queues
        return [queues.jobs, queues.results, queues.dead_letters, self.publishing.undelivered]

    def _images(self) -> Images | None:
        if self.settings.images == "hotlink":
            return None
        return Images(self, "Images", settings=self.settings, access_logs=self.access_logs)

    def _job_worker(self) -> CaloFunction:
        worker = CaloFunction(
            self,
            "JobWorker",
            name="job_worker",
            metrics=self.settings.metrics,
            timeout=self.settings.worker_timeout,
            memory=512,
            environment={**self._worker_addresses(), **self._worker_settings()},
        )
        # no batching window, so that a single job starts immediately; a backlog fills the batches without one
        worker.read_queue(self.queues.jobs, batch_size=10, max_concurrency=self.settings.worker_concurrency)
        worker.allow(["dynamodb:BatchGetItem", "dynamodb:UpdateItem"], self.tables.jobs.table_arn)
        worker.allow(["dynamodb:GetItem", "dynamodb:UpdateItem"], self.tables.ledger.table_arn)
        worker.allow(["sqs:SendMessage", "sqs:ChangeMessageVisibility"], self.queues.jobs.queue_arn)
        worker.allow(["sqs:SendMessage"], self.queues.results.queue_arn, self.queues.dead_letters.queue_arn)
        worker.allow(["secretsmanager:GetSecretValue"], self.access_key.secret_arn)
        if self.images is not None:
            self._allow_storing_images(worker, self.images.bucket)
        return worker

    def _allow_storing_images(self, worker: CaloFunction, images: s3.Bucket) -> None:
        worker.allow(["s3:PutObject"], images.arn_for_objects("images/*"))
        bucket = self.get_logical_id(cast(CfnElement, images.node.default_child))
        rule = f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/images/*]"
        acknowledge(
            cast(IConstruct, worker.role),
            {rule: "The key of an image contains the photo's id, which is not known in advance."},
        )

    def _worker_addresses(self) -> dict[str, str]:
        return {
            "JOBS_TABLE": self.tables.jobs.table_name,
            "LEDGER_TABLE": self.tables.ledger.table_name,
            "JOBS_QUEUE_URL": self.queues.jobs.queue_url,
            "RESULTS_QUEUE_URL": self.queues.results.queue_url,
            "DEAD_LETTER_QUEUE_URL": self.queues.dead_letters.queue_url,
            "UNSPLASH_SECRET": self.access_key.secret_arn,
            **self._images_addresses(),
        }

    def _images_addresses(self) -> dict[str, str]:
        if self.images is None:
            return {}
        return {"IMAGES_BUCKET": self.images.bucket.bucket_name, "IMAGES_BASE_URL": self.images.base_url}

    def _worker_settings(self) -> dict[str, str]:
        return {
            "UNSPLASH_API_URL": self.settings.unsplash_api_url,
            "IMAGE_HOSTS": self.settings.image_hosts,
            "IMAGES": self.settings.images,
            "RATE_LIMIT": str(self.settings.rate_limit),
            "RATE_WINDOW_SECONDS": str(self.settings.rate_window_seconds),
            "SHARE_LIMIT": str(self.settings.share_limit),
            "RETRY_SECONDS": str(self.settings.retry_seconds),
        }

    def _result_worker(self) -> CaloFunction:
        worker = CaloFunction(
            self,
            "ResultWorker",
            name="result_worker",
            metrics=self.settings.metrics,
            timeout=self.writer_timeout,
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
            metrics=self.settings.metrics,
            timeout=self.writer_timeout,
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
            metrics=self.settings.metrics,
            timeout=self.writer_timeout,
            environment={"LEDGER_TABLE": self.tables.ledger.table_name},
        )
        counter.add_event_source(
            sources.DynamoEventSource(
                self.tables.jobs,
                starting_position=lambda_.StartingPosition.TRIM_HORIZON,
                batch_size=90,
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
            metrics=self.settings.metrics,
            timeout=self.writer_timeout,
            environment={
                "JOBS_TABLE": self.tables.jobs.table_name,
                "JOBS_QUEUE_URL": self.queues.jobs.queue_url,
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
        watchdog.allow(["dynamodb:BatchGetItem", "dynamodb:UpdateItem"], self.tables.jobs.table_arn)
        watchdog.allow(["sqs:SendMessage"], self.queues.jobs.queue_arn)
        watchdog.allow(["sqs:GetQueueAttributes"], *self.queues.arns)
        return watchdog

    def _add_outputs(self) -> None:
        """Add outputs with stable names, which the end-to-end tests and the local run read."""
        values = {
            "JobsTable": self.tables.jobs.table_name,
            "LedgerTable": self.tables.ledger.table_name,
            "JobsQueueUrl": self.queues.jobs.queue_url,
            "ResultsQueueUrl": self.queues.results.queue_url,
            "DeadLetterQueueUrl": self.queues.dead_letters.queue_url,
            "TopicArn": self.publishing.topic.topic_arn,
            "UnsplashSecret": self.access_key.secret_arn,
        }
        if self.images is not None:
            values["ImagesBucket"] = self.images.bucket.bucket_name
            values["ImagesBaseUrl"] = self.images.base_url
        for name, value in values.items():
            CfnOutput(self, name, value=value)

    def _publish_names(self) -> None:
        """Publish the values that other stacks read."""
        self.publish("jobs-table", self.tables.jobs.table_name)
        self.publish("ledger-table", self.tables.ledger.table_name)
        self.publish("jobs-queue-url", self.queues.jobs.queue_url)
        self.publish("topic-arn", self.publishing.topic.topic_arn)
        self.publish("pipe", self.publishing.pipe.ref)
        for queue in self.watched_queues:
            self.publish(f"queue/{queue.node.id}", queue.queue_name)
        for function in self.functions:
            self.publish(f"function/{function.node.id}", function.function_name)
        if self.images is not None:
            self.publish("images-base-url", self.images.base_url)
        if self.access_logs is not None:
            self.publish("access-logs-bucket", self.access_logs.bucket_name)
