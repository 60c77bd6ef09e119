"""Convolutions before pools compute what windows meet: the same results and gradients from smaller arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import lamina
from lamina import structures
from lamina.program import Program, optimize
from lamina.program.interpreter import Interpreter
from lamina.replay.recorder import Recorder
from lamina.runtime.backends import find_backend
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor
from lamina_numpy.met_by_pools import met_by_pools
from lamina_numpy.pools_first import pools_first

SETTINGS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"padding": "same"}, {}),
    ({"padding": "same", "strides": 2}, {}),
    ({"dilations": 2}, {"strides": 3}),
    ({"padding": "same", "strides": (1, 3)}, {"strides": (2, 1)}),
    ({"padding": "same", "groups": 2}, {}),
    ({"groups": 4}, {"window": 3, "strides": 3}),
]
"""What is not usual of the convolution and of the pool."""


def _step(convolution: dict[str, Any], pool: dict[str, Any]) -> tuple[Any, list[Tensor]]:
    rng = np.random.default_rng(0)
    shapes = (3, 13, 13, 4), (3, 2, 4 // convolution.get("groups", 1), 4), (4,)
    given = [lamina.tensor(rng.normal(size=shape)) for shape in shapes]

    def value(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
        y = lamina.relu(lamina.conv2d(x, kernel, **convolution) + bias)
        return lamina.sin(lamina.max_pool(y, **{"window": 2, "strides": 2, **pool})).sum()

    def step() -> Any:
        return lamina.value_and_grads(value)(given)

    return step, given


def _record(function: Any, given: list[Tensor]) -> Program:
    recorder = Recorder(given)
    with listening(recorder):
        results = function()
    return optimize(recorder.program([t for t in structures.flatten(results) if isinstance(t, Tensor)]))


def _run(program: Program, given: list[Tensor]) -> list[Any]:
    found, _ = Interpreter(program, find_backend("numpy").kernels.functions, np.asarray)([t.numpy() for t in given], [])
    return found


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_results_are_the_same_of_smaller_arrays(settings: Any) -> None:
    step, given = _step(*settings)
    program = pools_first(_record(step, given))
    cut = met_by_pools(program).check()
    sizes = [
        sum(
            p.slots[s].size for i in p.instructions if i.op in ("convolution", "window_max_gradient") for s in i.outputs
        )
        for p in (program, cut)
    ]
    assert sizes[1] < sizes[0]
    for mine, wanted in zip(_run(cut, given), _run(program, given), strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-12)


@pytest.mark.parametrize("other", ["even", "border", "read", "gradient"])
def test_what_is_met_or_needed_elsewhere_stays(other: str) -> None:
    rng = np.random.default_rng(0)
    x = lamina.tensor(rng.normal(size=(2, 6 if other == "even" else 7, 6, 4)))
    kernel = lamina.tensor(rng.normal(size=(3, 3, 4, 4)))
    padding = "same" if other == "border" else "valid"

    def value(x: Tensor) -> Tensor:
        y = lamina.conv2d(x, kernel)
        return lamina.max_pool(y, 2, 2, padding).sum() + (lamina.sin(y).sum() if other == "read" else 0.0)

    def of_result() -> Any:
        return lamina.value_and_grads(lambda y: lamina.max_pool(y, 2).sum())([lamina.conv2d(x, kernel)])

    step = of_result if other == "gradient" else lambda: lamina.value_and_grads(value)([x])
    program = _record(step, [x])
    assert {"convolution", "window_max"} <= {i.op for i in program.instructions}
    assert met_by_pools(program) == program
