"""Damaged messages, records and items: each must affect only itself."""

import json
import random
import uuid
from typing import Any

BODIES = [
    "",
    "[]",
    "null",
    '{"job_id": 5, "owner": "public", "kind": "photo", "run": 1}',
    '{"job_id": "ID", "owner": "public", "kind": "photo", "run": 1.5}',
    '{"job_id": "ID", "owner": "public", "kind": "photo", "run": ' + "9" * 41 + "}",
    '{"job_id": "ID", "owner": "\\ud800", "kind": "photo", "run": 1}',
    '{"job_id": "ID", "owner": "public", "kind": "a b", "run": 1}',
    '{"job_id": "ID", "owner": "public", "run": 1, "output": 7}',
    "[" * 50_000,
]
DAMAGED_ID = "damaged"
"""The ids of damaged items begin with this. No job has such an id."""


def message(rng: random.Random) -> str:
    """Return the body of a message that no worker can process."""
    return rng.choice(BODIES).replace("ID", str(uuid.UUID(int=rng.getrandbits(128))))


def item(original: dict[str, Any], rng: random.Random) -> dict[str, Any]:
    """Return an item of the jobs table that is not a valid job, but is in the indexes of the list."""
    damages: list[dict[str, Any]] = [
        {"version": {"N": "1.5"}},
        {"version": {"S": "one"}},
        {"output": {"S": '{"width": 1e400}'}},
        {"progress": {"M": {"fraction": {"S": "half"}}}},
        {"updated_at": {"NS": ["1", "2"]}},
        {"input": {"L": []}},
        {"created_at": {"N": "9" * 38}},
    ]
    # its own owner, because an item that is damaged elsewhere is counted by its status
    identity = {"id": {"S": f"{DAMAGED_ID}-{rng.getrandbits(64)}"}, "owner": {"S": DAMAGED_ID}}
    return {**original, **identity, **rng.choice(damages)}


def record(original: dict[str, Any], rng: random.Random) -> str:
    """Return the body of a stream record, as the topic delivers it, that contains no valid job."""
    bodies = [
        "",
        "{}",
        '{"dynamodb": 5}',
        '{"dynamodb": {"NewImage": {"id": {"S": "\\ud83d"}}}}',
        json.dumps({"dynamodb": {"NewImage": item(original, rng)}}),
    ]
    return rng.choice(bodies)
