"""The shared Array API kernels over NumPy, and NumPy's own where they are faster or write into buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi import make_kernels
from lamina_numpy.dtypes import numpy_dtype
from lamina_numpy.kernels import (
    activation,
    conv,
    elementwise,
    entropy,
    gru,
    indexing,
    lstm,
    matmul,
    pooling,
    random,
    recurrent,
    reduction,
    shaping,
    signal,
    training,
)


class _Namespace:
    """NumPy, and bfloat16 beside it, which comes from another package and is asked for only when it is used."""

    def __getattr__(self, name: str) -> Any:
        return numpy_dtype(name) if name == "bfloat16" else getattr(np, name)

    @staticmethod
    def isdtype(dtype: np.dtype[Any], kind: str) -> bool:
        return dtype.kind != "V" and np.isdtype(dtype, kind)  # "V" is what NumPy calls dtypes of others


kernels = KernelTable.merge(
    make_kernels(_Namespace()),
    elementwise.kernels,
    reduction.kernels,
    lstm.kernels,
    gru.kernels,
    matmul.kernels,
    shaping.kernels,
    signal.kernels,
    indexing.kernels,
    activation.kernels,
    entropy.kernels,
    conv.kernels,
    pooling.kernels,
    random.kernels,
    recurrent.kernels,
    training.kernels,
)
