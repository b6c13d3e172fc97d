"""Publish every change of the jobs table: DynamoDB stream → EventBridge Pipe → SNS topic.

No component has to publish changes explicitly. Every change of the table is delivered at least once, and in
order per job. Records that the Pipe cannot deliver go to the queue `undelivered`.
"""

from aws_cdk import Duration
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge
from infra.settings import Settings


class Publishing(Construct):
    """`topic` receives the stream records of the jobs table, unchanged."""

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: Settings, jobs: dynamodb.TableV2
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", display_name="Calo job changes", enforce_ssl=settings.tls_only)
        self.undelivered = undelivered_queue(self, settings=settings)
        role = iam.Role(self, "PipeRole", assumed_by=iam.ServicePrincipal("pipes.amazonaws.com"))
        jobs.grant_stream_read(role)
        self.topic.grant_publish(role)
        self.undelivered.grant_send_messages(role)
        self.pipe = self._pipe(jobs, role)

    def _pipe(self, jobs: dynamodb.TableV2, role: iam.Role) -> pipes.CfnPipe:
        stream = pipes.CfnPipe.PipeSourceDynamoDBStreamParametersProperty(
            starting_position="TRIM_HORIZON",
            batch_size=10,  # the maximum of PublishBatch
            maximum_retry_attempts=10,
            maximum_record_age_in_seconds=3600,
            on_partial_batch_item_failure="AUTOMATIC_BISECT",
            dead_letter_config=pipes.CfnPipe.DeadLetterConfigProperty(arn=self.undelivered.queue_arn),
        )
        changes = pipes.CfnPipe.FilterProperty(pattern='{"eventName": ["INSERT", "MODIFY"]}')
        pipe = pipes.CfnPipe(
            self,
            "Pipe",
            role_arn=role.role_arn,
            source=str(jobs.table_stream_arn),
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                dynamo_db_stream_parameters=stream,
                filter_criteria=pipes.CfnPipe.FilterCriteriaProperty(filters=[changes]),
            ),
            target=self.topic.topic_arn,
        )
        pipe.node.add_dependency(role)  # the pipe validates its permissions on creation
        return pipe


def undelivered_queue(scope: Construct, *, settings: Settings) -> sqs.Queue:
    """Create a queue that keeps undelivered events for 14 days. An alarm reports them."""
    queue = sqs.Queue(
        scope,
        "Undelivered",
        retention_period=Duration.days(14),
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=settings.tls_only,
    )
    reason = "This queue is a dead-letter queue, for senders other than queues. Operators read its messages."
    acknowledge(queue, {"AwsSolutions-SQS3": reason, "Serverless-SQSRedrivePolicy": reason})
    return queue
