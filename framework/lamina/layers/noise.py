"""Layers that disturb their input in training, and leave it as it is otherwise."""

from __future__ import annotations

import math
from typing import Any, ClassVar

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.layers.arguments import choice
from lamina.layers.arguments import rate as _rate
from lamina.layers.checks import check_axes
from lamina.layers.layer import Layer
from lamina.layers.weights import random_stream
from lamina.ops.activation.rectifiers import SELU_ALPHA, SELU_SCALE
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class Noise(Layer):
    """Base of layers that draw random numbers in training: a stream of their own, which ``seed`` makes reproducible.

    Equal on every backend. Without a seed the stream follows from ``lamina.random.set_seed``.
    """

    supports_masking = True
    lends_settings = True

    def __init__(self, seed: int | None = None, **common: Any) -> None:
        super().__init__(**common)
        self.seed: int | None = None if seed is None else as_int(seed, "seed")

    def stream(self, strength: float) -> Any:
        """The stream of random numbers, if the layer ever draws."""
        return random_stream(self.seed, self.name) if strength > 0 else None


class Dropout(Noise):
    """Sets a fraction ``rate`` of the elements to 0 in training and scales the others by 1 / (1 - rate).

    (Srivastava et al. 2014.) Outside training it does nothing. ``noise_shape`` has 1 where elements share their fate
    along an axis, None for the input's own size. ``seed`` makes the masks reproducible, equal on every backend.

    Input and output have the same shape. Raises ArgumentError for a rate outside 0 to 1 or a noise_shape of other than
    positive integers and None, ShapeError for an input that it does not fit.

    >>> Dropout(0.5)(ops.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    def __init__(self, rate: float, noise_shape: Any = None, seed: int | None = None, **common: Any) -> None:
        super().__init__(seed, **common)
        self.rate: float = _rate(rate)
        self.noise_shape: tuple[int | None, ...] | None = _noise_shape(noise_shape)
        self._generator = self.stream(self.rate)

    def check_input(self, input_shape: Any) -> None:
        self._check_noise(input_shape, any_batch=True)  # outside training the batch may be another

    def _check_noise(self, shape: Any, any_batch: bool = False) -> None:
        sizes = self.noise_shape
        if sizes is None:
            return
        pairs = list(zip(reversed(sizes), reversed(shape), strict=False))
        if any_batch:
            pairs = pairs[: len(shape) - 1]
        clash = any(None not in (n, s) and n not in (1, s) for n, s in pairs)
        if clash or len(sizes) > len(shape) or self._lacks(shape):
            raise ShapeError(
                f"{type(self).__name__} with noise_shape {sizes} got an input of shape {shape}.",
                expected="1, None or the size of each axis.",
            )

    def _lacks(self, input_shape: Any) -> bool:
        """Whether a size is to be the input's own, but it is not said of which axis."""
        assert self.noise_shape is not None
        return None in self.noise_shape and len(self.noise_shape) != len(input_shape)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training:
            return x
        self._check_noise(x.shape)
        return _dropped(x, self.rate, self.noise_shape, self._generator)


def _dropped(x: Tensor, rate: float, noise_shape: Any, generator: Any) -> Tensor:
    if rate in (0, 1):
        return ops.zeros_like(x) if rate else x
    return ops.dropout(x, rate, noise_shape, seed=generator)


def _noise_shape(noise_shape: Any) -> tuple[int | None, ...] | None:
    if noise_shape is None:
        return None
    if isinstance(noise_shape, str) or not hasattr(noise_shape, "__iter__"):
        raise ArgumentTypeError(f"noise_shape is {noise_shape!r}.", expected="a tuple of integers and None.")
    return tuple(
        None if size is None else as_int(size, f"noise_shape[{i}]", minimum=1) for i, size in enumerate(noise_shape)
    )


class SpatialDropout(Noise):
    """Base of layers that drop whole channels."""

    inner: ClassVar[tuple[str, ...]]

    def __init__(self, rate: float, data_format: Any = None, seed: int | None = None, **common: Any) -> None:
        super().__init__(seed, **common)
        self.rate: float = _rate(rate)
        self._generator = self.stream(self.rate)
        self.data_format: str = choice(
            data_format or "channels_last", "data_format", ("channels_last", "channels_first")
        )

    def check_input(self, input_shape: Any) -> None:
        last = self.data_format == "channels_last"
        axes = (*self.inner, "channels") if last else ("channels", *self.inner)
        check_axes(self, input_shape, f"({', '.join(('batch', *axes))})")

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        ones = (1,) * len(self.inner)
        last = self.data_format == "channels_last"
        sizes = (x.shape[0], *ones, x.shape[-1]) if last else (*x.shape[:2], *ones)
        return _dropped(x, self.rate, sizes, self._generator) if training else x


