"""What the benchmarks say of the machine."""

from __future__ import annotations

import pytest
from benchmarks import machine


def test_the_matrix_library_is_named_with_what_told_it_its_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in machine.MATRIX_LIBRARY_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    alone = machine.matrix_library()
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert machine.matrix_library() == f"{alone} OPENBLAS_CORETYPE=Haswell"


def test_the_line_has_the_matrix_library_and_does_without_it() -> None:
    here = machine.describe()
    assert here["matrix_library"] in machine.line(here)
    before = {name: value for name, value in here.items() if name != "matrix_library"}
    assert here["matrix_library"] not in machine.line(before)
