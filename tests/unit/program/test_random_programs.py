"""Random programs: eager, interpreted, as plain source and by the executable they give the same.

In float64, and products bounded, so that sums in another order stay far below the tolerance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lamina
from lamina.ops import OPS
from lamina.program import Interpreter, Program, optimize
from lamina.program.lanes import in_lanes
from lamina.program.passes import PASSES
from lamina.program.source import compile_source
from lamina.replay.recorder import Recorder
from lamina.runtime.backends import find_backend
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor
from lamina_numpy.executable import NumPyExecutable
from lamina_numpy.passes import REWRITES

SHAPE = (2, 3)
UNARY = ("tanh", "sigmoid", "relu", "negative", "sin", "identity", "abs", "softmax")
BINARY = ("add", "subtract", "multiply", "maximum", "minimum")
RESHAPED: tuple[Any, ...] = (
    lambda x: lamina.transpose(lamina.reshape(x, (3, 2))),
    lambda x: lamina.broadcast_to(lamina.sum(x, axis=0), SHAPE),
    lambda x: lamina.broadcast_to(lamina.mean(x, axis=1, keepdims=True), SHAPE),
    lambda x: lamina.concatenate([x[:, 1:], x[:, :1]], axis=1),
    lambda x: lamina.stack(lamina.unstack(x)[::-1]),
    lambda x: lamina.split(x, 1)[0],
    lambda x: lamina.tanh(lamina.matmul(x, lamina.matmul(x, x, transpose_a=True))),
    lambda x: x[::-1, None][:, 0],
    lambda x: lamina.gather(x, lamina.tensor([1, 0])),
)


@st.composite
def steps(draw: Any) -> list[tuple[Any, ...]]:
    """A list of operations on a growing list of values, and what is returned and written."""
    found: list[tuple[Any, ...]] = []
    count = 3
    for _ in range(draw(st.integers(1, 12))):
        kind = draw(st.sampled_from(["unary", "binary", "reshaped", "write"]))
        pick = st.integers(0, count - 1)
        if kind == "unary":
            found.append((kind, draw(st.sampled_from(UNARY)), draw(pick)))
        elif kind == "binary":
            found.append((kind, draw(st.sampled_from(BINARY)), draw(pick), draw(pick)))
        elif kind == "reshaped":
            found.append((kind, draw(st.integers(0, len(RESHAPED) - 1)), draw(pick)))
        else:
            found.append((kind, draw(st.integers(0, 1)), draw(pick)))
            continue
        count += 1
    outputs = draw(st.lists(st.integers(0, count - 1), min_size=1, max_size=3))
    return [*found, ("return", *outputs)]


def _run(operations: list[tuple[Any, ...]], x: Any, variables: list[lamina.Variable]) -> list[Tensor]:
    values: list[Any] = [x, variables[0].value, variables[1].value]
    for kind, *what in operations:
        if kind == "return":
            return [values[i] for i in what]
        if kind == "unary":
            values.append(OPS[what[0]](values[what[1]]))
        elif kind == "binary":
            found = OPS[what[0]](values[what[1]], values[what[2]])
            values.append(lamina.sin(found) if what[0] == "multiply" else found)
        elif kind == "reshaped":
            values.append(RESHAPED[what[0]](values[what[1]]))
        else:
            variables[what[0]].assign(lamina.tanh(values[what[1]]) if what[1] % 2 else values[what[1]])
    raise AssertionError("no return")


def _data(salt: int) -> Any:
    return np.random.default_rng(salt).uniform(-1.0, 1.0, SHAPE)


def _variables() -> list[lamina.Variable]:
    return [lamina.Variable(_data(salt)) for salt in (11, 12)]


@given(steps())
@settings(max_examples=150, deadline=None)
def test_a_replayed_step_is_the_eager_one(operations: list[tuple[Any, ...]]) -> None:
    """Four calls with other data each, outputs kept to the end, Variables compared after each."""
    eager, replayed = _variables(), _variables()
    step = lamina.function(lambda x: _run(operations, x, replayed))
    kept: list[tuple[list[Tensor], list[Any]]] = []
    for call in range(4):
        expected = [y.numpy() for y in _run(operations, lamina.tensor(_data(call)), eager)]
        kept.append((step(lamina.tensor(_data(call))), expected))
        for mine, theirs in zip(replayed, eager, strict=True):
            np.testing.assert_allclose(mine.numpy(), theirs.numpy(), 1e-6, 1e-6)
    for found, expected in kept:
        for mine, wanted in zip(found, expected, strict=True):
            np.testing.assert_allclose(mine.numpy(), wanted, 1e-6, 1e-6)
    assert "replays" in step.explain()


@given(steps())
@settings(max_examples=100, deadline=None)
def test_every_way_to_run_a_program_gives_the_same(operations: list[tuple[Any, ...]]) -> None:
    variables, backend = _variables(), lamina.get_backend()
    x = lamina.tensor(_data(0))
    state = [v.numpy() for v in variables]
    recorder = Recorder([x])
    with listening(recorder):
        outputs = _run(operations, x, variables)
    plain = recorder.program(outputs)
    order = [next(i for i, mine in enumerate(variables) if mine is v) for v in recorder.variables]
    after = [variables[order[index]].numpy() for index, _ in plain.writes]
    for program in (plain.check(), optimize(plain)):
        constants = {slot: backend.from_host(a) for slot, a in program.constants.items()}
        interpreter = Interpreter(program, backend.kernels, backend.from_host)
        source = compile_source(program, backend.kernels.functions, constants)
        for run in (interpreter, source):
            found, written = run([_data(0)], [state[i].copy() for i in order])
            _assert_all(found, [y.numpy() for y in outputs])
            _assert_all(written, after)
        _check_executable(program, [state[i] for i in order], [y.numpy() for y in outputs], after)


WITHOUT = ("", *PASSES, *REWRITES, "inlined", "lanes", "scalars")
"""Nothing is left out, and each rewrite by itself."""


def _check_executable(program: Program, state: list[Any], outputs: list[Any], after: list[Any]) -> None:
    for name in WITHOUT:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LAMINA_WITHOUT", name)
            _check_loaded(program, state, outputs, after)


def _check_loaded(program: Program, state: list[Any], outputs: list[Any], after: list[Any]) -> None:
    executable = lamina.get_backend().load(program)
    for _ in range(2):
        held = [array.copy() for array in state]
        found, written = executable([_data(0)], held)
        _assert_all(found, outputs)
        _assert_all([held[i] for i, _ in program.writes] if executable.updates_in_place else written, after)


@given(steps())
@settings(max_examples=150, deadline=None)
def test_programs_in_lanes_give_the_same(operations: list[tuple[Any, ...]]) -> None:
    """Interpreted, and by the executable with each lane on a thread of its own."""
    program, order, outputs = _recorded(operations)
    state = [_data(11 + i) for i in order]
    lanes = in_lanes(optimize(program), SHAPE[0])
    if lanes is None:
        return
    assert [i for stage in lanes.stages for run in stage for i in range(*run)] == [
        *range(len(lanes.program.instructions))
    ]
    backend = find_backend("numpy")
    found, written = Interpreter(lanes.program, backend.kernels, backend.from_host)([_data(0)], state)
    _assert_all(found, outputs)
    executable = NumPyExecutable(program, backend.kernels, lambda _: lanes)
    for _ in range(2):
        held = [array.copy() for array in state]
        _assert_all(executable([_data(0)], held)[0], outputs)
        _assert_all([held[i] for i, _ in program.writes], written)


def _recorded(operations: list[tuple[Any, ...]]) -> tuple[Program, list[int], list[Any]]:
    """The program of a run, the numbers of its Variables, and what the run returned."""
    variables, x = _variables(), lamina.tensor(_data(0))
    recorder = Recorder([x])
    with listening(recorder):
        outputs = _run(operations, x, variables)
    order = [next(i for i, mine in enumerate(variables) if mine is v) for v in recorder.variables]
    return recorder.program(outputs), order, [y.numpy() for y in outputs]


def _assert_all(found: list[Any], expected: list[Any]) -> None:
    for mine, wanted in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, wanted, 1e-6, 1e-6)


@given(steps())
@settings(max_examples=60, deadline=None)
def test_passes_keep_programs_sound_and_never_make_them_longer(operations: list[tuple[Any, ...]]) -> None:
    x, variables = lamina.tensor(_data(0)), _variables()
    recorder = Recorder([x])
    with listening(recorder):
        outputs = _run(operations, x, variables)
    plain = recorder.program(outputs)
    short = optimize(plain)
    assert len(short.instructions) <= len(plain.instructions)
    assert optimize(short).instructions == short.instructions
    assert (len(short.outputs), len(short.writes)) == (len(plain.outputs), len(plain.writes))
