"""What is there and what is left out: the kernels of a backend, and the gradients that no case checks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from lamina.dtypes import INEXACT
from lamina.errors import LaminaError
from lamina.runtime.op import OPS, CompositeOp, Op
from lamina.shapes import Spec
from lamina.testing.inputs import Input
from lamina.testing.table import Case, all_cases

SOURCES: Final = ("own", "shared", "made of ops", "on the host", "missing")
"""Where the result of an op may come from, best first."""


def kernel_source(op: Op[Any, Any], kernels: Mapping[str, Callable[..., Any]]) -> str:
    """Where a backend with these kernels has the result of an op from, one of ``SOURCES``.

    A kernel is the backend's own if it is written for it or is a function of its library, and shared if it is one of
    those for every library that speaks the Array API standard.

    >>> import lamina, lamina.ops
    >>> kernel_source(lamina.ops.OPS["add"], {}), kernel_source(lamina.ops.OPS["gelu"], {})
    ('missing', 'made of ops')
    """
    kernel = kernels.get(op.name)
    if kernel is not None:
        return "shared" if str(getattr(kernel, "__module__", "")).startswith(SHARED) else "own"
    if op.algorithm is not None:
        return "on the host"
    return "made of ops" if isinstance(op, CompositeOp) else "missing"


SHARED: Final = "lamina_arrayapi"
"""The package of the kernels that backends share."""


def gradient_gaps() -> dict[str, list[str]]:
    """For each op from floating or complex numbers to such, the kinds of cases of its gradient that are missing.

    The kinds are 'gradient' (any case at all), 'size 0', 'size 1' and, for ops that broadcast, 'broadcasting'. Inputs
    that do not lie in order in memory need no case: ``check_gradient`` lays out those of every case so. Ops that
    declare why they have no gradient are left out.
    """
    by_op: dict[str, list[Case]] = {name: [] for name in OPS}
    for row in all_cases():
        if row.op in by_op and row.raises is None:
            by_op[row.op].append(row)
    gaps = {name: _missing(OPS[name], rows) for name, rows in by_op.items()}
    return {name: missing for name, missing in sorted(gaps.items()) if missing}


def _missing(op: Op[Any, Any], rows: Sequence[Case]) -> list[str]:
    if op.without_gradient is not None or not any(row.leads_from_inexact_to_inexact for row in rows):
        return []
    checked = [row for row in rows if row.differentiable]
    if not checked:
        return ["gradient"]
    wanted = [kind for kind in KINDS if kind != "broadcasting" or broadcasts(op)]
    return [kind for kind in wanted if not any(KINDS[kind](row) for row in checked)]


def _moving(row: Case) -> list[Input]:
    return [i for i in row.leaves if isinstance(i, Input) and (i.fixed is None or i.fixed in INEXACT)]


def _has_different_shapes(row: Case) -> bool:
    return len({leaf.shape for leaf in _moving(row)}) > 1


KINDS: Final[dict[str, Callable[[Case], bool]]] = {
    "size 0": lambda row: any(0 in leaf.shape for leaf in _moving(row)),
    "size 1": lambda row: any(1 in leaf.shape or leaf.shape == () for leaf in _moving(row)),
    "broadcasting": _has_different_shapes,
}
"""The kinds of inputs at which gradients go wrong, each with how a case is told to be of it."""


def broadcasts(op: Op[Any, Any]) -> bool:
    """Whether an op takes two tensors or more of shapes that broadcast, whichever is the smaller."""
    if op.variadic or len(op.inputs) < 2:
        return False
    small, large = Spec((3,), "float32"), Spec((2, 3), "float32")
    others = [large] * (len(op.inputs) - 2)
    try:
        results = [op.result(a, b, *others, **op.defaults) for a, b in ((small, large), (large, small))]
    except (LaminaError, TypeError, ValueError, IndexError, AttributeError):  # how rules refuse what they do not take
        return False
    return all(isinstance(spec, Spec) and spec.shape == large.shape for spec in results)
