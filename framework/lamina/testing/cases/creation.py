"""Cases of ops that make tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError
from lamina.testing.inputs import complex_normal, ints, normal, strings
from lamina.testing.table import case


def _full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    return np.full(shape, fill_value, dtype)


case("full", [], shape=(2, 3), fill_value=1.5, reference=_full)
case("full", [], shape=(), fill_value=True, reference=_full)
case("full", [], shape=(0, 3), fill_value=2, reference=_full)
case("full", [], shape=2, fill_value=float("nan"), reference=_full)
case("full", [], shape=2, fill_value=1j, reference=_full)
for _dtype in ("bool", "int8", "int64", "float64", "complex128"):
    case("full", [], shape=(2,), fill_value=1, dtype=_dtype, reference=_full)
case("constant", [], shape=(2, 3), fill_value=2, dtype="float64", reference=_full)
case("constant", [], shape=(), fill_value=True, reference=_full)
case("full", [], shape=(-1,), fill_value=1, raises=ArgumentError)
case("full", [], shape=(2,), fill_value=None, raises=ArgumentTypeError)
case("full", [], shape=(2,), fill_value="a", dtype="int32", raises=DTypeError)
case("full", [], shape=(2,), fill_value=1, dtype="string", raises=DTypeError)
case("full", [], shape=(2,), fill_value=1j, dtype="float32", raises=DTypeError)
case("full", [], shape=(2,), fill_value=float("nan"), dtype="int32", raises=DTypeError)
case("zeros", [(2, 3)], reference=lambda shape: np.zeros(shape))
case("ones", [(2, 3)], dtype="int32", reference=lambda shape, dtype: np.ones(shape, dtype))
case("zeros_like", [normal(2, 3)], reference=np.zeros_like, gradient=False)
case("ones_like", [ints(2, 3)], reference=np.ones_like)
case("zeros_like", [strings(["a"])], raises=DTypeError)
case("full_like", [complex_normal(2)], fill_value=2.0, reference=np.full_like, gradient=False)


def _progression(start: Any, stop: Any, step: Any, dtype: str) -> Any:
    return np.arange(start, stop, step).astype(dtype)


case("progression", [], start=0, stop=5, step=1, dtype="int32", reference=_progression)
case("progression", [], start=5, stop=-1, step=-2, dtype="int64", reference=_progression)
case("progression", [], start=0.5, stop=2.0, step=0.25, dtype="float32", reference=_progression)
case("progression", [], start=3, stop=3, step=1, dtype="float64", reference=_progression)
case("arange", [3], reference=np.arange)
case("arange", [1, 2, 0.25], reference=np.arange)
case("arange", [5, 0, -1], reference=np.arange)
case("arange", [2, 1], reference=np.arange)
case("arange", [0, 3, 0], raises=ArgumentError)
case("arange", [float("inf")], raises=ArgumentTypeError)


def _linspace(start: float, stop: float, num: int, dtype: str = "float32") -> Any:
    return np.linspace(start, stop, num)


case("linspace", [], start=0.0, stop=1.0, num=5, reference=_linspace)
case("linspace", [], start=3, stop=-1, num=4, dtype="float64", reference=_linspace)
case("linspace", [], start=2.0, stop=3.0, num=1, reference=_linspace)
case("linspace", [], start=0.0, stop=1.0, num=0, raises=ArgumentError)
case("linspace", [], start="a", stop=1.0, num=2, raises=ArgumentTypeError)
case("full", [], shape=0.5, fill_value=1, raises=ArgumentTypeError)


def _eye(num_rows: int, num_columns: int | None = None, batch_shape: Any = (), dtype: str = "float32") -> Any:
    matrix = np.eye(num_rows, num_columns, dtype=dtype)
    return np.broadcast_to(matrix, (*(batch_shape or ()), *matrix.shape))


case("identity_matrix", [], num_rows=2, num_columns=3, dtype="int32", reference=_eye)
case("identity_matrix", [], num_rows=3, num_columns=3, dtype="complex64", reference=_eye)
case("eye", [3], reference=_eye)
case("eye", [2, 3], dtype="bool", reference=_eye)
case("eye", [2, 1, [3, 2]], reference=_eye)
case("eye", [0], reference=_eye)
case("eye", [2, 2, None, "float64"], reference=_eye)
case("eye", [-1], raises=ArgumentError)
case("eye", [2, 2, [-1]], raises=ArgumentError)
