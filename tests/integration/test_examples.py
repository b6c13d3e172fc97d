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


@pytest.mark.parametrize("language", COMMANDS)
def test_an_example_prints_the_resolved_job(calo: Calo, language: str) -> None:
    code = re.findall(rf"```{language}\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(code) == 1
    example = code[0].replace("http://localhost:8080", calo.system.url)
    result = subprocess.run(
        [*COMMANDS[language], example],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    assert "resolved" in result.stdout.splitlines()[-1]
