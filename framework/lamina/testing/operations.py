"""Every case of the table against a backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pytest

from lamina.contract import Backend
from lamina.dtypes import ALL, LARGEST
from lamina.runtime.op import OPS
from lamina.testing.base import BackendTests, Limitation
from lamina.testing.checks import check_gradient, check_replay, check_result_rule, check_value, check_value_in
from lamina.testing.coverage import kernel_source
from lamina.testing.table import Case, all_cases

CASES = all_cases()
VALUED = [case for case in CASES if case.raises is None]
DIFFERENTIABLE = [case for case in VALUED if case.differentiable]
HALF = [case for case in VALUED if case.floating and case.loose == 1.0 and not case.op.startswith("random")]


CHECKS: Final[dict[str, Callable[[Case, Backend], None]]] = {
    "value": check_value,
    "gradient": check_gradient,
    "replay": check_replay,
    "result rule": check_result_rule,
}


class OpTests(BackendTests):
    """Values, errors, gradients, replays and result rules of every op."""

    area = "the table of cases"

    @pytest.mark.parametrize("case", CASES, ids=str)
    def test_value(self, backend: Backend, case: Case) -> None:
        self.hold(case.op, "value", lambda: check_value(case, backend))

    @pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
    def test_gradient(self, backend: Backend, case: Case) -> None:
        self.hold(case.op, "gradient", lambda: check_gradient(case, backend))

    @pytest.mark.parametrize("case", VALUED, ids=str)
    def test_replay(self, backend: Backend, case: Case) -> None:
        self.hold(case.op, "replay", lambda: check_replay(case, backend))

    @pytest.mark.parametrize("case", VALUED, ids=str)
    def test_result_rule(self, backend: Backend, case: Case) -> None:
        self.hold(case.op, "result rule", lambda: check_result_rule(case, backend))

    @pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
    def test_half_precision(self, backend: Backend, dtype: str) -> None:
        """All cases of floating inputs in a 16-bit dtype, where the backend has it."""

        def check() -> None:
            assert backend.supports(dtype) is None, f"{backend.name} lacks {dtype}"
            for case in HALF:
                if self.limited(case.op, "value") is None and _takes(case, dtype):
                    check_value_in(case, backend, dtype)

        self.hold("*", dtype, check)

    def test_every_op_has_a_kernel(self, backend: Backend) -> None:
        """An op that is made of others, or computed on the host, needs none."""
        missing = {name for name, op in OPS.items() if kernel_source(op, backend.kernels) == "missing"}
        assert sorted(missing - {x.op for x in self.limitations}) == []

    def test_limitations_are_still_true(self, backend: Backend) -> None:
        """Of each limitation of an op, some case fails."""
        repaired = [x for x in self.limitations if x.op != "*" and not _fails_somewhere(x, backend)]
        assert repaired == [], "no longer true: take them off the list"

    def test_limitations_name_what_exists(self) -> None:
        """A limitation of an op or a check that does not exist would never be noticed again."""
        ops = {case.op for case in CASES} | set(OPS)
        whole = {*ALL, *(name for name in dir(self) if name.startswith("test_"))}
        wrong = [x for x in self.limitations if x.when not in (whole if x.op == "*" else CHECKS if x.op in ops else ())]
        assert wrong == [], "there is no such op, check, dtype or test"


def _fails_somewhere(limitation: Limitation, backend: Backend) -> bool:
    for case in VALUED:
        if case.op == limitation.op:
            try:
                CHECKS[limitation.when](case, backend)
            except Exception:  # whatever a backend does where it is known not to work
                return True
    return False


def _takes(case: Case, dtype: str) -> bool:
    """Whether an op takes a floating dtype wherever it takes float32, and the dtype can hold the values."""
    op = OPS.get(case.op)
    accepted = op is None or all(dtype in dtypes for dtypes in op._dtypes.values() if "float32" in dtypes)
    floats = [a for a in case.arrays("float64") if a.dtype.kind == "f"]
    return accepted and all(np.abs(a).max(initial=0.0, where=np.isfinite(a)) <= LARGEST[dtype] for a in floats)
