"""Find and read the declarations of the kinds, and check that they can be read everywhere.

A declaration is `KIND` in `kinds/<file>.py` or in `kinds/<package>/__init__.py`. create_job reads it where
the packages of the kind's work are not installed. So a declaration, and every module of its package that it
imports, may import only Python's own modules, msgspec and ALLOWED at the top.
"""

import ast
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from functions.common.kind import Kind
from infra.names import construct_name

ROOT = Path(__file__).resolve().parents[1]
KINDS = ROOT / "kinds"
ALLOWED = ("msgspec", "functions.common.kind")
LOCK = "requirements.txt"
MAX_KINDS_BYTES = 3600
"""What the list of kinds may take of the 4 KB that the environment of a Lambda function may have:
https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html"""
QUEUE_URL_BYTES = len("https://sqs.ap-southeast-1.amazonaws.com/123456789012/CaloJobs-QueuesJobs")
QUEUE_URL_BYTES += len("01234567-0123456789ABC")
"""The length of a queue's URL, without the kind's name."""


class KindError(ValueError):
    """A faulty declaration. The message begins with the file's name."""


@dataclass(frozen=True)
class Declaration:
    """A kind, the module that declares it, its file or package folder, and its lock of packages if any."""

    kind: Kind
    module: str
    source: Path
    requirements: Path | None

    @property
    def files(self) -> list[Path]:
        """The Python files and data of the kind."""
        if self.source.is_file():
            return [self.source]
        return [path for path in sorted(self.source.rglob("*")) if _is_source(path)]


def read_kinds(folders: Iterable[Path] = (KINDS,)) -> dict[str, Declaration]:
    """Return the declarations in these folders by name, sorted. Raises KindError."""
    declarations: dict[str, Declaration] = {}
    for source in [source for folder in folders for source in sorted(_sources(folder))]:
        declaration = _read(source)
        name = declaration.kind.name
        if name in declarations:
            other = _shown(declarations[name].source)
            raise KindError(f"{_shown(source)}: {other} has a kind of the name {name}, too")
        if declaration.module in (each.module for each in declarations.values()):
            raise KindError(f"{_shown(source)}: another file or package has the name {source.stem}, too")
        declarations[name] = declaration
    _check_budgets(declarations.values())
    _check_construct_names(declarations.values())
    _check_size(declarations.values())
    return dict(sorted(declarations.items()))


def _sources(folder: Path) -> Iterator[Path]:
    """Yield the files and packages of a folder. Names that begin with an underscore or a dot are skipped."""
    if not folder.is_dir():
        raise KindError(f"{_shown(folder)}: there is no such folder")
    for path in folder.iterdir():
        if path.name.startswith(("_", ".")):
            continue
        if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py"))):
            yield path


def _read(source: Path) -> Declaration:
    file = source if source.is_file() else source / "__init__.py"
    if not file.is_file():
        raise KindError(f"{_shown(file)}: the package has no such file, which declares its KIND")
    name = source.stem
    if not name.isidentifier():
        raise KindError(f"{_shown(source)}: the name of a module must be a Python identifier")
    _check_imports(file, source, set())
    module = _load(f"kinds.{name}", file, source)
    kind = getattr(module, "KIND", None)
    if not isinstance(kind, Kind):
        raise KindError(f"{_shown(file)}: declares no KIND")
    requirements = source / LOCK
    return Declaration(kind, module.__name__, source, requirements if requirements.is_file() else None)


def _load(name: str, file: Path, source: Path) -> ModuleType:
    """Import the module from its file. An imported module of another file with that name is replaced."""
    loaded = sys.modules.get(name)
    if loaded is not None and loaded.__file__ == str(file):
        return loaded
    locations = [str(source)] if source.is_dir() else None
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=locations)
    if spec is None or spec.loader is None:
        raise KindError(f"{_shown(file)}: is not a Python file")
    module = importlib.util.module_from_spec(spec)
    _forget(name)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        _forget(name)
        reason = str(error) if isinstance(error, ValueError) else repr(error)
        raise KindError(f"{_shown(file)}: {reason}") from error
    return module


