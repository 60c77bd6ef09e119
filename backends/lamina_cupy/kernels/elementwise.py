"""Functions that CuPy has in one kernel."""

from __future__ import annotations

from typing import Any

import cupy
from cupyx.scipy import special

from lamina.contract import KernelTable

kernels = KernelTable()


@kernels("erf")
def erf(x: Any) -> Any:
    return special.erf(x).astype(x.dtype, copy=False)


@kernels("complex")
def complex_(real: Any, imag: Any) -> Any:
    result = cupy.empty(real.shape, cupy.result_type(real.dtype, cupy.complex64))
    result.real[...], result.imag[...] = real, imag
    return result
