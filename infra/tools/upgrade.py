"""`python -m infra.tools.upgrade`: what deploying cdk.out over an earlier commit's templates would change.

Fails if something that holds state would be lost. The earlier commit is where this branch left `main`; on
`main` itself it is the last commit, or the one before it when nothing has been changed since. `BASE=<commit>`
names another one. What is meant to be lost is listed, with the reason, in infra/tools/replacements.txt.
"""

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from infra.tools.bundle import BUILD, ROOT
from infra.tools.template_changes import changes

SITE = ROOT / "frontend" / "dist"
"""The web app as it is built now stands in for the earlier one: its files are not in the templates, nor are
those of the bundles, which are named after what is in them."""
BIN = Path(sys.executable).parent
REPLACEMENTS = ROOT / "infra" / "tools" / "replacements.txt"
MAIN = ("origin/main", "main")


def main() -> int:
    """Returns the exit status."""
    base = os.environ.get("BASE") or base_of(ROOT)
    if base is None:
        print("upgrade: there is no earlier commit here (a shallow clone?), so nothing was compared")
        return 0
    print(f"upgrade: from {_git(ROOT, 'log', '-1', '--format=%h %s', base)}")
    return report(_templates_of(base), ROOT / "cdk.out", meant(REPLACEMENTS.read_text()))


def base_of(repository: Path) -> str | None:
    """The commit to compare with, or None if the clone does not hold it."""
    head = _git(repository, "rev-parse", "HEAD")
    left = next((one for name in MAIN if (one := _git(repository, "merge-base", "HEAD", name))), head)
    if left != head or _git(repository, "status", "--porcelain"):
        return left
    return _git(repository, "rev-parse", "--verify", "--quiet", "HEAD~1") or None


def report(before: Path, after: Path, accepted: set[str]) -> int:
    """Print what changes in each stack. Returns 1 if state is lost that is not in `accepted`."""
    lost = []
    for path in sorted({path.name for folder in (before, after) for path in folder.glob("*.template.json")}):
        stack = path.removesuffix(".template.json")
        found = changes(_read(before / path), _read(after / path))
        print(f"{stack}: {len(found)} changes" if found else f"{stack}: unchanged")
        for change in found:
            print(f"  {change}")
        lost += [name for one in found if one.loss and (name := f"{stack}/{one.name}") not in accepted]
    if lost:
        print(f"\nupgrade: state would be lost: {', '.join(lost)}", file=sys.stderr)
        print(f"If that is meant, say why in {REPLACEMENTS.relative_to(ROOT)}.", file=sys.stderr)
    return 1 if lost else 0


def meant(text: str) -> set[str]:
    """The first word of each line that is no comment: `<stack>/<logical id>`."""
    lines = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {words[0] for words in lines}


def _templates_of(commit: str) -> Path:
    """The commit's templates, made from its own sources by the tools installed here; kept for next time."""
    folder = BUILD / "upgrade" / _git(ROOT, "rev-parse", commit)
    output = folder / "cdk.out"
    if not (output / "manifest.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        archive = _run(["git", "archive", "--format=zip", commit], ROOT)
        with ZipFile(BytesIO(archive)) as sources:
            sources.extractall(folder)
        for made in (BUILD, SITE):
            link = folder / made.relative_to(ROOT)
            if made.exists() and not link.exists():
                link.parent.mkdir(exist_ok=True)  # a commit may be older than the web app
                link.symlink_to(made)
        _run([str(BIN / "cdk"), "synth", "--quiet", "--no-notices", "--output", str(output)], folder)
    return output


def _read(template: Path) -> dict[str, object]:
    return dict(json.loads(template.read_text())) if template.exists() else {}


def _run(command: list[str], folder: Path) -> bytes:
    """What it prints. Raises subprocess.CalledProcessError; what went wrong has been shown by then."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"  # the app in cdk.json is run by `python`
    environment = {**os.environ, "PATH": path}
    return subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603


def _git(repository: Path, *arguments: str) -> str:
    """What git prints; nothing if it fails."""
    done = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip() if done.returncode == 0 else ""


if __name__ == "__main__":
    sys.exit(main())
