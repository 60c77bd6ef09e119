"""Layers that normalize."""

from __future__ import annotations

from typing import Any

from lamina import constraints, initializers, ops, regularizers
from lamina.errors import ShapeError
from lamina.layers.arguments import flag, number, rate
from lamina.layers.checks import check_size
from lamina.layers.layer import Layer
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_int


class BatchNormalization(Layer):
    """Normalizes each channel: y = gamma * (x - mean) / sqrt(variance + epsilon) + beta.

    In training, mean and (biased) variance are those of the batch, without what a mask leaves out, and the moving ones
    follow them: moving = moving * momentum + batch * (1 - momentum). Otherwise the moving ones are used. (Ioffe and
    Szegedy 2015, arXiv:1502.03167.) Weights of the size of ``axis``: ``gamma``, ``beta``, ``moving_mean``,
    ``moving_variance``.

    >>> BatchNormalization(epsilon=0.0)(ops.tensor([[1.0], [3.0]]), training=True).tolist()
    [[-1.0], [1.0]]
    """

    supports_masking = True
    elsewhere = {"fused": (False, True), "renorm": (False,), "renorm_momentum": (0.99,), "synchronized": (False,)}

    def __init__(
        self,
        axis: Any = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        one = axis[0] if isinstance(axis, (list, tuple)) and len(axis) == 1 else axis  # as older files have it
        self.axis = as_int(one, "axis")
        self.momentum = rate(momentum, "momentum")
        self.epsilon = number(epsilon, "epsilon", minimum=0)
        self.center = flag(center, "center")
        self.scale = flag(scale, "scale")
        self.beta_initializer = initializers.get(beta_initializer)
        self.gamma_initializer = initializers.get(gamma_initializer)
        self.moving_mean_initializer = initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = initializers.get(moving_variance_initializer)
        self.beta_regularizer = regularizers.get(beta_regularizer)
        self.gamma_regularizer = regularizers.get(gamma_regularizer)
        self.beta_constraint = constraints.get(beta_constraint)
        self.gamma_constraint = constraints.get(gamma_constraint)

    def check_input(self, input_shape: Any) -> None:
        if not -len(input_shape) <= self.axis < len(input_shape):
            raise ShapeError(
                f"BatchNormalization got an input of shape {input_shape}.", expected=f"an axis {self.axis}."
            )
        if self.built:
            check_size(self, input_shape, self.axis, self.moving_mean.size)

    def build(self, input_shape: Any) -> None:
        size = (input_shape[self.axis],)
        if self.scale:
            self.gamma = self.add_weight(
                size, self.gamma_initializer, regularizer=self.gamma_regularizer, constraint=self.gamma_constraint,
                name="gamma",
            )  # fmt: skip
        if self.center:
            self.beta = self.add_weight(
                size, self.beta_initializer, regularizer=self.beta_regularizer, constraint=self.beta_constraint,
                name="beta",
            )  # fmt: skip
        self.moving_mean = self.add_weight(size, self.moving_mean_initializer, trainable=False, name="moving_mean")
        self.moving_variance = self.add_weight(
            size, self.moving_variance_initializer, trainable=False, name="moving_variance"
        )

    def call(self, x: Tensor, training: bool = False, mask: Any = None) -> Tensor:
        axis = self.axis % x.ndim
        others = tuple(i for i in range(x.ndim) if i != axis)
        shape = tuple(s if i == axis else 1 for i, s in enumerate(x.shape))
        if training and self.trainable:
            mean, variance = (
                (ops.mean(x, others), ops.variance(x, others)) if mask is None else _moments(x, others, mask)
            )
            self._follow(mean, variance)
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        given = (mean, variance, self.beta if self.center else None, self.gamma if self.scale else None)
        mean, variance, beta, gamma = (  # type: ignore[assignment]
            value if value is None or axis == x.ndim - 1 else ops.reshape(value, shape) for value in given
        )
        return ops.batch_norm(x, mean, variance, beta, gamma, self.epsilon)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + ops.stop_gradient(batch) * (1.0 - self.momentum))


def _moments(x: Tensor, axes: tuple[int, ...], mask: Any) -> tuple[Tensor, Tensor]:
    """Mean and variance over ``axes`` of the elements where ``mask``, which has the first axes of x, is True."""
    counted = ops.broadcast_to(
        ops.reshape(ops.cast(mask, x.dtype), (*mask.shape, *(1,) * (x.ndim - mask.ndim))), x.shape
    )
    share = counted / ops.maximum(ops.sum(counted, axes, keepdims=True), 1.0)
    mean = ops.sum(x * share, axes, keepdims=True)
    return ops.squeeze(mean, axes), ops.sum(ops.square(x - mean) * share, axes)
