"""The layer: weights and a call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, ClassVar, Self

from lamina import regularizers
from lamina.dtypes import FLOATING, canonical_dtype
from lamina.errors import (
    ArgumentTypeError,
    GraphError,
    LaminaError,
    NotBuiltError,
    SerializationError,
)
from lamina.layers.arguments import given_shape
from lamina.layers.config import all_arguments, plain, read_config
from lamina.layers.naming import checked_name, unique_name
from lamina.layers.probing import as_outputs, probe
from lamina.layers.symbolic import Node, SymbolicTensor, shapes_of
from lamina.layers.weights import HasWeights
from lamina.ops.elementwise import cast
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor, spec_tensor
from lamina.runtime.variable import Variable
from lamina.structures import flatten, map_structure, unflatten

_TRAINING: ContextVar[bool | None] = ContextVar("lamina_training", default=None)


class Layer(HasWeights):
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
    >>> scale = Scale(3.0, name="scale")
    >>> scale(lamina.tensor([1.0, 2.0])).tolist(), scale.get_config()
    ([3.0, 6.0], {'name': 'scale', 'trainable': True, 'factor': 3.0})
    """

    supports_masking: ClassVar[bool] = False
    autocast: ClassVar[bool] = True
    elsewhere: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    """Settings in configs of Keras or TensorFlow.js, with the values at which they mean nothing else than here."""
    _given: frozenset[str] = frozenset()

    def __new__(cls, *_args: Any, **given: Any) -> Self:
        """Takes note of which arguments were given by name, for the configuration."""
        made = super().__new__(cls)
        made._given = frozenset(given)
        return made

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
        self.batch_input_shape = given_shape(input_shape, batch_input_shape, batch_size, input_dim)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._weights: list[Variable] = []
        self._regularized: list[tuple[Variable, Callable[[Any], Tensor]]] = []
        self._call_losses: list[Tensor] = []
        self._nodes: list[Node] = []

    def build(self, input_shape: Any) -> None:
        """Makes the weights. Called once, before the first call, with the shape (or shapes) of the input."""

    def check_input(self, input_shape: Any) -> None:
        """Refuses an input by its shape (or shapes), before anything runs; unknown sizes are None."""

    def call(self, *args: Any, **kwargs: Any) -> Any:
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
        if not args:
            return self._run(args, kwargs)
        args = (self._as_inputs(args[0]), *args[1:])
        home = next((t._backend for t in flatten(args[0]) if isinstance(t, Tensor)), None)
        if home is None and type(self).compute_output_shape is not Layer.compute_output_shape:
            return self._run_without_values(args[0])
        if home is None or home is get_backend():
            self._build_once(shapes_of(args[0]))
            return self._run(args, kwargs)
        with on_backend(home):
            self._build_once(shapes_of(args[0]))
            return self._run(args, kwargs)

    def _run_without_values(self, inputs: Any) -> Any:
        """Tensors of the shapes that ``compute_output_shape`` gives: the call may need values."""
        shapes = shapes_of(inputs)
        self._build_once(shapes)
        outputs = as_outputs(self.compute_output_shape(shapes), self.dtype)
        return map_structure(lambda output: spec_tensor(output.shape, output.dtype), outputs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs ``call`` with the training flag of the surrounding call unless one is given."""
        flag = kwargs.get("training")
        flag = _TRAINING.get() if flag is None else bool(flag)
        kwargs = {key: v for key, v in kwargs.items() if key not in ("training", "mask") or self.takes(key)}
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
            before = {**self.__dict__, "_weights": list(self._weights), "_regularized": list(self._regularized)}
            try:
                self.build(input_shape)
            except BaseException:
                self.__dict__.clear()
                self.__dict__.update(before)
                raise
            self.built = True

    def _as_inputs(self, given: Any) -> Any:
        """Tensors in the structure of the input; nested lists of numbers are one tensor."""
        if isinstance(given, (list, tuple)) and not any(map(_is_tensor_like, flatten(given))):
            return self._as_input(given)
        return map_structure(self._as_input, given)

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
        return argument in _call_arguments(cls.call)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape and dtype of each output for symbolic inputs. Uses ``compute_output_shape`` if a subclass has one."""
        shapes = shapes_of(args[0])
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            return as_outputs(self.compute_output_shape(shapes), self.dtype)
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
        inputs = as_outputs(input_shape, self.dtype)
        self._build_once(input_shape)
        return map_structure(lambda output: output.shape, self.compute_output_spec(inputs))

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """The mask of the output: the mask of the input, if the layer supports masking, else None."""
        return mask if self.supports_masking else None

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar to what training minimizes; to be called in ``call``."""
        self._call_losses.append(to_tensor(loss))

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
        return {**config, **read_config(self, Layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A layer of a configuration. Raises SerializationError for a setting the layer does not have."""
        known = all_arguments(cls)
        unknown = [
            key
            for key, value in config.items()
            if key not in known and value is not None and value not in cls.elsewhere.get(key, ())
        ]
        if unknown:
            raise SerializationError(
                f"the layer class {cls.__name__} has no setting {unknown[0]!r}.",
                expected=f"some of {', '.join(known)}.",
            )
        return cls(**{key: value for key, value in config.items() if key in known})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


@functools.lru_cache(maxsize=512)
def _call_arguments(call: Callable[..., Any]) -> frozenset[str]:
    return frozenset(inspect.signature(call).parameters)


def _note_layer(error: LaminaError, layer: Layer) -> None:
    """Adds the innermost layer's name to an error that passes by."""
    if not any(note.startswith("  In layer") for note in getattr(error, "__notes__", ())):
        details = ", ".join(f"{k}={v}" for k, v in layer.__dict__.items() if k in ("units", "filters", "rate"))
        error.add_note(f"  In layer {layer.name!r} ({type(layer).__name__}{', ' if details else ''}{details}).")


def _is_tensor_like(value: Any) -> bool:
    return hasattr(value, "shape")
