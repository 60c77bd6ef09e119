"""What holds for every layer of lamina beyond what the kit checks: values, weights, gradients that flow, dtypes."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lamina import Variable, layers, ops, serialization
from lamina.autodiff.gradients import gradients_of_variables
from lamina.catalogue import LAYERS
from lamina.errors import ArgumentTypeError, ShapeError
from lamina.layers import Layer
from lamina.structures import flatten, map_structure
from unit.layers.layer_case import Case, called, normal


def relu(x: Any) -> Any:
    return np.maximum(x, 0)


def dense(x: Any, kernel: Any, bias: Any = 0.0) -> Any:
    return x @ kernel + bias


def conv(x: Any, kernel: Any, bias: Any = 0.0, strides: tuple[int, int] = (1, 1), dilation: int = 1) -> Any:
    """Valid convolution, channels last, window by window."""
    reach = [(s - 1) * dilation + 1 for s in kernel.shape[:2]]
    sizes = [(x.shape[i + 1] - reach[i]) // strides[i] + 1 for i in (0, 1)]
    y = np.zeros((x.shape[0], *sizes, kernel.shape[3]), np.float64)
    for i, j in np.ndindex(*sizes):
        top, left = i * strides[0], j * strides[1]
        window = x[:, top : top + reach[0] : dilation, left : left + reach[1] : dilation]
        y[:, i, j] = np.einsum("bhwc,hwcf->bf", window, kernel) + bias
    return y


def same(x: Any, kernel: Any, bias: Any) -> Any:
    return conv(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0))), kernel, bias)


def first(function: Any) -> Any:
    """A reference for channels_last applied to channels_first."""
    return lambda x, *weights: function(x.transpose(0, 2, 3, 1), *weights).transpose(0, 3, 1, 2)


def pool(x: Any, size: int = 2, stride: int = 2) -> Any:
    sizes = [(x.shape[i] - size) // stride + 1 for i in (1, 2)]
    y = np.zeros((x.shape[0], *sizes, x.shape[3]), x.dtype)
    for i, j in np.ndindex(*sizes):
        y[:, i, j] = x[:, i * stride : i * stride + size, j * stride : j * stride + size].max((1, 2))
    return y


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def normalized(x: Any, gamma: Any, beta: Any, mean: Any, variance: Any) -> Any:
    return (x - mean) / np.sqrt(variance + 1e-3) * gamma + beta


IMAGE = normal(2, 6, 5, 3)
KERNEL = {"kernel": (3, 3, 3, 4), "bias": (4,)}
NORMS = dict.fromkeys(("gamma", "beta", "moving_mean", "moving_variance"), (3,))

CASE_FILES = sorted(Path(__file__).parent.glob("*_cases.py"))
CASE_MODULES = [importlib.import_module(f"unit.layers.{path.stem}") for path in CASE_FILES]
"""Further cases, a module per family: each has a list ``CASES``."""

CASES = [
    Case(layers.Dense, {"units": 4}, normal(2, 3), {"kernel": (3, 4), "bias": (4,)}, dense),
    Case(
        layers.Dense,
        {"units": 4, "activation": "relu", "kernel_regularizer": "l2", "bias_constraint": "non_neg"},
        normal(2, 5, 3),
        {"kernel": (3, 4), "bias": (4,)},
        lambda x, k, b: relu(dense(x, k, b)),
    ),
    Case(layers.Dense, {"units": 1, "use_bias": False}, normal(2, 3), {"kernel": (3, 1)}, dense),
    Case(layers.Activation, {"activation": "sigmoid"}, normal(2, 3), {}, sigmoid),
    Case(layers.Activation, {"activation": "relu"}, normal(2, 3, 4), {}, relu),
    Case(layers.Dropout, {"rate": 0.5}, normal(2, 3), {}, lambda x: x),
    Case(layers.Dropout, {"rate": 0.25, "noise_shape": (None, 1), "seed": 3}, normal(2, 3), {}, lambda x: x),
    Case(layers.Flatten, {}, normal(2, 3, 4), {}, lambda x: x.reshape(2, 12)),
    Case(
        layers.Flatten,
        {"data_format": "channels_first"},
        normal(2, 3, 4, 5),
        {},
        lambda x: x.transpose(0, 2, 3, 1).reshape(2, 60),
    ),
    Case(layers.Reshape, {"target_shape": (4, -1)}, normal(2, 3, 8), {}, lambda x: x.reshape(2, 4, 6)),
    Case(layers.Reshape, {"target_shape": (6,)}, normal(2, 3, 2), {}, lambda x: x.reshape(2, 6)),
    Case(layers.Add, {}, [normal(2, 3), normal(2, 3), normal(2, 3)], {}, lambda x: x[0] + x[1] + x[2]),
    Case(layers.Add, {}, [normal(2, 4, 3), normal(2, 1, 3)], {}, lambda x: x[0] + x[1]),
    Case(layers.Concatenate, {}, [normal(2, 3), normal(2, 4)], {}, lambda x: np.concatenate(x, -1)),
    Case(layers.Concatenate, {"axis": 1}, [normal(2, 3, 4), normal(2, 1, 4)], {}, lambda x: np.concatenate(x, 1)),
    Case(layers.BatchNormalization, {}, normal(4, 3), NORMS, normalized),
    Case(
        layers.BatchNormalization,
        {"axis": 1, "scale": False},
        normal(4, 3, 2),
        {k: v for k, v in NORMS.items() if k != "gamma"},
        lambda x, b, m, v: normalized(x.swapaxes(1, 2), 1.0, b, m, v).swapaxes(1, 2),
    ),
    Case(layers.Conv2D, {"filters": 4, "kernel_size": 3}, IMAGE, KERNEL, conv),
    Case(
        layers.Conv2D,
        {"filters": 4, "kernel_size": (3, 3), "padding": "same", "activation": "relu"},
        IMAGE,
        KERNEL,
        lambda x, k, b: relu(same(x, k, b)),
    ),
    Case(
        layers.Conv2D,
        {"filters": 4, "kernel_size": 3, "strides": (2, 1), "use_bias": False},
        IMAGE,
        {"kernel": (3, 3, 3, 4)},
        lambda x, k: conv(x, k, strides=(2, 1)),
    ),
    Case(
        layers.Conv2D,
        {"filters": 4, "kernel_size": 3, "dilation_rate": 2, "data_format": "channels_first"},
        normal(2, 3, 6, 5),
        KERNEL,
        first(lambda x, k, b: conv(x, k, b, dilation=2)),
    ),
    Case(layers.MaxPooling2D, {}, IMAGE, {}, pool),
    Case(layers.MaxPooling2D, {"pool_size": 3, "strides": 1}, IMAGE, {}, lambda x: pool(x, 3, 1)),
    Case(layers.MaxPooling2D, {"data_format": "channels_first"}, normal(2, 3, 6, 5), {}, first(pool)),
    Case(
        layers.Embedding,
        {"input_dim": 5, "output_dim": 3},
        np.array([[0, 4, 2], [1, 1, 3]], np.int32),
        {"embeddings": (5, 3)},
        lambda x, e: e[x],
    ),
    *(case for module in CASE_MODULES for case in module.CASES),
]  # fmt: skip


def first_of(outputs: Any) -> Any:
    """The output, or the first of several: cells give their states too."""
    return flatten(outputs)[0]


every_case = pytest.mark.parametrize("case", CASES, ids=str)


def in_float64(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings with a dtype, those of layers inside them too."""
    return {**{key: _inside(value) for key, value in settings.items()}, "dtype": "float64"}


