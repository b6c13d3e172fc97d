"""The client examples in the README work unchanged."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.conftest import Calo

ROOT = Path(__file__).parents[2]
NODE = ROOT / ".venv" / "bin" / "node"
COMMANDS = {
    "python": [sys.executable, "-c"],
    "js": [str(NODE), "--experimental-eventsource", "--input-type=module", "--eval"],
}


EXAMPLES = re.findall(r"```(python|js)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@pytest.mark.parametrize(("language", "code"), EXAMPLES, ids=["requests", "httpx", "node"])
def test_an_example_prints_the_resolved_job(calo: Calo, language: str, code: str) -> None:
    example = code.replace("http://localhost:8080", calo.system.url)
    result = subprocess.run(
        [*COMMANDS[language], example],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert "resolved" in result.stdout.splitlines()[-1]
