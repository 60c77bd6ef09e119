"""Recorded steps of the CuPy backend, over the stand-in for CuPy: what is launched, and that nothing waits."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import lamina
from cupy_standin import ledger, nvrtc, raw
from cupy_standin.array import POOL, OutOfMemoryError
from cupy_standin.backend import loaded
from lamina.program import Instruction, Program
from lamina.runtime.backends import find_backend
from lamina.shapes import Spec

pytestmark = pytest.mark.skipif(raw.COMPILER is None, reason="no C++ compiler to build the kernels for the host")

fusion = loaded["lamina_cupy.fusion"] if raw.COMPILER else None


def model_of(name: str) -> Any:
    lamina.random.set_seed(3)
    layers = lamina.layers
    if name == "dense":
        return lamina.models.Sequential([layers.Dense(16, "relu", input_shape=(12,)), layers.Dense(3, "softmax")])
    if name == "recurrent":
        parts = [layers.LSTM(5, return_sequences=True), layers.GRU(4), layers.Dense(3, "softmax")]
        return lamina.models.Sequential([layers.Reshape((4, 3), input_shape=(12,)), *parts])
    if name == "normalized":
        parts = [
            layers.LayerNormalization(),
            layers.Conv1D(4, 3),
            layers.BatchNormalization(),
            layers.AveragePooling1D(2),
        ]
        parts = [layers.Reshape((4, 3), input_shape=(12,)), *parts, layers.Flatten(), layers.Dense(3, "softmax")]
        return lamina.models.Sequential(parts)
    return lamina.models.Sequential([
        layers.Reshape((4, 3, 1), input_shape=(12,)), layers.Conv2D(4, 2, padding="same", activation="relu"),
        layers.MaxPooling2D(2), layers.Dropout(0.25), layers.Flatten(), layers.Dense(3, "softmax"),
    ])  # fmt: skip


def trained(backend: str, name: str, optimizer: str, steps: int) -> list[float]:
    random = np.random.default_rng(0)
    x, y = random.standard_normal((20, 12)).astype(np.float32), np.eye(3, dtype=np.float32)[np.arange(20) % 3]
    losses = []
    with lamina.backend_scope(backend):
        model = model_of(name)
        model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
        for _ in range(steps):
            losses.append(float(model.train_on_batch(x, y)[0]))
    return losses


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("name", ["dense", "convolutional"])
def test_training_equals_numpys(name: str, optimizer: str) -> None:
    mine = trained("cupy_standin", name, optimizer, 12)
    reference = trained("numpy", name, optimizer, 12)
    np.testing.assert_allclose(mine, reference, 1e-4)


def step_and_inputs(name: str) -> tuple[Any, Any, Any]:
    model = model_of(name)
    optimizer = lamina.optimizers.Adam(0.01)
    model.build((None, 12))
    optimizer.build(model.trainable_variables)

    @lamina.function
    def step(x: Any, y: Any) -> Any:
        def loss() -> Any:
            return lamina.losses.categorical_crossentropy(y, model(x, training=True)).mean()

        value, gradients = lamina.variable_grads(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients.values(), model.trainable_variables, strict=True))
        return value

    x = np.random.default_rng(0).standard_normal((20, 12)).astype("f")
    return step, lamina.tensor(x), lamina.tensor(np.eye(3, dtype="f")[np.arange(20) % 3])


@pytest.mark.parametrize("name", ["dense", "convolutional", "recurrent", "normalized"])
def test_a_recorded_step_neither_waits_nor_uploads(name: str) -> None:
    with lamina.backend_scope("cupy_standin"):
        step, x, y = step_and_inputs(name)
        for _ in range(3):
            step(x, y)
        with ledger.watched() as seen:
            step(x, y)
    assert (seen.waits, seen.uploads) == ([], [])
    assert seen.launches.count("adam") == 1
    assert any(launched.startswith("run_") for launched in seen.launches)


def test_fit_reads_numbers_once_an_epoch_and_uploads_batches_only() -> None:
    random, batches = np.random.default_rng(0), 30
    x, y = random.standard_normal((20 * batches, 12)).astype("f"), np.eye(3, dtype="f")[np.arange(20 * batches) % 3]
    with lamina.backend_scope("cupy_standin"):
        model = model_of("dense")
        model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
        model.fit(x, y, batch_size=20, verbose=0)
        with ledger.watched() as seen:
            model.fit(x, y, batch_size=20, verbose=0)
    assert len(seen.waits) < 10
    assert 2 * batches <= len(seen.uploads) < 2 * batches + 10


def test_predict_reads_the_outputs_of_many_batches_together() -> None:
    x = np.random.default_rng(0).standard_normal((5 * 40 - 2, 12)).astype("f")
    batches: list[Any] = []
    with lamina.backend_scope("cupy_standin"):
        model = model_of("dense")
        expected = model(lamina.tensor(x), training=False).numpy()
        model.predict(x, batch_size=5)
        with ledger.watched() as seen:
            np.testing.assert_allclose(model.predict(x, batch_size=5), expected, rtol=1e-5)
        told = lamina.callbacks.LambdaCallback()
        told.on_predict_batch_end = lambda batch, logs=None: batches.append(logs["outputs"])  # type: ignore[method-assign]
        model.predict(x, batch_size=5, callbacks=[told])
    assert len(seen.waits) == 2  # of 32 batches, and of 8
    assert [len(outputs) for outputs in batches] == [5] * 39 + [3]


S = Spec((2, 3), "float32")


def chain(*ops: str, outputs: tuple[int, ...] | None = None) -> Program:
    instructions = tuple(Instruction(op, (i,), (i + 1,)) for i, op in enumerate(ops))
    return Program((S,) * (len(ops) + 1), (0,), instructions=instructions, outputs=outputs or (len(ops),))


def ops_of(program: Program) -> list[str]:
    return [i.op for i in fusion.Fuser(program).program.instructions]


def test_runs_become_one_kernel_each() -> None:
    assert ops_of(chain("exp", "tanh", "negative")) == ["run_0"]
    assert ops_of(chain("exp")) == ["exp"]
    assert ops_of(chain("exp", "tanh", "flip", "exp", "square")) == ["run_0", "flip", "run_1"]
    assert "v3" in fusion.Fuser(chain("exp", "tanh", "negative", outputs=(2, 3))).runs["run_0"].source


def test_what_has_nothing_to_do_with_a_run_does_not_end_it() -> None:
    instructions = (
        Instruction("exp", (0,), (1,)),
        Instruction("flip", (0,), (2,), {"axis": (0,)}),
        Instruction("tanh", (1,), (3,)),
        Instruction("add", (2, 3), (4,)),
    )
    program = Program((S,) * 5, (0,), instructions=instructions, outputs=(4,))
    assert ops_of(program) == ["flip", "run_0"]


def test_a_buffer_that_a_result_shares_is_not_used_again_too_early() -> None:
    """CuPy's flip hands on its argument's memory, though lamina's is no view."""
    instructions = (
        Instruction("exp", (0,), (1,)),
        Instruction("negative", (1,), (2,)),
        Instruction("flip", (2,), (3,), {"axis": (0,)}),
        Instruction("concat", (0, 0), (8,), {"axis": 0}),
        Instruction("flip", (0,), (4,), {"axis": (1,)}),
        Instruction("square", (4,), (5,)),
        Instruction("negative", (5,), (6,)),
        Instruction("concat", (3, 6), (7,), {"axis": 0}),
    )
    wide = Spec((4, 3), "float32")
    program = Program((*(S,) * 7, wide, wide), (0,), instructions=instructions, outputs=(7, 8))
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    backend = find_backend("cupy_standin")
    found, _ = backend.load(program)([backend.from_host(x)], [])[0]
    expected = np.concatenate([-np.exp(x)[::-1], -np.square(x[:, ::-1])])
    np.testing.assert_allclose(found.get(), expected, 1e-6)