def _inside(value: Any) -> Any:
    if isinstance(value, dict) and "class_name" in value:
        return {**value, "config": in_float64(value["config"])}
    return [_inside(one) for one in value] if isinstance(value, list) else value


def make(case: Case) -> Layer:
    """The layer, built, with weights that are all different from what initializers give."""
    layer = case.kind(**case.settings, name="it")
    called(layer, case.inputs)
    generator = np.random.default_rng(5)
    layer.set_weights([generator.uniform(0.2, 1.0, w.shape).astype(np.float32) for w in layer.weights])
    return layer


def test_every_layer_has_a_case() -> None:
    assert {case.kind.__name__ for case in CASES} == set(LAYERS) - {"InputLayer"}


@every_case
class TestEveryLayer:
    def test_value(self, case: Case) -> None:
        layer = make(case)
        found = first_of(called(layer, case.inputs))
        expected = case.reference(case.inputs, *layer.get_weights())
        assert found.dtype == "float32"
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-5, atol=1e-5)

    def test_serialized_by_its_registered_name(self, case: Case) -> None:
        layer = make(case)
        record = json.loads(json.dumps(serialization.serialize(layer)))
        again = serialization.deserialize("layers", record, Layer)
        assert type(again) is case.kind
        assert again.get_config() == layer.get_config()

    def test_weights(self, case: Case) -> None:
        layer = case.kind(**case.settings, name="it")
        assert layer.weights == []
        assert not layer.built
        called(layer, case.inputs)
        assert {w.name.removeprefix("it/"): w.shape for w in layer.weights} == case.weights
        assert [w.name for w in layer.weights] == [f"it/{name}" for name in case.weights]
        assert layer.count_params() == sum(int(np.prod(shape)) for shape in case.weights.values())
        assert len(layer.trainable_weights) + len(layer.non_trainable_weights) == len(layer.weights)
        layer.trainable = False
        assert layer.trainable_weights == []
        assert layer.non_trainable_weights == layer.weights
        assert layer.get_config()["trainable"] is False

    def test_set_weights_takes_all_or_none(self, case: Case) -> None:
        layer = make(case)
        before = layer.get_weights()
        with pytest.raises(ShapeError):
            layer.set_weights([*before, np.zeros(3)])
        if before:
            with pytest.raises(ShapeError):
                layer.set_weights([*(np.zeros_like(w) for w in before[:-1]), np.zeros((9, 9))])
        for found, kept in zip(layer.get_weights(), before, strict=True):
            np.testing.assert_array_equal(found, kept)

    def test_gradients_flow(self, case: Case) -> None:
        layer = make(case)
        inputs = map_structure(lambda x: Variable(x) if x.dtype.kind == "f" else x, case.inputs)
        wanted = [*(x for x in flatten(inputs) if isinstance(x, Variable)), *layer.trainable_weights]
        if not wanted:  # integers, and no weights
            return
        _, pairs = gradients_of_variables(lambda: ops.sum(ops.square(first_of(called(layer, inputs)))), wanted)
        for variable, gradient in pairs:
            assert gradient is not None, variable.name
            assert gradient.shape == variable.shape
            assert np.isfinite(gradient.numpy()).all()
            assert np.abs(gradient.numpy()).max() > 0, variable.name

    def test_dtype(self, case: Case) -> None:
        layer = case.kind(**in_float64(case.settings))
        assert first_of(called(layer, case.inputs)).dtype == "float64"
        assert {w.dtype for w in layer.weights} <= {"float64"}
        assert layer.get_config()["dtype"] == "float64"

    def test_name_and_trainable_are_checked(self, case: Case) -> None:
        with pytest.raises(ArgumentTypeError):
            case.kind(**case.settings, name=3)
        with pytest.raises(ArgumentTypeError):
            case.kind(**case.settings, trainable="yes")
