"""Links in the documents lead to files and sections that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("client/*.md"),
        *ROOT.glob("frontend/packages/*/*.md"),
    ]
)


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(document: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", document.read_text(), re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text()
    links = re.findall(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)", text)
    links += re.findall(r'src(?:set)?="([^"]+)()"', text)
    missing = []
    for path, section in links:
        target = document.parent / path if path else document
        if not target.exists() or (section and target.suffix == ".md" and section not in anchors(target)):
            missing.append(f"{path}#{section}" if section else path)
    assert missing == []


def test_the_readme_is_short() -> None:
    """One screen's worth of essentials: more belongs into docs/."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 75


def test_every_picture_is_used() -> None:
    text = "".join(document.read_text() for document in DOCUMENTS)
    pictures = [path.name for path in ROOT.glob("docs/pictures/*")]
    assert [name for name in pictures if f"pictures/{name}" not in text] == []


def test_the_tour_fits_on_one_screen() -> None:
    assert len((ROOT / "docs" / "tour.md").read_text().splitlines()) <= 45
