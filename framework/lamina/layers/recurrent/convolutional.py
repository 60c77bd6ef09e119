"""Long short-term memory whose states are images, and whose products are convolutions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from lamina import activations, ops
from lamina.layers.arguments import flag, positive
from lamina.layers.checks import check_axes, check_size
from lamina.layers.convolution.base import CONVOLVE, WindowLayer
from lamina.layers.recurrent.cell import StepCell
from lamina.layers.recurrent.lstm import lstm_update, with_forget_bias
from lamina.layers.recurrent.own_cell import OwnCellRNN
from lamina.layers.recurrent.states import apart
from lamina.layers.spatial import image_form
from lamina.runtime.tensor import Tensor
from lamina.shapes import window_output


class ConvLSTMCell(WindowLayer, StepCell):
    """One step of a convolutional LSTM: as ``LSTMCell``, the products being convolutions.

    That of the inputs moves by ``strides``, ``padding`` and ``dilation_rate``, that of the state keeps its size.
    ``call(inputs, states)`` takes images and [h, c], and returns h and [h, c]. Weights: ``kernel`` (*kernel_size,
    channels, 4 * filters), ``recurrent_kernel`` (*kernel_size, filters, 4 * filters), ``bias`` (4 * filters,).
    ``filters`` is the number of output channels; ``kernel_size``, ``strides`` and ``dilation_rate`` are an integer or
    one for each axis, ``padding`` is 'valid' or 'same', ``data_format`` 'channels_last' or 'channels_first'.
    ``activation``, ``recurrent_activation``, ``unit_forget_bias`` and ``use_bias`` are as for ``LSTMCell``.
    """

    lends_settings = True
    may_be_causal = False
    gates = 4

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(
            kernel_size, strides, padding, data_format, dilation_rate, activation=activation, use_bias=use_bias,
            **common,
        )  # fmt: skip
        self.filters: int = positive(filters, "filters")
        self.recurrent_activation: Callable[..., Any] = activations.get(recurrent_activation)
        self.unit_forget_bias: bool = flag(unit_forget_bias, "unit_forget_bias")
        self.state_size: Any = [self.filters, self.filters]

    def check_input(self, input_shape: Any) -> None:
        super().check_input(apart(input_shape, None)[0])

    def build(self, input_shape: Any) -> None:
        super().build(apart(input_shape, None)[0])
        width = self.gates * self.filters
        self.add_kernel((*self.kernel_size, self.channels, width))
        self.add_recurrent_kernel((*self.kernel_size, self.filters, width))
        self.add_bias(width, with_forget_bias(self.bias_initializer, self.filters) if self.unit_forget_bias else None)

    def state_shapes(self, step_shape: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        """The shapes of h and c without the batch, for one step's images without it."""
        first = self.spatial_axes[0] - 1
        windows = zip(
            step_shape[first : first + self.rank], self.kernel_size, self.strides, self.dilation_rate, strict=True
        )
        sizes = tuple(
            None if size is None else window_output(size, window, stride, self.padding, gap)
            for size, window, stride, gap in windows
        )
        shape = (*sizes, self.filters) if self.channel_axis == -1 else (self.filters, *sizes)
        return [shape, shape]

    def project(self, x: Tensor) -> Tensor:
        """The convolution of the inputs, and the bias."""
        images = x if x.ndim == self.rank + 2 else ops.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))
        y = self.with_bias(self.convolve(images, self.kernel))
        return y if images is x else ops.reshape(y, (*x.shape[:2], *y.shape[1:]))

    def step(self, projected: Tensor, states: Sequence[Tensor], training: bool) -> tuple[Tensor, list[Tensor]]:
        h, c = states
        inner = CONVOLVE[self.rank](
            self.dropped_state(h, training), self.recurrent_kernel, padding="same", data_format=self.data_format
        )
        gates = ops.split(projected + inner, 4, axis=self.channel_axis)
        return lstm_update(gates, c, self.activation, self.recurrent_activation)

    def first_states(self, x: Tensor) -> list[Any]:
        return [ops.zeros((x.shape[0], *shape), self.dtype) for shape in self.state_shapes(x.shape[1:])]


class ConvLSTM1DCell(ConvLSTMCell):
    """One step of ``ConvLSTM1D``."""

    rank = 1


class ConvLSTM2DCell(ConvLSTMCell):
    """One step of ``ConvLSTM2D``: as ``LSTMCell``, the products being convolutions.

    ``call(inputs, states)`` takes images (batch, height, width, channels) and [h, c], and returns h and [h, c].
    Weights: ``kernel`` (height, width, channels, 4 * filters), ``recurrent_kernel`` (height, width, filters, 4 *
    filters), ``bias`` (4 * filters,). Settings are those of ``ConvLSTM2D``. As TensorFlow.js. The other settings are
    those of ``StepCell``, which says what is raised.

    >>> h, (h, c) = ConvLSTM2DCell(4, 3)(ops.zeros((2, 8, 8, 1)))
    >>> c.shape
    (2, 6, 6, 4)
    """

    rank = 2


