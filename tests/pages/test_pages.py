"""The code in the README and in the pages runs, each page from its first block to its last in a Python of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted(p for pattern in ("docs/**/*.md", "plugins/*/README.md") for p in ROOT.glob(pattern))
PAGES = ["README.md", *(p.relative_to(ROOT).as_posix() for p in DOCS)]


def blocks(page: str) -> list[tuple[int, str]]:
    """The Python blocks of a page, each with the line at which it begins."""
    text = (ROOT / page).read_text(encoding="utf-8")
    found = re.finditer(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [(text.count("\n", 0, m.start()) + 1, m.group(1)) for m in found]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)])
def test_code_of_a_page_runs(page, tmp_path):
    program = ""
    for line, code in blocks(page):
        program += "\n" * (line - program.count("\n")) + code  # errors tell the line of the page
    script = tmp_path / "page.py"
    script.write_text(program, encoding="utf-8")
    environment = {
        **os.environ,
        "LAMINA_BACKEND": "numpy",
        "LAMINA_HOME": str(tmp_path / "home"),
        "LAMINA_DOWNLOADS": str(tmp_path / "downloads"),
    }
    command = [sys.executable, "-W", "error", script.name]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{page}:\n{done.stderr}"


def test_the_readme_shows_code():
    assert blocks("README.md")


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page):
    text = re.sub(r"^```.*?^```$", "", (ROOT / page).read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = [t for t in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in t]
    assert [t for t in targets if not ((ROOT / page).parent / t).exists()] == []
