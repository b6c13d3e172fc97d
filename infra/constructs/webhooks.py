"""The webhooks: the queue of notices about jobs that have ended, the function that sends them, its key."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_secretsmanager as secretsmanager
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.constructs.functions import CaloFunction
from infra.constructs.queues import MAX_RECEIVES
from infra.settings import Settings
from infra.tools.bundle import Bundles

SENDER_TIMEOUT = 60
"""Seconds: longer than a batch, whose requests take at most ten seconds and are sent in parallel."""
BATCH = 10


class Webhooks(Construct):
    """`queue` gets the record of each job that ends and has `notify`. Notices that are given up go to
    `dead_letters`, where operators read them. The secrets of all owners are derived from `key`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        topic: sns.Topic,
        ledger: str,
        ledger_arn: str,
        bundles: Bundles,
    ) -> None:
        super().__init__(scope, construct_id)
        self._add_queues(settings, topic)
        self.key = _key(self, settings)
        # in the stack itself, like all functions
        self.sender = CaloFunction(
            scope,
            "WebhookSender",
            name="webhook_sender",
            bundles=bundles,
            metrics=settings.metrics,
            timeout=SENDER_TIMEOUT,
            environment={
                "LEDGER_TABLE": ledger,
                "WEBHOOKS_QUEUE_URL": self.queue.queue_url,
                "DEAD_LETTER_QUEUE_URL": self.dead_letters.queue_url,
                "WEBHOOK_KEY": self.key.secret_arn,
                "WEBHOOK_PRIVATE_HOSTS": settings.webhook_private_hosts,
            },
        )
        self.sender.read_queue(self.queue, batch_size=BATCH, max_concurrency=settings.webhook_concurrency)
        self.sender.allow(["sqs:SendMessage"], self.queue.queue_arn, self.dead_letters.queue_arn)
        self.sender.allow(["secretsmanager:GetSecretValue"], self.key.secret_arn)
        own = ("delivery#*", "receiver#*")
        self.sender.allow_items(["dynamodb:GetItem", "dynamodb:UpdateItem"], ledger_arn, *own)
        self.sender.allow_items(["dynamodb:GetItem"], ledger_arn, "webhook-secret#*")

    def _add_queues(self, settings: Settings, topic: sns.Topic) -> None:
        self.dead_letters = sqs.Queue(
            self,
            "WebhookDeadLetters",
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=settings.tls_only,
        )
        reason = "This is a dead-letter queue. Operators read its messages, and an alarm reports them."
        acknowledge(self.dead_letters, {"AwsSolutions-SQS3": reason, "Serverless-SQSRedrivePolicy": reason})
        self.queue = sqs.Queue(
            self,
            "WebhookNotices",
            visibility_timeout=Duration.seconds(6 * SENDER_TIMEOUT),
            retention_period=Duration.days(14),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=settings.tls_only,
            dead_letter_queue=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=MAX_RECEIVES),
        )
        topic.add_subscription(
            subscriptions.SqsSubscription(
                self.queue, raw_message_delivery=True, filter_policy_with_message_body=ENDINGS
            )
        )
        acknowledge(
            self.queue,
            {
                "Serverless-SNSRedrivePolicy": "SNS retries deliveries to SQS for 23 days: "
                "https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html"
            },
        )


def _string(**condition: list[str]) -> sns.FilterOrPolicy:
    """Return the condition for an attribute of an item: no condition means that it exists."""
    test = (
        sns.SubscriptionFilter.string_filter(**condition)
        if condition
        else sns.SubscriptionFilter.exists_filter()
    )
    return sns.FilterOrPolicy.policy({"S": sns.FilterOrPolicy.filter(test)})


ENDINGS = {
    "dynamodb": sns.FilterOrPolicy.policy(
        {
            "OldImage": sns.FilterOrPolicy.policy({"status": _string(allowlist=["pending"])}),
            "NewImage": sns.FilterOrPolicy.policy(
                {"status": _string(denylist=["pending"]), "notify": _string()}
            ),
        }
    )
}
"""The records of the table's stream in which a job with `notify` ends.

The three final statuses would be too many values: each counts four times, because it is four levels deep, and
the product over all attributes must not exceed 150:
https://docs.aws.amazon.com/sns/latest/dg/subscription-filter-policy-constraints.html
"""


def _key(scope: Construct, settings: Settings) -> secretsmanager.Secret:
    key = secretsmanager.Secret(
        scope,
        "WebhookKey",
        description="Calo: the key from which the secrets of webhooks are derived",
        generate_secret_string=secretsmanager.SecretStringGenerator(
            password_length=64, exclude_punctuation=True
        ),
        removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
    )
    acknowledge(
        key,
        {
            "AwsSolutions-SMG4": "A new key would replace the secrets of all owners at once. Each owner "
            "replaces its own with POST /webhooks/secret."
        },
    )
    return key