class SpatialDropout1D(SpatialDropout):
    """Dropout of whole channels of sequences (Tompson et al. 2015, arXiv:1411.4280).

    Input and output (batch, time, channels). Settings and errors as for ``Dropout``. ``rate`` is the fraction of the
    channels that are dropped. ``seed`` makes the masks reproducible. Channels are last: there is no ``data_format``.

    >>> SpatialDropout1D(0.5)(ops.ones((1, 2, 3))).shape
    (1, 2, 3)
    """

    inner: ClassVar[tuple[str, ...]] = ("time",)

    def __init__(self, rate: float, seed: int | None = None, **common: Any) -> None:
        super().__init__(rate, None, seed, **common)


class SpatialDropout2D(SpatialDropout):
    """Dropout of whole channels of images (Tompson et al. 2015, arXiv:1411.4280).

    Input and output (batch, height, width, channels), or with data_format='channels_first' (batch, channels, height,
    width). Settings and errors as for ``Dropout``. ``rate`` is the fraction of the channels that are dropped.

    >>> SpatialDropout2D(0.5)(ops.ones((1, 2, 2, 3))).shape
    (1, 2, 2, 3)
    """

    inner: ClassVar[tuple[str, ...]] = ("height", "width")


class SpatialDropout3D(SpatialDropout):
    """Dropout of whole channels of volumes (Tompson et al. 2015, arXiv:1411.4280).

    Input and output (batch, depth, height, width, channels), or with data_format='channels_first' (batch, channels,
    depth, height, width). Settings and errors as for ``Dropout``. ``rate`` is the fraction of the channels that are
    dropped.

    >>> SpatialDropout3D(0.5)(ops.ones((1, 2, 2, 2, 3))).shape
    (1, 2, 2, 2, 3)
    """

    inner: ClassVar[tuple[str, ...]] = ("depth", "height", "width")


class GaussianNoise(Noise):
    """Adds normal numbers of mean 0 and standard deviation ``stddev`` in training.

    Outside training it does nothing. Input and output have the same shape. Raises ArgumentError for a stddev outside
    0 to 1, as in Keras.

    >>> GaussianNoise(0.5)(ops.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    def __init__(self, stddev: float, seed: int | None = None, **common: Any) -> None:
        super().__init__(seed, **common)
        self.stddev: float = _rate(stddev, "stddev")
        self._generator = self.stream(self.stddev)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training or self.stddev == 0:
            return x
        return ops.add(x, ops.random.normal(x.shape, 0.0, self.stddev, x.dtype, seed=self._generator))


class GaussianDropout(Noise):
    """Multiplies with normal numbers of mean 1 and standard deviation sqrt(rate / (1 - rate)) in training.

    (Srivastava et al. 2014.) Outside training it does nothing. Input and output have the same shape. Raises
    ArgumentError for a rate outside 0 to 1, and in training for a rate of 1.

    >>> GaussianDropout(0.5)(ops.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    def __init__(self, rate: float, seed: int | None = None, **common: Any) -> None:
        super().__init__(seed, **common)
        self.rate: float = _rate(rate)
        self._generator = self.stream(self.rate)

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return x
        _check_something_is_left(self)
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return ops.multiply(x, ops.random.normal(x.shape, 1.0, stddev, x.dtype, seed=self._generator))


class AlphaDropout(Dropout):
    """Dropout that keeps mean and variance of what SELU gives (Klambauer et al. 2017, arXiv:1706.02515).

    In training a fraction ``rate`` of the elements becomes the lowest value of SELU, and all are scaled and shifted so
    that mean 0 and variance 1 stay what they are. Outside training it does nothing. ``noise_shape`` and ``seed`` as for
    ``Dropout``. Input and output have the same shape. Raises ArgumentError for a rate outside 0 to 1, and in
    training for a rate of 1.

    >>> AlphaDropout(0.5)(ops.tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        if not training or self.rate == 0:
            return x
        _check_something_is_left(self)
        self._check_noise(x.shape)
        lowest = -SELU_ALPHA * SELU_SCALE
        scale = 1.0 / math.sqrt((1.0 - self.rate) * (1.0 + self.rate * lowest**2))
        sizes = self.noise_shape or x.shape
        if None in sizes:
            sizes = tuple(own if n is None else n for n, own in zip(sizes, x.shape, strict=True))
        kept = ops.greater_equal(ops.random.uniform(sizes, seed=self._generator), self.rate)
        return ops.add(ops.multiply(ops.where(kept, x, lowest), scale), -scale * lowest * self.rate)


def _check_something_is_left(layer: Any) -> None:
    if layer.rate == 1:
        raise ArgumentError("rate is 1, which leaves nothing to scale.", expected="a rate below 1 in training.")
