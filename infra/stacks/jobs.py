"""CaloJobs: tables, queues, workers, publishing and images."""

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
"""Seconds for the functions that only write to the tables; no more than the worker has."""


class JobsStack(CaloStack):
    """Everything between an accepted job and the topic that its changes are published to."""

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
            {"AwsSolutions-SMG4": "Unsplash gives keys on its page only: no program could make a new one."},
        )
        self.job_worker = self._job_worker()
        self.result_worker = self._result_worker()
        self.dlq_worker = self._dlq_worker()
        self.job_counter = self._job_counter()
        self.job_watchdog = self._job_watchdog()
        self._outputs()
        self._publish_names()

    @property
    def functions(self) -> list[CaloFunction]:
        """In the order in which a job meets them."""
        return [self.job_worker, self.result_worker, self.dlq_worker, self.job_counter, self.job_watchdog]

    @property
    def watched_queues(self) -> list[sqs.Queue]:
        """Those that alarms and dashboard look at."""
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
        # a lone job must not wait for company: no window; a backlog fills the batches anyway
        self._feed(worker, self.queues.jobs, batch_size=10, max_concurrency=self.settings.worker_concurrency)
        worker.may(["dynamodb:BatchGetItem", "dynamodb:UpdateItem"], self.tables.jobs.table_arn)
        worker.may(["dynamodb:GetItem", "dynamodb:UpdateItem"], self.tables.ledger.table_arn)
        worker.may(["sqs:SendMessage", "sqs:ChangeMessageVisibility"], self.queues.jobs.queue_arn)
        worker.may(["sqs:SendMessage"], self.queues.results.queue_arn, self.queues.dead_letters.queue_arn)
        worker.may(["secretsmanager:GetSecretValue"], self.access_key.secret_arn)
        if self.images is not None:
            self._may_put_images(worker, self.images.bucket)
        return worker

    def _may_put_images(self, worker: CaloFunction, images: s3.Bucket) -> None:
        worker.may(["s3:PutObject"], images.arn_for_objects("images/*"))
        bucket = self.get_logical_id(cast(CfnElement, images.node.default_child))
        rule = f"AwsSolutions-IAM5[Resource::<{bucket}.Arn>/images/*]"
        acknowledge(
            cast(IConstruct, worker.role),
            {rule: "An image's key contains its photo's id, which is not known beforehand."},
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
        concurrency = self.settings.result_concurrency
        self._feed(worker, self.queues.results, batch_size=10, max_concurrency=concurrency)
        worker.may(["dynamodb:UpdateItem"], self.tables.jobs.table_arn)
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
        concurrency = self.settings.dlq_concurrency
        # failures are not urgent and often come in numbers: a second's wait gathers them
        self._feed(worker, self.queues.dead_letters, batch_size=25, max_concurrency=concurrency, window=1)
        worker.may(["dynamodb:UpdateItem"], self.tables.jobs.table_arn)
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
                # until the stream forgets the record: a count that gave up would be wrong for good
                retry_attempts=-1,
            )
        )
        acknowledge(
            counter,
            {
                "Serverless-LambdaEventSourceMappingDestination": "It never gives a record up, so nothing "
                "would go there; an alarm tells when the stream is not read."
            },
        )
        ledger_actions = ["BatchGetItem", "PutItem", "UpdateItem"]
        counter.may([f"dynamodb:{action}" for action in ledger_actions], self.tables.ledger.table_arn)
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
                "LEDGER_TABLE": self.tables.ledger.table_name,
                "JOBS_QUEUE_URL": self.queues.jobs.queue_url,
                "GRACE_SECONDS": str(self.settings.grace_seconds),
            },
        )
        every_minute = events.Schedule.rate(Duration.minutes(1))
        rule = events.Rule(
            self, "EveryMinute", schedule=every_minute, targets=[targets.LambdaFunction(watchdog)]
        )
        acknowledge(rule, {"Serverless-EventBusDLQ": "A missed look is made up for by the next minute's."})
        watchdog.may(["dynamodb:Query"], self.tables.index_arn("by-due"))
        watchdog.may(["dynamodb:BatchGetItem", "dynamodb:UpdateItem"], self.tables.jobs.table_arn)
        watchdog.may(["dynamodb:GetItem"], self.tables.ledger.table_arn)
        watchdog.may(["sqs:SendMessage", "sqs:GetQueueAttributes"], self.queues.jobs.queue_arn)
        return watchdog

    def _feed(
        self,
        worker: CaloFunction,
        queue: sqs.Queue,
        *,
        batch_size: int,
        max_concurrency: int,
        window: int | None = None,
    ) -> None:
        """Batches whose messages fail one by one. The window is in seconds."""
        source = sources.SqsEventSource(
            queue,
            batch_size=batch_size,
            max_batching_window=Duration.seconds(window) if window else None,
            max_concurrency=max_concurrency,
            report_batch_item_failures=True,
        )
        worker.add_event_source(source)
        acknowledge(
            worker,
            {
                "Serverless-LambdaEventSourceMappingDestination": "Lambda takes such a destination for "
                "streams alone; a queue's failed messages go where its redrive policy says."
            },
        )

    def _outputs(self) -> None:
        """Stable names that the end-to-end tests and the local run read."""
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
        """What the other stacks read."""
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
