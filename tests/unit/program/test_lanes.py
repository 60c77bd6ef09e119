"""Parts of a batch done beside each other give what the whole gives."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import layers, structures
from lamina.models import Sequential
from lamina.program import Interpreter, Program, optimize
from lamina.program.lanes import Lanes, in_lanes, share_of_lanes
from lamina.program.layouts import divided
from lamina.replay.recorder import Recorder
from lamina.runtime.backends import find_backend
from lamina.runtime.listeners import listening
from lamina.runtime.tensor import Tensor
from lamina.testing.table import all_cases
from lamina.utils import set_random_seed
from lamina_numpy import lanes as policy
from lamina_numpy.executable import NumPyExecutable


def _record(function: Any, tensors: list[Tensor]) -> Program:
    recorder = Recorder(tensors)
    with listening(recorder):
        results = function()
    return optimize(recorder.program([t for t in structures.flatten(results) if isinstance(t, Tensor)]))


def test_every_op_on_halves_gives_what_it_gives_on_the_whole() -> None:
    backend = find_backend("numpy")
    cut = set()
    for case in all_cases():
        if case.raises is not None or not case.replayed:
            continue
        arrays = case.arrays("float32")
        tensors = case.tensors(backend, arrays)
        leaves = [t for t in structures.flatten(tensors) if isinstance(t, Tensor)]
        program = _record(lambda case=case, tensors=tensors: case.call(tensors), leaves)
        lanes = in_lanes(program, 2) if program.instructions else None
        if lanes is None:
            continue
        given = [t.numpy() for t in leaves]
        expected, _ = Interpreter(program, backend.kernels, backend.from_host)(given, [])
        found, _ = Interpreter(lanes.program, backend.kernels, backend.from_host)(given, [])
        for mine, wanted in zip(found, expected, strict=True):
            if wanted.dtype == object:
                assert (mine == wanted).all()
            else:
                np.testing.assert_allclose(mine, wanted, 1e-5, 1e-5, err_msg=str(program))
            assert mine.dtype == wanted.dtype
        cut.update(i.op for stage in lanes.stages if len(stage) > 1 for i in _of(lanes, stage[0]))
    assert {"matmul", "convolution", "window_max", "softmax", "sum", "add", "reshape", "transpose"} <= cut


def _of(lanes: Lanes, run: tuple[int, int]) -> Any:
    return lanes.program.instructions[slice(*run)]


def _models() -> dict[str, tuple[list[Any], tuple[int, ...]]]:
    image, sequence = (9, 9, 2), (7, 3)
    return {
        "images": (
            [layers.Conv2D(4, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(3)],
            image,
        ),
        "normalized": (
            [
                layers.Conv2D(4, 3, padding="same", use_bias=False),  # its gradient would be nothing but rounding
                layers.BatchNormalization(),
                layers.ReLU(),
                layers.AveragePooling2D(3),
                layers.GlobalAveragePooling2D(),
                layers.LayerNormalization(),
                layers.Dense(3),
            ],
            image,
        ),
        "dropped": ([layers.Dense(8, activation="tanh"), layers.Dropout(0.5), layers.Dense(3)], (5,)),
        "sequences": ([layers.LSTM(4, return_sequences=True), layers.SimpleRNN(4), layers.Dense(3)], sequence),
        "words": ([layers.Embedding(11, 4), layers.GlobalAveragePooling1D(), layers.Dense(3)], (6,)),
    }


@pytest.mark.parametrize("name", ["images", "normalized", "dropped", "sequences", "words"])
@pytest.mark.parametrize("batch", [8, 9])
def test_models_train_alike_in_lanes_and_whole(name: str, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    parts, shape = _models()[name]
    x: Any = rng.normal(size=(3 * batch, *shape)).astype("f4")
    x = rng.integers(0, 11, x.shape) if name == "words" else x
    y = rng.integers(0, 3, len(x))
    found = []
    for count in (1, 2):
        monkeypatch.setattr(policy, "threads", lambda count=count: count)
        monkeypatch.setattr(policy, "estimate", lambda lanes: -share_of_lanes(lanes))
        monkeypatch.setattr(policy, "_pays", lambda lanes, alone: share_of_lanes(lanes) > 0.1)
        set_random_seed(3)
        parts, _ = _models()[name]
        model = Sequential([layers.Input(shape), *parts])
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=batch, epochs=3, shuffle=False, verbose=0)
        step = model._steps["train"]
        (entry,) = step._entries.values()  # type: ignore[attr-defined]
        assert any(len(stage) > 1 for stage in entry.executable._lanes.stages) == (count > 1)
        found.append([*model.get_weights(), model.predict(x, batch_size=batch, verbose=0)])
    for mine, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(mine, wanted, 2e-4, 2e-4)


def test_lanes_wait_for_each_other_where_the_whole_batch_is_needed() -> None:
    x = lamina.tensor(np.arange(12.0, dtype="f4").reshape(4, 3))
    program = _record(lambda: lamina.exp(x - lamina.mean(x, 0)), [x])
    lanes = in_lanes(program, 2)
    assert lanes is not None
    assert [len(stage) for stage in lanes.stages] == [2, 1, 2, 1]
    assert [i.op for i in _of(lanes, lanes.stages[1][0])] == ["add", "multiply"]


def test_what_has_no_rule_is_done_once_for_all() -> None:
    x = lamina.tensor(np.arange(12.0, dtype="f4").reshape(4, 3))
    program = _record(lambda: lamina.exp(lamina.argsort(lamina.exp(x), 1) * 1.0), [x])
    lanes = in_lanes(program, 2)
    assert lanes is not None
    ops = [i.op for i in lanes.program.instructions]
    assert (ops.count("argsort"), ops.count("exp")) == (1, 3)


def test_a_program_without_a_batch_stays_whole() -> None:
    assert in_lanes(_record(lambda: lamina.tensor(1.0) + 1.0, []), 2) is None
    one = lamina.tensor(np.ones((1, 3), "f4"))
    assert in_lanes(_record(lambda: lamina.exp(one), [one]), 2) is None


def test_no_rule_applies_to_other_ops() -> None:
    x = lamina.tensor(np.ones((4, 3), "f4"))
    program = _record(lambda: lamina.argsort(x), [x])
    (instruction,) = [i for i in program.instructions if i.op == "argsort"]
    specs = [program.slots[s] for s in (*instruction.inputs, *instruction.outputs)]
    assert divided(instruction, [None], specs[:1], specs[1:], 4) is None


def test_small_steps_stay_on_one_thread_and_names_turn_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "threads", lambda: 2)
    small, large = (lamina.tensor(np.ones((n, 512), "f4")) for n in (8, 4096))
    few, many = (_record(lambda x=x: lamina.exp(lamina.sin(x)).sum(), [x]) for x in (small, large))
    assert len(policy.lanes_of(few).stages) == 1
    assert len(policy.lanes_of(many).stages) > 1
    monkeypatch.setattr(policy, "threads", lambda: 64)
    assert 2 < max(len(stage) for stage in policy.lanes_of(many).stages) <= 64
    assert len(policy.lanes_of(few).stages) == 1
    monkeypatch.setenv("LAMINA_WITHOUT", "others, lanes")
    assert len(policy.lanes_of(many).stages) == 1


@pytest.mark.parametrize(("op", "layer"), [
    ("lstm", layers.LSTM), ("gru", layers.GRU), ("gru", functools.partial(layers.GRU, reset_after=False)),
])  # fmt: skip
def test_a_layer_over_time_keeps_its_steps_for_its_gradient(
    op: str, layer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 7, 3)).astype("f4"), rng.integers(0, 3, 12)
    found = []
    for without in ("kept-steps", ""):
        monkeypatch.setenv("LAMINA_WITHOUT", without)
        set_random_seed(3)
        model = Sequential([layers.Input((7, 3)), layer(4, return_sequences=True), layer(4), layers.Dense(3)])
        model.compile("sgd", "sparse_categorical_crossentropy")
        model.fit(x, y, batch_size=4, epochs=2, shuffle=False, verbose=0)
        (entry,) = model._steps["train"]._entries.values()  # type: ignore[attr-defined]
        ops = [i.op for i in entry.executable._lanes.program.instructions]
        assert (ops.count(f"{op}_kept_gradient"), ops.count(f"{op}_gradient")) == ((0, 2) if without else (2, 0))
        found.append(model.get_weights())
    for mine, wanted in zip(*found, strict=True):
        np.testing.assert_allclose(mine, wanted, 1e-6, 1e-6)


def test_an_error_in_a_lane_is_raised_and_changes_nothing() -> None:
    backend = find_backend("numpy")
    table = lamina.tensor(np.ones((4, 3), "f4"))
    places = lamina.tensor(np.array([0, 1, 2, 3], "i4"))
    program = _record(lambda: lamina.gather(table, places), [places])
    lanes = in_lanes(program, 2)
    assert lanes is not None
    executable = NumPyExecutable(program, backend.kernels, lambda _: lanes)
    with pytest.raises(lamina.errors.LaminaError):
        executable([np.array([0, 1, 2, 9], "i4")], [])
    np.testing.assert_array_equal(executable([np.array([0, 1, 2, 3], "i4")], [])[0][0], np.ones((4, 3)))
