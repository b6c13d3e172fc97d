"""Declarations are found in files and packages. A faulty one is reported with its file and the reason."""

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from infra.kinds import KINDS, ROOT, KindError, read_kinds
from tests.declarations import declare


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(content))
    return folder


def refusal(folder: Path, files: dict[str, str]) -> str:
    """Return the message about faulty declarations, without the folder's name."""
    with pytest.raises(KindError) as error:
        read_kinds([write(folder, files)])
    return str(error.value).replace(f"{folder}/", "")


def test_kinds_are_files_and_packages(tmp_path: Path) -> None:
    package = {
        "resize/__init__.py": f"from kinds.resize.sizes import SMALL\n{declare('resize', 'memory=SMALL')}",
        "resize/sizes.py": "SMALL = 256",
        "resize/data/words.txt": "a word",
        "resize/requirements.txt": "pillow==1",
        "resize/requirements.in": "pillow",
    }
    other = {"words.py": declare(), "_draft.py": "1/0", ".hidden.py": "1/0", "notes/README.md": ""}
    kinds = read_kinds([write(tmp_path, package | other)])
    assert list(kinds) == ["count", "resize"]
    count, resize = kinds.values()
    assert (count.module, count.files, count.requirements) == ("kinds.words", [tmp_path / "words.py"], None)
    assert (resize.kind.memory, resize.module) == (256, "kinds.resize")
    assert resize.requirements == tmp_path / "resize" / "requirements.txt"
    files = [str(path.relative_to(tmp_path / "resize")) for path in resize.files]
    assert files == ["__init__.py", "data/words.txt", "sizes.py"]


def test_the_same_names_in_another_folder_are_read_again(tmp_path: Path) -> None:
    for number in (200, 300):
        files = {
            "resize/__init__.py": f"from .sizes import SMALL\n{declare('resize', 'memory=SMALL')}",
            "resize/sizes.py": f"SMALL = {number}",
        }
        kinds = read_kinds([write(tmp_path / str(number), files)])
        assert kinds["resize"].kind.memory == number


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.py": declare(), "b.py": declare()}, "b.py: {}a.py has a kind of the name count, too"),
        (
            {"a.py": declare("first"), "a/__init__.py": declare("second")},
            "a.py: another file or package has the name a, too",
        ),
        ({"a.py": declare("Count")}, "a.py: name must match [a-z][a-z0-9_]{0,31}"),
        ({"a.py": declare(options="timeout=881")}, "a.py: timeout must be from 1 to 880"),
        ({"a.py": declare(options="concurrency=1")}, "a.py: concurrency must be from 2 to 1000"),
        ({"a.py": declare(options="speed=9")}, "a.py: TypeError(\"Kind.__init__() got an unexpected keyword"),
        ({"a.py": "KIND = 5"}, "a.py: declares no KIND"),
        ({"a.py": ""}, "a.py: declares no KIND"),
        ({"a/__init__.py": ""}, "a/__init__.py: declares no KIND"),
        ({"a/work.py": declare()}, "a/__init__.py: the package has no such file"),
        ({"a-b.py": declare()}, "a-b.py: the name of a module must be a Python identifier"),
        ({"a.py": "def"}, "a.py: invalid syntax"),
        ({"a.py": "\0"}, "a.py: source code string cannot contain null bytes"),
        ({"a.py": "1/0"}, "a.py: ZeroDivisionError('division by zero')"),
        ({"a.py": "raise SystemExit"}, "a.py: SystemExit()"),
        ({"a.py": "from kinds.a.missing import x"}, "a.py: ModuleNotFoundError("),
        ({"a/__init__.py": "from .missing import x"}, "a/__init__.py: ModuleNotFoundError("),
        ({"a/__init__.py": "from . import work", "a/work.py": "def"}, "a/work.py: invalid syntax"),
    ],
)  # fmt: skip
def test_a_faulty_declaration_is_reported(tmp_path: Path, files: dict[str, str], message: str) -> None:
    assert refusal(tmp_path, files).startswith(message.format("", **{"0,31": "{0,31}"}))


def test_a_folder_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    with pytest.raises(KindError, match="there is no such folder"):
        read_kinds([tmp_path / "missing"])


def test_kinds_of_all_folders_have_different_names(tmp_path: Path) -> None:
    other = write(tmp_path, {"mine.py": declare("countdown")})
    with pytest.raises(KindError, match=r"mine\.py: kinds/countdown\.py has a kind of the name countdown"):
        read_kinds([KINDS, other])


BUDGET = "budgets=(Budget('calls', 5, {}),)"


def test_kinds_share_a_budget_with_the_same_values(tmp_path: Path) -> None:
    files = {"a.py": declare("a", BUDGET.format(60)), "b.py": declare("b", BUDGET.format(60))}
    assert len(read_kinds([write(tmp_path, files)])) == 2
    files["b.py"] = declare("b", BUDGET.format(61))
    assert refusal(tmp_path / "other", files) == "b.py: declares the budget calls otherwise than a.py"


