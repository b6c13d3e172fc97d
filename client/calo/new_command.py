"""`calo new`: write a kind of job and its test into a checkout of Calo."""

import argparse
from importlib.resources import files
from pathlib import Path

from calo.errors import CommandError
from calo.terminal import errors

KINDS, TESTS = Path("kinds"), Path("tests/kinds")
NAME = r"[a-z][a-z0-9_]{0,31}"


def new(options: argparse.Namespace) -> int:
    """Write the two files. Raises CommandError if one exists, or the folder is not a checkout."""
    root = next((folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / KINDS).is_dir()), None)
    if root is None or not (root / "functions").is_dir():
        raise CommandError("run this in a checkout of Calo, where the folder kinds/ is")
    name = options.kind
    paths = {
        root / KINDS / f"{name}.py": "kind.py.txt",
        root / TESTS / f"test_{name}.py": "test_kind.py.txt",
    }
    for path in (*paths, root / KINDS / name):
        if path.exists():
            raise CommandError(f"{path.relative_to(root)} exists already")
    for path, template in paths.items():
        path.write_text(render(template, name))
        errors().print(f"wrote {path.relative_to(root)}", markup=False)
    errors().print(
        f"test it:  .venv/bin/python -m pytest -n 0 {TESTS}/test_{name}.py\nrun it:   make run", markup=False
    )
    return 0


def render(template: str, name: str) -> str:
    """Return a template for a kind of this name."""
    text = (files("calo") / "templates" / template).read_text()
    title = name.replace("_", " ").capitalize()
    return text.replace("wordcount", name).replace('"Count words"', f'"{title}"')
