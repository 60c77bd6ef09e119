"""The page on writing a plugin, followed word for word in a fresh environment."""

from __future__ import annotations

import re

import pytest

from package.conftest import ROOT

PAGE = ROOT / "docs" / "writing-a-plugin.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"`([\w./-]+\.(?:toml|py))`")


def steps(chapter):
    """What a chapter says to do, in order: (file, its text) to write, or (None, lines) to type."""
    found = []
    for block in BLOCK.finditer(chapter):
        language, text = block.groups()
        named = NAME.findall(BLOCK.sub("", chapter[: block.start()]))
        found.append((None, text) if language == "sh" else (named[-1], text))
    return found


def chapters():
    """The chapters that make a plugin, by the folder they name."""
    parts = PAGE.read_text(encoding="utf-8").split("\n## ")
    return {re.search(r"folder `([\w-]+)`", p).group(1): steps(p) for p in parts if BLOCK.search(p)}


def test_the_page_makes_a_layer_and_a_handler():
    assert list(chapters()) == ["lamina-scale", "lamina-cellar"]


@pytest.mark.parametrize("folder", chapters())
def test_word_for_word(folder, fresh, tmp_path):
    said = ""
    for file, text in chapters()[folder]:
        if file is not None:
            (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / file).write_text(text, encoding="utf-8")
            continue
        for line in text.splitlines():
            done = fresh.run_program(line, cwd=tmp_path, shell=True)
            assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
            said += done.stdout
    assert re.search(rf"{folder.partition('-')[2]} +1\.0\.0 +{folder} ", said)
    assert " passed" in said
    assert "failed" not in said
