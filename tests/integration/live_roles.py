"""CaloLive's roles in the emulator, which has no such stack: made with the very grants of its template."""

import json
from typing import Any

from aws_cdk.assertions import Template

from tests.integration.conftest import Calo


def make_role(calo: Calo, live_stack: Template, policy_name: str) -> str:
    """The ARN of a role with the grants of the policy whose logical id begins with `policy_name`."""
    policies = live_stack.find_resources("AWS::IAM::Policy").items()
    (policy,) = [one["Properties"] for name, one in policies if name.startswith(policy_name)]
    iam = calo.client("iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role = iam.create_role(RoleName=policy_name, AssumeRolePolicyDocument=trust)["Role"]
    document = json.dumps(_resolved(policy["PolicyDocument"], _values(calo, live_stack)))
    iam.put_role_policy(RoleName=policy_name, PolicyName="grants", PolicyDocument=document)
    return str(role["Arn"])


def _values(calo: Calo, live_stack: Template) -> dict[str, str]:
    """What the template's references are in the emulator: its account, and what CaloJobs publishes."""
    emulator = calo.system.emulator
    names = {name: one["Default"] for name, one in live_stack.to_json()["Parameters"].items()}
    # not all are there: the local run keeps no access logs
    found = calo.client("ssm").get_parameters(Names=list(names.values()))["Parameters"]
    published = {one["Name"]: one["Value"] for one in found}
    parameters = {name: published[path] for name, path in names.items() if path in published}
    pseudo = {"Partition": "aws", "Region": emulator.region, "AccountId": emulator.account()}
    return parameters | {f"AWS::{name}": value for name, value in pseudo.items()}


def _resolved(value: Any, values: dict[str, str]) -> Any:
    match value:
        case {"Ref": name}:
            return values[name]
        case {"Fn::GetAtt": [name, "Arn"]}:  # of CaloLive itself, so it is not there
            return f"arn:aws:absent:::{name}"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolved(part, values) for part in parts)
        case dict():
            return {key: _resolved(one, values) for key, one in value.items()}
        case list():
            return [_resolved(one, values) for one in value]
        case _:
            return value
