"""Calls lamina as TensorFlow.js was called: names, the order of arguments, and what a literal becomes.

An adapter is a Python function with TensorFlow.js's positional arguments that calls lamina. Without one, the function
of docs/tensorflowjs.csv is called with the arguments as they are. Adapters rename and reorder; they compute nothing.
"""

from __future__ import annotations

import csv
import functools
import importlib
import inspect
import pkgutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import lamina
from lamina.ops import OPS

TensorLike = Any
"""Marks a parameter whose literals become tensors by TensorFlow.js's rule: numbers are float32."""
Indices = Any
"""Marks a parameter whose literals become int32 tensors."""
Mask = Any
"""Marks a parameter whose literals become bool tensors."""

NAMES = Path(__file__).resolve().parents[2] / "docs" / "tensorflowjs.csv"

_ADAPTERS: dict[str, Callable[..., Any]] = {}
_WIDE = {"float32": "float64", "complex64": "complex128"}
_TYPED = {"Float32Array": "float32", "Float64Array": "float32"}


class NotOffered(Exception):
    """lamina has no function for a name of TensorFlow.js."""


def adapter(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: calls of TensorFlow.js's ``names`` go through this function."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        for name in names:
            if name in _ADAPTERS:
                raise ValueError(f"there are two adapters for {name!r}")
            _ADAPTERS[name] = function
        return function

    return register


@functools.cache
def offered() -> dict[str, str]:
    """lamina's name for each name of TensorFlow.js, from the table of the docs."""
    with NAMES.open(encoding="utf-8", newline="") as file:
        return {row["tfjs"].removeprefix("tf."): row["lamina"] for row in csv.DictReader(file)}


@functools.cache
def function_for(name: str) -> Callable[..., Any]:
    """The adapter, or lamina's own function."""
    _load_adapters()
    if name in _ADAPTERS:
        return _ADAPTERS[name]
    path = offered().get(name)
    found: Any = lamina
    for part in (path or "").removeprefix("lamina.").split("."):
        found = getattr(found, part, None)
    if path is None or found is None:
        raise NotOffered(f"lamina has no {path or name}")
    function: Callable[..., Any] = found
    return function


@functools.cache
def _load_adapters() -> None:
    package = importlib.import_module("adapters")
    for module in pkgutil.iter_modules(package.__path__):
        importlib.import_module(f"adapters.{module.name}")


def call(name: str, args: list[Any], wide: bool = False) -> Any:
    """The recorded call. ``wide`` computes in float64 what was recorded in float32.

    Raises NotOffered if lamina has no such function, and whatever lamina raises.
    """
    function = function_for(name)
    parameters = list(inspect.signature(function).parameters.values())
    values = [_argument(value, _parameter(parameters, i), function, wide) for i, value in enumerate(args)]
    return function(*values)


def _parameter(parameters: list[inspect.Parameter], index: int) -> inspect.Parameter | None:
    if index < len(parameters):
        return parameters[index]
    last = parameters[-1] if parameters else None
    return last if last is not None and last.kind is inspect.Parameter.VAR_POSITIONAL else None


def _argument(value: Any, parameter: inspect.Parameter | None, function: Any, wide: bool) -> Any:
    if is_undefined(value):
        given = None if parameter is None else parameter.default
        return None if given is inspect.Parameter.empty else given
    dtype = _literal_dtype(parameter, function)
    if isinstance(value, list) and "Sequence[TensorLike]" in str(getattr(parameter, "annotation", "")):
        return [_converted(item, dtype, wide) for item in value]
    return _converted(value, dtype, wide)


def _literal_dtype(parameter: inspect.Parameter | None, function: Any) -> str | None:
    """What plain numbers become: a dtype, "inferred" by TensorFlow.js's rule, or None for "they stay as they are"."""
    annotation = "" if parameter is None else str(parameter.annotation)
    if "Indices" in annotation:
        return "int32"
    if "Mask" in annotation:
        return "bool"
    if "TensorLike" not in annotation or parameter is None:
        return None
    op = OPS.get(getattr(function, "name", ""))
    accepted = () if op is not function else op._dtypes.get(parameter.name, ())
    if accepted and "float32" not in accepted:
        return "int32" if "int32" in accepted else next(iter(accepted))
    return "inferred"


def _converted(value: Any, dtype: str | None, wide: bool) -> Any:
    """Recorded arrays as tensors wherever they are, and literals where tensors are expected."""
    if isinstance(value, lamina.Tensor | lamina.Variable):
        return value
    if isinstance(value, np.ndarray):
        return lamina.tensor(value, dtype=_WIDE.get(str(value.dtype)) if wide else None)
    if hasattr(value, "kind") and hasattr(value, "data"):
        return lamina.tensor(value.data, dtype=_TYPED.get(value.kind, "int32")) if dtype else value.data.tolist()
    if isinstance(value, dict):
        return {key: _converted(item, dtype, wide) for key, item in value.items() if not is_undefined(item)}
    if isinstance(value, list):
        first = _first(value)
        if dtype is None or first is None or not isinstance(first, bool | int | float | str):
            return [_converted(item, dtype, wide) for item in value]
    elif dtype is None or not isinstance(value, bool | int | float | str):
        return None if is_undefined(value) else value
    return lamina.tensor(value, dtype=_inferred(value, dtype, wide))


def _inferred(value: Any, dtype: str, wide: bool) -> str:
    first = _first(value)
    if dtype != "inferred" and not isinstance(first, str):
        return dtype
    if isinstance(first, str):
        return "string"
    return "bool" if isinstance(first, bool) else "float64" if wide else "float32"


def _first(value: Any) -> Any:
    while isinstance(value, list):
        if not value:
            return 0.0
        value = value[0]
    return value


def is_undefined(value: Any) -> bool:
    """Whether an argument was explicitly left out."""
    return type(value).__name__ == "_Undefined"