def test_two_variables_may_swap() -> None:
    with lamina.backend_scope("cupy_standin"):
        a, b = lamina.Variable([1.0, 2.0], name="a"), lamina.Variable([3.0, 4.0], name="b")

        @lamina.function
        def step(x: Any) -> Any:
            old = a.value
            a.assign(b.value)
            b.assign(old)
            return x + a.value

        for count in range(5):
            step(lamina.tensor([0.0, 0.0]))
            wanted = [[3.0, 4.0], [1.0, 2.0]][:: 1 if count % 2 == 0 else -1]
            assert [a.numpy().tolist(), b.numpy().tolist()] == wanted


def test_more_than_a_kernel_can_take_is_several() -> None:
    found = ops_of(chain(*["tanh"] * 150))
    assert found == ["run_0", "run_1", "run_2"]


def reduced(op: str, shape: tuple[int, ...], axis: tuple[int, ...], keepdims: bool, dtype: str) -> Program:
    """A reduction of exp(x) + y, where y is one row; exp(x) is a result too, and what is reduced is read on."""
    kept = tuple(1 if a in axis else n for a, n in enumerate(shape))
    left = kept if keepdims else tuple(n for a, n in enumerate(shape) if a not in axis)
    whole, row = Spec(shape, dtype), Spec(shape[-1:], dtype)
    instructions = (
        Instruction("exp", (0,), (2,)),
        Instruction("add", (2, 1), (3,)),
        Instruction(op, (3,), (4,), {"axis": axis, "keepdims": keepdims}),
        Instruction("square", (4,), (5,)),
        Instruction("flip", (3,), (6,), {"axis": (0,)}),
    )
    slots = (whole, row, whole, whole, Spec(left, dtype), Spec(left, dtype), whole)
    return Program(slots, (0, 1), instructions=instructions, outputs=(2, 4, 5, 6))


