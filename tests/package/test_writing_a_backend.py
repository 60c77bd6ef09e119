"""The page on writing a backend, followed in a fresh environment: its files, and what it says to type."""

from __future__ import annotations

import re

from package.conftest import ROOT

PAGE = ROOT / "docs" / "writing-a-backend.md"
FILE = re.compile(r"^```(?:toml|python)\n# ([\w./]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_page(fresh, tmp_path):
    """The kit's runs are narrowed: all of it is what other tests do."""
    text = PAGE.read_text(encoding="utf-8")
    files = FILE.findall(text)
    for name, content in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    assert sorted(name for name, _ in files) == sorted(re.findall(r"[\w.]+/?[\w.]*\.(?:py|toml)", TREE))
    said = ""
    for line in "".join(TYPED.findall(text)).splitlines():
        done = fresh.run_program(line, cwd=tmp_path, shell=True, PYTEST_ADDOPTS='-k "tanh or device or limitations"')
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said += done.stdout
    assert said.count("    cannot: * bfloat16: the standard does not have it") == 1
    assert re.search(r"^plain: \d+ passed$", said, re.MULTILINE)
    assert "plain" in said.splitlines()
    assert "failed" not in said


TREE = "pyproject.toml lamina_plain/__init__.py lamina_plain/backend.py tests/test_plain.py"
