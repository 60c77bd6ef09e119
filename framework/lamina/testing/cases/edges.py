"""Gradients on tensors without elements and with axes of size 1, for ops whose own families have no such case.

``lamina.testing.gradient_gaps`` says which are still missing.
"""

from __future__ import annotations

from typing import Any

from lamina.testing.inputs import between, complex_normal, distinct, empty, ints, normal, positive
from lamina.testing.table import case

_CONVOLVED: dict[str, Any] = {"strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilations": (1, 1)}
_POOLED: dict[str, Any] = {"window": (2, 2), "strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilations": (1, 1)}
_ADAM: dict[str, Any] = {"count": 1, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
_MOMENTUM: dict[str, Any] = {"count": 1, "momentum": 0.9, "nesterov": False}

# Element by element.
for _op in ("cast", "identity", "imag", "real", "sign", "step"):
    _settings: dict[str, Any] = {"dtype": "float64"} if _op == "cast" else {}
    case(_op, [empty(0, 3)], **_settings)
    case(_op, [distinct(1, 2)], **_settings)
case("step", [empty(0, 3)])
for _op in ("abs", "ceil", "floor", "round", "step"):
    case(_op, [distinct(1, 1)])
for _op in ("floor_divide", "mod"):
    case(_op, [distinct(1, 3), positive(2, 1)])
case("complex_conjugate", [complex_normal(0, 2)])
case("complex_conjugate", [complex_normal(1)])
case("relu_gradient", [empty(0, 2), empty(0, 2)])
case("relu_gradient", [normal(1, 2), distinct(1, 2)])
case("sigmoid_cross_entropy", [empty(0, 2), empty(0, 2)])
case("softmax_cross_entropy", [normal(1, 3), normal(1, 3)])

# Reductions, shapes and indices.
for _op in ("std", "variance"):
    case(_op, [normal(1, 4)], axis=1)
case("basic_index", [empty(0, 3)], key=((0, 0, 1), 1))
case("basic_index", [normal(1, 3)], key=(0, (0, 3, 1)))
case("broadcast_to", [empty(0, 1)], shape=(0, 3))
case("flip", [normal(1, 3)])
case("frame", [normal(1, 4)], frame_length=2, frame_step=1)
case("gather", [empty(2, 0), ints(3, low=0, high=2)])
case("gather", [normal(1, 3), ints(2, low=0, high=1)])
case("pad", [normal(1)], paddings=[(1, 2)])
case("scatter_add", [normal(1, 2), ints(1, low=0, high=3)], axis=0, size=3)
case("split", [empty(4, 0)], sizes=2)
case("split", [normal(1, 2)], sizes=2, axis=1)
case("tile", [empty(0, 2)], reps=(2, 3))

# Matrices.
case("euclidean_norm", [normal(1, 3)], axis=1)
case("reduced_qr", [empty(0, 3, 2)], loose=4.0)
case("reduced_qr", [normal(3, 1)], loose=4.0)
case("solve", [empty(0, 2, 2), empty(0, 2, 1)])
case("solve", [positive(1, 1), normal(1, 2)])

# Images.
case("grayscale_to_rgb", [empty(0, 2, 1)])
case("rgb_to_grayscale", [normal(1, 3)])
case("sample_bilinear", [normal(1, 3, 3, 1), ints(1, low=0, high=1), between(0.1, 0.9, 1), between(0.1, 0.9, 4)])
case("sample_bilinear", [normal(1, 3, 3, 1), ints(0), empty(0), empty(0)])

# Windows: no image at all, and images, windows or channels of size 1.
case("convolution", [empty(0, 3, 3, 2), normal(2, 2, 2, 3)], **_CONVOLVED)
case("convolution", [normal(1, 3, 3, 1), normal(2, 2, 1, 1)], **_CONVOLVED)
case("convolution_input_gradient", [empty(0, 2, 2, 3), normal(2, 2, 2, 3)], size=(3, 3), **_CONVOLVED)
case("convolution_input_gradient", [normal(1, 2, 2, 1), normal(2, 2, 1, 1)], size=(3, 3), **_CONVOLVED)
case("convolution_kernel_gradient", [empty(0, 3, 3, 2), empty(0, 2, 2, 3)], size=(2, 2), **_CONVOLVED)
case("convolution_kernel_gradient", [normal(1, 3, 3, 1), normal(1, 2, 2, 1)], size=(2, 2), **_CONVOLVED)
case("conv1d", [normal(1, 4, 1), normal(2, 1, 1)])
case("conv1d_transpose", [empty(0, 4, 3), normal(3, 2, 3)])
case("conv1d_transpose", [normal(1, 4, 1), normal(3, 1, 1)])
case("conv3d", [empty(0, 3, 3, 3, 2), normal(2, 2, 2, 2, 1)])
case("conv3d_transpose", [empty(0, 2, 2, 2, 2), normal(2, 2, 2, 1, 2)])
case("separable_conv2d", [empty(0, 3, 3, 2), normal(2, 2, 2, 1), normal(1, 1, 2, 3)])
case("window_max", [empty(0, 3, 3, 2)], **_POOLED)
case("window_max", [distinct(1, 3, 3, 1)], **_POOLED)
case("window_max_pick", [empty(0, 3, 3, 2), empty(0, 3, 3, 2)], **_POOLED)
case("window_max_pick", [normal(1, 3, 3, 1), distinct(1, 3, 3, 1)], **_POOLED)
case("window_mean", [empty(0, 3, 3, 2)], **_POOLED)
case("window_mean", [normal(1, 3, 3, 1)], **_POOLED)
case("window_mean_gradient", [empty(0, 2, 2, 2)], size=(3, 3), **_POOLED)
case("window_mean_gradient", [normal(1, 2, 2, 1)], size=(3, 3), **_POOLED)
for _op in ("avg_pool1d", "max_pool1d"):
    case(_op, [empty(0, 4, 2)])
for _op in ("avg_pool3d", "max_pool3d"):
    case(_op, [empty(0, 4, 4, 4, 2)])
case("pool", [empty(0, 4, 4, 2)], window=2, pooling_type="avg")

# Updates of Variables without elements.
case("adam_update", [positive(), *[empty(0, 2)] * 4], **_ADAM)
case("momentum_update", [positive(), *[empty(0, 2)] * 3], **_MOMENTUM)