SHORT_ROWS = [((5, 7), (1,)), ((4, 4), (1,)), ((3, 2, 5), (1, 2)), ((2, 3, 64), (2,)), ((6,), (0,))]


@pytest.mark.parametrize("keepdims", [False, True], ids=["", "kept"])
@pytest.mark.parametrize(("shape", "axis"), SHORT_ROWS, ids=str)
@pytest.mark.parametrize("op", ["sum", "mean", "max", "min"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_reductions_of_short_rows_are_part_of_their_run(
    op: str, shape: tuple[int, ...], axis: tuple[int, ...], keepdims: bool, dtype: str
) -> None:
    program = reduced(op, shape, axis, keepdims, dtype)
    assert ops_of(program) == ["run_0", "flip", "square"]
    random = np.random.default_rng(0)
    x, y = random.standard_normal(shape).astype(dtype), random.standard_normal(shape[-1:]).astype(dtype)
    x.flat[1] = np.nan
    expected = np.exp(x) + y
    wanted = getattr(np, op)(expected, axis=axis, keepdims=keepdims)
    backend = find_backend("cupy_standin")
    executable = backend.load(program)
    for _ in range(2):
        found, _ = executable([backend.from_host(x), backend.from_host(y)], [])
        for array, right in zip(found, (np.exp(x), wanted, np.square(wanted), expected[::-1]), strict=True):
            assert array.shape == right.shape
            np.testing.assert_allclose(array.get(), right, 1e-5 if dtype == "float32" else 1e-13)


@pytest.mark.parametrize(
    ("shape", "axis"), [((5, 65), (1,)), ((5, 7), (0,)), ((2, 3, 4), (0, 2)), ((5, 1), (1,))], ids=str
)
def test_other_reductions_are_cupys(shape: tuple[int, ...], axis: tuple[int, ...]) -> None:
    assert ops_of(reduced("sum", shape, axis, False, "float32"))[:2] == ["run_0", "sum"]


def test_a_run_of_rows_takes_over_no_memory_that_other_rows_read() -> None:
    """The row that is added to all is as large as the sums: its buffer must not become theirs."""
    instructions = (
        Instruction("negative", (1,), (2,)),
        Instruction("abs", (2,), (3,)),
        Instruction("exp", (0,), (4,)),
        Instruction("add", (4, 3), (5,)),
        Instruction("sum", (5,), (6,), {"axis": (1,), "keepdims": False}),
        Instruction("flip", (6,), (7,), {"axis": (0,)}),
        Instruction("concat", (7,), (8,), {"axis": 0}),
    )
    whole, row = Spec((4, 4), "float32"), Spec((4,), "float32")
    program = Program(
        (whole, row, row, row, whole, whole, row, row, row), (0, 1), instructions=instructions, outputs=(8,)
    )
    x, y = np.zeros((4, 4), np.float32), np.arange(4, dtype=np.float32) * 100
    backend = find_backend("cupy_standin")
    executable = backend.load(program)
    for _ in range(3):
        (found,), _ = executable([backend.from_host(x), backend.from_host(y)], [])
        np.testing.assert_array_equal(found.get(), np.full(4, 604.0))


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is not installed: pip install nvidia-cuda-nvrtc-cu12")
def test_the_compiler_of_nvidia_takes_reductions() -> None:
    launching, code = loaded["lamina_cupy.cuda.launching"], ""
    for number, (op, dtype) in enumerate((op, dtype) for op in fusion.REDUCTIONS for dtype in fusion.FLOATING):
        program = reduced(op, (5, 7), (1,), True, dtype)
        code += fusion.Fuser(program).runs["run_0"].source.replace("run_0", f"run_{number}")
    prelude = launching.PRELUDE.format(type="float")
    text = nvrtc.compiled(prelude + code, (*launching.EXACT, "-std=c++17", "--gpu-architecture=compute_75"))
    assert f".entry run_{number}(".encode() in text


def all_expressions() -> list[tuple[str, tuple[str, ...], str, dict[str, Any]]]:
    """(op, dtypes of its arguments, dtype of its result, settings) of all that a run can hold."""
    found = []
    tests = {"equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "isnan"}
    for dtype in ("float32", "float64", "int32", "int64"):
        table = fusion.NUMBERS | (fusion.FLOATS if dtype.startswith("float") else {})
        for op, text in table.items():
            found.append((op, (dtype,) * (1 + bool(re.search(r"\bb\b", text))), "bool" if op in tests else dtype, {}))
        found.append(("where", ("bool", dtype, dtype), dtype, {}))
    found += [(op, ("bool",) * (1 + bool(re.search(r"\bb\b", text))), "bool", {}) for op, text in fusion.BOOLS.items()]
    for source in fusion.TYPES:
        for target in fusion.TYPES:
            if source not in fusion.FLOATING or target in (*fusion.FLOATING, "bool"):
                found.append(("cast", (source,), target, {"dtype": target}))
    return found


def values_of(dtype: str, salt: int) -> np.ndarray:
    special = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 7.25, 1e-3, np.nan, np.inf, -np.inf, 30.0]
    shown = np.random.default_rng(salt).permutation(special * 4)
    return (shown if dtype.startswith("float") else np.nan_to_num(shown, posinf=9, neginf=-9) * 3).astype(dtype)


@pytest.mark.parametrize(("op", "given", "result", "attrs"), all_expressions() if fusion else [], ids=str)
def test_every_expression_is_numpys_kernel(op: str, given: tuple[str, ...], result: str, attrs: Any) -> None:
    arrays = [values_of(dtype, i) for i, dtype in enumerate(given)]
    slots = (*(Spec((48,), dtype) for dtype in given), Spec((48,), result), Spec((48,), result))
    n = len(given)
    both = (Instruction(op, tuple(range(n)), (n,), attrs), Instruction(op, tuple(range(n)), (n + 1,), attrs))
    program = Program(slots, tuple(range(n)), instructions=both, outputs=(n, n + 1))
    backend = find_backend("cupy_standin")
    with ledger.watched() as seen:
        found = backend.load(program)([backend.from_host(a) for a in arrays], [])[0]
    assert seen.launches.count("run_0") == 1
    with np.errstate(all="ignore"):
        expected = np.asarray(find_backend("numpy").kernels[op](*arrays, **attrs))
    for array in found:
        assert array.dtype == expected.dtype == result
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(array.get(), expected, 1e-5 if result == "float32" else 1e-13, 1e-30)
        else:
            np.testing.assert_array_equal(array.get(), expected)


@pytest.mark.skipif(nvrtc.library() is None, reason="NVRTC is not installed: pip install nvidia-cuda-nvrtc-cu12")
def test_the_compiler_of_nvidia_takes_every_expression() -> None:
    launching, code = loaded["lamina_cupy.cuda.launching"], ""
    for number, (op, given, result, attrs) in enumerate(all_expressions()):
        slots = (*(Spec((2, 3), dtype) for dtype in given), Spec((2, 3), result), Spec((2, 3), result))
        n = len(given)
        both = (Instruction(op, tuple(range(n)), (n,), attrs), Instruction(op, tuple(range(n)), (n + 1,), attrs))
        program = Program(slots, tuple(range(n)), instructions=both, outputs=(n, n + 1))
        code += fusion.Fuser(program).runs["run_0"].source.replace("run_0", f"run_{number}")
    prelude = launching.PRELUDE.format(type="float")
    text = nvrtc.compiled(prelude + code, (*launching.EXACT, "-std=c++17", "--gpu-architecture=compute_75"))
    assert f".entry run_{number}(".encode() in text


@pytest.mark.parametrize(
    ("shape", "around"),
    [
        ((), (2, 3)),
        ((3,), (2, 3)),
        ((2, 1), (2, 3)),
        ((1, 4, 1), (2, 4, 5)),
        ((2, 1, 5), (2, 4, 5)),
        ((4, 5), (2, 4, 5)),
    ],
)
def test_broadcast_elements_are_found(shape: tuple[int, ...], around: tuple[int, ...]) -> None:
    expected = np.broadcast_to(np.arange(int(np.prod(shape))).reshape(shape), around).ravel()
    text = fusion.index(shape, around).replace("/", "//")
    assert [eval(text, {"i": i}) for i in range(expected.size)] == expected.tolist()


def test_a_step_that_runs_out_of_memory_has_changed_no_variable(monkeypatch: Any) -> None:
    full = False
    with lamina.backend_scope("cupy_standin") as backend:
        cumsum = backend.kernels["cumsum"]

        def kernel(*arrays: Any, **attrs: Any) -> Any:
            if full:
                raise OutOfMemoryError(8, 0, 0)
            return cumsum(*arrays, **attrs)

        monkeypatch.setitem(backend.kernels.functions, "cumsum", kernel)
        w, count = lamina.Variable([1.0, 2.0], name="w"), lamina.Variable(0.0, name="count")

        @lamina.function
        def step(x: Any) -> Any:
            w.assign(w * 2.0 + x)
            count.assign(count + 1.0)
            return lamina.cumsum(w * x)

        for _ in range(3):
            step(lamina.tensor([1.0, 1.0]))
        before, full = w.numpy().tolist(), True
        with pytest.raises(lamina.errors.OutOfMemoryError, match="cupy_standin"):
            step(lamina.tensor([1.0, 1.0]))
        assert (w.numpy().tolist(), count.numpy()) == (before, 3.0)
        full = False
        assert step(lamina.tensor([1.0, 1.0])).tolist() == np.cumsum([2.0 * b + 1.0 for b in before]).tolist()
        assert count.numpy() == 4.0


def test_a_device_that_is_full_is_a_clear_error_and_nothing_changes() -> None:
    with lamina.backend_scope("cupy_standin") as backend:
        x = lamina.ones((4, 4))
        POOL.set_limit(POOL.used_bytes() + 1000)
        try:
            with pytest.raises(lamina.errors.OutOfMemoryError, match="cupy_standin") as caught:
                lamina.zeros((1000, 1000))
        finally:
            POOL.set_limit(None)
        assert "4000000 bytes" in str(caught.value)
        assert lamina.get_backend() is backend
        assert x.numpy().tolist() == [[1.0] * 4] * 4
