"""A function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, ClassVar

from lamina import activations
from lamina.errors import ArgumentTypeError, SerializationError
from lamina.layers.layer import Layer
from lamina.layers.probing import as_outputs
from lamina.layers.symbolic import shapes_of
from lamina.structures import flatten


class Lambda(Layer):
    """Calls a function of one's own on its input: y = function(x, **arguments).

    The function is made of ops; it gets ``training`` and ``mask`` if it takes arguments of these names. What it makes
    itself is not trained: weights belong into a ``Layer``. ``output_shape``, without the batch, or a function of the
    input's shape that gives it with the batch, is found by itself if it is None. ``mask`` is the mask of the output,
    or a function (inputs, mask) that gives it.

    Only a function that has a name, a built-in activation's or one given with ``lamina.serialization.register``, can
    be saved; a file never brings code. Raises ArgumentTypeError for what is no function, SerializationError when a
    function without a name is saved.

    >>> import lamina
    >>> Lambda(lambda x, times: x * times, arguments={"times": 3.0})(lamina.tensor([1.0, 2.0])).tolist()
    [3.0, 6.0]
    """

    def __init__(
        self, function: Any, output_shape: Any = None, mask: Any = None, arguments: Any = None, **common: Any
    ) -> None:
        super().__init__(**common)
        self.function: Any = activations.get(function) if isinstance(function, (str, Mapping)) else function
        if not callable(self.function):
            raise ArgumentTypeError(f"function is {function!r}.", expected="a function.")
        if arguments is not None and not isinstance(arguments, Mapping):
            raise ArgumentTypeError(f"arguments is {arguments!r}.", expected="a dict of keyword arguments.")
        self.arguments: dict[str, Any] = dict(arguments or {})
        self.output_shape_given: Any = tuple(output_shape) if isinstance(output_shape, list) else output_shape
        self.mask: Any = mask
        self.supports_masking: bool = mask is not None

    kept_as: ClassVar[dict[str, str]] = {"output_shape": "output_shape_given"}

    def call(self, x: Any, mask: Any = None, training: bool = False) -> Any:
        known = _parameters(self.function)
        more = {"mask": mask, "training": training}
        return self.function(x, **self.arguments, **{name: v for name, v in more.items() if name in known})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_spec(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """As ``output_shape`` says, if it was given."""
        given = self.output_shape_given
        if given is None:
            return super().compute_output_spec(x, *args, **kwargs)
        shape = given(shapes_of(x)) if callable(given) else (flatten(x)[0].shape[0], *given)
        return as_outputs(shape, flatten(x)[0].dtype)

    def get_config(self) -> dict[str, Any]:
        try:
            return super().get_config()
        except SerializationError as error:
            raise SerializationError(
                f"the function of the layer {self.name!r} cannot be saved: no name leads to it.",
                fix="define it with a name and decorate it with lamina.serialization.register(), or make it a Layer.",
            ) from error


def _parameters(function: Any) -> frozenset[str]:
    try:
        return frozenset(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # some functions written in C have none
        return frozenset()
