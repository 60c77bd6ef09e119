"""What holds for every layer, as checks that a table of layers drives.

For lamina's own layers and for those of plugins. Knows layers, models and what trains them.
"""

from __future__ import annotations

import functools
import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

import lamina
from lamina import io, layers, ops
from lamina.autodiff.gradients import gradients_of_variables
from lamina.dtypes import FLOATING
from lamina.layers import Layer
from lamina.layers.config import all_arguments
from lamina.models import Model
from lamina.optimizers import SGD
from lamina.runtime.backends import backend_scope
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.serialization import custom_object_scope
from lamina.structures import flatten, map_structure
from lamina.testing.inputs import Array

STEP: Final = 1e-6
"""Half the width of a central difference in float64."""
NEAR: Final = 1e-5
"""How near backends, data formats and gradients have to be, relative to the largest entry or 1."""


@dataclass(frozen=True, eq=False)
class LayerCase:
    """A layer to check: its class, the settings it is made with, and arrays that it is called on.

    ``inputs`` is an array, or a list or dict of them; ``further`` are the arguments of the call beside them.
    ``gradients`` says in which calls the gradient is the slope: False for a layer that passes another one on purpose,
    "inference" for one that does so while training. ``channels`` is the channels' axis where they do not come last;
    None says that the layer does something else in either data format. ``fixed_shape`` False says that the sizes of
    the output depend on chance or values.
    """

    kind: Callable[..., Layer]
    settings: Mapping[str, Any]
    inputs: Any
    further: Mapping[str, Any] = field(default_factory=dict)
    gradients: bool | str = True
    channels: int | None = 1
    fixed_shape: bool = True

    def __str__(self) -> str:
        return f"{self.kind.__name__}({', '.join(f'{k}={v!r}' for k, v in self.settings.items())})"

    # -- making and calling ----------------------------------------------------------------------------------------

    def make(self, **changed: Any) -> Layer:
        """The layer, built, with weights unlike those that initializers give; the same ones each time."""
        made: Layer = self.kind(**{**self.settings, "name": "checked"})
        if changed:
            made = _reconfigured(made, changed)
        self.call(made)
        _start(made)
        return made

    def call(self, layer: Layer, training: bool | None = None, inputs: Any = None, further: Any = None) -> Any:
        """One call, by default on the arrays of the case."""
        given = (self.inputs if inputs is None else inputs, dict(self.further) if further is None else further)
        flag = {} if training is None or not layer.takes("training") else {"training": training}
        first, others = map_structure(_as_tensor, given)
        return layer(first, **others, **flag)

    def trainings(self, layer: Layer) -> tuple[bool, ...]:
        """Inference, and training where it is another call."""
        return (False, True) if layer.takes("training") else (False,)

    # -- checks ----------------------------------------------------------------------------------------------------

    def check_config(self) -> None:
        """The configuration has all settings, survives JSON, and makes a layer that gives the same."""
        layer = self.make()
        record = layers.serialize(layer)
        assert all(key in record["config"] for key in self.settings), f"{record['config']} lacks a setting"
        again = layers.deserialize(json.loads(json.dumps(record)), {record["class_name"]: type(layer)})
        assert type(again) is type(layer)
        assert again.get_config() == layer.get_config()
        self.call(again)
        _copy_state(layer, again)
        for one, other in _pairs(self.call(again), self.call(layer)):
            np.testing.assert_array_equal(one, other)

    def check_shapes(self) -> None:
        """The inferred shapes are the real ones, for the batch at hand and for any."""
        if not self.fixed_shape:
            return
        real = [y.shape for y in flatten(self.call(self.make()))]
        known = _symbolic_call(self, batch=True)
        assert [y.shape for y in known] == real, f"inferred {known}, real {real}"
        anything = [y.shape for y in _symbolic_call(self, batch=False)]
        fits = len(anything) == len(real) and all(map(_fits, anything, real))
        assert fits, f"inferred {anything} for any batch, real {real}"
        if not self.further:
            shapes = map_structure(lambda x: x.shape, self.inputs)
            alone = self.kind(**self.settings).compute_output_shape(shapes)
            assert _flat_shapes(alone) == real, f"compute_output_shape gives {alone}, the call {real}"

    def check_gradients(self) -> None:
        """The gradients of inputs and weights are the slopes that differences give in float64."""
        layer = self.make(dtype="float64")
        for training in self.trainings(layer):
            if self.gradients is False or (training and self.gradients == "inference"):
                continue
            _Slopes(self, layer, training).check()

    def check_replay(self) -> None:
        """Calls that are replayed give what eager ones give, and leave the same weights and states."""
        for training in self.trainings(self.make()):
            eager, replayed = self.make(), self.make()
            step = lamina.function(functools.partial(self._replayed, replayed, training))
            inputs = map_structure(to_tensor, self.inputs)
            for _ in range(4):
                for one, other in _pairs(step(inputs), self.call(eager, training)):
                    np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)
            for one, other in zip(replayed.get_weights(), eager.get_weights(), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)

    def _replayed(self, layer: Layer, training: bool, inputs: Any) -> Any:
        return self.call(layer, training, inputs)

    def check_backends(self, names: Sequence[str]) -> None:
        """Outputs, gradients and changed weights on some backends are those on the first of them."""
        found = []
        for name in names:
            with backend_scope(name):
                layer = self.make()
                found.append([y for training in self.trainings(layer) for y in _results(self, layer, training)])
        for name, results in zip(names[1:], found[1:], strict=True):
            for i, (one, other) in enumerate(zip(results, found[0], strict=True)):
                _assert_near(one, other, f"result {i} on {name}, as on {names[0]}")

    def check_data_format(self) -> None:
        """Channels first and channels last give the same, if the layer has both."""
        layer = self.make()
        axis = self.channels
        if axis is None or "data_format" not in all_arguments(type(layer)):
            return
        first = getattr(layer, "data_format", None) == "channels_first"
        moved = map_structure(lambda x: _moved(x, axis, first), self.inputs)
        other = _reconfigured(layer, {"data_format": "channels_last" if first else "channels_first"})
        self.call(other, inputs=moved)
        _copy_state(layer, other)
        for one, there in _pairs(self.call(layer), self.call(other, inputs=moved)):
            lost = flatten(self.inputs)[0].ndim - one.ndim
            same = one if one.ndim < 3 else _moved(one, axis - lost, first)
            _assert_near(there, same, "the output in the other data format")

    def check_training(self) -> None:
        """Training lowers the loss of a model of the layer, with a dense layer before it if it has no weights."""
        model = self.model(trained=True)
        if model is None or not model.trainable_weights:
            return
        inputs = self.data()
        target = np.random.default_rng(3).normal(size=model.predict(inputs).shape).astype(np.float32)
        model.compile(optimizer=SGD(1e-2, clipnorm=1.0), loss="mse")
        evaluated = bool(model.seed_generators)
        before = model.test_on_batch(inputs, target) if evaluated else None
        losses = [model.train_on_batch(inputs, target) for _ in range(8)]
        start, end = (before, model.test_on_batch(inputs, target)) if evaluated else (losses[0], losses[-1])
        assert end < start, f"the loss went from {start} to {end}"

    def check_saving(self) -> None:
        """A saved model of the layer is loaded with the same outputs."""
        model = self.model()
        if model is None:
            return
        address = f"memory://{uuid.uuid4()}"
        with custom_object_scope({self.kind.__name__: self.kind} if isinstance(self.kind, type) else {}):
            model.save(address)
            again = lamina.load_model(address, fingerprint=False)
        io.remove_model(address)
        for one, other in _pairs(again.predict(self.data()), model.predict(self.data())):
            np.testing.assert_array_equal(one, other)

    def model(self, trained: bool = False) -> Any:
        """A model of the layer's first output; None if it is not floating."""
        inputs, further = _symbolic_inputs(self, batch=False)
        layer = self.make()
        given = inputs
        if trained and not layer.trainable_weights:
            given = map_structure(lambda x: layers.Dense(x.shape[-1])(x) if x.dtype in FLOATING else x, inputs)
        output = flatten(layer(given, **further))[0]
        leaves = [*flatten(inputs), *flatten(further)]
        leaves = [x for x in leaves if isinstance(x, layers.SymbolicTensor)]
        return Model(leaves if len(leaves) > 1 else leaves[0], output) if output.dtype in FLOATING else None

    def data(self) -> Any:
        """The arrays of ``model``'s inputs."""
        leaves = [x for x in flatten((self.inputs, dict(self.further))) if isinstance(x, np.ndarray)]
        return leaves if len(leaves) > 1 else leaves[0]


