"""The layer: weights and a call."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, ClassVar, Self

from lamina import regularizers
from lamina.dtypes import FLOATING
from lamina.errors import ArgumentTypeError, GraphError, LaminaError, NotBuiltError, SerializationError
from lamina.layers.arguments import given_dtype, given_shape
from lamina.layers.carrying import HasCarriedStates
from lamina.layers.config import all_arguments, made_with, plain, read_config
from lamina.layers.input_spec import InputSpec
from lamina.layers.masks import attach_masks, call_arguments, fill_masks
from lamina.layers.naming import checked_name, unique_name
from lamina.layers.nodes import HasNodes
from lamina.layers.noting import note_layer
from lamina.layers.probing import as_outputs, probe
from lamina.layers.symbolic import Node, SymbolicShape, SymbolicTensor, shapes_of
from lamina.ops.elementwise import cast
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.convert import to_tensor
from lamina.runtime.tensor import Tensor, spec_tensor
from lamina.runtime.variable import Variable
from lamina.serialization import class_name
from lamina.structures import flatten, map_structure, unflatten

_TRAINING: ContextVar[bool | None] = ContextVar("lamina_training", default=None)
_WITHIN: ContextVar[str | None] = ContextVar("lamina_weight_scope", default=None)


class Layer(HasNodes, HasCarriedStates):
    """A function with weights: subclass it with ``call``, and ``build`` if it has weights.

    ``name`` is made up if it is None. ``trainable`` False keeps the weights as they are in training. ``dtype`` is that
    of the weights, and of floating inputs unless ``autocast`` is False. ``input_shape`` (without the batch) or
    ``batch_input_shape`` (with it) may be given for the first layer of a ``Sequential``; ``weights`` are the first
    values of the weights.

    ``call`` may take ``training`` and ``mask``, and further tensors; ``build`` gets the shape of the first argument or,
    if its arguments are named ``<argument>_shape``, those of each. A layer with ``supports_masking`` passes a mask on,
    or what its ``compute_mask`` returns; others end it.

    The arguments of ``__init__`` are the configuration, if each is kept under its own name; ``compute_output_shape`` is
    found by itself, by running ``call`` on tensors without values. Raises ArgumentError for a name that cannot be
    saved, DTypeError for an unknown ``dtype``, and when it is called NotBuiltError if there is no ``call``, ShapeError
    if the inputs do not fit ``input_spec``.

    >>> import lamina
    >>> class Scale(lamina.layers.Layer):
    ...     def __init__(self, factor=2.0, **common):
    ...         super().__init__(**common)
    ...         self.factor = factor
    ...     def call(self, x):
    ...         return x * self.factor
    >>> scale = Scale(3.0, name="scale")
    >>> scale(lamina.tensor([1.0, 2.0])).tolist(), scale.get_config()
    ([3.0, 6.0], {'name': 'scale', 'trainable': True, 'dtype': 'float32', 'factor': 3.0})
    """

    supports_masking: bool = False
    autocast: bool = True
    stateful: bool = False
    input_spec: InputSpec | Sequence[InputSpec] | None = None
    elsewhere: ClassVar[Mapping[str, tuple[Any, ...]]] = {}
    """Settings in configs of Keras or TensorFlow.js, with the values at which they mean nothing else than here."""
    kept_as: ClassVar[Mapping[str, str]] = {}
    """Arguments that are kept under another name than their own, because that one is taken, such as output_shape."""
    built_for: tuple[Any, ...] | None = None
    """The shapes that ``build`` was called with, by which what runs outside of a graph is described."""
    _given: frozenset[str] = frozenset()

    def __new__(cls, *_args: Any, **given: Any) -> Self:
        """Takes note of which arguments were given by name, for the configuration."""
        made = super().__new__(cls)
        made._given = frozenset(given)
        return made

    def __init_subclass__(cls, **settings: Any) -> None:
        super().__init_subclass__(**settings)
        if "build" in vars(cls):
            cls.build = _marking_built(vars(cls)["build"])  # type: ignore[method-assign]

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
        autocast: bool = True,
        weights: Sequence[Any] | None = None,
    ) -> None:
        self.name: str = unique_name(type(self).__name__) if name is None else checked_name(name)
        if not isinstance(trainable, bool):
            raise ArgumentTypeError(f"trainable is {trainable!r}.", expected="True or False.")
        self._trainable = trainable
        self.dtype: str = given_dtype(dtype)
        if autocast is not True:
            self.autocast = bool(autocast)
        self.built = False
        self.batch_input_shape: SymbolicShape | None = given_shape(
            input_shape, batch_input_shape, batch_size, input_dim
        )
        self.activity_regularizer: Any = regularizers.get(activity_regularizer)
        self._weights: list[Variable] = []
        self._regularized: list[tuple[Variable, Callable[[Any], Tensor]]] = []
        self._call_losses: list[Tensor] = []
        self._nodes: list[Node] = []
        self._first_values = weights

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
        if not args and kwargs:
            first = next(iter(call_arguments(type(self).call)), None)
            args = (kwargs.pop(first),) if first in kwargs else ()
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
        except Exception as error:
            note_layer(error, self)
            raise

    apply = __call__

    def _call_concrete(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if not args:
            return self._run(args, kwargs)
        args = (self._as_inputs(args[0]), *map(self._as_further, args[1:]))
        kwargs = {key: self._as_further(value) for key, value in kwargs.items()}
        home = next((t._backend for t in flatten(args[0]) if isinstance(t, Tensor)), None)
        if home is None and type(self).compute_output_shape is not Layer.compute_output_shape:
            return self._run_without_values(args, kwargs)
        if home is None or home is get_backend():
            return self._build_and_run(args, kwargs)
        with on_backend(home):
            return self._build_and_run(args, kwargs)

    def _build_and_run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self.built:
            self._check(args, kwargs)
            return self._run(args, kwargs)
        self._check(args, kwargs)
        self._build_once(*self._shapes("build", args, kwargs))
        with self._naming_weights():
            return self._run(args, kwargs)

    def _run_without_values(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Tensors of the shapes that ``compute_output_shape`` gives: the call may need values."""
        self._check(args, kwargs)
        self._build_once(*self._shapes("build", args, kwargs))
        shapes = self._shapes("compute_output_shape", args, kwargs)
        outputs = as_outputs(self.compute_output_shape(*shapes), self.dtype)
        return map_structure(lambda output: spec_tensor(output.shape, output.dtype), outputs)

    def _run(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Runs ``call`` with the training flag of the surrounding call unless one is given."""
        flag = kwargs.get("training")
        flag = _TRAINING.get() if flag is None else bool(flag)
        mask = fill_masks(type(self).call, args, kwargs)
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
                self.add_loss(self.activity_regularizer(output) / max((1, *output.shape[:1])))  # for each example
        return self._with_masks(args[0] if args else None, outputs, mask)

    def _with_masks(self, inputs: Any, outputs: Any, mask: Any) -> Any:
        if mask is None and type(self).compute_mask is Layer.compute_mask:
            return outputs
        return attach_masks(self, inputs, outputs, mask)

    def _call_symbolic(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        first_time = not self.built
        self._check(args, kwargs)
        self._build_once(*self._shapes("build", args, kwargs))
        if first_time:
            with self._naming_weights():
                specs = self.compute_output_spec(*args, **kwargs)
        else:
            specs = self.compute_output_spec(*args, **kwargs)
        node = Node(self, args, kwargs)
        leaves = flatten(specs)
        node.outputs = [SymbolicTensor(s.shape, s.dtype, node, i) for i, s in enumerate(leaves)]
        self._nodes.append(node)
        return unflatten(specs, iter(node.outputs))

    def _shapes(self, method: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
        """What ``build`` or the like gets: the shape of the first argument, or those that it names."""
        wanted = _shape_arguments(getattr(type(self), method)) if len(args) + len(kwargs) > 1 else ()
        if not wanted:
            return (shapes_of(args[0]),)
        given = {**dict(zip(call_arguments(type(self).call), args, strict=False)), **kwargs}
        return tuple(shapes_of(given.get(name)) for name in wanted)

    def _check(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """Refuses inputs by their shapes and by ``input_spec``."""
        self.check_input(*self._shapes("check_input", args, kwargs))
        if self.input_spec is not None:
            specs = [self.input_spec] if isinstance(self.input_spec, InputSpec) else list(self.input_spec)
            inputs = flatten(args[0])
            if len(inputs) != len(specs) and not isinstance(self.input_spec, InputSpec):
                raise ArgumentTypeError(
                    f"the layer {self.name!r} got {len(inputs)} inputs.", expected=f"{len(specs)}, as input_spec says."
                )
            for x, spec in zip(inputs, specs, strict=False):
                if x is not None and spec is not None:
                    spec.check(x.shape, x.dtype, self)

    def _build_once(self, *shapes: Any) -> None:
        if not self.built:
            before = {**self.__dict__, "_weights": list(self._weights), "_regularized": list(self._regularized)}
            outer = _WITHIN.get()
            if outer is not None and self.weight_scope is None:
                self.weight_scope: str = f"{outer}/{self.name}"
            try:
                with self._naming_weights():
                    self.build(*shapes)
                self.built: bool = True
                self.built_for = shapes
                if self._first_values is not None:
                    self.set_weights(self._first_values)
            except BaseException:
                self.__dict__.clear()
                self.__dict__.update(before)
                raise

    def _naming_weights(self) -> AbstractContextManager[None]:
        """Weights of layers that are built inside are named below this one."""
        return _within(self.weight_scope or self.name)

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
            mask = tensor._mask
            tensor = cast(tensor, self.dtype)
            tensor._mask = mask
        return tensor

    def _as_further(self, value: Any) -> Any:
        """Arrays among the further arguments as tensors; everything else as it is."""
        if isinstance(value, (Tensor, bool, int, float, str)) or value is None:
            return value
        return map_structure(lambda x: self._as_input(x) if hasattr(x, "__array__") else x, value)

    @classmethod
    def takes(cls, argument: str) -> bool:
        """Whether ``call`` has an argument of that name."""
        return argument in call_arguments(cls.call)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Shape and dtype of each output for symbolic inputs. Uses ``compute_output_shape`` if a subclass has one."""
        shapes = shapes_of(args[0])
        if type(self).compute_output_shape is not Layer.compute_output_shape:
            return as_outputs(
                self.compute_output_shape(*self._shapes("compute_output_shape", args, kwargs)), self.dtype
            )
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
    def class_name(self) -> str:
        """The name under which configs have its class: the one it was registered under, or its own."""
        return class_name(self)

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor as plain values, from which ``from_config`` makes the same layer."""
        config: dict[str, Any] = {"name": self.name, "trainable": self._trainable}
        if self.batch_input_shape is not None:
            config["batch_input_shape"] = list(self.batch_input_shape)
        config["dtype"] = self.dtype
        if self.activity_regularizer is not None:
            config["activity_regularizer"] = plain(self.activity_regularizer)
        return {**config, **read_config(self, Layer)}

    @classmethod
    def setting_names(cls) -> tuple[str, ...]:
        """The names of the settings that a config may have."""
        return all_arguments(cls)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """A layer of a configuration. Raises SerializationError for a setting that it does not have, or lacks."""
        known = cls.setting_names()
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
        return made_with(cls, {key: value for key, value in config.items() if key in known})

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


@contextmanager
def _within(scope: str) -> Iterator[None]:
    token = _WITHIN.set(scope)
    try:
        yield
    finally:
        _WITHIN.reset(token)


def _marking_built(build: Callable[..., Any]) -> Callable[..., Any]:
    """A ``build`` after which the layer counts as built, also if it was called directly."""

    @functools.wraps(build)
    def marked(self: Any, *args: Any, **kwargs: Any) -> None:
        build(self, *args, **kwargs)
        self.built = True

    return marked


@functools.lru_cache(maxsize=512)
def _shape_arguments(method: Callable[..., Any]) -> tuple[str, ...]:
    """The arguments of ``call`` whose shapes a method asks for by name, if it asks for more than one."""
    names = tuple(inspect.signature(method).parameters)[1:]
    several = len(names) > 1 and all(name.endswith("_shape") for name in names)
    return tuple(name.removesuffix("_shape") for name in names) if several else ()


def _is_tensor_like(value: Any) -> bool:
    return hasattr(value, "shape")
