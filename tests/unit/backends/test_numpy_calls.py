"""Calls that a step has in the place of kernels: the same results to the last bit, and what they rely on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lamina import layers
from lamina.models import Sequential
from lamina.program import Instruction, Program
from lamina.program.source import source_of
from lamina.runtime.backends import find_backend
from lamina.shapes import Spec
from lamina.utils import set_random_seed
from lamina_numpy.calls import Call, in_order, written
from lamina_numpy.executable import NumPyExecutable


def _trained(optimizer: str) -> tuple[list[Any], str]:
    set_random_seed(3)
    model = Sequential([layers.Input((5,)), layers.Dense(7, activation="relu"), layers.Dense(3)])
    model.compile(optimizer, "mse", metrics=["mae"])
    x, y = np.random.default_rng(0).normal(size=(2, 24, 5)).astype("f4")
    model.fit(x, y[:, :3], batch_size=8, epochs=3, shuffle=False, verbose=0)
    (entry,) = model._steps["train"]._entries.values()  # type: ignore[attr-defined]
    return [w.numpy() for w in (*model.weights, *model.optimizer.variables)], source_of(entry.executable._step)


@pytest.mark.parametrize("optimizer", ["adam", "momentum", "nesterov"])
def test_training_is_the_same_without_them(optimizer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from lamina.optimizers import SGD

    made: Any = {"adam": "adam"}.get(optimizer) or (lambda: SGD(0.1, 0.9, nesterov=optimizer == "nesterov"))
    found, source = _trained(made if isinstance(made, str) else made())
    assert ".fill(" in source
    assert "out=" in source
    for name in ("inlined", "scalars"):
        monkeypatch.setenv("LAMINA_WITHOUT", name)
        expected, other = _trained(made if isinstance(made, str) else made())
        assert other != source
        for mine, wanted in zip(found, expected, strict=True):
            np.testing.assert_array_equal(mine, wanted)


@pytest.mark.parametrize(("op", "dtype", "a", "b"), [
    ("add", "int32", 2**31 - 1, 1), ("subtract", "int32", -(2**31), 1), ("multiply", "int32", 2**20 + 3, 2**20 + 7),
    ("add", "float32", 1e8, 1.0), ("multiply", "float32", 3e38, 3e38), ("multiply", "float32", 1e-30, 1e-15),
    ("subtract", "float32", np.inf, np.inf), ("multiply", "float64", 0.1, 3.0), ("add", "float32", 0.1, 0.2),
    ("multiply", "float32", -0.0, 1.0), ("add", "float64", np.nan, 1.0),
])  # fmt: skip
def test_arithmetic_of_single_numbers_is_numpys(op: str, dtype: str, a: float, b: float) -> None:
    spec, x, y = Spec((), dtype), np.array(a, dtype), np.array(b, dtype)
    program = Program(slots=(spec,) * 3, state=(0, 1), instructions=(Instruction(op, (0, 1), (2,)),), writes=((0, 2),))
    executable = NumPyExecutable(program, find_backend("numpy").kernels)
    with np.errstate(all="ignore"):
        expected = getattr(np, op)(x, y)
    state = [x.copy(), y.copy()]
    executable([], state)
    assert ".fill(" in source_of(executable._step)
    np.testing.assert_array_equal(state[0], expected)
    assert np.signbit(state[0]) == np.signbit(expected)


def test_results_in_place_are_one_array_in_the_source() -> None:
    x = np.arange(4.0)
    again, rest = x[:], x[1:]
    namespace: dict[str, Any] = {"s0": x}
    lines = written([Call(np.add, (x, x, again)), Call(np.maximum, (rest, 0.0), rest)], 7, {id(x): "s0"}, namespace)
    assert lines == ["c7_1(s0, s0, s0)", "c7_4(c7_2, c7_3, out=c7_2)"]
    in_order([Call(np.add, (x, x, again)), Call(np.maximum, (rest, 5.0), rest)])()
    assert x.tolist() == [0.0, 5.0, 5.0, 6.0]


def test_a_step_within_a_step_warns_of_nothing() -> None:
    """A finalizer may run a step while another one of the thread runs."""
    from lamina_numpy.executable import without_warnings

    with np.errstate(all="raise"):
        assert without_warnings(lambda: without_warnings(lambda: np.divide(np.ones(1), 0.0))) == np.inf
        with pytest.raises(RuntimeError, match="of its own"):
            without_warnings(_fail)
        with pytest.raises(FloatingPointError):
            np.divide(np.ones(1), 0.0)


def _fail() -> None:
    raise RuntimeError("one of its own")


@pytest.mark.parametrize("shapes", [
    ((6, 5), (5,)), ((5,), (6, 5)), ((6, 1), (6, 5)), ((2, 3, 4), (3, 1)), ((6, 5), (6, 5)), ((6, 5), (1,)),
    ((6, 1), (1, 5)), ((200, 100), (100,)), ((0, 3), (3,)),
])  # fmt: skip
@pytest.mark.parametrize("op", ["add", "subtract", "multiply", "divide"])
def test_what_is_repeated_first_gives_what_is_broadcast(shapes: Any, op: str) -> None:
    rng = np.random.default_rng(0)
    a, b = (rng.normal(size=shape).astype("f4") for shape in shapes)
    expected = getattr(np, op)(a, b)
    y = Spec(expected.shape, "float32")
    program = Program(
        slots=(Spec(a.shape, "float32"), Spec(b.shape, "float32"), y, y), state=(0, 1, 3),
        instructions=(Instruction(op, (0, 1), (2,)),), writes=((2, 2),),
    )  # fmt: skip
    state = [a, b, np.empty(y.shape, "f4")]
    NumPyExecutable(program, find_backend("numpy").kernels)([], state)
    np.testing.assert_array_equal(state[2], expected)


@pytest.mark.parametrize("shape", [(3, 4), (40, 1000), (600, 1000), (0, 3)])
def test_relu_in_blocks_is_relu(shape: Any) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype("f4")
    x.flat[:3] = np.nan, np.inf, -np.inf
    spec = Spec(shape, "float32")
    program = Program(
        slots=(spec, spec, spec), state=(0, 2), instructions=(Instruction("relu", (0,), (1,)),), writes=((1, 1),)
    )
    state = [x, np.empty_like(x)]
    executable = NumPyExecutable(program, find_backend("numpy").kernels)
    executable([], state)
    np.testing.assert_array_equal(state[1], np.maximum(x, 0))
    assert len(source_of(executable._step).splitlines()) < 10