HEAVY = [
    "import numpy",
    "import json, numpy.linalg",
    "import numpy as np",
    "from numpy import array",
    "from numpy.linalg import norm",
    "import boto3",
    "from functions.common.http.download import Download",
    "import functions.job_worker.context",
    "if True:\n    import numpy",
    "if False:\n    pass\nelse:\n    import numpy",
    "if not TYPE_CHECKING:\n    import numpy",
    "if TYPE_CHECKING:\n    pass\nelse:\n    import numpy",
    "try:\n    import numpy\nexcept ImportError:\n    numpy = None",
    "try:\n    pass\nexcept ImportError:\n    import numpy",
    "try:\n    pass\nfinally:\n    import numpy",
    "try:\n    pass\nexcept* ValueError:\n    import numpy",
    "with open('x') as file:\n    import numpy",
    "for number in ():\n    import numpy",
    "while False:\n    import numpy",
    "match 5:\n    case 5:\n        import numpy",
    "class Lazy:\n    import numpy",
]


@pytest.mark.parametrize("code", HEAVY)
def test_an_import_that_only_the_work_needs_is_refused(tmp_path: Path, code: str) -> None:
    line = (
        code.count("\n", 0, min(code.find(name) for name in ("numpy", "boto3", "functions") if name in code))
        + 1
    )
    message = refusal(tmp_path, {"a.py": f"{code}\n{declare()}"})
    assert message.startswith(f"a.py:{line}: import ")
    assert "inside the work" in message


PACKAGES = [
    {"a/__init__.py": "from kinds.a.pixels import SIZE", "a/pixels.py": "import numpy"},
    {"a/__init__.py": "import kinds.a.pixels", "a/pixels.py": "import numpy"},
    {"a/__init__.py": "from kinds.a import pixels", "a/pixels.py": "import numpy"},
    {"a/__init__.py": "from .pixels import SIZE", "a/pixels.py": "import numpy"},
    {"a/__init__.py": "from . import pixels", "a/pixels.py": "import numpy"},
    {"a/__init__.py": "from . import x", "a/x.py": "from .pixels import SIZE", "a/pixels.py": "import numpy"},
    {"a/__init__.py": "import kinds.a.b.c", "a/b/__init__.py": "import numpy", "a/b/c.py": ""},
    {
        "a/__init__.py": "from .b import c",
        "a/b/__init__.py": "",
        "a/b/c.py": "from .. import pixels",
        "a/pixels.py": "import numpy",
    },
    {"a/__init__.py": "from .. import b", "b.py": "import numpy"},
    {"a.py": "from . import b", "b.py": "import numpy"},
    {"a.py": "from kinds.b import x", "b.py": "import numpy"},
]


@pytest.mark.parametrize("files", PACKAGES)
def test_an_import_of_an_imported_module_is_refused(tmp_path: Path, files: dict[str, str]) -> None:
    files |= {
        name: code + "\n" + declare() for name, code in files.items() if name.startswith(("a.", "a/__"))
    }
    assert ":1: import numpy inside the work" in refusal(tmp_path, files)


LIGHT = [
    "import json\nimport urllib.parse\nfrom collections.abc import Iterator",
    "import msgspec\nfrom msgspec.json import encode",
    "import functions.common.kind",
    "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy",
    "import typing\nif typing.TYPE_CHECKING:\n    import numpy",
    "import typing as t\nif t.TYPE_CHECKING:\n    from functions.job_worker import context",
    "def other():\n    import numpy",
    "async def other():\n    from numpy import array",
    "class Lazy:\n    def load(self):\n        import numpy",
    "if True:\n    def other():\n        import numpy",
]


@pytest.mark.parametrize("code", LIGHT)
def test_other_imports_are_accepted(tmp_path: Path, code: str) -> None:
    assert list(read_kinds([write(tmp_path, {"a.py": f"{code}\n{declare()}"})])) == ["count"]


def test_modules_that_the_declaration_does_not_import_may_import_anything(tmp_path: Path) -> None:
    files = {"a/__init__.py": declare(), "a/pixels.py": "import numpy"}
    assert list(read_kinds([write(tmp_path, files)])) == ["count"]


def modules_of(code: str) -> set[str]:
    """Return the modules with a file that a new interpreter has imported after this code."""
    show = "import sys; print(*(n for n, m in sys.modules.items() if getattr(m, '__file__', None)))"
    command = [sys.executable, "-c", f"{code}; {show}"]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    return set(done.stdout.split())


@pytest.mark.parametrize("name", read_kinds())
def test_reading_a_declaration_imports_nothing_else(name: str) -> None:
    module = read_kinds()[name].module
    loaded = modules_of(f"import {module}") - modules_of("import functions.common.kind")
    assert module in loaded
    assert {each for each in loaded if each.split(".")[0] not in sys.stdlib_module_names} == {
        each for each in loaded if f"{each}.".startswith(f"{module}.")
    }


def test_what_declarations_are_made_of_imports_little() -> None:
    """create_job and read_jobs import it at every start."""
    loaded = modules_of("import functions.common.kind") - modules_of("import msgspec")
    ours = {each for each in loaded if each.split(".")[0] not in sys.stdlib_module_names}
    assert ours - {"functions"} == {
        f"functions.common{name}" for name in ("", ".declaration", ".errors", ".kind", ".names")
    }
