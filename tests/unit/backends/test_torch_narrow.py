"""Products of few columns on Torch's CPU: computed as their transposes, with what follows from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import ops
from lamina.autodiff.gradients import gradients_of_variables
from lamina.program import Instruction, Interpreter, Program
from lamina.shapes import Spec

torch = pytest.importorskip("torch")
from lamina_torch.calls import DENSE, LOG_SOFTMAX_BACKWARD, MM, TURN  # noqa: E402 - only where there is a torch
from lamina_torch.executable import TorchExecutable  # noqa: E402
from lamina_torch.kernels import kernels  # noqa: E402
from lamina_torch.lowering import lower  # noqa: E402

ROWS, INNER, FEW = 64, 40, 10
SLOTS = {
    "wide": Spec((ROWS, INNER), "float32"), "weights": Spec((INNER, FEW), "float32"), "row": Spec((FEW,), "float32"),
    "flat": Spec((1, FEW), "float32"), "column": Spec((ROWS, 1), "float32"), "single": Spec((), "float32"),
    "full": Spec((ROWS, FEW), "float32"),
}  # fmt: skip
NAMES = tuple(SLOTS)


@pytest.fixture(autouse=True)
def on_torch() -> Iterator[None]:
    with lamina.backend_scope("torch", device="cpu"):
        yield


def numbers(*shape: int, seed: int = 0) -> Any:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def program(*steps: tuple[str, tuple[Any, ...], dict[str, Any], Spec], outputs: tuple[int, ...]) -> Program:
    """Steps over the slots of SLOTS, and of each other: 100 is the product, 101 the first step, and so on."""
    first = len(SLOTS)

    def slot(of: Any) -> int:
        return NAMES.index(of) if isinstance(of, str) else of - 100 + first

    plain = {"transpose_a": False, "transpose_b": False}
    made = [Instruction("matmul", (0, 1), (first,), plain)]
    for i, (op, inputs, attrs, _) in enumerate(steps, 1):
        made.append(Instruction(op, tuple(slot(s) for s in inputs), (first + i,), attrs))
    return Program(
        slots=(*SLOTS.values(), SLOTS["full"], *(step[3] for step in steps)),
        inputs=tuple(range(first)),
        instructions=tuple(made),
        outputs=tuple(slot(s) for s in outputs),
    )


def check(given: Program) -> list[Any]:
    """What the executable gives, which must be what the interpreter gives for the program as it was."""
    inputs = [numbers(*spec.shape, seed=i) for i, spec in enumerate(SLOTS.values())]
    executable = TorchExecutable(given.check(), kernels, torch.from_numpy, torch.device("cpu"))
    found, _ = executable(inputs, [])
    wanted, _ = Interpreter(given, kernels, torch.from_numpy)(inputs, [])
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-5)
        assert a.is_contiguous()
    return found


@pytest.mark.parametrize("other", ["row", "flat", "column", "single", "full", 100])
@pytest.mark.parametrize("swapped", [False, True])
def test_what_is_computed_with_a_narrow_product(other: Any, swapped: bool) -> None:
    pair = (other, 100) if swapped else (100, other)
    full, row = SLOTS["full"], SLOTS["row"]
    check(
        program(
            ("subtract", pair, {}, full),
            ("tanh", (101,), {}, full),
            ("sum", (102,), {"axis": (0,), "keepdims": False}, row),
            ("sum", (102,), {"axis": (1,), "keepdims": True}, SLOTS["column"]),
            ("multiply", (102, 104), {}, full),
            ("log_softmax", (105,), {"axis": 1}, full),
            ("exp", (106,), {}, full),
            outputs=(100, 102, 103, 105, 107),
        )
    )


def test_products_of_what_is_turned() -> None:
    transposed = {"transpose_a": True, "transpose_b": False}
    back = {"transpose_a": False, "transpose_b": True}
    check(
        program(
            ("relu", (100,), {}, SLOTS["full"]),
            ("matmul", ("wide", 101), transposed, SLOTS["weights"]),
            ("matmul", (101, "weights"), back, SLOTS["wide"]),
            ("less", (101, "row"), {}, Spec((ROWS, FEW), "bool")),
            ("where", (104, 101, "single"), {}, SLOTS["full"]),
            outputs=(102, 103, 105),
        )
    )


def test_nothing_is_moved_but_what_goes_out() -> None:
    given = program(
        ("add", (100, "row"), {}, SLOTS["full"]), ("log_softmax", (101,), {"axis": 1}, SLOTS["full"]), outputs=(102,)
    )
    lowered = lower(given, set(kernels))
    assert [i.op for i in lowered.instructions].count(DENSE) == 1  # the caller's
    product = next(i for i in lowered.instructions if i.op == MM)
    assert lowered.slots[product.outputs[0]].shape == (FEW, ROWS)


@pytest.mark.parametrize("rows", [1, 4])
def test_small_products_stay_as_they_are(rows: int) -> None:
    specs = Spec((rows, INNER), "float32"), SLOTS["weights"], Spec((rows, FEW), "float32")
    product = Instruction("matmul", (0, 1), (2,), {"transpose_a": False, "transpose_b": False})
    lowered = lower(Program(slots=specs, inputs=(0, 1), instructions=(product,), outputs=(2,)), set(kernels))
    assert [i.op for i in lowered.instructions] == [MM]


@pytest.mark.parametrize("classes", [10, 3, 2])
@pytest.mark.parametrize("sparse", [True, False])
def test_training_a_classifier(classes: int, sparse: bool) -> None:
    rng = np.random.default_rng(1)
    x, numbers_of = rng.normal(size=(64, 60)).astype(np.float32), rng.integers(0, classes, 64)
    y = numbers_of.astype(np.int32) if sparse else np.eye(classes, dtype=np.float32)[numbers_of]
    loss = "sparse_categorical_crossentropy" if sparse else "categorical_crossentropy"

    def trained(eagerly: bool) -> tuple[list[Any], Any]:
        lamina.utils.set_random_seed(1)
        layers = lamina.layers
        model = lamina.Sequential([lamina.Input((60,)), layers.Dense(40, activation="relu"), layers.Dense(classes)])
        made = getattr(lamina.losses, "".join(w.title() for w in loss.split("_")))(from_logits=True)
        model.compile(lamina.optimizers.Adam(0.01), made, run_eagerly=eagerly)
        model.fit(x, y, batch_size=32, epochs=5, verbose=0, shuffle=False)
        return model.get_weights(), model.predict(x, verbose=0)

    ours, expected = trained(False), trained(True)
    np.testing.assert_allclose(ours[1], expected[1], rtol=1e-3, atol=1e-4)
    for one, other in zip(ours[0], expected[0], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_the_gradient_of_the_cross_entropy_reuses_the_logarithms() -> None:
    w = lamina.Variable(numbers(8, 4), name="w")
    x, y = lamina.tensor(numbers(32, 8)), lamina.tensor(torch.eye(4)[torch.arange(32) % 4])

    @lamina.function
    def step(x: Any, y: Any) -> Any:
        value, pairs = gradients_of_variables(lambda: ops.softmax_cross_entropy(y, x.matmul(w)).mean(), [w])
        w.assign(w - 0.1 * pairs[0][1])
        return value

    for _ in range(3):
        step(x, y)
    (recorded,) = step.programs
    lowered = [i.op for i in lower(recorded, set(kernels)).instructions]
    assert lowered.count("log_softmax") == lowered.count(LOG_SOFTMAX_BACKWARD) == 1
    assert "exp" not in lowered
    assert TURN in lowered
