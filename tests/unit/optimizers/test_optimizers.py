"""Optimizers: replayed as eager, all-or-nothing, the forms of calling, saved state, and settings of the base."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import lamina
from lamina import Variable, ops, optimizers, structures
from lamina.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    GradientError,
    LaminaError,
    NotBuiltError,
    ReplayError,
    SerializationError,
    ShapeError,
    UnknownNameError,
)
from lamina.optimizers import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    LossScaleOptimizer,
    Momentum,
    Muon,
    Nadam,
    Optimizer,
    RMSprop,
    ScheduleFreeAdamW,
)

MAKERS: dict[str, Callable[[], Optimizer]] = {
    "sgd": lambda: SGD(0.1),
    "sgd with momentum": lambda: SGD(0.1, momentum=0.9),
    "sgd with nesterov": lambda: SGD(0.1, momentum=0.9, nesterov=True),
    "momentum": lambda: Momentum(0.1, 0.9),
    "momentum with nesterov": lambda: Momentum(0.1, 0.9, use_nesterov=True),
    "adam": lambda: Adam(0.1),
    "adam with amsgrad": lambda: Adam(0.1, amsgrad=True),
    "adagrad": lambda: Adagrad(0.1),
    "adadelta": lambda: Adadelta(0.1),
    "adamax": lambda: Adamax(0.1, decay=0.1),
    "rmsprop": lambda: RMSprop(0.1, momentum=0.5, centered=True, epsilon=1e-3),
    "rmsprop without momentum": lambda: RMSprop(0.1),
    "adamw": lambda: AdamW(0.1, weight_decay=0.1),
    "nadam": lambda: Nadam(0.1),
    "lion": lambda: Lion(0.1, weight_decay=0.1),
    "lamb": lambda: Lamb(0.1),
    "ftrl": lambda: Ftrl(0.1, l1_regularization_strength=0.01, l2_shrinkage_regularization_strength=0.1, beta=0.1),
    "adafactor": lambda: Adafactor(0.1),
    "schedule-free": lambda: ScheduleFreeAdamW(0.1, warmup_steps=3, weight_decay=0.1),
    "muon": lambda: Muon(0.1),
    "loss scale that grows": lambda: LossScaleOptimizer(Nadam(0.1, gradient_accumulation_steps=2), 8.0, 2),
    "adam as tensorflow.js": lambda: Adam(0.1, epsilon=0.1, form="tensorflow.js"),
    "adadelta as tensorflow.js": lambda: Adadelta(0.1, form="tensorflow.js"),
    "rmsprop as tensorflow.js": lambda: RMSprop(0.1, centered=True, form="tensorflow.js"),
    "decay and clipnorm": lambda: SGD(0.1, weight_decay=0.1, clipnorm=0.5),
    "global_clipnorm": lambda: Adam(0.1, global_clipnorm=0.5),
    "clipvalue": lambda: SGD(0.1, clipvalue=0.2),
    "averages": lambda: SGD(0.1, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2),
    "accumulation": lambda: Adam(0.1, gradient_accumulation_steps=2),
    "loss scale": lambda: SGD(0.1, loss_scale_factor=8.0),
}


def _variables() -> list[Variable]:
    return [Variable([[1.0, -2.0], [0.5, 3.0]], name="kernel"), Variable([0.1, -0.2], name="bias")]


def _loss(variables: Sequence[Variable], x: Any) -> Any:
    kernel, bias = variables
    return ops.mean(ops.square(ops.tanh(ops.add(ops.matmul(x, kernel), bias))))


def _inputs(count: int = 5) -> list[Any]:
    generator = np.random.default_rng(3)
    return [generator.normal(size=(4, 2)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("name", MAKERS)
def test_replayed_as_eager(name: str) -> None:
    results = []
    for replayed in (False, True):
        variables, optimizer = _variables(), MAKERS[name]()
        optimizer.build(variables)

        def run(x: Any, variables: Any = variables, optimizer: Any = optimizer) -> Any:
            return optimizer.minimize(lambda: _loss(variables, x), return_cost=True)

        step = lamina.function(run) if replayed else run
        costs = [step(lamina.tensor(x)).item() for x in _inputs()]
        results.append((costs, [v.numpy().tolist() for v in (*variables, *optimizer.variables)]))
        if replayed:
            assert step.programs  # type: ignore[attr-defined]
    _assert_equal_up_to_rounding(*results)


def _assert_equal_up_to_rounding(eager: Any, replayed: Any) -> None:
    """An executable may add and multiply in another order than single kernels do."""
    for a, b in zip(structures.flatten(eager), structures.flatten(replayed), strict=True):
        assert a == pytest.approx(b, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("name", MAKERS)
def test_the_rate_may_change_between_replayed_steps(name: str) -> None:
    results = []
    for replayed in (False, True):
        variables, optimizer = _variables(), MAKERS[name]()
        optimizer.build(variables)

        def run(x: Any, variables: Any = variables, optimizer: Any = optimizer) -> None:
            optimizer.minimize(lambda: _loss(variables, x))

        step = lamina.function(run) if replayed else run
        for i, x in enumerate(_inputs()):
            optimizer.learning_rate = 0.1 / (i + 1)
            step(lamina.tensor(x))
        results.append([v.numpy().tolist() for v in variables])
    _assert_equal_up_to_rounding(*results)


@pytest.mark.parametrize("name", MAKERS)
def test_resumed_as_uninterrupted(name: str) -> None:
    inputs = _inputs(6)
    variables, optimizer = _variables(), MAKERS[name]()
    for x in inputs[:3]:
        optimizer.minimize(lambda x=x: _loss(variables, x), var_list=variables)
    resumed = [Variable(v.numpy(), name=v.name) for v in variables]
    again = optimizers.get(lamina.serialization.serialize(optimizer))
    again.build(resumed)
    again.set_weights(optimizer.get_weights())
    for x in inputs[3:]:
        optimizer.minimize(lambda x=x: _loss(variables, x), var_list=variables)
        again.minimize(lambda x=x: _loss(resumed, x), var_list=resumed)
    for a, b in zip(variables, resumed, strict=True):
        assert a.numpy().tolist() == b.numpy().tolist()


def test_minimize_follows_the_gradient() -> None:
    w = Variable(1.0)
    optimizer = SGD(0.1)
    assert optimizer.minimize(lambda: w * w) is None
    cost = optimizer.minimize(lambda: w * w, return_cost=True)
    assert cost is not None
    assert cost.item() == pytest.approx(0.64)
    assert w.numpy() == pytest.approx(0.64)
    assert optimizer.iterations.numpy() == 2


def test_forms_of_apply_gradients() -> None:
    def loss() -> Any:
        return ops.add(ops.sum(ops.multiply(a, 2.0)), ops.sum(b))

    def pairs(g: dict[str, Any]) -> Any:
        return [(g["a"], a), (g["b"], b)]

    def entries(g: dict[str, Any]) -> Any:
        return [{"name": name, "tensor": tensor} for name, tensor in g.items()]

    for form in (pairs, entries, dict):
        a, b = Variable([1.0], name="a"), Variable([1.0, 2.0], name="b")
        optimizer = SGD(0.5)
        value, gradients = optimizer.compute_gradients(loss)
        assert value.item() == 5.0
        optimizer.apply_gradients(form(gradients))
        assert (a.numpy().tolist(), b.numpy().tolist()) == ([0.0], [0.5, 1.5])


def test_names_that_stand_for_no_or_several_variables() -> None:
    twins = [Variable(1.0, name="w"), Variable(2.0, name="w")]
    optimizer = SGD(0.5)
    with pytest.raises(ArgumentError, match="'w' stands for 0 Variables"):
        optimizer.apply_gradients({"w": 1.0})
    optimizer.build(twins)
    with pytest.raises(ArgumentError, match="'w' stands for 2 Variables"):
        optimizer.apply_gradients({"w": 1.0})


def test_a_variable_without_gradient_stays() -> None:
    variables = _variables()
    optimizer = Adam(0.1)
    optimizer.apply([None, [1.0, 1.0]], variables)
    assert variables[0].numpy().tolist() == [[1.0, -2.0], [0.5, 3.0]]
    assert variables[1].numpy() == pytest.approx([0.0, -0.3], abs=1e-6)


class _Failing(Optimizer):
    slot_names = ("m",)

    def update(self, parameters: Any, gradients: Any, slots: Any, rate: Any, step: Any) -> Any:
        if parameters[0].dtype == "float64":
            raise LaminaError("no such update")
        return [ops.subtract(p, g) for p, g in zip(parameters, gradients, strict=True)], {"m": gradients}


def test_a_step_is_all_or_nothing() -> None:
    variables = [Variable([1.0]), Variable([1.0], dtype="float64")]
    optimizer = _Failing()
    optimizer.build(variables)
    with pytest.raises(LaminaError, match="no such update"):
        optimizer.apply([[1.0], [1.0]], variables)
    assert [v.numpy().tolist() for v in variables] == [[1.0], [1.0]]
    assert [w.tolist() for w in optimizer.get_weights()] == [0, [0.0], [0.0]]


@pytest.mark.parametrize(
    ("gradients", "error"),
    [
        ([[1.0], None], ShapeError),
        ([None, None], GradientError),
        ([[1.0, 1.0]], ArgumentError),
        ([None, ["a", "b"]], LaminaError),
    ],
)
def test_gradients_that_do_not_fit(gradients: Any, error: type[Exception]) -> None:
    variables = _variables()
    optimizer = Adam()
    with pytest.raises(error):
        optimizer.apply(gradients, variables)
    assert not optimizer.built
    assert optimizer.iterations.numpy() == 0


def test_what_cannot_be_trained() -> None:
    optimizer = SGD()
    with pytest.raises(DTypeError, match="cannot be trained"):
        optimizer.build([Variable(1.0), Variable(1)])
    with pytest.raises(ArgumentTypeError, match="a Variable"):
        optimizer.build([lamina.tensor(1.0)])  # type: ignore[list-item]
    assert not optimizer.built
    with pytest.raises(NotBuiltError):
        optimizer.apply([1.0])
    w = Variable(1.0)
    with pytest.raises(ArgumentError, match="given twice"):
        optimizer.apply([1.0, 1.0], [w, w])


def test_building_inside_a_recorded_step_is_an_error() -> None:
    w, optimizer = Variable(1.0), Adam()
    with pytest.raises(ReplayError, match="made inside a recorded step"):
        lamina.function(lambda: optimizer.minimize(lambda: w * w))()


def test_several_dtypes_at_once() -> None:
    variables = [Variable([1.0]), Variable([1.0], dtype="float64"), Variable([1.0], dtype="float16")]
    for optimizer in (SGD(0.5), SGD(0.5, momentum=0.5), Momentum(0.5), Adam(0.5), Adam(0.5, amsgrad=True)):
        for variable in variables:
            variable.assign(np.ones((1,), variable.numpy().dtype))
        optimizer.apply([[1.0], [1.0], [1.0]], variables)
        assert [round(float(v.numpy()[0]), 2) for v in variables] == [0.5, 0.5, 0.5]
        assert [v.dtype for v in variables] == ["float32", "float64", "float16"]


def test_accumulation_equals_one_step_with_the_mean() -> None:
    one, many = _variables(), _variables()
    gradients = [[np.full((2, 2), float(i)), np.full((2,), -float(i))] for i in range(4)]
    accumulating, plain = Adam(0.1, gradient_accumulation_steps=2), Adam(0.1)
    for first, second in zip(gradients[::2], gradients[1::2], strict=True):
        accumulating.apply(first, many)
        accumulating.apply(second, many)
        plain.apply([(a + b) / 2.0 for a, b in zip(first, second, strict=True)], one)
    for a, b in zip(one, many, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)


def test_schedules_and_averages_go_on_while_gradients_gather() -> None:
    w = Variable([1.0])
    rates = optimizers.schedules.PiecewiseConstantDecay([0], [1.0, 0.5])
    optimizer = SGD(rates, use_ema=True, ema_momentum=0.5, gradient_accumulation_steps=2)
    for average in (1.0, 0.5, 0.5, 0.25):
        optimizer.apply([[1.0]], [w])
        assert optimizer.slots_of(w)["average"].numpy().tolist() == [average]
    assert w.numpy().tolist() == [0.0]


def test_averages() -> None:
    w = Variable([1.0])
    optimizer = SGD(1.0, use_ema=True, ema_momentum=0.5)
    optimizer.apply([[1.0]], [w])
    optimizer.apply([[1.0]], [w])
    assert w.numpy().tolist() == [-1.0]
    optimizer.finalize_variable_values([w])
    assert w.numpy().tolist() == [-0.5]


def test_constraints_hold_after_the_step() -> None:
    w = Variable([1.0])
    w.constraint = lambda value: ops.maximum(value, 0.0)  # type: ignore[attr-defined]
    SGD(10.0).apply([[1.0]], [w])
    assert w.numpy().tolist() == [0.0]


def test_weight_decay_leaves_some_out() -> None:
    variables = _variables()
    optimizer = SGD(0.5, weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([np.zeros((2, 2)), np.zeros((2,))], variables)
    assert variables[0].numpy() == pytest.approx(np.array([[0.95, -1.9], [0.475, 2.85]]))
    assert variables[1].numpy() == pytest.approx([0.1, -0.2])


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_rates_out_of_range(value: float) -> None:
    with pytest.raises(ArgumentError, match="learning_rate is"):
        SGD(value)
    optimizer = SGD(0.5)
    with pytest.raises(ArgumentError, match="learning_rate is"):
        optimizer.learning_rate = value
    assert optimizer.learning_rate.numpy() == 0.5


@pytest.mark.parametrize("value", [True, "0.1", None, [0.1]])
def test_rates_of_the_wrong_kind(value: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="learning_rate is"):
        Adam(value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: SGD(momentum=-1.0),
        lambda: Momentum(momentum=float("nan")),
        lambda: Adam(beta_1=1.0),
        lambda: Adam(beta_2=-0.1),
        lambda: Adam(epsilon=-1e-7),
        lambda: Adam(clipnorm=1.0, clipvalue=1.0),
        lambda: Adam(clipnorm=0.0),
        lambda: Adam(weight_decay=-1.0),
        lambda: Adam(gradient_accumulation_steps=1),
        lambda: Adam(ema_momentum=1.5),
        lambda: Adam(form="tensorflow"),
        lambda: AdamW(weight_decay=float("nan")),
        lambda: Lion(beta_2=1.0),
        lambda: Lamb(epsilon=float("inf")),
        lambda: Nadam(beta_1=-0.5),
        lambda: Ftrl(learning_rate_power=0.5),
        lambda: Ftrl(l1_regularization_strength=-1.0),
        lambda: Adafactor(clip_threshold=0.0),
        lambda: Adafactor(beta_2_decay=0.1),
        lambda: Adadelta(rho=1.0),
        lambda: ScheduleFreeAdamW(beta_1=0.0),
    ],
)
def test_settings_out_of_range(make: Any) -> None:
    with pytest.raises(ArgumentError):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Adam(amsgrad="no"),
        lambda: SGD(nesterov=1),
        lambda: RMSprop(centered=None),
        lambda: Adafactor(relative_step="false"),
        lambda: Lamb(use_ema=0.5),
        lambda: optimizers.schedules.PolynomialDecay(0.1, 5, cycle="yes"),
    ],
)
def test_what_is_neither_true_nor_false(make: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="True or False"):
        make()


def test_a_schedule_is_followed_when_replayed() -> None:
    results = []
    for replayed in (False, True):
        variables = _variables()
        optimizer = Adam(optimizers.schedules.CosineDecay(0.1, 4, warmup_target=0.2, warmup_steps=2))
        optimizer.build(variables)

        def run(x: Any, variables: Any = variables, optimizer: Any = optimizer) -> Any:
            optimizer.minimize(lambda: _loss(variables, x))
            return ops.add(optimizer.learning_rate, 0.0)

        step = lamina.function(run) if replayed else run
        rates = [step(lamina.tensor(x)).item() for x in _inputs()]
        results.append((rates, [v.numpy().tolist() for v in variables]))
    assert results[0][0] == pytest.approx([0.15, 0.2, 0.170711, 0.1, 0.029289], rel=1e-4)
    _assert_equal_up_to_rounding(*results)


def test_get() -> None:
    assert type(optimizers.get("SGD")) is type(optimizers.get("sgd")) is SGD
    assert type(optimizers.get(Momentum)) is Momentum
    assert optimizers.get(None) is None
    with pytest.raises(UnknownNameError, match="no optimizer named 'adm'"):
        optimizers.get("adm")
    with pytest.raises(ArgumentTypeError):
        optimizers.get(lambda: None)


def test_config_of_tensorflow_js() -> None:
    config = {"learningRate": 0.02, "beta1": 0.8, "beta2": 0.9, "epsilon": 1e-6}
    adam = optimizers.get({"class_name": "Adam", "config": config}).get_config()
    assert (adam["learning_rate"], adam["beta_1"], adam["beta_2"], adam["epsilon"]) == (0.02, 0.8, 0.9, 1e-6)
    config = {"learningRate": 0.1, "momentum": 0.5, "useNesterov": True}
    assert optimizers.get({"class_name": "Momentum", "config": config}).use_nesterov
    with pytest.raises(SerializationError, match="has the key 'decay'"):
        optimizers.get({"class_name": "SGD", "config": {"decay": 0.1}})


@pytest.mark.parametrize("name", MAKERS)
def test_config_makes_an_equal_optimizer(name: str) -> None:
    optimizer = MAKERS[name]()
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(again) is type(optimizer)
    assert again.get_config() == optimizer.get_config()


def test_classes_of_ones_own() -> None:
    class Mine(SGD):
        pass

    config = optimizers.serialize(Mine(0.5))
    assert type(optimizers.deserialize(config, custom_objects={"Mine": Mine})) is Mine
    with pytest.raises(UnknownNameError):
        optimizers.deserialize(config)


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("Adam", {"learningRate": 0.1, "beta1": 0.9, "beta2": 0.999, "epsilon": None}),
        ("Adadelta", {"learningRate": 0.1, "rho": 0.9, "epsilon": 1e-7}),
        ("RMSProp", {"learningRate": 0.1, "decay": 0.9, "momentum": 0.0, "epsilon": 1e-7, "centered": False}),
    ],
)
def test_configs_of_tensorflow_js_keep_its_form(name: str, config: dict[str, Any]) -> None:
    found = optimizers.get({"class_name": name, "config": config})
    assert found.form == "tensorflow.js"
    assert optimizers.deserialize(optimizers.serialize(found)).form == "tensorflow.js"
    assert "form" not in optimizers.get(name).get_config()


def test_what_is_not_kept_is_saved_as_zeros() -> None:
    variables = _variables()
    optimizer = RMSprop(0.1)
    optimizer.apply([np.ones((2, 2)), np.ones((2,))], variables)
    assert optimizer.save_names == ["iter", "kernel/rms", "bias/rms", "kernel/momentum", "bias/momentum"]
    assert len(optimizer.variables) == 4
    saved = optimizer.get_weights()
    assert [w.shape for w in saved] == [(), (2, 2), (2,), (2, 2), (2,)]
    assert not np.any(saved[3])
    again = RMSprop(0.1)
    again.build(variables)
    again.set_weights(saved)
    assert [w.tolist() for w in again.get_weights()] == [w.tolist() for w in saved]


def test_state_kept_once_for_all_variables() -> None:
    variables = _variables()
    optimizer = Nadam(0.1)
    optimizer.apply([np.ones((2, 2)), np.ones((2,))], variables)
    assert optimizer.save_names[-1] == "u_product"
    assert optimizer.get_weights()[-1] == pytest.approx(0.9 * (1.0 - 0.48))
    optimizer.set_weights([np.int32(0)])
    assert optimizer.get_weights()[-1] == 1.0


def test_adafactor_keeps_rows_and_columns() -> None:
    shapes = {"matrix": (3, 4), "stack": (2, 3, 4), "vector": (4,)}
    optimizer = Adafactor()
    optimizer.build([Variable(np.zeros(shape), name=name) for name, shape in shapes.items()])
    named = dict(zip(optimizer.save_names, optimizer.get_weights(), strict=True))
    assert [named[f"{name}/r"].shape for name in shapes] == [(3,), (2, 3), ()]
    assert [named[f"{name}/c"].shape for name in shapes] == [(4,), (2, 4), ()]


def test_averages_before_the_first_step() -> None:
    w = Variable([1.0])
    optimizer = SGD(1.0, use_ema=True)
    optimizer.build([w])
    optimizer.finalize_variable_values([w])
    assert w.numpy().tolist() == [1.0]


def test_lion_takes_steps_of_one_size() -> None:
    w = Variable([1.0, -1.0, 0.5])
    Lion(0.25).apply([[100.0, -0.001, 0.0]], [w])
    assert w.numpy().tolist() == [0.75, -0.75, 0.5]


def test_lamb_of_weights_that_are_zero() -> None:
    zero, still = Variable([0.0, 0.0]), Variable([3.0, 4.0])
    Lamb(0.5).apply([[1.0, 1.0], [0.0, 0.0]], [zero, still])
    assert zero.numpy() == pytest.approx([-0.5, -0.5], rel=1e-5)
    assert still.numpy().tolist() == [3.0, 4.0]


def test_ftrl_makes_small_weights_zero() -> None:
    w = Variable([0.1, 0.1])
    optimizer = Ftrl(0.5, l1_regularization_strength=0.5)
    optimizer.apply([[0.1, 2.0]], [w])
    assert w.numpy()[0] == 0.0
    assert w.numpy()[1] < 0.0


def test_saved_state() -> None:
    variables = _variables()
    optimizer = Adam()
    assert optimizer.save_names == ["iter"]
    optimizer.apply([np.ones((2, 2)), np.ones((2,))], variables)
    assert optimizer.save_names == ["iter", "kernel/m", "bias/m", "kernel/v", "bias/v"]
    saved = optimizer.get_weights()
    assert [w.shape for w in saved] == [(), (2, 2), (2,), (2, 2), (2,)]
    assert (saved[0].dtype, int(saved[0])) == (np.int32, 1)
    optimizer.set_weights([np.int32(7)])
    assert int(optimizer.get_weights()[0]) == 7
    assert not np.any(optimizer.get_weights()[1])


def test_state_that_does_not_fit() -> None:
    optimizer = Adam()
    with pytest.raises(NotBuiltError):
        optimizer.set_weights([np.int32(1), np.zeros((2,))])
    optimizer.build(_variables())
    for wrong, error in (([1, 2], ArgumentError), ([9, *[np.zeros((3,))] * 4], ShapeError)):
        with pytest.raises(error):
            optimizer.set_weights(wrong)
    assert int(optimizer.get_weights()[0]) == 0
