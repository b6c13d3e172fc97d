"""Reject turns of phrase that slow readers down: `python -m tests.prose`, part of `make check`.

The rules behind the list are in CONTRIBUTING.md. To add a phrase, add a line to `PHRASES`.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PHRASES = {
    r"anew": "again",
    r"(tell|tells|told|telling) of": "reports, is notified",
    r"whoever": "anyone who",
    r"(is|are|was|were|be|been) over(?! [\d,]+)": "has ended",
    r"[,;] for (it|its|they|their|there|he|she|we|you|nobody|nothing|everything|what|only)": "because",
    r"(become|becomes|became) of": "the outcome of",
    r"(?<!there )(is|are|was|were) no (?!longer\b|more than\b|one\b|less\b)\w+": "is not a …",
    r"(has|have|had) none": "has no …",
    r"(lie|lies|lay|lying) in": "is in",
    r"neighbours?": "dependencies, other items",
    r"of late": "recent",
    r"by (itself|themselves)": "automatically",
    r"of (its|their|his|her|our|your|my) own": "its own …",
    r"in force": "active",
    r"(go|goes|going|went) on( with)?": "continues",
    r"(to|of|for|from|with) who": "to the one that",
    r"(come|comes|came) again": "is delivered again, returns",
    r"for (ever|good)": "forever, permanently",
    r"so many (seconds|bytes|times|files|of|hours|days|jobs|messages)": "name the parameter",
    r"is to be|are to be": "must be, will be",
    r"(know|knows|knew) no": "does not know",
    r"(need|needs|take|takes) no": "does not need …",
    r"nobody": "no one, or name who",
    r"thing of": "name the thing",
    r"(no )?good news": "say what is healthy",
}
"""Pattern: what to write instead."""

TEXT = {".py", ".md", ".ts", ".tsx", ".css", ".html", ".toml", ".yml", ".yaml", ".c", ".sh", ".txt", ".json"}
EXEMPT = {"tests/prose.py", "frontend/package-lock.json", "LICENSE"}
_ANY = re.compile("|".join(rf"(?P<p{i}>\b(?:{phrase})\b)" for i, phrase in enumerate(PHRASES)), re.IGNORECASE)


def findings(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, phrase and advice for each listed phrase, also where a line break splits it."""
    flat = re.sub(r"\n[ \t]*(?:#+|//|\*|>)?[ \t]*", lambda m: "\n" + " " * (len(m[0]) - 1), text)
    for match in _ANY.finditer(re.sub(r"\s", " ", flat)):
        index = next(int(name[1:]) for name, value in match.groupdict().items() if value)
        phrase = re.sub(r"\s+", " ", match[0])
        yield text.count("\n", 0, match.start()) + 1, phrase, list(PHRASES.values())[index]


def tracked(paths: list[str]) -> list[Path]:
    """Return the text files under version control, or those of them under the given paths."""
    listing = subprocess.run(["git", "ls-files", *paths], check=True, capture_output=True, text=True).stdout
    return [
        Path(name)
        for name in listing.splitlines()
        if name not in EXEMPT and (Path(name).suffix in TEXT or name in ("Makefile", ".ci/run"))
    ]


def main(paths: list[str]) -> int:
    count = words = 0
    for path in tracked(paths):
        if not path.exists():
            continue
        text = path.read_text()
        words += len(text.split())
        for line, phrase, advice in findings(text):
            count += 1
            print(f"{path}:{line}: “{phrase}”: {advice}")
    if count:
        print(f"{count} phrases to rewrite in {words} words")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
