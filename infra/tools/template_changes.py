"""Compare two templates of a stack, to show what a deployment would change.

CloudFormation's resource schemas, which cfn-lint contains, determine whether a change replaces a resource:
they list create-only properties, which cannot be changed after creation.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

Resource = dict[str, Any]

STATEFUL = {
    "AWS::DynamoDB::Table": "its items",
    "AWS::DynamoDB::GlobalTable": "its items",
    "AWS::S3::Bucket": "its objects",
    "AWS::SQS::Queue": "its messages",
    "AWS::SNS::Topic": "its subscriptions",
    "AWS::SecretsManager::Secret": "its value",
    "AWS::ApiGateway::RestApi": "the URL that callers use",
    "AWS::ApiGateway::ApiKey": "the key that callers use",
    "AWS::CloudFront::Distribution": "the URL of stored images",
}
"""Resource types, and what is lost with a resource. Logs are not included, because only people read them."""

FIRST_VALUES = {"AWS::SecretsManager::Secret": ("SecretString", "GenerateSecretString")}
"""Properties with the first value of a resource. If one of them changes, it overwrites the value of today."""


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """A change of one resource. `loss` describes what would be lost; it is empty if nothing is lost."""

    sign: str
    type: str
    name: str
    properties: tuple[str, ...] = ()
    loss: str = ""

    def __str__(self) -> str:
        properties = f": {', '.join(self.properties)}" if self.properties else ""
        loss = f"   <-- {self.loss}" if self.loss else ""
        return f"{self.sign} {self.type} {self.name}{properties}{loss}"


def compare(before: dict[str, Any], after: dict[str, Any]) -> list[ResourceChange]:
    """Return the changes from one template to the other, ordered by logical id.

    CDK's own metadata, which changes with every construct, is left out.
    """
    old, new = _resources(before), _resources(after)
    changes = (_change(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))
    return [change for change in changes if change is not None]


def _resources(template: dict[str, Any]) -> dict[str, Resource]:
    resources: dict[str, Resource] = template.get("Resources", {})
    return {name: value for name, value in resources.items() if value["Type"] != "AWS::CDK::Metadata"}


def _change(name: str, old: Resource | None, new: Resource | None) -> ResourceChange | None:
    if old is None:
        return ResourceChange(sign="+", type=new["Type"], name=name) if new else None
    type_ = old["Type"]
    if new is None or new["Type"] != type_:
        return ResourceChange(sign="-", type=type_, name=name, loss=_loss(type_, "removed"))
    properties = tuple(_changed_properties(old, new))
    if not properties:
        return None
    loss = _loss_by_change(old, new)
    return ResourceChange(sign="~", type=type_, name=name, properties=properties, loss=loss)


def _changed_properties(old: Resource, new: Resource) -> Iterator[str]:
    """Yield the names of the properties and policies that differ."""
    before, after = old.get("Properties", {}), new.get("Properties", {})
    yield from (name for name in sorted({*before, *after}) if before.get(name) != after.get(name))
    yield from (name for name in ("DeletionPolicy", "UpdateReplacePolicy") if old.get(name) != new.get(name))


def _loss_by_change(old: Resource, new: Resource) -> str:
    type_ = old["Type"]
    if type_ not in STATEFUL:
        return ""
    paths = [path for path in _create_only_paths(type_) if _value_at(old, path) != _value_at(new, path)]
    if paths:
        names = ", ".join(path.rsplit("/", 1)[1] for path in paths)
        return _loss(type_, f"replaced because {names} cannot be changed")
    before, after = old.get("Properties", {}), new.get("Properties", {})
    overwriting = [name for name in FIRST_VALUES.get(type_, ()) if before.get(name) != after.get(name)]
    if overwriting:
        return _loss(type_, f"overwritten because {', '.join(overwriting)} changes")
    if old.get("DeletionPolicy") == "Retain" != new.get("DeletionPolicy"):
        return _loss(type_, "no longer retained when its stack is deleted")
    return ""


def _loss(type_: str, event: str) -> str:
    return f"{event}, which loses {STATEFUL[type_]}" if type_ in STATEFUL else ""


def _create_only_paths(type_: str) -> list[str]:
    """Return JSON pointers of the create-only properties, including those that are so only conditionally."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    names = ("createOnlyProperties", "conditionalCreateOnlyProperties")
    return [path for name in names for path in schema.get(name, [])]


def _value_at(resource: Resource, path: str) -> str:
    """Return the value at a path like `/properties/A/B` as JSON. `*` selects all elements of a list."""
    values: list[Any] = [resource.get("Properties", {})]
    for key in path.split("/")[2:]:
        values = [child for value in values for child in _children(value, key)]
    return json.dumps(values, sort_keys=True)


def _children(value: Any, key: str) -> list[Any]:
    if key == "*" and isinstance(value, dict | list):
        return list(value)
    return [value.get(key)] if isinstance(value, dict) else []
