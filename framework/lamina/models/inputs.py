"""Checks data against what a model takes, before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.data.rows import Rows
from lamina.errors import DataError, DTypeError, ShapeError
from lamina.structures import flatten, map_structure


def is_ready(model: Any, x: Any, batch_size: int) -> bool:
    """Whether x is one batch in just the form that the model's only input takes, so that nothing need be checked."""
    graph = getattr(model, "graph", None)
    if type(x) is not np.ndarray or graph is None or len(graph.inputs) != 1 or x.dtype != model.dtype:
        return False
    shape, wanted = x.shape, graph.inputs[0].shape
    return len(shape) == len(wanted) and shape[1:] == wanted[1:] and 0 < shape[0] <= batch_size


def with_feature_axis(model: Any, x: Any) -> Any:
    """Arrays of one number per example get an axis of size 1 where the model's input has one, as in TensorFlow.js."""
    graph = getattr(model, "graph", None)
    if graph is None:
        return x
    wanted = {id(a): s for a, s in zip(_ordered(graph, x), graph.inputs, strict=False)}

    def fitted(array: Any) -> Any:
        symbolic = wanted.get(id(array))
        if symbolic is None or array.ndim != 1 or symbolic.ndim != 2:
            return array
        return array.part((slice(None), None)) if isinstance(array, Rows) else array[:, None]

    return map_structure(fitted, x)


def check_inputs(model: Any, x: Any) -> None:
    """Raises DataError or ShapeError, naming the input, if the arrays do not fit the model's inputs."""
    graph = getattr(model, "graph", None)
    if graph is None:
        return
    arrays = _ordered(graph, x)
    if len(arrays) != len(graph.inputs):
        raise DataError(
            f"x holds {len(arrays)} arrays, and the model {model.name!r} has {len(graph.inputs)} inputs.",
            expected=f"one for each of {', '.join(s.name for s in graph.inputs)}.",
        )
    for array, symbolic in zip(arrays, graph.inputs, strict=True):
        if array.dtype.kind == "c" and not symbolic.dtype.startswith("complex"):
            raise DTypeError(
                f"the input {symbolic.name!r} of the model {model.name!r} takes {symbolic.dtype}, "
                f"and x has dtype {array.dtype}.",
                expected="real numbers.",
                fix="give the real and the imaginary parts as features of their own.",
            )
        sizes = zip(array.shape[1:], symbolic.shape[1:], strict=False)
        if array.ndim != symbolic.ndim or any(b is not None and a != b for a, b in sizes):
            raise ShapeError(
                f"the input {symbolic.name!r} of the model {model.name!r} takes shape {symbolic.shape}, "
                f"and x has shape {array.shape}.",
                expected="equal sizes on every axis but the first.",
                fix="reshape x, or make the model with the shape of one example.",
            )


def input_names(graph: Any) -> list[str]:
    """The names by which a model takes its inputs; none if it has one that is not in a dict."""
    if isinstance(graph.input_structure, dict):
        return list(graph.input_structure)
    return [s.name for s in graph.inputs] if len(graph.inputs) > 1 else []


def _ordered(graph: Any, x: Any) -> list[Any]:
    if isinstance(x, dict):
        keys = input_names(graph) or [s.name for s in graph.inputs]
        missing = [key for key in keys if key not in x]
        if missing:
            raise DataError(f"x has no entry {missing[0]!r}.", expected=f"a dict with {', '.join(keys)}.")
        return [x[key] for key in keys]
    return flatten(x)
