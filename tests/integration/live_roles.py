"""Create the roles of CaloLive in the emulator, with the grants of the template.

The stack itself is not deployed to the emulator.
"""

import json
from typing import Any

from aws_cdk.assertions import Template

from tests.integration.conftest import Calo


def create_role(calo: Calo, live_stack: Template, policy_name: str) -> str:
    """Create a role with the grants of the policy with this prefix of its logical ID, and return its ARN."""
    policies = live_stack.find_resources("AWS::IAM::Policy").items()
    (policy,) = [resource["Properties"] for name, resource in policies if name.startswith(policy_name)]
    iam = calo.client("iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName=policy_name, AssumeRolePolicyDocument=trust)["Role"]
    document = json.dumps(_resolved(policy["PolicyDocument"], _values(calo, live_stack)))
    iam.put_role_policy(RoleName=policy_name, PolicyName="grants", PolicyDocument=document)
    return str(role["Arn"])


def _values(calo: Calo, live_stack: Template) -> dict[str, str]:
    """Return the values of references in the template: the account and the parameters of CaloJobs."""
    emulator = calo.system.emulator
    names = {name: parameter["Default"] for name, parameter in live_stack.to_json()["Parameters"].items()}
    # some parameters do not exist: the local run does not store access logs
    existing = calo.client("ssm").get_parameters(Names=list(names.values()))["Parameters"]
    published = {parameter["Name"]: parameter["Value"] for parameter in existing}
    parameters = {name: published[path] for name, path in names.items() if path in published}
    pseudo = {"Partition": "aws", "Region": emulator.region, "AccountId": emulator.account()}
    return parameters | {f"AWS::{name}": value for name, value in pseudo.items()}


def _resolved(value: Any, values: dict[str, str]) -> Any:
    """Return a part of the template with its intrinsic functions replaced by values."""
    match value:
        case {"Ref": name}:
            return values[name]
        case {"Fn::GetAtt": [name, "Arn"]}:  # a resource of CaloLive, which is not deployed
            return f"arn:aws:absent:::{name}"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolved(item, values) for item in parts)
        case dict():
            return {key: _resolved(item, values) for key, item in value.items()}
        case list():
            return [_resolved(item, values) for item in value]
        case _:
            return value
