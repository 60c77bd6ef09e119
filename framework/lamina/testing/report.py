"""A pytest plugin: says which backends the conformance kit ran on, which not, and what each cannot do."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

import pytest

from lamina.runtime.backends import find_backend
from lamina.testing.base import NOT_RUN, BackendTests, why_not_available
from lamina.testing.behaviour import answers

OF_OPS: Final = {
    "test_value": "values, dtypes, shapes, errors",
    "test_gradient": "gradients, to second order",
    "test_replay": "replays of each op",
    "test_result_rule": "result rules",
    "test_half_precision": "16-bit floats",
}
"""What the tests of ops are about, in place of the area of their class."""

_OUTCOMES = {"passed": "passed", "failed": "failed", "xfailed": "limited", "skipped": "skipped", "error": "failed"}


def _class_of(item: pytest.Item) -> type[BackendTests] | None:
    found = getattr(item, "cls", None)
    return found if isinstance(found, type) and issubclass(found, BackendTests) else None


def _area_of(item: pytest.Item, kind: type[BackendTests]) -> str:
    name = getattr(item, "originalname", item.name)
    written_in = next((c for c in kind.__mro__ if name in vars(c)), kind)
    return OF_OPS.get(name) or str(getattr(written_in, "area", BackendTests.area))


class Report:
    """Counts results per backend and area while tests run."""

    def __init__(self) -> None:
        self.classes: dict[str, type[BackendTests]] = {}
        self.counts: dict[str, dict[str, Counter[str]]] = {}
        self._tests: dict[str, tuple[str, str]] = {}

    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> list[str]:
        for item in items:
            kind = _class_of(item)
            if kind is not None:
                self.classes[kind.backend_name] = kind
                self._tests[item.nodeid] = kind.backend_name, _area_of(item, kind)
        for name, kind in self.classes.items():
            reason = why_not_available(name, kind.device)
            if reason is not None:
                NOT_RUN[name] = reason
        lines = [f"conformance: {name} runs" for name in self.classes if name not in NOT_RUN]
        return [*lines, *(f"conformance: {name} is NOT RUN: {reason}" for name, reason in NOT_RUN.items())]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.nodeid not in self._tests or (report.when != "call" and report.passed):
            return
        name, area = self._tests[report.nodeid]
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        self.counts.setdefault(name, {}).setdefault(area, Counter())[_OUTCOMES[outcome]] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self.classes and not NOT_RUN:
            return
        terminalreporter.section("conformance of backends")
        for line in self.table():
            terminalreporter.write_line(line)

    def table(self) -> list[str]:
        """The support table: for each backend what ran, by area, what it cannot do, and what it does in its own way."""
        lines: list[str] = []
        for name, kind in self.classes.items():
            if name not in NOT_RUN:
                lines += self._of(name, kind)
        return lines + [f"{name}: NOT RUN: {reason}" for name, reason in NOT_RUN.items()]

    def _of(self, name: str, kind: type[BackendTests]) -> list[str]:
        areas = self.counts.get(name, {})
        lines = [f"{name}: {_counted(sum(areas.values(), Counter())) or 'no tests'}"]
        lines += [f"    {area:<32}{_counted(counts)}" for area, counts in areas.items()]
        lines += [f"    cannot: {x.op} {x.when}: {x.reason}" for x in kind.limitations]
        return [*lines, *(f"    {question}: {answer}" for question, answer in _asked(name, kind.device).items())]


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items()))


def _asked(name: str, device: str | None) -> dict[str, str]:
    """What a backend does in its own way; a broken one may fail there too."""
    try:
        return answers(find_backend(name, device))
    except Exception as error:  # the tests have said what is broken
        return {"what it does in its own way": f"not known, for it raises {type(error).__name__}"}


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Report(), "lamina-conformance-report")
