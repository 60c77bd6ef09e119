"""The kernel table: rows, decorators, merging."""

from __future__ import annotations

from typing import Any

import pytest

from lamina.contract import KernelTable
from lamina.errors import PluginError


def test_rows_and_decorators() -> None:
    kernels = KernelTable()
    kernels.add("double", lambda x: x * 2, out=True)

    @kernels("halve")
    def halve(x: Any) -> Any:
        return x / 2

    assert (kernels["double"](3), kernels["halve"](3), sorted(kernels), len(kernels)) == (
        6,
        1.5,
        ["double", "halve"],
        2,
    )
    assert kernels["halve"] is halve
    assert kernels.entries["double"].out
    assert not kernels.entries["halve"].out


def test_a_name_twice_is_an_error() -> None:
    kernels = KernelTable()
    kernels.add("double", abs)
    with pytest.raises(PluginError, match="the op 'double' has a kernel in this table already"):
        kernels.add("double", abs)


def test_a_later_table_wins_and_the_tables_stay() -> None:
    first, second = KernelTable(), KernelTable()
    first.add("a", abs)
    first.add("b", abs)
    second.add("b", len)
    merged = KernelTable.merge(first, second)
    assert (merged["a"], merged["b"], first["b"]) == (abs, len, abs)
    merged.add("c", abs)
    assert "c" not in first
    assert "c" not in second


def test_a_missing_kernel_is_a_missing_key() -> None:
    with pytest.raises(KeyError):
        KernelTable()["nothing"]


def test_a_kernel_can_be_specialized() -> None:
    kernels = KernelTable()
    kernels.add("double", abs, out=True)

    @kernels.specialized("double")
    def specialize(inputs: Any, outputs: Any, attrs: Any) -> Any:
        return None

    assert kernels.entries["double"].specialize is specialize
    assert kernels.entries["double"].out
