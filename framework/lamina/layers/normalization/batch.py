"""Normalization to the statistics of the batch."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from lamina import initializers, ops
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.layers.arguments import flag, number, rate
from lamina.layers.axes import along, check_sizes, found_axes
from lamina.layers.normalization.affine import AffineNormalization
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable
from lamina.shapes import as_int


class BatchNormalization(AffineNormalization):
    """Normalizes each channel: y = gamma * (x - mean) / sqrt(variance + epsilon) + beta.

    In training, mean and (biased) variance are those of the batch, without what a mask leaves out, and the moving ones
    follow them: moving = moving * momentum + batch * (1 - momentum). Otherwise, and where the layer is frozen, the
    moving ones are used. (Ioffe and Szegedy 2015, arXiv:1502.03167.) Weights of the size of ``axis``: ``gamma``,
    ``beta``, ``moving_mean``, ``moving_variance``; the settings of the first two are those of ``AffineNormalization``.

    With ``renorm`` the layer computes nearly the same in training as otherwise (Ioffe 2017, arXiv:1702.03275): what is
    normalized to the batch is multiplied by r and shifted by d, which lead to statistics that follow the batch with
    ``renorm_momentum``: the weights ``moving_stddev``, ``renorm_mean`` and ``renorm_stddev``. ``renorm_clipping`` is a
    dict that may bound them: rmin <= r <= rmax, -dmax <= d <= dmax. ``synchronized`` says that devices share their
    statistics; there is one device here, so it changes nothing.

    Raises ShapeError for an input that has no such axis or another size of it than the one it was built for,
    ArgumentError for a momentum outside 0 to 1 or bounds that are none. ``moving_mean_initializer`` and
    ``moving_variance_initializer`` are those of the other two.

    >>> BatchNormalization(epsilon=0.0)(ops.tensor([[1.0], [3.0]]), training=True).tolist()
    [[-1.0], [1.0]]
    """

    elsewhere: ClassVar[Mapping[str, tuple[Any, ...]]] = {"fused": (False, True)}

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        *,
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        renorm: bool = False,
        renorm_clipping: Mapping[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **common: Any,
    ) -> None:
        super().__init__(epsilon, **common)
        one = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis  # as older files have it
        self.axis: int = as_int(one, "axis")
        self.momentum: float = rate(momentum, "momentum")
        self.moving_mean_initializer: Any = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer: Any = initializers.get(moving_variance_initializer)
        self.renorm: bool = flag(renorm, "renorm")
        self.renorm_clipping: dict[str, float] | None = _checked_bounds(renorm_clipping) if self.renorm else None
        self.renorm_momentum: float = rate(renorm_momentum, "renorm_momentum")
        self.synchronized: bool = flag(synchronized, "synchronized")

    def check_input(self, input_shape: Any) -> None:
        axes = found_axes(self, self.axis, input_shape)
        if self.built:
            check_sizes(self, input_shape, axes, self.moving_mean.shape)

    def build(self, input_shape: Any) -> None:
        size = (input_shape[self.axis],)
        self.add_gamma(size)
        self.add_beta(size)
        self.moving_mean: Variable = self.add_weight(
            size, self.moving_mean_initializer, trainable=False, name="moving_mean"
        )
        self.moving_variance: Variable = self.add_weight(
            size, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )
        if self.renorm:
            deviation = _RootOf(self.moving_variance_initializer)
            self.moving_stddev: Variable = self.add_weight(size, deviation, trainable=False, name="moving_stddev")
            self.renorm_mean: Variable = self.add_weight(
                size, self.moving_mean_initializer, trainable=False, name="renorm_mean"
            )
            self.renorm_stddev: Variable = self.add_weight(size, deviation, trainable=False, name="renorm_stddev")

    def call(self, x: Tensor, training: bool = False, mask: Any = None) -> Tensor:
        axis = self.axis % x.ndim
        if not (training and self.trainable):
            return self._normalized(x, axis, self.moving_mean.value, self.moving_variance.value)
        others = tuple(i for i in range(x.ndim) if i != axis)
        mean, variance = ops.moments(x, others) if mask is None else _moments(x, others, mask)
        if self.renorm:
            return self._renormalized(x, axis, mean, variance)
        self._follow(self.moving_mean, mean, self.momentum)
        self._follow(self.moving_variance, variance, self.momentum)
        return self._normalized(x, axis, mean, variance)

    def _normalized(self, x: Tensor, axis: int, *statistics: Tensor) -> Tensor:
        mean, variance, beta, gamma = (
            None if value is None else along(value, (axis,), x) for value in (*statistics, self.beta, self.gamma)
        )
        return ops.batch_norm(x, mean, variance, beta, gamma, self.epsilon)

    def _follow(self, moving: Any, batch: Tensor, momentum: float) -> None:
        moving.assign(moving * momentum + ops.stop_gradient(batch) * (1.0 - momentum))

    def _renormalized(self, x: Tensor, axis: int, mean: Tensor, variance: Tensor) -> Tensor:
        assert self.renorm_clipping is not None
        deviation = ops.sqrt(ops.add(variance, self.epsilon))
        bounds = Bounds(**self.renorm_clipping)
        usual = ops.maximum(self.renorm_stddev, math.sqrt(self.epsilon))
        r = ops.clip(ops.divide(deviation, usual), bounds.rmin, bounds.rmax)
        d = ops.clip(ops.divide(mean - self.renorm_mean, usual), -bounds.dmax, bounds.dmax)
        factor = ops.divide(ops.stop_gradient(r), deviation)
        y = ops.multiply(ops.subtract(x, along(mean, (axis,), x)), along(factor, (axis,), x))
        y = ops.add(y, along(ops.stop_gradient(d), (axis,), x))
        if self.gamma is not None:
            y = ops.multiply(y, along(self.gamma, (axis,), x))
        self._follow(self.renorm_mean, mean, self.renorm_momentum)
        self._follow(self.renorm_stddev, deviation, self.renorm_momentum)
        self._follow(self.moving_mean, mean, self.momentum)
        self._follow(self.moving_stddev, deviation, self.momentum)
        self.moving_variance.assign(ops.relu(ops.square(self.moving_stddev) - self.epsilon))
        return y if self.beta is None else ops.add(y, along(self.beta, (axis,), x))


class Bounds(NamedTuple):
    """What r and d of batch renormalization are kept within."""

    rmin: float = 0.0
    rmax: float = math.inf
    dmax: float = math.inf


def _checked_bounds(given: Any) -> dict[str, float]:
    if not isinstance(given, (Mapping, type(None))):
        raise ArgumentTypeError(f"renorm_clipping is {given!r}.", expected="a dict with some of rmin, rmax and dmax.")
    unknown = [key for key in given or {} if key not in Bounds._fields]
    if unknown:
        raise ArgumentError(f"renorm_clipping has the key {unknown[0]!r}.", expected="some of rmin, rmax and dmax.")
    found = {key: number(value, f"renorm_clipping[{key!r}]", minimum=0) for key, value in (given or {}).items()}
    if Bounds(**found).rmin > Bounds(**found).rmax:
        raise ArgumentError(f"renorm_clipping is {given!r}.", expected="rmin to be at most rmax.")
    return found


class _RootOf:
    """The initializer of a standard deviation: the root of what that of the variance gives."""

    def __init__(self, initializer: Any) -> None:
        self._initializer = initializer

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        return ops.sqrt(self._initializer(shape, dtype=dtype))


def _moments(x: Tensor, axes: tuple[int, ...], mask: Any) -> tuple[Tensor, Tensor]:
    """Mean and variance over ``axes`` of the elements where ``mask``, which has the first axes of x, is True."""
    counted = ops.broadcast_to(
        ops.reshape(ops.cast(mask, x.dtype), (*mask.shape, *(1,) * (x.ndim - mask.ndim))), x.shape
    )
    share = counted / ops.maximum(ops.sum(counted, axes, keepdims=True), 1.0)
    mean = ops.sum(x * share, axes, keepdims=True)
    return ops.squeeze(mean, axes), ops.sum(ops.square(x - mean) * share, axes)
