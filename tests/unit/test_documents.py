"""Links in the documents lead to files and sections that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("client/*.md")])


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(document: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", document.read_text())
    missing = []
    for path, section in links:
        target = document.parent / path if path else document
        if not target.exists() or (section and target.suffix == ".md" and section not in anchors(target)):
            missing.append(f"{path}#{section}" if section else path)
    assert missing == []


def test_the_tour_fits_on_one_screen() -> None:
    assert len((ROOT / "docs" / "tour.md").read_text().splitlines()) <= 45
