"""Questions to backends are answered by what they do, and the report prints the answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamina.contract import Backend
from lamina.testing import answers
from lamina.testing.base import NOT_RUN
from lamina.testing.behaviour import QUESTIONS
from lamina.testing.coverage import SOURCES, kernel_source
from lamina.testing.report import Report
from lamina.testing.running import RandomTests
from lamina_numpy.backend import NumPyBackend
from unit.testing.broken_backends import broken, lacking


class Odd(NumPyBackend):
    """NumPy with other manners."""

    name = "odd"
    load = Backend.load

    def supports(self, dtype: str) -> str | None:
        return "no." if dtype in ("float16", "string") else None

    def overwrite(self, target: Any, source: Any) -> Any:
        return source.copy()

    def buffer_of(self, array: Any) -> Any:
        return None

    def share_dlpack(self, tensor: Any) -> Any:
        raise BufferError("no.")


def test_numpy_answers() -> None:
    found = answers(NumPyBackend())
    assert list(found) == list(QUESTIONS)
    assert found["dtypes that are missing"] == "none"
    assert found["strings live"] == "here"
    assert found["Variables are"] == "written in place"
    assert found["a singular matrix, in `solve`"] == "ArgumentError"


def test_another_backend_answers_otherwise() -> None:
    found = answers(Odd())
    assert found["dtypes that are missing"] == "float16"
    assert found["strings live"] == "on `numpy`"
    assert found["recorded steps run"] == "op by op, by the reference interpreter"
    assert found["Variables are"] == "made anew"
    assert found["memory is counted (`lamina.memory`)"] == "no"
    assert found["arrays of NumPy are, by `lamina.from_dlpack`,"] == "copied through the host's memory"


@pytest.mark.parametrize(
    ("mode", "answer"),
    [("wrap", "it wraps around"), ("clip", "the last element is taken"), ("raise", "own IndexError")],
)
def test_indices_outside_their_axis(mode: Any, answer: str) -> None:
    backend = broken(take=lambda x, indices, axis: np.take(x, indices, axis, mode=mode))
    assert answers(backend)["an index outside the axis, in `gather`"].endswith(answer)


def test_kernels_are_counted_by_where_they_are_from() -> None:
    counted = answers(lacking("matmul"))["kernels"]
    assert counted.endswith(", 1 missing")
    assert [source for source in SOURCES if source not in counted] == []


@pytest.mark.parametrize(
    ("op", "source"),
    [("matmul", "own"), ("cumsum", "shared"), ("selu", "made of ops"), ("string_split", "on the host")],
)
def test_where_a_kernel_is_from(op: str, source: str) -> None:
    from lamina.ops import OPS

    assert kernel_source(OPS[op], NumPyBackend.kernels) == source


def test_the_report_of_a_backend_that_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Kit(RandomTests):
        backend_name = "broken"

    monkeypatch.setattr("lamina.testing.report.find_backend", lambda name, device: lacking("matmul"))
    monkeypatch.setattr("lamina.testing.report.answers", _failing)
    monkeypatch.delitem(NOT_RUN, "broken", raising=False)
    report = Report()
    report.backends["broken"] = Kit.device, Kit.limitations
    lines = report.table()
    assert lines[0] == "broken: no tests"
    assert "    what it does in its own way: not known, for it raises ZeroDivisionError" in lines


def _failing(backend: Backend) -> dict[str, str]:
    raise ZeroDivisionError
