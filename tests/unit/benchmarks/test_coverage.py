"""Kernel coverage: 100 % on each backend, counted right, and read without a device."""

from __future__ import annotations

import pytest
from benchmarks import coverage

import lamina
from lamina.ops import OPS


@pytest.mark.parametrize("name", coverage.BACKENDS)
def test_no_op_is_missing(name: str) -> None:
    if name == "torch" and lamina.list_backends()["torch"] is not None:
        pytest.skip("torch is not installed")
    found, unknown = coverage.coverage([name])
    assert unknown == {}
    assert [op for op, source in found[name].items() if source == "missing"] == []
    assert set(found[name]) == set(OPS)
    assert coverage.covered(found[name]) == 1.0


def test_a_backend_that_nobody_offers_is_listed() -> None:
    assert coverage.coverage(["nobody"]) == ({}, {"nobody": "'nobody'"})


def test_the_table_has_every_family_and_all() -> None:
    found, _ = coverage.coverage(["numpy"])
    found["numpy"]["matmul"] = "missing"
    lines = coverage.text(found).splitlines()
    assert [line.split(" | ")[0].strip("| ") for line in lines[2:4]] == ["activation.rectifiers", "activation.sigmoids"]
    assert f"{1 - 1 / len(OPS):.1%}: " in lines[-1]
    assert "1 missing" in lines[-1]
