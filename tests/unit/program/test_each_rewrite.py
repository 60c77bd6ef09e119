"""Every case of the conformance kit with its gradient, by an executable that leaves out one rewrite, gives the same.

In float64, the op and its gradient in one program, so that rewrites which join the two have something to do. Lanes, and
rewrites of several layers in a row, have tests of their own.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np
import pytest

import lamina
from lamina import structures
from lamina.autodiff import Tape
from lamina.dtypes import INEXACT
from lamina.program import Program, optimize
from lamina.program.passes import PASSES
from lamina.replay.recorder import Recorder
from lamina.runtime.backends import find_backend
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor
from lamina.testing.compare import assert_close
from lamina.testing.table import Case, all_cases
from lamina_numpy.calls import scalar_line
from lamina_numpy.executable import INLINED, UPDATES
from lamina_numpy.passes import REWRITES

BACKEND = find_backend("numpy")
BETWEEN = ("pools-first", "met-by-pools")
"""Rewrites of several layers in a row, which no single op has."""


class Recorded(NamedTuple):
    """A program as it was recorded, what went in, and what the eager run gave."""

    case: Case
    program: Program
    inputs: list[Any]
    expected: list[Any]


def tensors_of(result: Any) -> list[Tensor]:
    return [leaf for leaf in structures.flatten(result) if isinstance(leaf, Tensor)]


def with_gradient(case: Case, inputs: list[Tensor]) -> list[Tensor]:
    """The results of a case, and the gradients of all of them for its inputs, weighed by random numbers."""
    moving = [i for i, t in enumerate(inputs) if t.dtype in INEXACT] if case.differentiable else []
    sources = {i: lamina.identity(inputs[i]) for i in moving}
    tape = Tape(variables=())
    for source in sources.values():
        tape.watch(source)
    with listening(tape):
        outputs = tensors_of(case.call([sources.get(i, t) for i, t in enumerate(inputs)]))
    loose = [y for y in outputs if y.dtype in INEXACT]
    weights = [lamina.tensor(np.random.default_rng(9).uniform(0.5, 1.5, y.shape), dtype=y.dtype) for y in loose]
    found = tape.gradients(loose, weights, list(sources.values())) if sources and loose else []
    return [*outputs, *(g for g in found if g is not None)]


@functools.cache
def recorded() -> tuple[Recorded, ...]:
    """Every case that can be recorded."""
    made = []
    with lamina.backend_scope("numpy"):
        for case in all_cases():
            if case.raises is not None or not case.replayed or case.dtypes & {"string", "bfloat16"}:
                continue
            inputs = case.tensors(BACKEND, case.arrays("float64"))
            recorder = Recorder(inputs)
            with listening(recorder):
                outputs = with_gradient(case, inputs)
            if recorder.not_replayable is None:
                arrays = [t.array for t in inputs]
                made.append(Recorded(case, recorder.program(outputs), arrays, [t.numpy() for t in outputs]))
    return tuple(made)


def assert_gives(run: Any, each: Recorded) -> None:
    """Twice, so that a buffer that is used again too early shows."""
    for _ in range(2):
        found, _ = run(each.inputs, [])
        for array, wanted in zip(found, each.expected, strict=True):
            single = str(wanted.dtype) in ("float32", "complex64")  # what floating results of whole numbers are
            assert_close(array, wanted, 1e-6 if single else 1e-10, str(each.case))


def changes(name: str, program: Program) -> bool:
    """Whether a rewrite has something to do in an optimized program, as far as that is known without doing it."""
    if name in REWRITES:
        return REWRITES[name](program).instructions != program.instructions
    if name == "inlined":
        return any(i.op in INLINED or i.op in UPDATES for i in program.instructions)
    return any(scalar_line(i, program.slots) for i in program.instructions)


@pytest.mark.parametrize("name", PASSES)
def test_without_a_pass_every_case_gives_the_same(name, monkeypatch):
    monkeypatch.setenv("LAMINA_WITHOUT", name)
    changed = [each for each in recorded() if PASSES[name](each.program).instructions != each.program.instructions]
    assert len(changed) > 100
    for each in changed:
        assert_gives(BACKEND.load(optimize(each.program)), each)


@pytest.mark.parametrize("name", [*(name for name in REWRITES if name not in BETWEEN), "inlined", "scalars"])
def test_without_a_rewrite_every_case_gives_the_same(name, monkeypatch):
    changed = [each for each in recorded() if changes(name, optimize(each.program))]
    assert len(changed) > 3
    monkeypatch.setenv("LAMINA_WITHOUT", name)
    for each in changed:
        assert_gives(BACKEND.load(optimize(each.program)), each)


def test_with_all_rewrites_every_case_gives_the_same():
    assert len(recorded()) > 1500
    for each in recorded():
        assert_gives(BACKEND.load(optimize(each.program)), each)
