"""Every block of code on every page: Python runs, each page from its first block to its last in a Python of its own,
then its ``lamina`` commands in the same folder; ``shell.py`` knows what runs the other commands. Links lead somewhere.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from pages import shell

ROOT = shell.ROOT
PATTERNS = ("*.md", "benchmarks/*.md", "docs/**/*.md", "plugins/*/README.md", "examples/**/README.md")
PAGES = sorted(path.relative_to(ROOT).as_posix() for pattern in PATTERNS for path in ROOT.glob(pattern))
FENCE = re.compile(r"^( *)```([\w.+-]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)

FOLLOWED = {
    "docs/writing-a-plugin.md": "tests/package/test_writing_a_plugin.py",
    "docs/writing-a-backend.md": "tests/package/test_writing_a_backend.py",
    "docs/export.md": "tests/interop/test_pages.py",
    "docs/from-tensorflowjs.md": "tests/interop/test_pages.py",
}
"""Pages that another test follows word for word: it writes their files, types their commands, runs their JavaScript."""


INSTALLED = "examples/plugins/"
"""Pages whose code needs the plugin installed: tests/package/test_examples.py runs it."""


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str = "python") -> list[tuple[int, str]]:
    """The blocks of a page in a language, each with the line at which it begins."""
    text = text_of(page)
    found = [(text.count("\n", 0, m.start()) + 1, m.group(2), m.group(3)) for m in FENCE.finditer(text)]
    return [(line, code) for line, spoken, code in found if spoken == language]


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "LAMINA_BACKEND": "numpy",
        "LAMINA_HOME": str(folder / "home"),
        "LAMINA_DOWNLOADS": str(folder / "downloads"),
    }
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)


def lamina_commands(page: str) -> list[str]:
    return [] if page in FOLLOWED else shell.commands(blocks(page, "sh"))


@pytest.mark.parametrize(
    "page", [p for p in PAGES if (blocks(p) or lamina_commands(p)) and not p.startswith(INSTALLED)]
)
def test_code_of_a_page_runs(page, tmp_path):
    program = ""
    for line, code in blocks(page):
        program += "\n" * (line - program.count("\n")) + code  # errors tell the line of the page
    script = tmp_path / "page.py"
    script.write_text(program, encoding="utf-8")
    done = run([sys.executable, "-W", "error", script.name], tmp_path)
    assert done.returncode == 0, f"{page}:\n{done.stderr}"
    for command in lamina_commands(page):
        done = run([sys.executable, "-m", *shlex.split(command, comments=True)], tmp_path)
        assert done.returncode == 0, f"{page}: {command}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("page", [p for p in PAGES if p not in FOLLOWED])
def test_every_other_block_is_accounted_for(page):
    languages = {m.group(2) for m in FENCE.finditer(text_of(page))}
    assert languages <= {"python", "sh", "toml", "text", ""}, "a block in a language that nothing runs"
    unknown = [line for _, text in blocks(page, "sh") for line in text.splitlines() if not shell.known(line)]
    assert unknown == []
    for _, text in blocks(page, "toml"):
        assert tomllib.loads(text)


@pytest.mark.parametrize("page", FOLLOWED)
def test_pages_that_others_follow_are_followed(page):
    follower = (ROOT / FOLLOWED[page]).read_text(encoding="utf-8")
    assert Path(page).name in follower


def test_the_readme_shows_code():
    assert blocks("README.md")


def links(page: str) -> list[str]:
    """Where the links of a page lead, those in code left out."""
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", text_of(page)))
    return re.findall(r"\]\(([^)\s]+)[^)]*\)", text) + re.findall(r"<(https?://[^>]+)>", text)


def anchors(path: Path) -> set[str]:
    """What may stand after ``#`` for a page: its headings, as a repository's page and the site name them."""
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ +(.+?)\s*$", text, re.MULTILINE)
    plain = [re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES)
def test_links_between_pages_lead_somewhere(page):
    lost = []
    for link in links(page):
        target, _, anchor = link.partition("#")
        there = (ROOT / page).parent / target if target else ROOT / page
        if "://" not in link and not (there.exists() and (not anchor or anchor in anchors(there))):
            lost.append(link)
    assert lost == []


def test_links_to_other_places_are_well_formed():
    """That they answer is not asked: the tests have no network."""
    wrong = []
    for page in PAGES:
        for link in links(page):
            parts = urlsplit(link)
            if parts.scheme and not (parts.scheme == "https" and "." in parts.netloc and "example" not in parts.netloc):
                wrong.append((page, link))
    assert wrong == []


def test_papers_have_numbers_that_can_be():
    """The numbers of arXiv are year, month and four or five digits."""
    sources = [*(ROOT / "framework").rglob("*.py"), *(ROOT / "docs").rglob("*.md")]
    numbers = {n for path in sources for n in re.findall(r"arXiv:([\w./-]*\w)", path.read_text(encoding="utf-8"))}
    assert len(numbers) > 30
    assert [n for n in numbers if not re.fullmatch(r"\d\d(0[1-9]|1[0-2])\.\d{4,5}", n)] == []
