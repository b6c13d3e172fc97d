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
    document = json.dumps(_resolved(policy["PolicyDocument"], _pseudo(calo), _exports(calo)))
    iam.put_role_policy(RoleName=policy_name, PolicyName="grants", PolicyDocument=document)
    return str(role["Arn"])


def _pseudo(calo: Calo) -> dict[str, str]:
    emulator = calo.system.emulator
    return {"AWS::Partition": "aws", "AWS::Region": emulator.region, "AWS::AccountId": emulator.account()}


def _exports(calo: Calo) -> dict[str, str]:
    """What CaloJobs gives to CaloLive, by a part of the export's name."""
    outputs = calo.system.outputs
    table = calo.client("dynamodb").describe_table(TableName=outputs["JobsTable"])["Table"]
    return {"GetAttTablesJobs": table["TableArn"], "RefPublishingTopic": outputs["TopicArn"]}


def _resolved(value: Any, pseudo: dict[str, str], exports: dict[str, str]) -> Any:
    match value:
        case {"Ref": name}:
            return pseudo[name]
        case {"Fn::GetAtt": [name, "Arn"]}:  # of CaloLive itself, so it is not there
            return f"arn:aws:absent:::{name}"
        case {"Fn::ImportValue": name}:
            (found,) = [export for part, export in exports.items() if part in name]
            return found
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolved(part, pseudo, exports) for part in parts)
        case dict():
            return {key: _resolved(one, pseudo, exports) for key, one in value.items()}
        case list():
            return [_resolved(one, pseudo, exports) for one in value]
        case _:
            return value
