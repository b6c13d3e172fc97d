"""The queues of the kinds, the results queue and their dead-letter queue."""

from collections.abc import Iterable

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.deployed_kinds import DeployedKind
from infra.settings import Settings

MAX_RECEIVES = 5
"""AWS recommends at least five, so that throttled pollers do not move a message to the dead-letter queue:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""

MIN_TIMEOUT = 5
"""Seconds. Lambda requires that a queue's visibility timeout is longer than its function's timeout."""


def visibility_timeout(kind: DeployedKind) -> int:
    """Return how long a message of the kind is invisible after it was received (seconds).

    It is six times the time that the work may take, as AWS recommends, so that a message is not redelivered
    while it is being processed.
    """
    return 6 * max(kind.kind.timeout, MIN_TIMEOUT)


class Queues(Construct):
    """`jobs` (by kind) and `results` move failed messages to `dead_letters`, whose worker ends the job.

    `writer_timeout` (seconds) is that of the functions that read `results` and `dead_letters`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        kinds: Iterable[DeployedKind],
        writer_timeout: int,
    ) -> None:
        super().__init__(scope, construct_id)
        self._tls_only = settings.tls_only
        self.dead_letters = self._queue("DeadLetters", 6 * writer_timeout)
        redrive = sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES)
        acknowledge(
            self.dead_letters,
            {
                "Serverless-SQSRedrivePolicy": "This is the dead-letter queue of the others. Its worker "
                "ends each job. Messages that the worker cannot process stay for 14 days and raise an alarm."
            },
        )
        self.jobs = {
            kind.name: self._queue(f"Jobs{kind.construct_name}", visibility_timeout(kind), redrive)
            for kind in kinds
        }
        self.results = self._queue("Results", 6 * writer_timeout, redrive)

    @property
    def arns(self) -> list[str]:
        """The ARNs of all queues."""
        queues = (*self.jobs.values(), self.results, self.dead_letters)
        return [queue.queue_arn for queue in queues]

    def _queue(
        self, construct_id: str, visibility: int, redrive: sqs.DeadLetterQueue | None = None
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            visibility_timeout=Duration.seconds(visibility),
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=self._tls_only,
            dead_letter_queue=redrive,
        )
