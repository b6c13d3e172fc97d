"""MiniStack with stand-ins for the resource types that it lacks. It runs with the emulator's own Python.

A stand-in only records its properties, so that a template with it can be deployed, changed and deleted.
`RECORD` names a file with one line of JSON per resource: properties that a deployment resolved and that
MiniStack's API does not return.
"""

import json
import os
from collections.abc import Mapping
from typing import Any

from ministack.app import main
from ministack.services.cloudformation import provisioners

MISSING = (
    "AWS::ApiGatewayV2::VpcLink",
    "AWS::ApplicationAutoScaling::ScalableTarget",
    "AWS::ApplicationAutoScaling::ScalingPolicy",
    "AWS::EC2::EIP",
    "AWS::EC2::FlowLog",
    "AWS::EC2::NatGateway",
    "AWS::EC2::SecurityGroupEgress",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::WAFv2::WebACLAssociation",
    # CDK's own functions, which run on Node or need a layer
    "Custom::CDKBucketDeployment",
    "Custom::S3AutoDeleteObjects",
    "Custom::VpcRestrictDefaultSG",
)
Properties = Mapping[str, Any]


def record(kind: str, stack: str, logical_id: str, properties: Properties) -> None:
    line = {"type": kind, "stack": stack, "id": logical_id, "properties": properties}
    with open(os.environ["RECORD"], "a") as file:
        file.write(json.dumps(line, default=str) + "\n")


def stand_in(kind: str) -> dict[str, Any]:
    def create(logical_id: str, properties: Properties, stack: str) -> tuple[str, dict[str, str]]:
        record(kind, stack, logical_id, properties)
        name = f"{stack}-{logical_id}"
        return name, {"AllocationId": name, "Id": name, "Arn": name}

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str = "") -> Any:
        """Change a custom resource. MiniStack replaces resources of other types that it cannot update."""
        record(kind, stack, logical_id, new)
        return physical_id, {"AllocationId": physical_id, "Id": physical_id, "Arn": physical_id}

    is_custom = kind.startswith("Custom::")
    return {"create": create, "delete": lambda *_: None, **({"update": update} if is_custom else {})}


def recorded(kind: str) -> dict[str, Any]:
    """Return MiniStack's own handlers, extended to record the properties."""
    handlers = dict(provisioners._RESOURCE_HANDLERS[kind])
    own = handlers["create"]

    def create(logical_id: str, properties: Properties, stack: str) -> Any:
        record(kind, stack, logical_id, properties)
        return own(logical_id, properties, stack)

    return {**handlers, "create": create}


def alarms() -> dict[str, Any]:
    """Return MiniStack's own handlers, with a stand-in for alarms that use metric math."""
    own, other = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"], stand_in("AWS::CloudWatch::Alarm")

    def create(logical_id: str, properties: Properties, stack: str) -> Any:
        return (other if "Metrics" in properties else own)["create"](logical_id, properties, stack)

    def update(physical_id: str, old: Properties, new: Properties, stack: str, logical_id: str) -> Any:
        if "Metrics" not in new:
            return own["update"](physical_id, old, new, stack, logical_id)
        record("AWS::CloudWatch::Alarm", stack, logical_id, new)
        return physical_id, {"Arn": physical_id}

    return {**own, "create": create, "update": update}


if __name__ == "__main__":
    provisioners._RESOURCE_HANDLERS.update({kind: stand_in(kind) for kind in MISSING})
    provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"] = alarms()
    provisioners._RESOURCE_HANDLERS["AWS::ApiGateway::Method"] = recorded("AWS::ApiGateway::Method")
    main()
