"""What runs the shell commands of the pages: each line is one of these, or has no place on a page."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Final

ROOT = Path(__file__).resolve().parents[2]


def commands(blocks: list[tuple[int, str]]) -> list[str]:
    """The lines that are run where the page's Python ran: those of the command ``lamina``."""
    return [line for _, text in blocks for line in text.splitlines() if re.match(r"lamina (?!plugin new)", line)]


def _extras(match: re.Match[str]) -> bool:
    """``pip install ".[a,b]"``: tests/package installs; here the extras must be there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return set(filter(None, (match.group(1) or "").split(","))) <= set(project["optional-dependencies"])


def _script(match: re.Match[str]) -> bool:
    return (ROOT / match.group(1)).is_file()


def _module(match: re.Match[str]) -> bool:
    path = ROOT.joinpath(*match.group(1).split("."))
    return path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def _environment(match: re.Match[str]) -> bool:
    """Environments of tox: CI runs those that it lists, the others are run by their names."""
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    return match.group(1) is None or f"testenv:{match.group(1)}" in tox


def _anything(match: re.Match[str]) -> bool:
    return True


KINDS: Final[list[tuple[str, Callable[[re.Match[str]], bool]]]] = [
    (r"lamina [a-z]", _anything),  # run by test_pages; 'lamina plugin new' by tests/package/test_new_plugins.py
    (r"pip install(?: -e)? \"?\.(?:\[([\w,]+)\])?\"?(?: jax keras)?(?: && python -m benchmarks[.\w]*)?$", _extras),
    (r"pip install \"\.\[demo\]\" && python (examples/\w+\.py)$", _script),  # tox -e demo-numpy
    (r"pip install tox && tox$", _anything),  # what CI does
    (r"tox -e (\w+)$", _environment),
    (r"(?:LAMINA_BACKEND=\w+ )?python (examples/\w+\.py)$", _script),  # tox -e demo-torch
    (r"python (examples/browser/make\.py)", _script),  # tests/interop/test_digits_page.py, and what serves its page
    (r"python -m http\.server --bind 127\.0\.0\.1 --directory digits-page$", _anything),
    (r"LAMINA_PICTURE=docs/images/browser\.png tox -e (browser) -- -k picture$", _environment),
    (r"python (tests/vectors/run\.py) ", _script),  # where the recordings are
    (r"python -m (benchmarks(?:\.\w+)?)", _module),  # figures, by hand
    (r"(?:cd \w+|pytest\b.*)$", _anything),  # in a plugin's folder: tests/package
    (r"pip install \. && LAMINA_BACKEND=jax python -c ", _anything),  # tests/package/test_examples.py
]
"""Forms of lines, and what must be true of each."""


def known(line: str) -> bool:
    """Whether a line is of a form that is run, here or elsewhere, and names what is there."""
    bare = re.sub(r"\s+# .*$", "", line)
    found = [check(match) for form, check in KINDS if (match := re.match(form, bare))]
    return any(found)