class ConvLSTM3DCell(ConvLSTMCell):
    """One step of ``ConvLSTM3D``."""

    rank = 3


class ConvLSTM(OwnCellRNN):
    """Base of convolutional LSTMs (Shi et al. 2015, arXiv:1506.04214)."""

    lends_settings = True
    cell_class: ClassVar[type[ConvLSTMCell]]

    def __init__(
        self,
        filters: int,
        kernel_size: Any,
        strides: Any = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: Any = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        unit_forget_bias: bool = True,
        **common: Any,
    ) -> None:
        super().__init__(
            filters=filters, kernel_size=kernel_size, strides=strides, padding=padding, data_format=data_format,
            dilation_rate=dilation_rate, activation=activation, recurrent_activation=recurrent_activation,
            use_bias=use_bias, unit_forget_bias=unit_forget_bias, **common,
        )  # fmt: skip

    @property
    def sequence_form(self) -> str:  # type: ignore[override]
        """The axes of the input, for messages."""
        return image_form(self.cell.rank, self.cell.data_format).replace("batch, ", "batch, time, ")

    def check_sequence(self, shape: Any) -> None:
        check_axes(self, shape, self.sequence_form)
        step_shape = (shape[0], *shape[2:])
        if self.cell.built:
            check_size(self, step_shape, self.cell.channel_axis, self.cell.channels)
        self.cell.check_window(step_shape)


class ConvLSTM1D(ConvLSTM):
    """Convolutional LSTM along one axis (Shi et al. 2015, arXiv:1506.04214).

    As ``LSTM``, the products being convolutions: that of the inputs moves by ``strides``, ``padding`` and
    ``dilation_rate``, that of the state keeps its size. Input (batch, time, steps, channels), or with
    data_format='channels_first' (batch, time, channels, steps); output (batch, steps', filters), after the batch also
    the time with ``return_sequences``. Weights: ``kernel`` (kernel_size, channels, 4 * filters), ``recurrent_kernel``
    (kernel_size, filters, 4 * filters), ``bias`` (4 * filters,). Other settings are those of ``LSTM``. As Keras. The
    settings are those of ``ConvLSTMCell``, ``StepCell`` and ``RNN``. Raises ShapeError for an input of another number
    of axes, ArgumentError for settings that are none.

    >>> ConvLSTM1D(4, 3)(ops.zeros((2, 5, 8, 1))).shape
    (2, 6, 4)
    """

    cell_class: ClassVar[type[ConvLSTMCell]] = ConvLSTM1DCell


class ConvLSTM2D(ConvLSTM):
    """Convolutional LSTM along two axes (Shi et al. 2015, arXiv:1506.04214).

    As ``LSTM``, the products being convolutions: that of the inputs moves by ``strides``, ``padding`` and
    ``dilation_rate``, that of the state keeps its size. Input (batch, time, height, width, channels), or with
    data_format='channels_first' (batch, time, channels, height, width); output (batch, height', width', filters), after
    the batch also the time with ``return_sequences``. Weights: ``kernel`` (height, width, channels, 4 * filters),
    ``recurrent_kernel`` (height, width, filters, 4 * filters), ``bias`` (4 * filters,). Other settings are those of
    ``LSTM``. As Keras. The settings are those of ``ConvLSTMCell``, ``StepCell`` and ``RNN``. Raises ShapeError for an
    input of another number of axes, ArgumentError for settings that are none.

    >>> ConvLSTM2D(4, 3, return_sequences=True)(ops.zeros((2, 5, 8, 8, 1))).shape
    (2, 5, 6, 6, 4)
    """

    cell_class: ClassVar[type[ConvLSTMCell]] = ConvLSTM2DCell


class ConvLSTM3D(ConvLSTM):
    """Convolutional LSTM along three axes (Shi et al. 2015, arXiv:1506.04214).

    As ``ConvLSTM2D``, with one axis more: input (batch, time, depth, height, width, channels), or with
    data_format='channels_first' (batch, time, channels, depth, height, width). The settings are those of
    ``ConvLSTMCell``, ``StepCell`` and ``RNN``. Raises ShapeError for an input of another number of axes, ArgumentError
    for settings that are none.

    >>> ConvLSTM3D(4, 3)(ops.zeros((2, 5, 4, 8, 8, 1))).shape
    (2, 2, 6, 6, 4)
    """

    cell_class: ClassVar[type[ConvLSTMCell]] = ConvLSTM3DCell
