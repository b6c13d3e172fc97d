"""Write the API's contract: the OpenAPI document, and the body of `GET /kinds`.

The calls and the schemas that all kinds share are written by hand in contract.json. The schemas of each kind
are generated from its declaration. `python -m infra.tools.contract FOLDER` writes both files.
"""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.json import schema_components

from functions.common.kind import Kind
from infra.kinds import Declaration, read_kinds

CONTRACT = Path(__file__).with_name("contract.json")
FIRST_KIND = "photo"
"""The kind of a request that names none. Its requests and jobs also have the fields of the first contract."""
COMPONENTS = "#/components/schemas/"
DEFINITIONS = "#/$defs/"

Schema = dict[str, Any]


def openapi(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Return the OpenAPI document for these kinds."""
    document: dict[str, Any] = json.loads(CONTRACT.read_bytes())
    schemas: dict[str, Schema] = document["components"]["schemas"]
    job, request = schemas["Job"], schemas["JobRequest"]
    entry = {**request, "properties": request["properties"] | schemas["BulkEntry"]["properties"]}
    names = Names(schemas)
    jobs: dict[str, str] = {}
    requests: list[str] = []
    entries: list[str] = []
    for name, kind in sorted(kinds.items()):
        input_ref, output_ref = _add_components(kind, schemas, names)
        jobs[name] = names.take(f"{_pascal_case(name)}Job")
        schemas[jobs[name]] = _job_of(kind, job, input_ref, output_ref)
        requests.append(names.take(f"{_pascal_case(name)}JobRequest"))
        schemas[requests[-1]] = _request_for(kind, request, input_ref, schemas)
        entries.append(names.take(f"{_pascal_case(name)}BulkEntry"))
        schemas[entries[-1]] = _request_for(kind, entry, input_ref, schemas)
    schemas["OtherJob"]["properties"] = job["properties"] | {
        "kind": {**job["properties"]["kind"], "not": {"enum": list(jobs)}}
    }
    schemas["OtherJob"]["required"] = job["required"]
    schemas["Job"] = {
        "description": job["description"],
        "oneOf": [{"$ref": COMPONENTS + schema} for schema in (*jobs.values(), "OtherJob")],
        "discriminator": {
            "propertyName": "kind",
            "mapping": {name: COMPONENTS + schema for name, schema in jobs.items()},
        },
    }
    schemas["JobRequest"] = {"anyOf": [{"$ref": COMPONENTS + schema} for schema in requests]}
    schemas["BulkEntry"] = {"anyOf": [{"$ref": COMPONENTS + schema} for schema in entries]}
    document["paths"]["/jobs"]["post"]["requestBody"]["required"] = FIRST_KIND not in kinds
    return document


def describe(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """Return the body of `GET /kinds`."""
    return {
        "data": [
            {
                "name": name,
                "title": kind.title,
                "description": kind.description,
                "label": kind.label,
                "input": _complete_schema(kind.input, is_closed=True),
                "output": _complete_schema(kind.output),
            }
            for name, kind in sorted(kinds.items())
        ]
    }


@dataclass
class Names:
    """The names of the schemas, of which generated clients make the names of their classes."""

    taken: Mapping[str, Schema]
    _keys: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._keys = {name.lower() for name in self.taken}

    def take(self, name: str) -> str:
        """Return the name, with a number if a schema has it already."""
        candidate, number = name, 1
        while candidate.lower() in self._keys:
            number += 1
            candidate = f"{name}{number}"
        self._keys.add(candidate.lower())
        return candidate


def _add_components(kind: Kind, schemas: dict[str, Schema], names: Names) -> tuple[str, str]:
    """Add the schemas of the kind's types. Return the references to those of its input and its output.

    Every kind has an `Input`, so the names begin with that of the kind.
    """
    roots, components = _schemas_of([kind.input, kind.output], COMPONENTS)
    input_name, output_name = (root["$ref"].removeprefix(COMPONENTS) for root in roots)
    suffixes = {name: name for name in components} | {output_name: "Output"} | {input_name: "Input"}
    new_names = {
        COMPONENTS + name: COMPONENTS + names.take(_pascal_case(kind.name) + _pascal_case(suffix))
        for name, suffix in suffixes.items()
    }
    components[input_name]["additionalProperties"] = False  # the functions refuse unknown fields
    for name, schema in components.items():
        new_name = new_names[COMPONENTS + name].removeprefix(COMPONENTS)
        schemas[new_name] = _for_generators(schema, new_names)
    return new_names[COMPONENTS + input_name], new_names[COMPONENTS + output_name]


def _job_of(kind: Kind, job: Schema, input_ref: str, output_ref: str) -> Schema:
    output = {"oneOf": [{"$ref": output_ref}, {"type": "null"}], "description": "Null until it is resolved"}
    properties = {
        **job["properties"],
        "kind": {"type": "string", "const": kind.name},
        "input": {"$ref": input_ref},
        "output": output,
    }
    if kind.name == FIRST_KIND:
        properties |= {
            "query": {"type": "string", "description": "The same as `input.query`"},
            "result": {"type": ["string", "null"], "description": "The URL of the image, or null"},
            "photo": {**output, "description": "The same as `output`"},
        }
    return {
        "type": "object",
        "description": f"A job of the kind {kind.name}: {kind.title}",
        "required": list(properties),
        "properties": properties,
    }


def _request_for(kind: Kind, request: Schema, input_ref: str, schemas: dict[str, Schema]) -> Schema:
    """Return the schema of a request for a job of the kind. `input` is required if one of its fields is."""
    input_schema = schemas[input_ref.removeprefix(COMPONENTS)]
    properties = {
        "kind": {"type": "string", "const": kind.name},
        "input": {"$ref": input_ref},
        **request["properties"],
    }
    required = ["kind", *(["input"] if input_schema["required"] else [])]
    description = kind.description
    if kind.name == FIRST_KIND:
        required = []
        properties = input_schema["properties"] | properties
        description += "\n\nThe kind of a request without `kind`. Instead of `input`, its fields may be sent."
    return {**request, "description": description, "required": required, "properties": properties}


def _complete_schema(struct: type[Struct], *, is_closed: bool = False) -> Schema:
    """Return a schema that refers to nothing outside of it. The definitions it uses are in `$defs`."""
    (root,), definitions = _schemas_of([struct], DEFINITIONS)
    name = root["$ref"].removeprefix(DEFINITIONS)
    if is_closed:
        definitions[name]["additionalProperties"] = False
    schema = definitions[name]
    if json.dumps(root) not in json.dumps(definitions):  # unless it contains itself
        del definitions[name]
    return schema | ({"$defs": definitions} if definitions else {})


def _schemas_of(structs: list[type[Struct]], prefix: str) -> tuple[list[Schema], dict[str, Schema]]:
    """Return a reference to the schema of each struct, and the schemas by name, in JSON's types."""
    generated = schema_components(structs, ref_template=prefix + "{name}")
    roots, schemas = msgspec.json.decode(msgspec.json.encode(generated))
    for schema in schemas.values():
        schema.pop("title", None)  # the name of the class
    return roots, schemas


def _for_generators(value: Any, new_names: Mapping[str, str]) -> Any:
    """Return a schema with the new names of references, in the form that generators of clients can read.

    They read neither `items: false` (tuples also have maxItems) nor an enum with values of several types.
    """
    if isinstance(value, list):
        return [_for_generators(item, new_names) for item in value]
    if not isinstance(value, dict):
        return new_names.get(value, value) if isinstance(value, str) else value
    types = {type(item) for item in value.get("enum", ())}
    if len(types) > 1:
        enums = [[item for item in value["enum"] if type(item) is item_type] for item_type in types]
        value = {**value, "anyOf": [{"enum": enum} for enum in sorted(enums, key=str)]}
        del value["enum"]
    return {
        key: _for_generators(item, new_names)
        for key, item in value.items()
        if not (key == "items" and item is False)
    }


def _pascal_case(name: str) -> str:
    """Return the name without underscores and other separators, its parts with a capital."""
    return "".join(part[0].upper() + part[1:] for part in re.split("[^A-Za-z0-9]+", name) if part)


def write(folder: Path, declarations: Mapping[str, Declaration]) -> None:
    """Write openapi.json and kinds.json."""
    kinds = {name: declaration.kind for name, declaration in declarations.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("openapi", openapi(kinds)), ("kinds", describe(kinds))):
        (folder / f"{name}.json").write_text(json.dumps(content, indent=1))


if __name__ == "__main__":
    write(Path(sys.argv[1]), read_kinds())
