"""Shapes and borders."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina
from lamina.ops.elementwise import conjugate


@adapter("transpose")
def transpose(x: TensorLike, axes: Any = None, conjugated: bool = False) -> Any:
    turned = lamina.transpose(x, axes)
    return conjugate(turned) if conjugated else turned


@adapter("pad1d")
def pad1d(x: TensorLike, paddings: Any, constant_value: float = 0) -> Any:
    return lamina.pad(lamina.ensure_shape(x, (None,)), [paddings], constant_value)


def _padded(rank: int) -> None:
    @adapter(f"pad{rank}d")
    def pad(x: TensorLike, paddings: Any, constant_value: float = 0) -> Any:
        return lamina.pad(lamina.ensure_shape(x, (None,) * rank), paddings, constant_value)


for _rank in (2, 3, 4):
    _padded(_rank)


@adapter("depthToSpace")
def depth_to_space(x: TensorLike, block_size: int, data_format: str = "NHWC") -> Any:
    return lamina.depth_to_space(x, block_size, {"NCHW": "channels_first"}.get(data_format, "channels_last"))
