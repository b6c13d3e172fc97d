"""The examples in docs/kinds.md work: declarations are read, tests pass, and every kind runs."""

import re
from base64 import b64encode
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from msgspec import Struct
from PIL import Image

from functions.common.kind import Context, Kind
from functions.common.testing import Harness, run
from infra.kinds import Declaration, read_kinds

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "kinds.md").read_text()
FILES = dict(re.findall(r"^```\w+ (\S+)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL))
TESTS = [name for name in FILES if name.startswith("tests/")]


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Declaration]:
    """Write the document's files and read their declarations."""
    folder = tmp_path_factory.mktemp("document")
    for name, content in FILES.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return read_kinds([folder / "kinds"])


def test_every_example_is_a_file() -> None:
    """A block without a name would not be tested."""
    assert re.findall(r"^```python\n", DOCUMENT, re.MULTILINE) == []
    assert len(TESTS) == 2


def test_the_declarations_can_be_read(kinds: Mapping[str, Declaration]) -> None:
    assert list(kinds) == ["lengths", "thumbnail", "weather", "wordcount"]
    assert kinds["wordcount"].kind.description == "Count the words of a text."
    assert kinds["thumbnail"].requirements


@pytest.mark.parametrize("name", TESTS)
def test_the_tests_pass(kinds: Mapping[str, Declaration], name: str) -> None:
    module = ModuleType(name)
    exec(compile(FILES[name], name, "exec"), module.__dict__)
    tests = [value for key, value in vars(module).items() if key.startswith("test_")]
    assert tests
    for test in tests:
        test()


def fields(output: Struct) -> dict[str, Any]:
    return {name: getattr(output, name) for name in output.__struct_fields__}


def test_a_thumbnail_is_made_and_stored(kinds: Mapping[str, Declaration]) -> None:
    picture = BytesIO()
    Image.new("RGB", (300, 200), "red").save(picture, "PNG")
    kind = kinds["thumbnail"].kind
    result = run(kind, {"picture": b64encode(picture.getvalue()).decode(), "width": 30})
    [(name, (content, content_type))] = result.files.items()
    assert fields(result.output) == {"url": f"https://files.test/images/thumbnail/{name}"}
    assert content_type == "image/webp"
    assert Image.open(BytesIO(content)).size == (30, 20)
    assert run(kind, {"picture": b64encode(b"text").decode()}).outcome.code == "bad_picture"


def test_a_batch_is_measured(kinds: Mapping[str, Declaration]) -> None:
    with Harness(kinds["lengths"].kind).open() as harness:
        first, second = harness.run_batch([{"text": "four"}, {}])
    assert fields(first.output) == {"length": 4}
    assert second.outcome.code == "no_text"
    assert first.spent == {"measures": 1}


@pytest.mark.parametrize(
    ("heading", "names"),
    [
        ("What a declaration says", [name for name in Kind.__dataclass_fields__ if name != "_"]),
        ("What the work can use", [name for name in vars(Context) if not name.startswith("_")]),
    ],
)
def test_every_field_of_a_declaration_and_of_the_context_is_described(heading: str, names: list[str]) -> None:
    section = DOCUMENT.split(f"## {heading}\n")[1].split("\n## ")[0]
    assert len(names) > 10
    assert [name for name in names if not re.search(rf"^\|.*`{name}\b", section, re.MULTILINE)] == []
