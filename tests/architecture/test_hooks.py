"""A hook lands with a test and a page."""

from __future__ import annotations

import inspect

import pytest

from architecture.sources import ROOT, modules
from lamina.contract import hookspecs

HOOKS = [n for n, f in vars(hookspecs).items() if inspect.isfunction(f) and hasattr(f, f"{hookspecs.PROJECT}_spec")]


def test_there_are_hooks():
    assert "lamina_backends" in HOOKS


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_test(hook):
    tests = [p for p in modules("tests") if "architecture" not in p.parts]
    assert any(f"def {hook}(" in p.read_text(encoding="utf-8") for p in tests), f"no test implements {hook}"


@pytest.mark.parametrize("hook", HOOKS)
def test_a_hook_has_a_page(hook):
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    headings = [line for line in page.splitlines() if line.startswith("#")]
    assert any(f"`{hook}`" in line for line in headings)
    signature = str(inspect.signature(getattr(hookspecs, hook))).replace("'", "")
    assert f"def {hook}{signature}" in page
