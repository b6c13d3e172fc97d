"""Names that the functions, the relay and the local run must agree on with infra.

This module imports nothing, so that the local run can use it without loading the CDK.
"""

METRICS_NAMESPACE = "Calo"
"""The namespace of custom metrics. Functions and relay read it from POWERTOOLS_METRICS_NAMESPACE."""
RELAY_QUEUE_PREFIX = "CaloRelay-"
"""Each relay task creates a queue whose name starts with this prefix. Permissions cover only such queues."""
OPERATORS = "operators"
"""The group of the user pool whose members see and change the jobs of all owners."""
COGNITO_SERVER = "calo"
COGNITO_SCOPE = f"{COGNITO_SERVER}/jobs"
"""The scope of access tokens for the API, and the resource server that it belongs to."""
COGNITO_GROUPS_CLAIM = "cognito:groups"
COMMAND_CALLBACK = "http://localhost:8976/"
"""Where the issuer's page returns to after `calo login`."""


def construct_name(name: str) -> str:
    """Return the name of a kind, budget or secret in the form of construct ids: `ResizeImage`."""
    return "".join(word.capitalize() for word in name.split("_"))
