"""The key of tickets for live streams."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infra.constructs.acknowledgements import acknowledge


class TicketKey(secretsmanager.Secret):
    """A generated secret. It is not retained: nothing that it signs is valid for longer than a minute."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Calo: the key that signs tickets for live streams",
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        acknowledge(
            self,
            {
                "AwsSolutions-SMG4": "Writing a new value replaces the key; the one before it stays valid "
                "(docs/operations.md). A schedule would need a function that may write secrets."
            },
        )
