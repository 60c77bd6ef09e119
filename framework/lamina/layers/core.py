"""Input, and what changes the shape."""

from __future__ import annotations

from math import prod
from typing import Any

from lamina import ops
from lamina.errors import ArgumentError, ShapeError
from lamina.layers.arguments import flag
from lamina.layers.layer import Layer
from lamina.layers.naming import unique_name
from lamina.layers.probing import Output
from lamina.layers.symbolic import Node, SymbolicShape, SymbolicTensor
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class InputLayer(Layer):
    """The place where data enter a model. ``lamina.Input`` makes one and gives its symbolic tensor.

    Give ``shape`` without the batch and perhaps ``batch_size``, or ``batch_shape`` with the batch; older names are
    ``input_shape`` and ``batch_input_shape``. ``sparse``, ``ragged`` and ``optional`` can only be False.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: SymbolicTensor | None = None,
        optional: bool = False,
        name: str | None = None,
        **common: Any,
    ) -> None:
        if input_tensor is not None:
            shape, batch_shape, dtype = None, input_tensor.shape, dtype or input_tensor.dtype
        for key, given in (("input_shape", shape), ("batch_input_shape", batch_shape)):
            if given is not None:
                common.setdefault(key, given)
        super().__init__(name=name or unique_name("Input"), batch_size=batch_size, dtype=dtype, **common)
        if self.batch_input_shape is None:
            raise ArgumentError("an InputLayer without a shape.", expected="shape=(...) or batch_shape=(None, ...).")
        for key, given in (("sparse", sparse), ("ragged", ragged), ("optional", optional)):
            if flag(given, key):
                raise ArgumentError(f"{key} is True.", expected=f"False: {key} inputs are not supported.")
        self.sparse = self.ragged = self.optional = False
        self.built = True
        node = Node(self, (), {})
        node.outputs = [SymbolicTensor(self.batch_input_shape, self.dtype, node, 0)]
        self._nodes.append(node)

    @property
    def batch_shape(self) -> SymbolicShape:
        """The shape of the input with the batch, None for unknown sizes."""
        assert self.batch_input_shape is not None
        return self.batch_input_shape

    def call(self, inputs: Any) -> Any:
        return inputs

    def get_config(self) -> dict[str, Any]:
        shape = list(self.batch_shape)
        return {
            "batch_shape": shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "optional": False,
            "name": self.name,
        }


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: SymbolicTensor | None = None,
    optional: bool = False,
) -> SymbolicTensor:
    """A symbolic tensor for data that will enter a model: ``shape`` without the batch, or ``batch_shape`` with it.

    ``tensor``, a symbolic tensor, gives shape and dtype if nothing else does. ``sparse``, ``ragged`` and ``optional``
    can only be False. Raises ArgumentError if there is no shape.

    >>> Input(shape=(784,), name="image").shape
    (None, 784)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer._nodes[0].outputs[0]


class Flatten(Layer):
    """All axes but the batch as one: (batch, a, b, ...) becomes (batch, a * b * ...).

    >>> Flatten()(ops.tensor([[[1.0, 2.0], [3.0, 4.0]]])).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """

    def __init__(self, data_format: str | None = None, **common: Any) -> None:
        super().__init__(**common)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ArgumentError(f"data_format is {data_format!r}.", expected="'channels_last' or 'channels_first'.")
        self.data_format = data_format

    def call(self, x: Tensor) -> Tensor:
        if self.data_format == "channels_first" and x.ndim > 2:
            x = ops.transpose(x, (0, *range(2, x.ndim), 1))
        return ops.reshape(x, (x.shape[0], prod(x.shape[1:])))


class Reshape(Layer):
    """The elements of each example in another shape; one size may be -1.

    >>> Reshape((2, -1))(ops.tensor([[1.0, 2.0, 3.0, 4.0]])).tolist()
    [[[1.0, 2.0], [3.0, 4.0]]]
    """

    def __init__(self, target_shape: Any, **common: Any) -> None:
        super().__init__(**common)
        sizes = (target_shape,) if hasattr(target_shape, "__index__") else tuple(target_shape)
        self.target_shape = tuple(-1 if s is None else as_int(s, "target_shape", minimum=-1) for s in sizes)
        if self.target_shape.count(-1) > 1:
            raise ArgumentError(f"target_shape is {self.target_shape}.", expected="at most one -1.")

    def check_input(self, input_shape: Any) -> None:
        if None in input_shape[1:]:
            return
        total, known = prod(input_shape[1:]), prod(s for s in self.target_shape if s != -1)
        if total != known if -1 not in self.target_shape else known == 0 or total % known:
            raise ShapeError(
                f"Reshape got an input of shape {input_shape} for the target {self.target_shape}.",
                expected=f"as many elements in each example: {total} are not {known}"
                + (" or a multiple of it." if -1 in self.target_shape else "."),
            )

    def compute_output_spec(self, x: Any) -> Any:
        """Also for unknown sizes, which the trial with some numbers would not divide."""
        if None not in x.shape[1:]:
            return super().compute_output_spec(x)
        return Output((x.shape[0], *(None if s == -1 else s for s in self.target_shape)), x.dtype)

    def call(self, x: Tensor) -> Tensor:
        shape = self.target_shape
        if -1 in shape:
            known = prod(s for s in shape if s != -1)
            shape = tuple(prod(x.shape[1:]) // known if s == -1 else s for s in shape)
        return ops.reshape(x, (x.shape[0], *shape))
