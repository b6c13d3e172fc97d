"""Damaged copies of a stream record: one for each field."""

import copy
import json
from random import Random
from typing import Any

from tests.simulation.stream import Record

VALUES: tuple[Any, ...] = (None, {}, [], {"N": "x"}, {"N": "1e999"}, {"S": "\ud800"}, {"BOOL": True}, 7)


def damaged_copies(record: Record, random: Random) -> list[str]:
    """Return bodies in which one field of the new image has another value, and some without a record."""
    bodies = ["", "[]", "null", '{"dynamodb": 5}', "[" * 1000]
    image = record["dynamodb"].get("NewImage", {})
    for name in image:
        damaged = copy.deepcopy(record)
        damaged["dynamodb"]["NewImage"][name] = random.choice(VALUES)
        bodies.append(json.dumps(damaged))
    return bodies
