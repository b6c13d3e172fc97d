"""The jobs queue, the results queue and their dead-letter queue."""

from aws_cdk import Duration
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.settings import Settings

MAX_RECEIVES = 5
"""AWS recommends at least five, so that throttled pollers do not move a message to the dead-letter queue:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""


class Queues(Construct):
    """`jobs` and `results` move failed messages to `dead_letters`, whose worker ends the job.

    The visibility timeout is six times the timeout of the queue's function (seconds), as AWS recommends, so
    that a message is not redelivered while it is being processed.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, writer_timeout: int
    ) -> None:
        super().__init__(scope, construct_id)
        self._tls_only = settings.tls_only
        self.dead_letters = self._queue("DeadLetters", writer_timeout)
        redrive = sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES)
        acknowledge(
            self.dead_letters,
            {
                "Serverless-SQSRedrivePolicy": "This is the dead-letter queue of the other two. Its worker "
                "ends each job. Messages that the worker cannot process stay for 14 days and raise an alarm."
            },
        )
        self.jobs = self._queue("Jobs", settings.worker_timeout, redrive)
        self.results = self._queue("Results", writer_timeout, redrive)

    @property
    def arns(self) -> list[str]:
        """The ARNs of all three."""
        return [queue.queue_arn for queue in (self.jobs, self.results, self.dead_letters)]

    def _queue(
        self, construct_id: str, timeout: int, redrive: sqs.DeadLetterQueue | None = None
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            construct_id,
            visibility_timeout=Duration.seconds(6 * timeout),
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=self._tls_only,
            dead_letter_queue=redrive,
        )
