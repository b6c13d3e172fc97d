"""Write the sources of the documentation's website into a folder: `python docs/site/stage.py FOLDER`.

They are the documents in docs/, and those that are elsewhere in the repository. In the repository, documents
link to files of the code. On the website these links lead to the repository, if CALO_REPOSITORY says where
its files can be read (such as https://github.com/you/calo/blob/main), and are plain text otherwise.
"""

import os
import re
import shutil
import sys
from pathlib import Path
from posixpath import dirname, join, normpath, relpath

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ELSEWHERE = {
    "README.md": "index.md",
    "client/README.md": "client.md",
    "frontend/packages/calo-client/README.md": "typescript.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changes.md",
}
"""Documents that are not in docs/, and their pages."""
REFERENCE = """# API reference

The calls, from the [OpenAPI document](openapi.json), which every deployment serves as `/api/openapi.json`.

[OAD(./openapi.json)]
"""
FENCE = re.compile(r"^```(\w+) (\S+)$", re.MULTILINE)
"""The beginning of a block of code that names its file."""
LINK = re.compile(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)")
PICTURE = re.compile(r'(?<=src=")([^":]+)(?=")|(?<=srcset=")([^":]+)(?=")')


def main(target: Path) -> None:
    """Write everything that mkdocs reads."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(DOCS, target, ignore=shutil.ignore_patterns("site"))
    shutil.copy(ROOT / ".build" / "contract" / "openapi.json", target)
    for document in (*sorted(DOCS.rglob("*.md")), *(ROOT / name for name in ELSEWHERE)):
        source = document.relative_to(ROOT).as_posix()
        (target / page_of(source)).write_text(translate(document.read_text(), source))
    (target / "api-reference.md").write_text(REFERENCE)
    (target / "decisions" / "index.md").write_text(_decisions())


def page_of(source: str) -> str:
    """Return the page that shows a document."""
    return ELSEWHERE.get(source, source.removeprefix("docs/"))


def translate(text: str, source: str) -> str:
    """Return the text of a document with links and blocks that work on the website."""
    text = LINK.sub(lambda link: _translate(link, source), text)
    text = PICTURE.sub(lambda path: _path_between_pages(path[0], source), text)
    return FENCE.sub(r'```\1 title="\2"', text)


def _translate(link: re.Match[str], source: str) -> str:
    is_picture, text, target = link.groups()
    path, hash_, section = target.partition("#")
    if not path or ":" in path:
        return link[0]
    linked = normpath(join(dirname(source), path))
    if linked.startswith("docs/") or linked in ELSEWHERE:
        return f"{is_picture}[{text}]({_path_between_pages(path, source)}{hash_}{section})"
    if repository := os.environ.get("CALO_REPOSITORY"):
        return f"[{text}]({repository.rstrip('/')}/{linked}{hash_}{section})"
    return text


def _path_between_pages(path: str, source: str) -> str:
    """Return the path between two pages, or from a page to a picture, for `path` in the document `source`."""
    linked = normpath(join(dirname(source), path))
    page = "decisions/index.md" if linked == "docs/decisions" else page_of(linked)
    return relpath(page, dirname(page_of(source)) or ".")


def _decisions() -> str:
    """Return a list of the decisions, by their titles."""
    lines = ["# Decisions", ""]
    for path in sorted((DOCS / "decisions").glob("*.md")):
        title = path.read_text().splitlines()[0].removeprefix("# ")
        lines.append(f"- [{title}]({path.name})")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
