"""Input, dense, embedding, and what changes activations or shape."""

from __future__ import annotations

from math import prod
from typing import Any

from lamina import activations, constraints, initializers, ops, regularizers
from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentError, ShapeError
from lamina.layers.arguments import flag, positive
from lamina.layers.arguments import rate as _rate
from lamina.layers.checks import check_size
from lamina.layers.kernel import KernelLayer
from lamina.layers.layer import Layer
from lamina.layers.naming import unique_name
from lamina.layers.probing import Output
from lamina.layers.symbolic import Node, SymbolicShape, SymbolicTensor
from lamina.layers.weights import random_stream
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


class Dense(KernelLayer):
    """Densely connected layer: y = activation(x @ kernel + bias).

    Input (..., features), output (..., units). Weights: ``kernel`` (features, units), ``bias`` (units,). The
    settings of the weights are those of ``KernelLayer``.

    >>> layer = Dense(2, kernel_initializer="ones", name="d")
    >>> layer(ops.tensor([[1.0, 2.0, 3.0]])).tolist()
    [[6.0, 6.0]]
    """

    supports_masking = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(activation=activation, use_bias=use_bias, **common)
        self.units = positive(units, "units")

    def check_input(self, input_shape: Any) -> None:
        if len(input_shape) < 2:
            raise ShapeError(
                f"Dense got an input of shape {input_shape}.", expected="at least two axes: (batch, features)."
            )
        if self.built:
            check_size(self, input_shape, -1, self.features)

    def build(self, input_shape: Any) -> None:
        self.features = input_shape[-1]
        self.add_kernel((self.features, self.units))
        self.add_bias(self.units)

    def call(self, x: Tensor) -> Tensor:
        rows = x if x.ndim == 2 else ops.reshape(x, (-1, self.features))
        y = self.with_bias(ops.matmul(rows, self.kernel))
        y = y if x.ndim == 2 else ops.reshape(y, (*x.shape[:-1], self.units))
        result: Tensor = self.activation(y)
        return result


class Activation(Layer):
    """Applies an activation function, given by name or as a function of a tensor.

    >>> Activation("relu")(ops.tensor([-2.0, 1.0])).tolist()
    [0.0, 1.0]
    """

    supports_masking = True

    def __init__(self, activation: Any, **common: Any) -> None:
        super().__init__(**common)
        self.activation = activations.get(activation)

    def call(self, x: Tensor) -> Tensor:
        result: Tensor = self.activation(x)
        return result


class Dropout(Layer):
    """Sets a fraction ``rate`` of the elements to 0 in training and scales the others by 1 / (1 - rate).

    (Srivastava et al. 2014.) Outside training it does nothing. ``noise_shape`` has 1 where elements share their fate
    along an axis, None for the input's own size. ``seed`` makes the masks reproducible, equal on every backend.

    >>> Dropout(0.5)(ops.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    supports_masking = True

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.rate = _rate(rate)
        self.noise_shape = noise_shape
        self.seed = None if seed is None else as_int(seed, "seed")
        if self.rate > 0:
            self._generator = random_stream(self.seed, self.name)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return x
        if self.rate == 1:
            return x * 0.0
        return ops.dropout(x, self.rate, self.noise_shape, seed=self._generator)


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


class Embedding(Layer):
    """Turns non-negative integers into vectors: y = embeddings[x].

    Input (...) of integers below ``input_dim``, output (..., output_dim). Weight: ``embeddings``
    (input_dim, output_dim). With ``mask_zero`` the value 0 is padding, and the layer gives a mask.

    >>> Embedding(3, 2, embeddings_initializer="ones")(ops.tensor([[0, 2]])).shape
    (1, 2, 2)
    """

    autocast = False

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        input_length: Any = None,
        **common: Any,
    ) -> None:
        if input_length is not None and "input_shape" not in common and "batch_input_shape" not in common:
            lengths = (input_length,) if hasattr(input_length, "__index__") else tuple(input_length)
            common["input_shape"] = lengths
        super().__init__(**common)
        self.input_dim = positive(input_dim, "input_dim")
        self.output_dim = positive(output_dim, "output_dim")
        self.embeddings_initializer = initializers.get(embeddings_initializer)
        self.embeddings_regularizer = regularizers.get(embeddings_regularizer)
        self.embeddings_constraint = constraints.get(embeddings_constraint)
        self.mask_zero = flag(mask_zero, "mask_zero")
        self.input_length = input_length
        self.supports_masking = self.mask_zero

    def build(self, input_shape: Any) -> None:
        self.embeddings = self.add_weight(
            (self.input_dim, self.output_dim),
            self.embeddings_initializer,
            regularizer=self.embeddings_regularizer,
            constraint=self.embeddings_constraint,
            name="embeddings",
        )

    def call(self, x: Tensor) -> Tensor:
        indices = x if x.dtype == "int64" else ops.cast(x, canonical_dtype("int32"))
        return ops.gather(self.embeddings, indices, axis=0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return ops.not_equal(inputs, 0) if self.mask_zero else None