CHECKS: Final = ("config", "shapes", "gradients", "replay", "data_format", "training", "saving")
"""The checks that need no further argument, by the second part of their names."""


def check_layer(
    kind: Callable[..., Layer],
    settings: Mapping[str, Any],
    inputs: Any,
    *,
    backends: Sequence[str] = (),
    **described: Any,
) -> None:
    """Runs every check on a layer class made with ``settings`` and called on ``inputs``; raises AssertionError.

    Held against each other are the configuration and what is made of it, inferred shapes and real ones, gradients and
    differences, eager calls and replayed ones, the two data formats, and a saved model and the loaded one; a model of
    the layer is trained. With two or more ``backends`` their results are compared, too. ``described`` are further
    fields of ``LayerCase``.

    >>> import numpy as np
    >>> check_layer(layers.Dense, {"units": 3, "activation": "tanh"}, np.ones((2, 4), np.float32))
    """
    case = LayerCase(kind, settings, inputs, **described)
    for name in CHECKS:
        getattr(case, f"check_{name}")()
    if len(backends) > 1:
        case.check_backends(backends)


# -- state ---------------------------------------------------------------------------------------------------------


def _start(layer: Layer) -> None:
    """Weights between -1/2 and 1/2, those that are not trained around 1; random streams from their beginning."""
    generator = np.random.default_rng(5)
    for weight in layer.weights:
        low = -0.5 if weight.trainable else 0.5
        if weight.dtype in FLOATING:
            weight.assign(generator.uniform(low, low + 1.0, weight.shape).astype(weight.dtype))
    for number, stream in enumerate(layer.seed_generators):
        stream.state.assign(np.asarray([7 + number, 0], np.int32))


