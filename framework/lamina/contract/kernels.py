"""The table in which a backend keeps its kernels: op name to function, open for additions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lamina.errors import PluginError
from lamina.shapes import Spec

Function = Callable[..., Any]
Specialize = Callable[[Sequence[Spec], Sequence[Spec], Mapping[str, Any]], "Function | None"]


@dataclass(frozen=True)
class Kernel:
    """One kernel: ``function(*arrays, **attrs)`` returns a native array, or a tuple of them.

    ``out`` says that replay may hand it a buffer as the keyword ``out``. ``specialize(inputs, outputs, attrs)`` may
    return, for known shapes and dtypes, a faster ``function(*arrays, out)`` that writes into the positional buffer
    (a tuple of buffers for several outputs); None if the general one is as good.
    """

    function: Function
    out: bool = False
    specialize: Specialize | None = None


class KernelTable(Mapping[str, Function]):
    """A mapping from op names to kernel functions.

    >>> kernels = KernelTable()
    >>> kernels.add("double", lambda x: x + x)
    >>> @kernels("halve")
    ... def halve(x):
    ...     return x / 2
    >>> kernels["double"](2), kernels["halve"](2), sorted(kernels)
    (4, 1.0, ['double', 'halve'])
    """

    def __init__(self) -> None:
        self.entries: dict[str, Kernel] = {}
        self.functions: dict[str, Function] = {}

    def add(self, op: str, function: Function, *, out: bool = False, specialize: Specialize | None = None) -> None:
        """Adds one kernel. Raises PluginError if the op has one already in this table."""
        if op in self.entries:
            raise PluginError(f"the op {op!r} has a kernel in this table already.", fix="merge tables to override it.")
        self.entries[op] = Kernel(function, out, specialize)
        self.functions[op] = function

    def __call__(self, op: str, *, out: bool = False) -> Callable[[Function], Function]:
        """Decorator form of ``add``."""

        def register(function: Function) -> Function:
            self.add(op, function, out=out)
            return function

        return register

    def specialized(self, op: str) -> Callable[[Specialize], Specialize]:
        """Decorator: gives an op of this table a function that picks a kernel for known shapes."""

        def register(specialize: Specialize) -> Specialize:
            entry = self.entries[op]
            self.entries[op] = Kernel(entry.function, entry.out, specialize)
            return specialize

        return register

    @classmethod
    def merge(cls, *tables: KernelTable) -> KernelTable:
        """One table of several; a later one overrides an earlier one."""
        merged = cls()
        for table in tables:
            merged.entries.update(table.entries)
            merged.functions.update(table.functions)
        return merged

    def __getitem__(self, op: str) -> Function:
        return self.functions[op]

    def __iter__(self) -> Iterator[str]:
        return iter(self.functions)

    def __len__(self) -> int:
        return len(self.functions)
