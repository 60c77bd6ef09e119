"""A pytest plugin: says which backends the conformance kit ran on, which not, and what each cannot do."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lamina.testing.base import NOT_RUN, BackendTests, why_not_available

_OUTCOMES = {"passed": "passed", "failed": "failed", "xfailed": "limited", "skipped": "skipped", "error": "failed"}


def _class_of(item: pytest.Item) -> type[BackendTests] | None:
    found = getattr(item, "cls", None)
    return found if isinstance(found, type) and issubclass(found, BackendTests) else None


class Report:
    """Counts results per backend while tests run."""

    def __init__(self) -> None:
        self.classes: dict[str, type[BackendTests]] = {}
        self.counts: dict[str, Counter[str]] = {}
        self._names: dict[str, str] = {}

    def pytest_report_collectionfinish(self, items: list[pytest.Item]) -> list[str]:
        for item in items:
            kind = _class_of(item)
            if kind is not None:
                self.classes[kind.backend_name] = kind
                self._names[item.nodeid] = kind.backend_name
        for name, kind in self.classes.items():
            reason = why_not_available(name, kind.device)
            if reason is not None:
                NOT_RUN[name] = reason
        lines = [f"conformance: {name} runs" for name in self.classes if name not in NOT_RUN]
        return [*lines, *(f"conformance: {name} is NOT RUN: {reason}" for name, reason in NOT_RUN.items())]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        name = self._names.get(report.nodeid)
        if name is None or (report.when != "call" and report.passed):
            return
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        self.counts.setdefault(name, Counter())[_OUTCOMES[outcome]] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self.classes and not NOT_RUN:
            return
        terminalreporter.section("conformance of backends")
        for line in self.table():
            terminalreporter.write_line(line)

    def table(self) -> list[str]:
        """The support table, a line per backend and one per limitation."""
        lines = []
        for name, kind in self.classes.items():
            if name in NOT_RUN:
                continue
            counts = self.counts.get(name, Counter())
            lines.append(f"{name}: " + (", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "no tests"))
            lines += [f"    cannot: {x.op} {x.when}: {x.reason}" for x in kind.limitations]
        return lines + [f"{name}: NOT RUN: {reason}" for name, reason in NOT_RUN.items()]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Report(), "lamina-conformance-report")