def _copy_state(layer: Layer, to: Layer) -> None:
    for one, other in zip(layer.weights, to.weights, strict=True):
        other.assign(one.numpy())
    for stream, copied in zip(layer.seed_generators, to.seed_generators, strict=True):
        copied.state.assign(stream.state.numpy())


def _reconfigured(layer: Layer, changed: Mapping[str, Any]) -> Layer:
    """The layer made again with other settings, which hold for the layers inside it too."""
    config = layers.serialize(layer)
    return layers.deserialize(_with(config, changed), {config["class_name"]: type(layer)})


def _with(value: Any, changed: Mapping[str, Any]) -> Any:
    if isinstance(value, Mapping):
        return {key: changed[key] if key in changed else _with(v, changed) for key, v in value.items()}
    return [_with(v, changed) for v in value] if isinstance(value, list) else value


# -- inputs and outputs --------------------------------------------------------------------------------------------


def _as_tensor(value: Any) -> Any:
    return to_tensor(value) if isinstance(value, (np.ndarray, Variable)) else value


def _arrays(outputs: Any) -> list[Array]:
    return [y.numpy() if isinstance(y, Tensor) else np.asarray(y) for y in flatten(outputs)]


def _pairs(found: Any, expected: Any) -> Iterator[tuple[Array, Array]]:
    return zip(_arrays(found), _arrays(expected), strict=True)


def _flat_shapes(shapes: Any) -> list[tuple[int | None, ...]]:
    if isinstance(shapes, dict):
        return [shape for value in shapes.values() for shape in _flat_shapes(value)]
    if shapes and all(isinstance(value, (tuple, list, dict)) for value in shapes):
        return [shape for value in shapes for shape in _flat_shapes(value)]
    return [tuple(shapes)]


def _fits(inferred: Sequence[int | None], real: Sequence[int]) -> bool:
    """Whether sizes that are known are the real ones."""
    return len(inferred) == len(real) and all(m in (n, None) for m, n in zip(inferred, real, strict=True))


