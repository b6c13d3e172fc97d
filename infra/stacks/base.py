"""The base class of the stacks. They exchange names through SSM parameters instead of CloudFormation exports.

CloudFormation does not change or delete an export that another stack imports. With exports, a setting that
removes a resource could not be changed after the first deployment. Here, the producer writes an SSM
parameter, and the consumer reads it on every deployment: `cdk deploy` never skips a stack with such a
parameter.
"""

from aws_cdk import Stack
from aws_cdk import aws_ssm as ssm

PREFIX = "/calo/"


class CaloStack(Stack):
    """A stack of this app. Never pass a token of one stack to a construct of another stack: use `read`."""

    def publish(self, name: str, value: str) -> None:
        """Make `value` available to the other stacks as the parameter `/calo/<name>`."""
        ssm.StringParameter(self, f"Published-{name}", parameter_name=PREFIX + name, string_value=value)

    def read(self, producer: "CaloStack", name: str) -> str:
        """Return a value that `producer` published, and deploy this stack after `producer`.

        Raises RuntimeError if the producer does not publish this name.
        """
        if producer.node.try_find_child(f"Published-{name}") is None:
            raise RuntimeError(f"{producer.node.id} does not publish {name}")
        self.add_stack_dependency(producer)
        return ssm.StringParameter.value_for_string_parameter(self, PREFIX + name)

    def table_arn(self, table: str) -> str:
        """Return the ARN of a DynamoDB table in this account and region."""
        return self.format_arn(service="dynamodb", resource="table", resource_name=table)

    def queue_arn(self, queue: str) -> str:
        """Return the ARN of a queue in this account and region."""
        return self.format_arn(service="sqs", resource=queue)