def _forget(name: str) -> None:
    """Remove a module and those of its package, so that they are imported again."""
    for other in list(sys.modules):
        if f"{other}.".startswith(f"{name}."):
            del sys.modules[other]


def _check_imports(file: Path, source: Path, checked: set[Path]) -> None:
    """Raise KindError if the file, or a module of its package that it imports, imports something else."""
    if file in checked:
        return
    checked.add(file)
    try:
        tree = ast.parse(file.read_bytes(), str(file))
    except (SyntaxError, ValueError) as error:
        raise KindError(f"{_shown(file)}: {error}") from error
    for line, module in _imports(tree, file, source):
        root, *path = module.split(".")
        if root == "kinds":
            for imported in _files_of(path, source.parent):
                _check_imports(imported, source, checked)
        elif root not in sys.stdlib_module_names and module not in ALLOWED and root not in ALLOWED:
            raise KindError(
                f"{_shown(file)}:{line}: import {module} inside the work, because the declaration is read "
                f"where it is missing. At the top, import only {', '.join(ALLOWED)} and Python's own modules"
            )


def _files_of(path: list[str], folder: Path) -> Iterator[Path]:
    """Yield the files that an import of `kinds.<path>` runs."""
    for number in range(len(path)):
        module = folder.joinpath(*path[: number + 1])
        yield from (file for file in (module.with_suffix(".py"), module / "__init__.py") if file.is_file())


def _imports(parent: ast.AST, file: Path, source: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the module of every import that runs when the file is imported."""
    for node in ast.iter_child_nodes(parent):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = ["kinds", *file.parent.relative_to(source.parent).parts]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *([node.module] if node.module else [])])
            yield node.lineno, base
            if base.split(".")[0] == "kinds":  # each name may be a module
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).split(".")[-1] == "TYPE_CHECKING":
            yield from _imports(ast.Module(node.orelse, []), file, source)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from _imports(node, file, source)


def _check_budgets(declarations: Iterable[Declaration]) -> None:
    """Raise KindError if two kinds declare one budget differently."""
    first: dict[str, Declaration] = {}
    for declaration in declarations:
        for budget in declaration.kind.budgets:
            other = first.setdefault(budget.name, declaration)
            if budget not in other.kind.budgets:
                message = f"declares the budget {budget.name} otherwise than {_shown(other.source)}"
                raise KindError(f"{_shown(declaration.source)}: {message}")


def _check_construct_names(declarations: Iterable[Declaration]) -> None:
    """Raise KindError if two kinds, budgets or secrets would have the same name in the templates."""
    first: dict[tuple[str, str], str] = {}
    for declaration in declarations:
        kind = declaration.kind
        names = [("kind", kind.name), *(("secret", name) for name in kind.secrets)]
        names += [("budget", budget.name) for budget in kind.budgets]
        for category, name in names:
            other = first.setdefault((category, construct_name(name)), name)
            if other != name:
                message = f"the {category} {name} is too similar to {other}; choose another name"
                raise KindError(f"{_shown(declaration.source)}: {message}")


def _check_size(declarations: Iterable[Declaration]) -> None:
    """Raise KindError for the first kind that the functions' environment has no space for."""
    size = len("{}")
    for declaration in declarations:
        name, module = declaration.kind.name, declaration.module
        size += len(f'"{name}":{{"module":"{module}","queue":"{construct_name(name)}"}},') + QUEUE_URL_BYTES
        if size > MAX_KINDS_BYTES:
            message = "there are too many kinds for the environment of a Lambda function, which is 4 KB"
            raise KindError(f"{_shown(declaration.source)}: {message}; remove some, or shorten their names")


def _is_source(path: Path) -> bool:
    return path.is_file() and path.suffix != ".pyc" and path.name not in (LOCK, "requirements.in")


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
