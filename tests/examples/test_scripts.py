"""Each script of ``examples`` as a user runs it: it ends well only if it reaches what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(path.name for path in EXAMPLES.glob("*.py"))
PAGE = EXAMPLES.parent / "docs" / "examples.md"


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_reaches_what_it_says(name, tmp_path):
    environment = {**os.environ, "LAMINA_BACKEND": "numpy", "LAMINA_HOME": str(tmp_path)}
    command = [sys.executable, "-W", "error", str(EXAMPLES / name)]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ": yes\n" in done.stdout
    assert list(tmp_path.iterdir()) == []  # nothing is left where it was run


def test_the_page_lists_each():
    text = PAGE.read_text()
    assert [name for name in SCRIPTS if f"`python examples/{name}`" not in text] == []