def _symbolic_inputs(case: LayerCase, batch: bool) -> tuple[Any, dict[str, Any]]:
    def placed(x: Any) -> Any:
        if not isinstance(x, np.ndarray):
            return x
        return layers.Input(batch_shape=(x.shape[0] if batch else None, *x.shape[1:]), dtype=str(x.dtype))

    inputs, further = map_structure(placed, (case.inputs, dict(case.further)))
    return inputs, further


def _symbolic_call(case: LayerCase, batch: bool) -> list[Any]:
    inputs, further = _symbolic_inputs(case, batch)
    return flatten(case.kind(**case.settings)(inputs, **further))


def _moved(array: Any, axis: int, last: bool) -> Any:
    """The channels moved from ``axis`` to the end, or from there to ``axis``."""
    return np.moveaxis(array, axis, -1) if last else np.moveaxis(array, -1, axis)


def _assert_near(found: Array, expected: Array, what: str) -> None:
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, not {expected.shape}"
    largest = float(np.max(np.abs(expected), initial=1.0))
    np.testing.assert_allclose(found, expected, rtol=NEAR, atol=NEAR * largest, err_msg=what)


# -- gradients -----------------------------------------------------------------------------------------------------


class _Slopes:
    """Gradients of one call with respect to its inputs and weights, against differences along random directions."""

    def __init__(self, case: LayerCase, layer: Layer, training: bool) -> None:
        self._case, self._layer, self._training = case, layer, training
        self._generator = np.random.default_rng(11)
        self._given = map_structure(self._placed, (case.inputs, dict(case.further)))
        given = [x for x in flatten(self._given) if isinstance(x, Variable)]
        self.sources = [*given, *layer.trainable_weights]
        self._weights: list[Array] = []
        self._moving: Variable | None = None
        self._held = [(v, v.numpy()) for v in (*layer.weights, *(g.state for g in layer.seed_generators))]

    def _placed(self, x: Any) -> Any:
        floating = isinstance(x, np.ndarray) and x.dtype.kind == "f"
        return Variable(x.astype(self._layer.dtype), name="input") if floating else x

    def value(self) -> Any:
        """The outputs weighed with fixed random numbers; every call begins with the same states and streams."""
        for variable, value in self._held:
            if variable is not self._moving:
                variable.assign(value)
        given = map_structure(lambda x: ops.identity(x) if isinstance(x, Variable) else x, self._given)
        found = flatten(self._case.call(self._layer, self._training, *given))
        outputs = [y for y in found if y.dtype in FLOATING]
        if not self._weights:
            self._weights = [self._generator.uniform(0.5, 1.5, y.shape) for y in outputs]
        terms = [ops.sum(ops.multiply(y, w)) for y, w in zip(outputs, self._weights, strict=True)]
        return functools.reduce(ops.add, terms, ops.zeros((), self._layer.dtype))

    def gradients(self) -> list[Array]:
        """The gradient of ``value`` for each source; zeros where nothing connects."""
        if not self.sources:
            return []
        _, pairs = gradients_of_variables(self.value, self.sources)
        found = {id(variable): gradient for variable, gradient in pairs}
        gradients = [found.get(id(source)) for source in self.sources]
        return [np.zeros(s.shape) if g is None else g.numpy() for s, g in zip(self.sources, gradients, strict=True)]

    def check(self) -> None:
        for source, gradient in zip(self.sources, self.gradients(), strict=True):
            direction = self._generator.standard_normal(source.shape)
            slope = self._slope(source, direction)
            taped = float(np.sum(gradient * direction))
            near = abs(taped - slope) <= 1e-5 * max(1.0, abs(slope))
            assert near, f"training={self._training}: the gradient of {source.name} is {taped}, the slope {slope}"

    def _slope(self, source: Variable, direction: Array) -> float:
        start = source.numpy()
        self._moving = source
        values = []
        for way in (STEP, -STEP):
            source.assign(start + way * direction)
            values.append(float(self.value().numpy()))
        source.assign(start)
        self._moving = None
        return (values[0] - values[1]) / (2 * STEP)


def _results(case: LayerCase, layer: Layer, training: bool) -> list[Array]:
    """Outputs, gradients and weights after one call."""
    _start(layer)
    outputs = _arrays(case.call(layer, training))
    after = [w.numpy() for w in layer.weights]
    return [*outputs, *after, *_Slopes(case, layer, training).gradients()]
