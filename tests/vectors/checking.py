"""One recorded call against lamina: its result, its error, its gradient."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np
from adapting import call
from comparing import assert_near, assert_plausible, assert_result, at, leaves, replaced

import lamina
from lamina.errors import GradientError, LaminaError

Record = dict[str, Any]
Array = np.ndarray[Any, Any]


def check_op(record: Record) -> None:
    """The call gives the recorded result."""
    found = call(record["op"], record["args"])
    if record.get("random"):
        recorded = record["result"]
        for path, value in leaves(found):
            described = at(recorded, path) if path else recorded
            assert_plausible(value, described, record["stats"])
    else:
        assert_result(found, record["result"])


def check_op_error(record: Record) -> None:
    """The call raises an error of lamina's own."""
    try:
        found = call(record["op"], record["args"])
    except LaminaError:
        return
    raise AssertionError(f"nothing was raised, but {found!r:.80} came; recorded: {record['error']['message']:.120}")


def check_gradient(record: Record) -> None:
    """The vector-Jacobian products are the recorded ones; where there are none, those that differences measure."""
    if "grads" not in record:
        check_by_differences(record)
        return
    paths = [entry["wrt"] for entry in record["grads"]]
    found = _gradients(record, paths, record["cotangents"])
    for entry, gradient in zip(record["grads"], found, strict=True):
        recorded = entry["grad"]
        if recorded is None:
            assert gradient is None or not np.any(gradient), f"wrt {entry['wrt']}: {gradient}, recorded none"
            continue
        array = np.zeros(recorded.shape, recorded.dtype) if gradient is None else gradient
        assert array.shape == recorded.shape, f"wrt {entry['wrt']}: shape {array.shape}, recorded {recorded.shape}"
        assert_near(array, recorded, f"wrt {entry['wrt']}")


def _gradients(record: Record, paths: Sequence[Any], cotangents: Any, wide: bool = False) -> list[Array | None]:
    args = record["args"]
    dtype = "float64" if wide else "float32"
    sources = [lamina.Variable(at(args, p).astype(dtype), name=f"x{i}") for i, p in enumerate(paths)]

    def total() -> Any:
        given = args
        for path, source in zip(paths, sources, strict=True):
            given = replaced(given, path, lamina.ops.identity(source))
        result = call(record["op"], given, wide)
        return _weighted(result, cotangents)

    try:
        _, by_name = lamina.variable_grads(total, sources)
    except GradientError as error:
        if "nothing connects" not in str(error) and "read no" not in str(error):
            raise
        return [None] * len(sources)
    return [None if g is None else g.numpy() for g in by_name.values()]


def _weighted(result: Any, cotangents: Any) -> Any:
    terms = []
    for entry in cotangents:
        output = at(result, entry["path"])
        terms.append(lamina.sum(output * lamina.tensor(entry["cotangent"], dtype=output.dtype)))
    return functools.reduce(lamina.add, terms)


def check_by_differences(record: Record, kinks: bool = False, steps: int = 3) -> None:
    """The gradient in float64 along random directions equals the slope that differences give.

    Where the slopes on both sides differ there is no derivative, and nothing to check; with ``kinks`` the gradient must
    lie between them. One tensor moves at a time; what is not finite is neither moved nor weighed.
    """
    if record.get("reason") == "not connected":
        return
    generator = np.random.default_rng(0)
    for path in record["wrt"]:
        x = at(record["args"], path).astype(np.float64)
        for _ in range(steps if x.size else 0):
            direction = np.where(np.isfinite(x), generator.standard_normal(x.shape) * np.maximum(1.0, np.abs(x)), 0.0)
            _check_along(record, path, x, direction, generator, kinks)


def _check_along(record: Record, path: Any, x: Array, direction: Array, generator: Any, kinks: bool) -> None:
    step = 1e-6
    here = _outputs(record, path, x)
    moved = {way: _outputs(record, path, x + step * direction * way) for way in (1.0, -1.0, 0.5, -0.5)}
    cotangents, slopes = [], dict.fromkeys(moved, 0.0)
    for place, value in here.items():
        if any(outputs[place].shape != value.shape for outputs in moved.values()):
            return  # what comes depends on which elements are equal: there is no derivative
        finite = np.logical_and.reduce([np.isfinite(outputs[place]) for outputs in (here, *moved.values())])
        cotangent = np.where(finite, generator.standard_normal(value.shape), 0.0)
        cotangents.append({"path": place, "cotangent": cotangent})
        for way, outputs in moved.items():
            change = np.where(finite, outputs[place] - value, 0.0)
            slopes[way] += float(np.sum(cotangent * change)) / (step * way)
    right, left = slopes[1.0], slopes[-1.0]
    room = 1e-4 * max(1.0, abs(right), abs(left))
    if not cotangents or _jumps(slopes) or (abs(right - left) > room and not kinks):
        return
    gradient = _gradients(record, [path], cotangents, wide=True)[0]
    taped = 0.0 if gradient is None else float(np.sum(gradient * direction, where=direction != 0))
    if np.isnan(taped) and not all(np.all(np.isfinite(a)) for _, a in leaves(record["args"]) if is_float(a)):
        return  # 0 times infinity, in an element that is not weighed
    low, high = min(left, right) - room, max(left, right) + room
    assert low <= taped <= high, f"the tape gives {taped}, differences {left} from the left and {right} from the right"


def _jumps(slopes: dict[float, float]) -> bool:
    """Whether half the step changes a slope: the function is not continuous here, and has no derivative."""
    return any(abs(slopes[way] - slopes[way / 2]) > 1e-2 * max(1.0, abs(slopes[way])) for way in (1.0, -1.0))


def _outputs(record: Record, path: Any, x: Array) -> dict[tuple[Any, ...], Array]:
    """The floating results of the call in float64 with another tensor at a path, by their own paths."""
    result = call(record["op"], replaced(record["args"], path, lamina.tensor(x)), wide=True)
    return {p: t.numpy() for p, t in leaves(result) if getattr(t, "dtype", "") == "float64"}


def is_float(value: Any) -> bool:
    """Whether a leaf of the arguments is an array of floats."""
    return isinstance(value, np.ndarray) and value.dtype.kind == "f"
