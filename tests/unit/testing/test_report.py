"""The report says which backends ran, which did not, and what each cannot do."""

from __future__ import annotations

import pytest

MODULE = """
from lamina.testing import BackendTests, Limitation, require_backend

class TestHere(BackendTests):
    backend_name = "numpy"
    limitations = (Limitation("tanh", "value", "for the test"),)

    def test_good(self, backend):
        assert backend.name == "numpy"

    def test_limited(self, backend):
        def check():
            assert False
        self.hold("tanh", "value", check)

class TestNowhere(BackendTests):
    backend_name = "nowhere"

    def test_good(self, backend):
        assert False, "never runs"
"""


def _lines(pytester: pytest.Pytester, *arguments: str) -> list[str]:
    return pytester.runpytest_subprocess("-p", "lamina.testing.report", *arguments).outlines


def test_the_header_and_the_table_name_what_ran_and_what_did_not(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_backends=MODULE)
    lines = _lines(pytester)
    reason = "there is no backend 'nowhere'."
    assert "conformance: numpy runs" in lines
    assert any(line.startswith(f"conformance: nowhere is NOT RUN: {reason}") for line in lines)
    assert "numpy: 1 limited, 1 passed" in lines
    assert "    further tests                   1 limited, 1 passed" in lines
    assert "    cannot: tanh value: for the test" in lines
    assert "    an index outside the axis, in `gather`: OutOfRangeError" in lines
    assert any(line.startswith(f"nowhere: NOT RUN: {reason}") for line in lines)
    assert "1 passed, 1 skipped, 1 xfailed" in lines[-1]


def test_the_table_of_tests_on_several_processes_is_the_same(pytester: pytest.Pytester) -> None:
    pytest.importorskip("xdist")
    pytester.makepyfile(test_backends=MODULE)
    found = [_lines(pytester, *arguments) for arguments in ((), ("--numprocesses=2",))]
    tables = [set(lines[next(i for i, x in enumerate(lines) if "of backends" in x) + 1 : -1]) - {""} for lines in found]
    assert tables[0] == tables[1] >= {"numpy: 1 limited, 1 passed", "    cannot: tanh value: for the test"}


def test_a_module_can_require_its_backend(pytester: pytest.Pytester) -> None:
    source = 'from lamina.testing import require_backend\nrequire_backend("nowhere")\nraise AssertionError("too far")\n'
    pytester.makepyfile(test_backends=source)
    lines = _lines(pytester)
    assert any(line.startswith("conformance: nowhere is NOT RUN") for line in lines)
    assert "1 skipped" in lines[-1]


def test_without_conformance_tests_the_report_is_silent(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_other="def test_it():\n    pass\n")
    lines = _lines(pytester)
    assert not any("conformance:" in line or "conformance of backends" in line for line in lines)
