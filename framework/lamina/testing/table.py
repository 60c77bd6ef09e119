"""The table of cases: an op, its inputs, its settings, and what must come of them.

A case is data; ``lamina.testing.checks`` holds it against a backend.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from lamina import ops, structures
from lamina.contract import Backend
from lamina.dtypes import INEXACT
from lamina.errors import LaminaError
from lamina.runtime.convert import from_numpy
from lamina.runtime.op import OPS
from lamina.runtime.tensor import Tensor, spec_tensor
from lamina.testing.inputs import Array, Input

TABLE: Final[list[Case]] = []
"""Every case that was made by ``case``, in order."""


@dataclass(frozen=True, eq=False)
class Case:
    """One row of the table; see ``case`` for what the fields mean."""

    op: str
    inputs: Sequence[Any]
    attrs: dict[str, Any]
    reference: Callable[..., Any] | None = None
    raises: type[LaminaError] | None = None
    smooth: bool = True
    gradient: bool | None = None
    loose: float = 1.0
    replayed: bool = True
    described: str = field(default="")

    @property
    def function(self) -> Callable[..., Any]:
        """The op, or the public function made of ops."""
        if self.op in OPS:
            return OPS[self.op]
        found: Any = ops
        for part in self.op.split("."):
            found = getattr(found, part)
        function: Callable[..., Any] = found
        return function

    @property
    def leaves(self) -> list[Any]:
        """The inputs without the lists they may lie in."""
        return structures.flatten(list(self.inputs))

    @property
    def floating(self) -> bool:
        """Whether an input takes the floating dtype of the check, so that it runs in several."""
        return any(isinstance(leaf, Input) and leaf.fixed is None for leaf in self.leaves)

    @property
    def dtypes(self) -> frozenset[str]:
        """The dtypes that the inputs have whatever the check runs in."""
        fixed = {leaf.fixed for leaf in self.leaves if isinstance(leaf, Input) and leaf.fixed}
        return frozenset("string" if dtype == "object" else dtype for dtype in fixed)

    @property
    def differentiable(self) -> bool:
        """Whether a gradient can be asked for: a floating or complex input, and such a result."""
        if self.raises is not None or self.gradient is False:
            return False
        return bool(self.gradient) or self.leads_from_inexact_to_inexact

    @functools.cached_property
    def leads_from_inexact_to_inexact(self) -> bool:
        """Whether floating or complex numbers go in, and such come out."""
        inputs = [leaf for leaf in self.leaves if isinstance(leaf, Input)]
        if not any(leaf.fixed is None or leaf.fixed in INEXACT for leaf in inputs):
            return False
        outputs = structures.flatten(self.call(self.spec_tensors("float64")))
        return any(isinstance(t, Tensor) and t.dtype in INEXACT for t in outputs)

    def arrays(self, dtype: str, salt: int = 0) -> list[Array]:
        """The values of the inputs as NumPy arrays, floating ones in ``dtype``."""
        inputs = [leaf for leaf in self.leaves if isinstance(leaf, Input)]
        return [leaf.array(position, dtype, salt) for position, leaf in enumerate(inputs)]

    def tensors(self, backend: Backend, arrays: Sequence[Array]) -> list[Tensor]:
        """The inputs on a backend, the non-contiguous ones so in memory."""
        inputs = [leaf for leaf in self.leaves if isinstance(leaf, Input)]
        made: list[Tensor] = []
        for leaf, array in zip(inputs, arrays, strict=True):
            if leaf.strided:
                made.append(ops.transpose(from_numpy(array.T, backend)))
            else:
                made.append(from_numpy(array, backend))
        return made

    def spec_tensors(self, dtype: str) -> list[Tensor]:
        """The inputs without values."""
        inputs = [leaf for leaf in self.leaves if isinstance(leaf, Input)]
        return [spec_tensor(i.shape, "string" if i.fixed == "object" else i.fixed or dtype) for i in inputs]

    def arguments(self, values: Sequence[Any]) -> list[Any]:
        """The positional arguments of the call, with ``values`` in the places of the inputs."""
        given = iter(values)
        leaves = [next(given) if isinstance(leaf, Input) else leaf for leaf in self.leaves]
        arguments: list[Any] = structures.unflatten(list(self.inputs), iter(leaves))
        return arguments

    def call(self, values: Sequence[Any]) -> Any:
        """The op on values in the places of the inputs."""
        return self.function(*self.arguments(values), **self.attrs)

    def expected(self, arrays: Sequence[Array]) -> list[Any]:
        """What the reference gives, as a list of arrays. Complex and floating inputs are widened first."""
        assert self.reference is not None
        wide = [array.astype(_WIDE.get(str(array.dtype), array.dtype)) for array in arrays]
        found = self.reference(*self.arguments(wide), **self.attrs)
        return list(found) if isinstance(found, (list, tuple)) else [found]

    def __str__(self) -> str:
        parts = [str(value) for value in self.inputs if isinstance(value, Input)]
        parts += [f"[{', '.join(map(str, value))}]" for value in self.inputs if isinstance(value, (list, tuple))]
        parts += [repr(value) for value in self.inputs if not isinstance(value, (Input, list, tuple))]
        parts += [f"{name}={value}" for name, value in self.attrs.items()]
        wrong = f" raises {self.raises.__name__}" if self.raises else ""
        return self.described or f"{self.op}({', '.join(parts)}){wrong}"


_WIDE: Final = {"float16": "float64", "bfloat16": "float64", "float32": "float64", "complex64": "complex128"}


def case(
    op: str,
    inputs: Sequence[Any],
    *,
    reference: Callable[..., Any] | None = None,
    raises: type[LaminaError] | None = None,
    smooth: bool = True,
    gradient: bool | None = None,
    loose: float = 1.0,
    replayed: bool = True,
    **attrs: Any,
) -> Case:
    """Adds a row: ``op(*inputs, **attrs)`` must equal ``reference(*inputs, **attrs)``, or raise.

    ``inputs`` are makers such as ``normal(2, 3)``, or plain values that are handed on; lists of makers stay lists.
    ``reference`` takes NumPy arrays, floating ones in float64. ``smooth`` False says that the function has kinks, so
    its gradient is held to 1e-4 in place of 1e-6, to first order only. ``gradient`` False says that there is none.
    ``loose`` multiplies the tolerance of values, ``replayed`` False says that the result's shape depends on values.

    >>> import numpy as np
    >>> from lamina.testing import normal
    >>> TABLE.remove(row := case("tanh", [normal(2, 3)], reference=np.tanh))
    >>> print(row)
    tanh(normal(2, 3))
    """
    row = Case(op, tuple(inputs), attrs, reference, raises, smooth, gradient, loose, replayed)
    TABLE.append(row)
    return row


def all_cases() -> tuple[Case, ...]:
    """Every case of lamina's own ops, and those that others have added before."""
    cases = importlib.import_module("lamina.testing.cases")
    for module in pkgutil.iter_modules(cases.__path__):
        importlib.import_module(f"{cases.__name__}.{module.name}")
    return tuple(TABLE)


def ops_without_cases() -> list[str]:
    """The names of ops for which the table has no case of a value."""
    tested = {row.op for row in all_cases() if row.raises is None}
    return sorted(set(OPS) - tested)
