"""The layer: weights and a call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self

import numpy as np

from lamina import constraints, initializers, regularizers
from lamina.dtypes import FLOATING, canonical_dtype
from lamina.errors import ArgumentError, ArgumentTypeError, GraphError, LaminaError, NotBuiltError, SerializationError, ShapeError
from lamina.layers.config import all_arguments, plain, read_config
from lamina.layers.naming import checked_name, unique_name
from lamina.layers.probing import Output, probe
from lamina.layers.symbolic import Node, SymbolicShape, SymbolicTensor, shapes_of
from lamina.ops.elementwise import cast
from lamina.ops.random import SeedGenerator
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.structures import flatten, map_structure, unflatten

_TRAINING: ContextVar[bool | None] = ContextVar("lamina_training", default=None)
WeightSource = Callable[[str, tuple[int, ...], str], Any]
"""Gives the value of a weight by its name, shape and dtype, or raises if there is none."""

_WEIGHT_SOURCE: ContextVar[WeightSource | None] = ContextVar("lamina_weight_source", default=None)


@contextmanager
def weights_from(source: WeightSource) -> Iterator[None]:
    """Weights made inside the block take their values from ``source``; no initializer runs, nothing else is allocated."""
    token = _WEIGHT_SOURCE.set(source)
    try:
        yield
    finally:
        _WEIGHT_SOURCE.reset(token)


class Layer:
    """A function with weights: subclass it with ``call``, and ``build`` if it has weights.

    ``name`` is made up if it is None. ``trainable`` False keeps the weights as they are in training. ``dtype`` is that
    of the weights and of floating inputs. ``input_shape`` (without the batch) or ``batch_input_shape`` (with it) may be
    given for the first layer of a ``Sequential``.

    The arguments of ``__init__`` are the configuration, if each is kept under its own name; ``compute_output_shape``
    is found by itself, by running ``call`` on tensors without values.

    >>> import lamina
    >>> class Scale(lamina.layers.Layer):
    ...     def __init__(self, factor=2.0, **common):
    ...         super().__init__(**common)
    ...         self.factor = factor
    ...     def call(self, x):
    ...         return x * self.factor
    >>> Scale(3.0, name="scale")([1.0, 2.0]).tolist(), Scale(3.0, name="scale").get_config()
    ([3.0, 6.0], {'name': 'scale', 'trainable': True, 'factor': 3.0})
    """

    supports_masking: ClassVar[bool] = False
    autocast: ClassVar[bool] = True

    def __init__(
        self,
        *,
        name: str | None = None,
        trainable: bool = True,
        dtype: Any = None,
        input_shape: Sequence[int | None] | None = None,
        batch_input_shape: Sequence[int | None] | None = None,
        batch_size: int | None = None,
        input_dim: int | None = None,
        activity_regularizer: Any = None,
    ) -> None:
        self.name = unique_name(type(self).__name__) if name is None else checked_name(name)
        if not isinstance(trainable, bool):
            raise ArgumentTypeError(f"trainable is {trainable!r}.", expected="True or False.")
        self._trainable = trainable
        self.dtype = canonical_dtype(dtype or "float32")
        self.built = False
        self.batch_input_shape = _given_shape(input_shape, batch_input_shape, batch_size, input_dim)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._weights: list[Variable] = []
        self._regularized: list[tuple[Variable, Callable[[Any], Tensor]]] = []
        self._call_losses: list[Tensor] = []
        self._nodes: list[Node] = []

    def build(self, input_shape: Any) -> None:
        """Makes the weights. Called once, before the first call, with the shape (or shapes) of the input."""

    def check_input(self, input_shape: Any) -> None:
        """Refuses an input by its shape (or shapes), before anything runs; unknown sizes are None."""

    def call(self, inputs: Any, **kwargs: Any) -> Any:
        """Computes the output with ops. May also take ``training`` and ``mask``."""
        raise NotBuiltError(
            f"the layer class {type(self).__name__} has no call method.",
            fix="define call(self, inputs) with ops of lamina.",
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Applies the layer to tensors, giving tensors, or to symbolic tensors, giving symbolic tensors."""
        symbolic = [isinstance(x, SymbolicTensor) for x in flatten((args, kwargs)) if _is_tensor_like(x)]
        try:
            if symbolic and all(symbolic):
                return self._call_symbolic(args, kwargs)
            if any(symbolic):
                raise GraphError(
                    "a call mixes symbolic tensors with concrete ones.",
                    expected="only symbolic tensors, from Input and layers, or only concrete ones.",
                )
            return self._call_concrete(args, kwargs)
        except LaminaError as error:
            _note_layer(error, self)
            raise

    apply = __call__

    def _call_concrete(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if args:
            args = (map_structure(self._as_input, args[0]), *args[1:])
            self._build_once(shapes_of(args[0]))
            home = next((t._backend for t in flatten(args[0]) if isinstance(t, Tensor)), None)
            if home is not None and home is not get_backend():
                with on_backend(home):
                    return self._run(args, kwargs)
        return self._run(args, kwargs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs ``call`` with the training flag of the surrounding call unless one is given."""
        flag = kwargs.get("training")
        flag = _TRAINING.get() if flag is None else bool(flag)
        kwargs = {key: value for key, value in kwargs.items() if key != "training" or self.takes("training")}
        if self.takes("training"):
            kwargs["training"] = bool(flag)
        token = _TRAINING.set(flag)
        self._call_losses = []
        try:
            outputs = self.call(*args, **kwargs)
        finally:
            _TRAINING.reset(token)
        if self.activity_regularizer is not None:
            for output in flatten(outputs):
                self.add_loss(self.activity_regularizer(output))
        return outputs

    def _call_symbolic(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        shapes = shapes_of(args[0])
        self._build_once(shapes)
        specs = self.compute_output_spec(*args, **kwargs)
        node = Node(self, args, kwargs)
        leaves = flatten(specs)
        node.outputs = [SymbolicTensor(s.shape, s.dtype, node, i) for i, s in enumerate(leaves)]
        self._nodes.append(node)
        return unflatten(specs, iter(node.outputs))

    def _build_once(self, input_shape: Any) -> None:
        self.check_input(input_shape)
        if not self.built:
            self.build(input_shape)
            self.built = True

    def _as_input(self, value: Any) -> Any:
        if value is None:
            return None
        tensor = to_tensor(value)
        if self.autocast and tensor.dtype in FLOATING and tensor.dtype != self.dtype:
            tensor = cast(tensor, self.dtype)
        return tensor

    @classmethod
    def takes(cls, argument: str) -> bool:
        """Whether ``call`` has an argument of that name."""
        return argument in _call_arguments(cls)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape and dtype of each output for symbolic inputs. Uses ``compute_output_shape`` if a subclass has one."""
        shapes = shapes_of(args[0])
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            return _as_outputs(self.compute_output_shape(shapes), self.dtype)
        token = _TRAINING.set(False)
        try:
            return probe(self.call, (args, kwargs))
        except LaminaError as error:
            error.add_note(f"  For inputs of shape {shapes}, with unknown sizes filled by primes.")
            raise
        finally:
            _TRAINING.reset(token)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for the shape (or shapes) of the input, with None for unknown sizes.

        Found by running ``call`` on tensors without values, unless a subclass knows it.
        """
        inputs = _as_outputs(input_shape, self.dtype)
        self._build_once(input_shape)
        return map_structure(lambda output: output.shape, self.compute_output_spec(inputs))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output: the mask of the input, if the layer supports masking, else None."""
        return mask if self.supports_masking else None

    def add_weight(
        self,
        shape: Any = (),
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight, to be called in ``build``. The initializer defaults to GlorotUniform, for integers to Zeros."""
        wanted = canonical_dtype(dtype or self.dtype)
        sizes = (shape,) if hasattr(shape, "__index__") else tuple(shape)
        if any(size is None for size in sizes):
            raise ShapeError(
                f"a weight {name or ''!r} of shape {sizes}: a size is unknown.",
                expected="every size but the batch to be known when the layer is built.",
                fix="give the input's shape in full.",
            )
        label = name or f"weight_{len(self._weights)}"
        source = _WEIGHT_SOURCE.get()
        if source is not None:
            value = source(f"{self.name}/{label}", sizes, wanted)
        else:
            default = "glorot_uniform" if wanted in FLOATING else "zeros"
            value = initializers.get(initializer or default)(sizes, dtype=wanted)
        if any(v.name == f"{self.name}/{label}" for v in self._weights):
            raise ArgumentError(f"the layer {self.name!r} has two weights named {label!r}.", expected="unique names.")
        variable = Variable(value, trainable, name=f"{self.name}/{label}")
        self._weights.append(variable)
        if regularizer is not None:
            self._regularized.append((variable, regularizers.get(regularizer)))
        variable.constraint = constraints.get(constraint)
        return variable

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar to what training minimizes; to be called in ``call``."""
        self._call_losses.append(to_tensor(loss))

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights of this layer and of the layers in it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        if not isinstance(value, bool):
            raise ArgumentTypeError(f"trainable is {value!r}.", expected="True or False.")
        self._trainable = value
        for layer in self.sublayers():
            layer.trainable = value

    def sublayers(self) -> list[Layer]:
        """The layers kept in attributes of this one, also in lists and dicts, in order, each once."""
        return _unique(x for x in self._attributes() if isinstance(x, Layer) and x is not self)

    def _attributes(self) -> Iterator[Any]:
        for key, value in self.__dict__.items():
            if key not in ("_weights", "_nodes"):
                yield from flatten(value)

    def own_weights(self) -> list[Variable]:
        """The Variables of this layer itself, without those of the layers in it."""
        return _unique([*self._weights, *(x for x in self._attributes() if isinstance(x, Variable))])

    @property
    def weights(self) -> list[Variable]:
        """All weights, those of the layers in it included, layer by layer."""
        found = self.own_weights()
        for layer in self.sublayers():
            found += layer.weights
        return _unique(found)

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v, trained in self._weights_and_flags() if trained]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v, trained in self._weights_and_flags() if not trained]

    def _weights_and_flags(self) -> list[tuple[Variable, bool]]:
        found = {id(v): (v, v.trainable and self._trainable) for v in self.own_weights()}
        for layer in self.sublayers():
            for variable, trained in layer._weights_and_flags():
                present = found.get(id(variable))
                found[id(variable)] = (variable, trained and self._trainable or bool(present and present[1]))
        return list(found.values())

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    @property
    def seed_generators(self) -> list[SeedGenerator]:
        """The random streams of this layer and of the layers in it."""
        found = [x for x in self._attributes() if isinstance(x, SeedGenerator)]
        for layer in self.sublayers():
            found += layer.seed_generators
        return _unique(found)

    @property
    def losses(self) -> list[Tensor]:
        """Regularization of the weights, and what ``add_loss`` collected in the last call, one scalar each."""
        found = [*self._call_losses, *(regularizer(variable) for variable, regularizer in self._regularized)]
        for layer in self.sublayers():
            found += layer.losses
        return found

    def count_params(self) -> int:
        """The number of weights' elements. Raises NotBuiltError before the layer is built."""
        if not self.built:
            raise NotBuiltError(
                f"the layer {self.name!r} has no weights yet.", fix="call it on data, or build it with an input shape."
            )
        return sum(v.size for v in self.weights)

    def get_weights(self) -> list[np.ndarray[Any, Any]]:
        """The values of the weights as NumPy arrays, in the order of ``weights``."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Gives the weights new values, in the order of ``weights``; all or, if one does not fit, none."""
        variables = self.weights
        if len(weights) != len(variables):
            raise ShapeError(
                f"{len(weights)} arrays for the {len(variables)} weights of {self.name!r}.",
                expected=", ".join(f"{v.name} {v.shape}" for v in variables) + ".",
            )
        values = [to_tensor(w, backend=v.backend) for v, w in zip(variables, weights, strict=True)]
        for variable, value in zip(variables, values, strict=True):
            if value.shape != variable.shape:
                raise ShapeError(f"the weight {variable.name!r} has shape {variable.shape}, the new value {value.shape}.")
        for variable, value in zip(variables, values, strict=True):
            value = cast(value, variable.dtype)
            variable.assign(variable.constraint(value) if variable.constraint is not None else value)

    @property
    def input(self) -> Any:
        """What the layer was called on, if it was called once on symbolic tensors."""
        return self._only_node().args[0]

    @property
    def output(self) -> Any:
        """What the layer gave, if it was called once on symbolic tensors."""
        outputs = self._only_node().outputs
        return outputs[0] if len(outputs) == 1 else outputs

    @property
    def input_shape(self) -> Any:
        """The shape of ``input``."""
        return shapes_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape of ``output``."""
        return shapes_of(self.output)

    def _only_node(self) -> Node:
        if len(self._nodes) != 1:
            raise GraphError(
                f"the layer {self.name!r} was called on symbolic tensors {len(self._nodes)} times.",
                expected="one call, so that its input and output are one.",
            )
        return self._nodes[0]

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor as plain values, from which ``from_config`` makes the same layer."""
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = list(self.batch_input_shape)
        if self.batch_input_shape is not None or self.dtype != "float32":
            config["dtype"] = self.dtype
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = plain(self.activity_regularizer)
        return {**config, **read_config(self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A layer of a configuration. Raises SerializationError for a setting the layer does not have."""
        known = all_arguments(cls)
        unknown = [key for key, value in config.items() if key not in known and value is not None]
        if unknown:
            raise SerializationError(
                f"the layer class {cls.__name__} has no setting {unknown[0]!r}.", expected=f"some of {', '.join(known)}."
            )
        return cls(**{key: value for key, value in config.items() if key in known})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


def _call_arguments(cls: type[Layer]) -> frozenset[str]:
    found = cls.__dict__.get("_call_argument_names")
    if found is None:
        found = frozenset(inspect.signature(cls.call).parameters)
        setattr(cls, "_call_argument_names", found)
    return found


def _note_layer(error: LaminaError, layer: Layer) -> None:
    """Adds the innermost layer's name to an error that passes by."""
    if not getattr(error, "__notes__", None):
        details = ", ".join(f"{k}={v}" for k, v in layer.__dict__.items() if k in ("units", "filters", "rate"))
        error.add_note(f"  In layer {layer.name!r} ({type(layer).__name__}{', ' if details else ''}{details}).")


def _is_tensor_like(value: Any) -> bool:
    return hasattr(value, "shape")


def _unique(found: Any) -> Any:
    return list({id(x): x for x in found}.values())


def _as_outputs(shapes: Any, dtype: str) -> Any:
    """A shape, or a list, tuple or dict of shapes, as the same structure of Outputs."""
    if isinstance(shapes, dict):
        return {key: _as_outputs(value, dtype) for key, value in shapes.items()}
    if shapes and not all(s is None or hasattr(s, "__index__") for s in shapes):
        return [_as_outputs(shape, dtype) for shape in shapes]
    return Output(tuple(shapes), dtype)


def _given_shape(input_shape: Any, batch_input_shape: Any, batch_size: Any, input_dim: Any) -> SymbolicShape | None:
    if input_dim is not None:
        input_shape = (input_dim,)
    if input_shape is None and batch_input_shape is None:
        return None
    sizes = tuple(batch_input_shape) if batch_input_shape is not None else (batch_size, *_sizes(input_shape))
    for size in sizes:
        if size is not None and (isinstance(size, bool) or not hasattr(size, "__index__") or int(size) < 0):
            raise ArgumentError(f"an input shape of {sizes}.", expected="non-negative integers, None for unknown sizes.")
    return sizes


def _sizes(shape: Any) -> tuple[Any, ...]:
    if isinstance(shape, (str, bytes)) or not hasattr(shape, "__iter__"):
        raise ArgumentTypeError(f"input_shape is {shape!r}.", expected="a tuple of integers without the batch, such as (784,).")
    return tuple(shape)
