"""The two DynamoDB tables: the jobs, and a ledger for everything else."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from constructs import Construct

from infra.settings import Settings

STRING = dynamodb.AttributeType.STRING
NUMBER = dynamodb.AttributeType.NUMBER


class Tables(Construct):
    """The table `jobs` has the key `id`, a stream and indexes. The table `ledger` has the key `pk`."""

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
                _index("by-created", partition="list_shard", sort="created_key", sort_type=STRING),
                _index("by-status", partition="status_shard", sort="created_key", sort_type=STRING),
                _index("by-kind", partition="kind_shard", sort="created_key", sort_type=STRING),
                _index("by-updated", partition="list_shard", sort="changed_at", sort_type=NUMBER),
                # sparse: contains only pending jobs
                _index("by-due", partition="due_shard", sort="wake_at", sort_type=NUMBER),
                # contains only jobs with sign-in, but always exists: CloudFormation adds one index per update
                _index(
                    "by-all",
                    partition="all_shard",
                    sort="created_key",
                    sort_type=STRING,
                    attributes=["status", "kind", "owner", "code"],
                ),
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
        """Return the ARN of an index of the jobs table, for policies that allow queries of it alone."""
        return f"{self.jobs.table_arn}/index/{name}"


def _index(
    name: str,
    *,
    partition: str,
    sort: str,
    sort_type: dynamodb.AttributeType,
    attributes: list[str] | None = None,
) -> dynamodb.GlobalSecondaryIndexPropsV2:
    """Define an index that contains only keys and these attributes. Readers get the jobs from the table.

    A change that does not affect them does not write to the index.
    """
    projection = dynamodb.ProjectionType.INCLUDE if attributes else dynamodb.ProjectionType.KEYS_ONLY
    return dynamodb.GlobalSecondaryIndexPropsV2(
        index_name=name,
        partition_key=dynamodb.Attribute(name=partition, type=STRING),
        sort_key=dynamodb.Attribute(name=sort, type=sort_type),
        projection_type=projection,
        non_key_attributes=attributes,
    )
