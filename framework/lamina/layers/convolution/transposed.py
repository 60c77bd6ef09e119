"""Transposed convolution: what leads from the output of a convolution back to the size of its input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from lamina import ops
from lamina.errors import ArgumentError
from lamina.layers.arguments import positive
from lamina.layers.convolution.base import WindowLayer
from lamina.layers.kernel import KernelLayer
from lamina.layers.spatial import per_axis
from lamina.runtime.tensor import Tensor

_TRANSPOSE: Final[dict[int, Callable[..., Tensor]]] = {
    1: ops.conv1d_transpose,
    2: ops.conv2d_transpose,
    3: ops.conv3d_transpose,
}


class TransposedConvolution(WindowLayer, KernelLayer):
    """Base of Conv1DTranspose, Conv2DTranspose and Conv3DTranspose.

    Every input element adds ``kernel`` to the output, ``strides`` apart. Along an axis of n elements and a window that
    reaches over k = (kernel_size - 1) * dilation_rate + 1, the output has (n - 1) * strides + max(k, strides) elements
    for 'valid' padding and n * strides for 'same'. With ``output_padding`` p, an integer or one for each axis and less
    than the stride, it has (n - 1) * strides + k + p and (n - 1) * strides + k % 2 + p. Raises ArgumentError for more
    of it. The other settings are those of ``WindowLayer`` and, for the weights, of ``KernelLayer``.
    """

    lends_settings = True
    may_be_causal = False

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        output_padding: Any = None,
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = None,
        use_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation=activation, use_bias=use_bias,
            **common,
        )  # fmt: skip
        self.filters: int = positive(filters, "filters")
        none = output_padding is None
        self.output_padding: tuple[int, ...] | None = (
            None if none else per_axis(output_padding, self.rank, "output_padding", minimum=0)
        )
        if any(p >= s for p, s in zip(self.output_padding or (), self.strides, strict=False)):
            raise ArgumentError(
                f"output_padding is {output_padding!r} with strides={strides!r}.",
                expected="less output padding than the stride on every axis.",
            )

    def check_window(self, input_shape: Any) -> None:
        """Any input is large enough."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.add_kernel((*self.kernel_size, self.filters, self.channels))
        self.add_bias(self.filters)

    def call(self, x: Tensor) -> Tensor:
        places = [self._along(i, x.shape[axis]) for i, axis in enumerate(self.spatial_axes)]
        y = _TRANSPOSE[self.rank](
            x, self.kernel, self.strides, tuple((p.before, p.after) for p in places), tuple(p.size for p in places),
            self.dilation_rate, data_format=self.data_format,
        )  # fmt: skip
        if any(p.beyond for p in places):
            around = [(0, 0)] * x.ndim
            for axis, place in zip(self.spatial_axes, places, strict=True):
                around[axis] = (0, place.beyond)
            y = ops.pad(y, around)
        result: Tensor = self.activation(self.with_bias(y))
        return result

    def _along(self, i: int, size: int) -> Place:
        padding = None if self.output_padding is None else self.output_padding[i]
        return place(size, self.reach[i], self.strides[i], self.padding, padding)


class Place(NamedTuple):
    """Where a transposed convolution lies along an axis of its output.

    ``size`` elements, after ``before`` are cut off in front and ``after`` behind; zeros ``beyond`` what it reaches.
    """

    size: int
    before: int
    after: int
    beyond: int


def place(size: int, reach: int, stride: int, padding: str, output_padding: int | None) -> Place:
    """The place of the output of ``size`` elements of input. As Keras.

    >>> place(5, 3, 2, "same", None)
    Place(size=10, before=0, after=1, beyond=0)
    """
    whole = (size - 1) * stride + reach
    before = 0
    if padding == "valid":
        wanted = whole + (max(0, stride - reach) if output_padding is None else output_padding)
    elif output_padding is None:
        wanted, before = size * stride, max(0, reach - stride) // 2
    else:
        wanted = whole - reach + reach % 2 + output_padding
        before = max(0, (reach - reach % 2 - output_padding) // 2)
    behind = wanted - (whole - before)
    beyond = max(0, behind - stride + 1)
    return Place(wanted - beyond, before, max(0, -behind), beyond)


class Conv1DTranspose(TransposedConvolution):
    """Transposed one-dimensional convolution, of sequences: y = activation(conv1d_transpose(x, kernel) + bias).

    Input (batch, steps, channels), or with data_format='channels_first' (batch, channels, steps); output likewise
    with ``filters`` channels. Weights: ``kernel`` (steps, filters, channels), ``bias`` (filters,). Sizes and settings
    are those of ``TransposedConvolution``. Raises ShapeError for an input that does not fit.

    >>> Conv1DTranspose(4, 3, strides=2).compute_output_shape((1, 5, 3))
    (1, 11, 4)
    """

    rank = 1


class Conv2DTranspose(TransposedConvolution):
    """Transposed two-dimensional convolution, of images: y = activation(conv2d_transpose(x, kernel) + bias).

    Input (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height, width);
    output likewise with ``filters`` channels. Weights: ``kernel`` (height, width, filters, channels), ``bias``
    (filters,). Sizes and settings are those of ``TransposedConvolution``. Raises ShapeError for an input that does
    not fit.

    >>> Conv2DTranspose(4, 3, strides=2, padding="same").compute_output_shape((1, 5, 7, 3))
    (1, 10, 14, 4)
    """

    rank = 2


class Conv3DTranspose(TransposedConvolution):
    """Transposed three-dimensional convolution, of volumes: y = activation(conv3d_transpose(x, kernel) + bias).

    Input (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels, depth,
    height, width); output likewise with ``filters`` channels. Weights: ``kernel`` (depth, height, width, filters,
    channels), ``bias`` (filters,). Sizes and settings are those of ``TransposedConvolution``; as in Keras,
    ``data_format`` comes before ``output_padding``. Raises ShapeError for an input that does not fit.

    >>> Conv3DTranspose(4, 2, strides=3).compute_output_shape((1, 2, 3, 2, 2))
    (1, 6, 9, 6, 4)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: Any = None,
        dilation_rate: Any = 1,
        **common: Any,
    ) -> None:
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, dilation_rate, **common)
