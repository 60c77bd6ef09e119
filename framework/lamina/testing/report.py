"""A pytest plugin: says which backends the conformance kit ran on, which not, and what each cannot do."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple
from typing import Any, Final

import pytest

from lamina.runtime.backends import find_backend
from lamina.testing.base import NOT_RUN, BackendTests, Limitation, why_not_available
from lamina.testing.behaviour import answers

OF_OPS: Final = {
    "test_value": "values, dtypes, shapes, errors",
    "test_gradient": "gradients, to second order",
    "test_replay": "replays of each op",
    "test_result_rule": "result rules",
    "test_half_precision": "16-bit floats",
}
"""What the tests of ops are about, in place of the area of their class."""

_PLACE: Final = "lamina_conformance"
_OUTCOMES = {"passed": "passed", "failed": "failed", "xfailed": "limited", "skipped": "skipped", "error": "failed"}


def _class_of(item: pytest.Item) -> type[BackendTests] | None:
    found = getattr(item, "cls", None)
    return found if isinstance(found, type) and issubclass(found, BackendTests) else None


def _area_of(item: pytest.Item, kind: type[BackendTests]) -> str:
    name = getattr(item, "originalname", item.name)
    written_in = next((c for c in kind.__mro__ if name in vars(c)), kind)
    return OF_OPS.get(name) or str(getattr(written_in, "area", BackendTests.area))


class Report:
    """Counts results per backend and area while tests run, also those of the workers of pytest-xdist."""

    def __init__(self) -> None:
        self.backends: dict[str, tuple[str | None, tuple[Limitation, ...]]] = {}
        """The backends of the tests: the device, and what each is known not to do."""
        self.counts: dict[str, dict[str, Counter[str]]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            kind = _class_of(item)
            if kind is not None:
                self.backends[kind.backend_name] = kind.device, kind.limitations
                item.user_properties.append((_PLACE, (kind.backend_name, _area_of(item, kind))))
        for name, (device, _) in self.backends.items():
            reason = why_not_available(name, device)
            if reason is not None:
                NOT_RUN[name] = reason

    def pytest_report_collectionfinish(self) -> list[str]:
        lines = [f"conformance: {name} runs" for name in self.backends if name not in NOT_RUN]
        return [*lines, *(f"conformance: {name} is NOT RUN: {reason}" for name, reason in NOT_RUN.items())]

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        told: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
        if told is not None:
            backends = {name: (device, [astuple(x) for x in found]) for name, (device, found) in self.backends.items()}
            told[_PLACE] = {"backends": backends, "not run": dict(NOT_RUN)}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """A worker of pytest-xdist is done: what it was about."""
        told = getattr(node, "workeroutput", {}).get(_PLACE, {"backends": {}, "not run": {}})
        for name, (device, limitations) in told["backends"].items():
            self.backends[name] = device, tuple(Limitation(*one) for one in limitations)
        NOT_RUN.update(told["not run"])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        place: Any = dict(report.user_properties).get(_PLACE)
        if place is None or (report.when != "call" and report.passed):
            return
        name, area = place
        outcome = "xfailed" if hasattr(report, "wasxfail") else report.outcome
        self.counts.setdefault(name, {}).setdefault(area, Counter())[_OUTCOMES[outcome]] += 1

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if not self.backends and not NOT_RUN:
            return
        terminalreporter.section("conformance of backends")
        for line in self.table():
            terminalreporter.write_line(line)

    def table(self) -> list[str]:
        """The support table: for each backend what ran, by area, what it cannot do, and what it does in its own way."""
        lines: list[str] = []
        for name in self.backends:
            if name not in NOT_RUN:
                lines += self._of(name)
        return lines + [f"{name}: NOT RUN: {reason}" for name, reason in NOT_RUN.items()]

    def _of(self, name: str) -> list[str]:
        device, limitations = self.backends[name]
        areas = self.counts.get(name, {})
        lines = [f"{name}: {_counted(sum(areas.values(), Counter())) or 'no tests'}"]
        lines += [f"    {area:<32}{_counted(counts)}" for area, counts in areas.items()]
        lines += [f"    cannot: {x.op} {x.when}: {x.reason}" for x in limitations]
        return [*lines, *(f"    {question}: {answer}" for question, answer in _asked(name, device).items())]


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
