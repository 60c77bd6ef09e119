"""A recorded step on Torch: what lies where, what may be written over, and that nobody can tell."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import ops
from lamina.autodiff.gradients import gradients_of_variables
from lamina.contract import KernelTable
from lamina.optimizers import Adam, Momentum
from lamina.program import Instruction, Interpreter, Program
from lamina.shapes import Spec

torch = pytest.importorskip("torch")
from lamina_torch.calls import ADAM, ADDCMUL, ADDMM, MM, MV, SUBCMUL, THRESHOLD  # noqa: E402 - needs torch
from lamina_torch.executable import TorchExecutable  # noqa: E402 - only where there is a torch
from lamina_torch.kernels import kernels  # noqa: E402
from lamina_torch.lowering import lower  # noqa: E402
from lamina_torch.threads import wants_threads  # noqa: E402

CPU = torch.device("cpu")
F2 = Spec((2,), "float32")
OWN = set(kernels)


@pytest.fixture(autouse=True)
def on_torch() -> Iterator[None]:
    with lamina.backend_scope("torch", device="cpu"):
        yield


def load(program: Program, table: KernelTable = kernels) -> TorchExecutable:
    return TorchExecutable(program.check(), table, torch.from_numpy, CPU)


def numbers(*shape: int, seed: int = 0) -> Any:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def network(sizes: tuple[int, ...], optimizer: Any) -> tuple[Callable[[Any, Any], Any], list[lamina.Variable]]:
    rng = np.random.default_rng(3)
    weights = []
    for before, after in itertools.pairwise(sizes):
        weights.append(lamina.Variable((rng.normal(size=(before, after)) / np.sqrt(before)).astype(np.float32)))
        weights.append(lamina.Variable(np.zeros(after, np.float32)))
    optimizer.build(weights)

    def forward(x: Any) -> Any:
        for i in range(0, len(weights), 2):
            x = x.matmul(weights[i]).add(weights[i + 1])
            x = x.relu() if i + 2 < len(weights) else x
        return x

    def step(x: Any, y: Any) -> Any:
        loss, pairs = gradients_of_variables(lambda: ops.softmax_cross_entropy(y, forward(x)).mean(), weights)
        optimizer.apply([gradient for _, gradient in pairs], weights)
        return loss

    return step, weights


def cross_entropy(scale: float, classes: int) -> Callable[[Any, Any, Any], Any]:
    """The mean cross entropy of logits for labels as one-hot rows, times a scale, and its gradient."""

    def step(x: Any, y: Any, w: Any) -> Any:
        labels = lamina.one_hot(y, classes)
        loss = lambda w: ops.softmax_cross_entropy(labels, x.matmul(w)).mean()  # noqa: E731
        return lamina.value_and_grad(lambda w: loss(w) * scale)(w), loss(w)

    return step


@pytest.mark.parametrize(("rows", "classes"), [(32, 2), (64, 10), (3, 5)])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_a_mean_cross_entropy_shares_its_gradients_product(rows: int, classes: int, scale: float) -> None:
    """Only where both have the same scale; either way values and gradients are the eager ones."""
    x, w = lamina.tensor(numbers(rows, 8).numpy()), lamina.tensor(numbers(8, classes, seed=1).numpy())
    y = lamina.tensor(np.arange(rows, dtype=np.int32) % (classes + 1))  # one of them is no class
    step = cross_entropy(scale, classes)
    (value, gradient), plain = step(x, y, w)
    compiled = lamina.function(step)
    for _ in range(3):
        (found, d_found), other = compiled(x, y, w)
        np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=1e-5)
        np.testing.assert_allclose(other.numpy(), plain.numpy(), rtol=1e-5)
        np.testing.assert_allclose(d_found.numpy(), gradient.numpy(), rtol=1e-4, atol=1e-6)
    executable = next(iter(compiled._entries.values())).executable
    assert isinstance(executable, TorchExecutable)
    products = [
        i for i in executable._program.instructions if i.op == "multiply" and i.outputs[0] not in executable._constants
    ]
    shaped = [i for i in products if executable._program.slots[i.outputs[0]].size == rows * classes]
    assert len(shaped) == (1 if scale == 1.0 else 2)


def test_what_follows_from_an_infinite_logit_is_as_eagerly() -> None:
    x = lamina.tensor(np.array([[1.0, -np.inf], [0.0, 2.0]], np.float32))
    y = lamina.tensor(np.array([0, 1], np.int32))
    eager = lambda x: ops.softmax_cross_entropy(lamina.one_hot(y, 2), x).mean()  # noqa: E731
    compiled = lamina.function(lambda x: lamina.value_and_grad(eager)(x))
    value, gradient = lamina.value_and_grad(eager)(x)
    for _ in range(3):
        found, d_found = compiled(x)
        np.testing.assert_allclose(found.numpy(), value.numpy(), rtol=1e-6)
        np.testing.assert_allclose(d_found.numpy(), gradient.numpy(), rtol=1e-6)


@pytest.mark.parametrize("sizes", [(30, 16, 16, 2), (20, 32, 10), (5, 3)], ids=str)
@pytest.mark.parametrize("make", [Adam, Momentum, lambda: Momentum(0.01, 0.9, use_nesterov=True)])
def test_training_equals_eager_within_rounding(sizes: tuple[int, ...], make: Any) -> None:
    rng = np.random.default_rng(1)
    x = lamina.tensor(rng.normal(size=(32, sizes[0])).astype(np.float32))
    y = lamina.tensor(np.eye(sizes[-1], dtype=np.float32)[rng.integers(0, sizes[-1], 32)])
    eager, expected = network(sizes, make())
    step, weights = network(sizes, make())
    compiled = lamina.function(step)
    for _ in range(12):
        np.testing.assert_allclose(compiled(x, y).numpy(), eager(x, y).numpy(), rtol=1e-5)
    assert compiled.programs
    for ours, wanted in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), wanted.numpy(), rtol=1e-4, atol=1e-6)


def test_a_dense_step_is_bound_to_one_piece_of_memory() -> None:
    step, weights = network((6, 4, 2), Adam())
    compiled = lamina.function(step)
    x, y = lamina.tensor(numbers(8, 6)), lamina.tensor(torch.eye(2)[torch.arange(8) % 2])
    for _ in range(3):
        compiled(x, y)
    storage = [v.storage() for v in weights]
    assert len({t.untyped_storage().data_ptr() for t in storage}) == 1
    for _ in range(3):
        compiled(x, y)
    assert all(v.storage() is t for v, t in zip(weights, storage, strict=True))


@pytest.mark.parametrize("learning_rate", [0.01, lamina.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)])
def test_the_step_size_of_adam_is_a_number(learning_rate: Any) -> None:
    given = {"beta_1": 0.8, "beta_2": 0.99, "epsilon": 1e-3}
    (compiled, weights), (eager, expected) = ((lamina.function(s), w) for s, w in (
        network((6, 4, 2), Adam(learning_rate, **given)) for _ in range(2)
    ))  # fmt: skip
    x, y = lamina.tensor(numbers(8, 6)), lamina.tensor(torch.eye(2)[torch.arange(8) % 2])
    for _ in range(6):
        compiled(x, y)
        eager._function(x, y)
    (program,) = compiled.programs
    lowered = [i.op for i in lower(program, OWN).instructions]
    assert ADAM in lowered
    assert not {"adam_update", "bias_correction"} & set(lowered)
    assert "adam_update" in [i.op for i in lower(program, OWN, "cuda").instructions]
    assert "adam_update" in [i.op for i in lower(program, OWN - {"bias_correction"}).instructions]
    for ours, wanted in zip(weights, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), wanted.numpy(), rtol=1e-5, atol=1e-6)


def test_swapped_state() -> None:
    program = Program(slots=(F2, F2), state=(0, 1), writes=((0, 1), (1, 0)))
    state = [torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])]
    load(program)([], state)
    assert [t.tolist() for t in state] == [[3.0, 4.0], [1.0, 2.0]]


def test_one_result_for_two_variables() -> None:
    program = Program(
        slots=(F2,) * 3, state=(0, 1), instructions=(Instruction("negative", (0,), (2,)),), writes=((0, 2), (1, 2))
    )
    state = [torch.tensor([1.0, 2.0]), torch.zeros(2)]
    load(program)([], state)
    assert [t.tolist() for t in state] == [[-1.0, -2.0], [-1.0, -2.0]]
    assert state[0].data_ptr() != state[1].data_ptr()


def test_the_old_value_that_is_returned_stays_old() -> None:
    program = Program(
        slots=(F2, F2),
        state=(0,),
        instructions=(Instruction("negative", (0,), (1,)),),
        outputs=(0, 1),
        writes=((0, 1),),
    )
    state = [torch.tensor([1.0, 2.0])]
    outputs, written = load(program)([], state)
    assert [t.tolist() for t in outputs] == [[1.0, 2.0], [-1.0, -2.0]]
    assert written == []
    assert state[0].tolist() == [-1.0, -2.0]


def test_outputs_belong_to_the_caller() -> None:
    instructions = (
        Instruction("exp", (0,), (2,)),
        Instruction("reshape", (2,), (3,), {"shape": (2, 1)}, "view"),
        Instruction("identity", (0,), (4,), {}, "view"),
        Instruction("reshape", (1,), (5,), {"shape": (2, 1)}, "view"),
    )
    column = Spec((2, 1), "float32")
    program = Program(
        slots=(F2, F2, F2, column, F2, column), inputs=(0,), state=(1,), instructions=instructions, outputs=(3, 4, 5, 2)
    )
    executable, x, state = load(program), torch.tensor([0.0, 1.0]), [torch.tensor([5.0, 6.0])]
    first, _ = executable([x], state)
    before = [t.clone() for t in first]
    executable([torch.tensor([7.0, 8.0])], state)
    x.zero_()
    state[0].zero_()
    assert all(torch.equal(a, b) for a, b in zip(first, before, strict=True))


def test_an_argument_read_through_a_view_is_not_written_over() -> None:
    square = Spec((3, 3), "float32")
    instructions = (
        Instruction("exp", (0,), (2,)),
        Instruction("transpose", (2,), (3,), {"axes": (1, 0)}, "view"),
        Instruction("add", (2, 3), (4,)),
        Instruction("exp", (4,), (5,)),
    )
    program = Program(slots=(square,) * 6, inputs=(0,), state=(1,), instructions=instructions, outputs=(5,))
    x = numbers(3, 3)
    found = load(program)([x], [torch.zeros(3, 3)])[0][0]
    torch.testing.assert_close(found, (x.exp() + x.exp().T).exp())


@pytest.mark.parametrize("dtype", ["float16", "float32"])
@pytest.mark.parametrize("gradient", [1, 2, 3], ids=["parameter", "first moment", "second moment"])
def test_a_gradient_that_is_what_the_update_writes_over(dtype: str, gradient: int) -> None:
    scalar, vector = Spec((), dtype), Spec((2,), dtype)
    settings = {"count": 1, "beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-3}
    update = Instruction("adam_update", (0, 1, gradient, 2, 3), (4, 5, 6), settings, "pure", True)
    program = Program(
        slots=(scalar, *(vector,) * 6), state=(0, 1, 2, 3), instructions=(update,), writes=((1, 4), (2, 5), (3, 6))
    )
    values = (0.1, [1.0, -2.0], [0.5, 0.5], [0.25, 1.0])
    state = [torch.tensor(v, dtype=getattr(torch, dtype)) for v in values]
    expected = kernels["adam_update"](state[0], state[1], state[gradient], state[2], state[3], **settings)
    load(program)([], state)
    for found, wanted in zip(state[1:], expected, strict=True):
        torch.testing.assert_close(found, wanted)


def test_an_update_of_values_that_are_needed_later() -> None:
    scalar = Spec((), "float32")
    settings = {"count": 1, "momentum": 0.9, "nesterov": False}
    instructions = (
        Instruction("momentum_update", (0, 1, 2, 3), (4, 5), settings, "pure", True),
        Instruction("subtract", (4, 1), (6,)),
    )
    program = Program(
        slots=(scalar, *(F2,) * 6),
        inputs=(2,),
        state=(0, 1, 3),
        instructions=instructions,
        outputs=(6, 4),
        writes=((1, 4), (2, 5)),
    )
    state = [torch.tensor(0.5), torch.tensor([1.0, 2.0]), torch.tensor([0.0, 1.0])]
    outputs, _ = load(program)([torch.tensor([1.0, 1.0])], state)
    assert outputs[0].tolist() == pytest.approx([-0.5, 0.4])
    assert state[1].tolist() == outputs[1].tolist()
    assert state[2].tolist() == pytest.approx([-0.5, 0.4])


def test_an_op_with_somebody_elses_kernel_is_called_as_it_is() -> None:
    strange = KernelTable()
    strange.add("relu", lambda x: x - 100.0)
    instructions = (Instruction("exp", (0,), (2,)), Instruction("relu", (2,), (3,)), Instruction("exp", (3,), (4,)))
    program = Program(slots=(F2,) * 5, inputs=(0,), state=(1,), instructions=instructions, outputs=(4,))
    x = torch.tensor([0.0, 1.0])
    found = load(program, KernelTable.merge(kernels, strange))([x], [torch.zeros(2)])[0][0]
    torch.testing.assert_close(found, (x.exp() - 100.0).exp())


def test_constants_are_folded_and_kept() -> None:
    instructions = (Instruction("exp", (1,), (2,)), Instruction("add", (0, 2), (3,)))
    program = Program(
        slots=(F2,) * 4, inputs=(0,), constants={1: np.zeros(2, np.float32)}, instructions=instructions, outputs=(3, 2)
    )
    executable = load(program)
    for _ in range(2):
        outputs, _ = executable([torch.tensor([1.0, 2.0])], [])
        assert [t.tolist() for t in outputs] == [[2.0, 3.0], [1.0, 1.0]]
        outputs[1].zero_()


@pytest.fixture
def two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_the_number_of_threads_is_as_before_also_after_an_error() -> None:
    x, index = lamina.tensor([[1.0, 2.0]]), lamina.tensor([0])
    w = lamina.Variable([[1.0], [2.0]])
    step = lamina.function(lambda x, i: ops.gather(x.matmul(w), i))
    for _ in range(3):
        step(x, index)
        assert torch.get_num_threads() == 2
    with pytest.raises(lamina.errors.OutOfRangeError):
        step(x, lamina.tensor([4]))
    assert torch.get_num_threads() == 2


@pytest.mark.usefixtures("two_threads")
def test_small_products_take_one_thread() -> None:
    seen: list[int] = []
    table = KernelTable()
    table.add("exp", lambda x: seen.append(torch.get_num_threads()) or torch.exp(x))
    square = Spec((4, 4), "float32")
    settings = {"transpose_a": False, "transpose_b": False}
    instructions = (Instruction("matmul", (0, 0), (1,), settings), Instruction("exp", (1,), (2,)))
    program = Program(slots=(square,) * 3, inputs=(0,), instructions=instructions, outputs=(2,))
    load(program, KernelTable.merge(kernels, table))([numbers(4, 4)], [])
    assert seen == [1]


@pytest.mark.parametrize("op", ["softmax", "log_softmax"])
@pytest.mark.parametrize("shape", [(64, 10), (64, 2), (64, 16), (4, 10)], ids=str)
def test_softmax_of_few_classes(op: str, shape: tuple[int, ...]) -> None:
    spec = Spec(shape, "float32")
    instructions = (
        Instruction(op, (0,), (2,), {"axis": 1}),
        Instruction("exp", (2,), (3,)),
        Instruction("add", (2, 3), (4,)),
        Instruction("sum", (4,), (5,), {"axis": (0,), "keepdims": True}),
    )
    program = Program(
        slots=(*(spec,) * 5, Spec((1, shape[1]), "float32")),
        inputs=(0,),
        state=(1,),
        instructions=instructions,
        outputs=(4, 5),
    )
    inputs, state = [numbers(*shape) * 50], [torch.zeros(shape)]
    found, _ = load(program)(inputs, state)
    wanted, _ = Interpreter(program, kernels, torch.from_numpy)(inputs, state)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


def _dense_program() -> Program:
    matrix, row = Spec((4, 4), "float32"), Spec((4,), "float32")
    instructions = (
        Instruction("matmul", (0, 1), (3,), {"transpose_a": False, "transpose_b": True}),
        Instruction("add", (3, 2), (4,)),
        Instruction("relu", (4,), (5,)),
        Instruction("relu_gradient", (0, 5), (6,)),
        Instruction("sum", (6,), (7,), {"axis": (0,), "keepdims": False}),
        Instruction("mean", (7,), (8,), {"axis": (0,), "keepdims": False}),
    )
    slots = (matrix, matrix, row, *(matrix,) * 4, row, Spec((), "float32"))
    return Program(slots=slots, inputs=(0,), state=(1, 2), instructions=instructions, outputs=(8, 5))


@pytest.mark.parametrize("op", ["add", "subtract"])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("shapes", [((6, 4), (6, 4), (6, 4)), ((6, 4), (4,), (1, 4)), ((), (6, 4), ()), ((), (), ())])
def test_products_of_elements_go_into_sums(op: str, swapped: bool, shapes: Any) -> None:
    program = _product_in_sum(op, swapped, shapes, "float32")
    inputs = [numbers(*shape, seed=i) for i, shape in enumerate(shapes)]
    found, _ = load(program)(inputs, [])
    wanted, _ = Interpreter(program, kernels, torch.from_numpy)(inputs, [])
    torch.testing.assert_close(found, wanted)
    names = [i.op for i in lower(program, OWN).instructions]
    assert names == ([op, "multiply"][::-1] if op == "subtract" and not swapped else [FUSED[op]]) + ["exp"]


@pytest.mark.parametrize("shapes", [((6, 4), (6, 1), (6, 4)), ((6, 4), (6, 4), (6, 1))])
@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_columns_and_integers_stay_apart(shapes: Any, dtype: str) -> None:
    names = [i.op for i in lower(_product_in_sum("add", False, shapes, dtype), OWN).instructions]
    assert names == ["multiply", "add", "exp"]


def test_a_product_that_is_read_twice_stays() -> None:
    program = _product_in_sum("add", False, ((4,), (4,), (4,)), "float32")
    twice = replace(program, outputs=(*program.outputs, 3))
    assert [i.op for i in lower(twice, OWN).instructions] == ["multiply", "add", "exp"]
    assert "multiply" in [i.op for i in lower(program, OWN - {"add"}).instructions]


FUSED = {"add": ADDCMUL, "subtract": SUBCMUL}


def _product_in_sum(op: str, swapped: bool, shapes: Any, dtype: str) -> Program:
    """exp(a * b + c), or with c first."""
    specs = [Spec(shape, dtype) for shape in shapes]
    product = Spec(np.broadcast_shapes(*shapes[:2]), dtype)
    total = Spec(np.broadcast_shapes(*shapes), dtype)
    instructions = (
        Instruction("multiply", (0, 1), (3,)),
        Instruction(op, (2, 3) if swapped else (3, 2), (4,)),
        Instruction("exp", (4,), (5,)),
    )
    slots = (*specs, product, total, total)
    return Program(slots=slots, inputs=(0, 1, 2), instructions=instructions, outputs=(5,))


def test_lowering_on_a_cpu_and_on_a_device() -> None:
    names = [i.op for i in lower(_dense_program(), OWN).instructions]
    assert ADDMM not in names
    assert {MM, THRESHOLD, MV} <= set(names)
    names = [i.op for i in lower(_dense_program(), OWN, "cuda").instructions]
    assert ADDMM in names
    assert "add" not in names


def test_lowering_leaves_others_kernels_alone() -> None:
    names = [i.op for i in lower(_dense_program(), OWN - {"matmul", "sum", "mean", "relu_gradient"}).instructions]
    assert [n for n in names if "." in n] == []


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_lowered_program_computes_the_same(device: str) -> None:
    from lamina_torch.direct import LOWERED

    program = _dense_program()
    inputs, state = [numbers(4, 4)], [numbers(4, 4, seed=1), numbers(4, seed=2)]
    functions = {**kernels.functions, **LOWERED}
    found, _ = Interpreter(lower(program, OWN, device), functions, torch.from_numpy)(inputs, state)
    wanted, _ = Interpreter(program, kernels, torch.from_numpy)(inputs, state)
    for a, b in zip(found, wanted, strict=True):
        torch.testing.assert_close(a, b)


def test_threads_are_asked_for_by_large_products_only() -> None:
    def product(*sizes: int) -> bool | None:
        a, b, c = sizes
        slots = (Spec((a, b), "float32"), Spec((b, c), "float32"), Spec((a, c), "float32"))
        return wants_threads(Instruction(MM, (0, 1), (2,)), slots)

    def recurrent(batch: int, units: int) -> bool | None:
        shapes = (batch, 50, 32), (32, 4 * units), (units, 4 * units), (4 * units,), (batch, units), (batch, units)
        specs = tuple(Spec(shape, "float32") for shape in (*shapes, (batch, 50, units), (batch, units)))
        return wants_threads(Instruction("lstm", (0, 1, 2, 3, 4, 5), (6, 7)), specs)

    assert product(32, 30, 16) is False
    assert product(256, 784, 512) is True
    assert recurrent(32, 64) is False
    assert recurrent(64, 512) is True
    assert wants_threads(Instruction("exp", (0,), (0,)), (F2,)) is None
    assert wants_threads(Instruction("exp", (0,), (0,)), (Spec((1 << 20,), "float32"),)) is True
