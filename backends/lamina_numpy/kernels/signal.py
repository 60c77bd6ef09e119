"""Fourier transforms into buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.contract import KernelTable

kernels = KernelTable()


@kernels("fft", out=True)
def fft(x: Any, out: Any = None) -> Any:
    return np.fft.fft(x, out=out)


@kernels("ifft", out=True)
def ifft(x: Any, out: Any = None) -> Any:
    return np.fft.ifft(x, out=out)


@kernels("rfft", out=True)
def rfft(x: Any, fft_length: int, out: Any = None) -> Any:
    return np.fft.rfft(x, fft_length, out=out)


@kernels("irfft", out=True)
def irfft(x: Any, fft_length: int, out: Any = None) -> Any:
    return np.fft.irfft(x, fft_length, out=out)
