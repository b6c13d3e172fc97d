"""What people type: input fields, delays, and new kinds."""

import re
from pathlib import Path
from typing import Any

import pytest

from calo.__main__ import main
from calo.errors import CommandError
from calo.fields import parse_delay, parse_fields
from calo.new_command import render

ROOT = Path(__file__).resolve().parents[2]
SCHEMA: dict[str, Any] = {
    "properties": {
        "query": {"type": "string"},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "size": {"enum": ["small", "large"]},
        "seconds": {"type": "integer"},
        "deep": {"type": "boolean"},
        "tags": {"type": "array", "items": {"type": "string"}},
    }
}


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        ("query=pasta", {"query": "pasta"}),
        ("query=5", {"query": "5"}),
        ("query=a=b", {"query": "a=b"}),
        ("query=", {"query": ""}),
        ("note=null", {"note": "null"}),
        ("note:=null", {"note": None}),
        ("size=5", {"size": "5"}),
        ("seconds=5", {"seconds": 5}),
        ("seconds=five", {"seconds": "five"}),
        ("deep=true", {"deep": True}),
        ('tags=["a","b"]', {"tags": ["a", "b"]}),
        ("unknown=5", {"unknown": 5}),
        ("seconds:=5", {"seconds": 5}),
    ],
)
def test_fields_have_the_types_of_the_kind(pair: str, expected: dict[str, Any]) -> None:
    assert parse_fields([pair], SCHEMA) == expected


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        (["pasta"], "must be field=value, not 'pasta'"),
        (["=x"], "must be field=value"),
        ([":=x"], "must be field=value"),
        (["query=a", "query=b"], "query is given twice"),
        (["tags:=[a"], "tags: must be JSON"),
    ],
)
def test_malformed_fields_are_refused(pairs: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        parse_fields(pairs, SCHEMA)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("30d", 2_592_000)]
)
def test_delays_have_units(text: str, seconds: int) -> None:
    assert parse_delay(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "10 m", "1w", "31d", "m", "٣"])
def test_other_delays_are_refused(text: str) -> None:
    with pytest.raises(CommandError, match="--delay must be like 90, 10m, 2h or 3d, up to 30 days"):
        parse_delay(text)


def test_new_kinds_are_those_of_the_documentation() -> None:
    """docs/kinds.md explains these files, and tests/kinds runs them."""
    text = (ROOT / "docs/kinds.md").read_text()
    for path, template in {
        "kinds/wordcount.py": "kind.py.txt",
        "tests/kinds/test_wordcount.py": "test_kind.py.txt",
    }.items():
        (block,) = re.findall(rf"```python {re.escape(path)}\n(.*?)```", text, re.DOTALL)
        assert render(template, "wordcount").replace('"Wordcount"', '"Count words"') == block


def test_a_new_kind_is_written_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("kinds", "functions", "tests/kinds", "docs"):
        (tmp_path / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "docs")
    assert main(["new", "line_length"]) == 0
    kind = (tmp_path / "kinds/line_length.py").read_text()
    assert 'KIND = Kind(name="line_length", title="Line length",' in kind
    test = (tmp_path / "tests/kinds/test_line_length.py").read_text()
    assert "from kinds.line_length import KIND, Output" in test
    (tmp_path / "kinds/line_length.py").write_text("mine")
    assert main(["new", "line_length"]) == 2
    assert (tmp_path / "kinds/line_length.py").read_text() == "mine"


def test_a_new_kind_needs_a_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "words"]) == 2
    assert "run this in a checkout of Calo" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["Words", "1words", "wo-rds", "", "x" * 33])
def test_a_name_that_is_no_kinds_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["new", name])
    assert "must begin with a lower-case letter" in capsys.readouterr().err
