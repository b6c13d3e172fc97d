"""Stacks that give each other names through parameters instead of exports.

CloudFormation refuses to change or remove an export that another stack imports. With exports, a setting that
leaves something out could not be changed after the first deployment. Here the producer writes an SSM
parameter, which the consumer reads each time it is deployed: `cdk deploy` never skips a stack that has one.
"""

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm

PREFIX = "/calo/"


class CaloStack(Stack):
    """A stack of this app. Never pass a token of one stack to a construct of another: use `read`."""

    def publish(self, name: str, value: str) -> None:
        """Make `value` known to the other stacks, as the parameter `/calo/<name>`."""
        ssm.StringParameter(self, f"Published-{name}", parameter_name=PREFIX + name, string_value=value)

    def read(self, producer: "CaloStack", name: str) -> str:
        """Return what `producer` published, and deploy this stack after it.

        Raises RuntimeError if the producer does not publish that name.
        """
        if producer.node.try_find_child(f"Published-{name}") is None:
            raise RuntimeError(f"{producer.node.id} does not publish {name}")
        self.add_stack_dependency(producer)
        return ssm.StringParameter.value_for_string_parameter(self, PREFIX + name)

    def table_arn(self, table: str) -> str:
        """The ARN of a DynamoDB table of this account and region."""
        return self.format_arn(service="dynamodb", resource="table", resource_name=table)

    def queue_arn(self, queue: str) -> str:
        """The ARN of a queue of this account and region."""
        return self.format_arn(service="sqs", resource=queue)
