"""The two tables: jobs, the truth, and the ledger, for what is not a job."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.settings import Settings

STRING = dynamodb.AttributeType.STRING
NUMBER = dynamodb.AttributeType.NUMBER


class Tables(Construct):
    """`jobs` by id, with its stream and its indexes; `ledger` by `pk`."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        removal = RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY
        recovery = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)
        self.jobs = dynamodb.TableV2(
            self,
            "Jobs",
            partition_key=dynamodb.Attribute(name="id", type=STRING),
            time_to_live_attribute="expires_at",
            dynamo_stream=dynamodb.StreamViewType.NEW_AND_OLD_IMAGES,
            point_in_time_recovery_specification=recovery,
            deletion_protection=settings.retain_data,
            removal_policy=removal,
            global_secondary_indexes=[
                _index("by-created", "list_shard", "created_key", STRING),
                _index("by-status", "status_shard", "created_key", STRING),
                _index("by-updated", "list_shard", "updated_at", NUMBER),
                _index("by-due", "list_shard", "due_at", NUMBER),  # sparse: pending jobs only
            ],
        )
        self.ledger = dynamodb.TableV2(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="pk", type=STRING),
            time_to_live_attribute="expires_at",
            point_in_time_recovery_specification=recovery,
            deletion_protection=settings.retain_data,
            removal_policy=removal,
        )

    def index_arn(self, name: str) -> str:
        """Of an index of the jobs table, for policies that allow to query this one alone."""
        return f"{self.jobs.table_arn}/index/{name}"


def _index(
    name: str, partition: str, sort: str, sort_type: dynamodb.AttributeType
) -> dynamodb.GlobalSecondaryIndexPropsV2:
    """Keys only: an index says which jobs, the table what they are now; and a change that moves no
    key costs the index no write."""
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=dynamodb.Attribute(name=partition, type=STRING),
        sort_key=dynamodb.Attribute(name=sort, type=sort_type),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )
