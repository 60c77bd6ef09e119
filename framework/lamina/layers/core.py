"""Input: where data enter a model."""

from __future__ import annotations

from typing import Any

from lamina.errors import ArgumentError, ShapeError
from lamina.layers.arguments import flag
from lamina.layers.layer import Layer
from lamina.layers.naming import unique_name
from lamina.layers.symbolic import Node, SymbolicShape, SymbolicTensor


class InputLayer(Layer):
    """The place where data enter a model. ``lamina.Input`` makes one and gives its symbolic tensor.

    Give ``shape`` without the batch and perhaps ``batch_size``, or ``batch_shape`` with the batch; older names are
    ``input_shape`` and ``batch_input_shape``. ``sparse``, ``ragged`` and ``optional`` can only be False.
    ``input_tensor`` gives shape and dtype if nothing else does. Raises ArgumentError if there is no shape.

    >>> InputLayer(shape=(784,), name="image").batch_shape
    (None, 784)
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
        whole = common.get("batch_input_shape")
        if batch_size is not None and whole is not None and tuple(whole)[:1] != (batch_size,):
            raise ArgumentError(
                f"batch_size is {batch_size} and batch_shape {whole}.",
                expected="the size of the batch in one of the two.",
            )
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

    def check_input(self, input_shape: Any) -> None:
        sizes = zip(input_shape, self.batch_shape, strict=False)
        if len(input_shape) != len(self.batch_shape) or any(None not in (a, b) and a != b for a, b in sizes):
            raise ShapeError(
                f"the input {self.name!r} got data of shape {input_shape}.", expected=f"the shape {self.batch_shape}."
            )

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
    can only be False. Raises ArgumentError if there is no shape. ``batch_size`` is the number of examples, None if any
    will do.

    >>> Input(shape=(784,), name="image").shape
    (None, 784)
    """
    layer = InputLayer(shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name)
    return layer._nodes[0].outputs[0]
