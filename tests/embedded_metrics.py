"""The rules of CloudWatch's embedded metric format as a JSON schema.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from typing import Any

import jsonschema

NAME = {"type": "string", "minLength": 1, "maxLength": 1024}
DIMENSIONS = {"type": "array", "maxItems": 30, "items": {"type": "string", "minLength": 1, "maxLength": 250}}
METRIC = {
    "type": "object",
    "required": ["Name"],
    "properties": {"Name": NAME, "Unit": {"type": "string"}, "StorageResolution": {"enum": [1, 60]}},
    "additionalProperties": False,
}
DIRECTIVE = {
    "type": "object",
    "required": ["Namespace", "Dimensions", "Metrics"],
    "properties": {
        "Namespace": NAME,
        "Dimensions": {"type": "array", "minItems": 1, "items": DIMENSIONS},
        "Metrics": {"type": "array", "maxItems": 100, "items": METRIC},
    },
    "additionalProperties": False,
}
LINE = {
    "type": "object",
    "required": ["_aws"],
    "properties": {
        "_aws": {
            "type": "object",
            "required": ["Timestamp", "CloudWatchMetrics"],
            "properties": {
                "Timestamp": {"type": "integer", "minimum": 0},
                "CloudWatchMetrics": {"type": "array", "minItems": 1, "items": DIRECTIVE},
            },
        }
    },
}
NUMBERS = {"type": "array", "minItems": 1, "maxItems": 100, "items": {"type": "number"}}
VALUE = {"anyOf": [{"type": "number"}, NUMBERS]}
DIMENSION = {"type": "string", "minLength": 1, "maxLength": 1024}


def check_embedded_metrics(line: dict[str, Any]) -> None:
    """Raise jsonschema.ValidationError if CloudWatch would ignore the line or a metric in it."""
    jsonschema.validate(line, LINE)
    for directive in line["_aws"]["CloudWatchMetrics"]:
        targets = {metric["Name"]: VALUE for metric in directive["Metrics"]}
        targets |= {name: DIMENSION for names in directive["Dimensions"] for name in names}
        jsonschema.validate(line, {"required": list(targets), "properties": targets})
