"""Fourier transforms: the standard's own, along the last axis. Not every library has those of no signals at all."""

from __future__ import annotations

import math
from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()

    @kernels("fft")
    def fft(x: Any) -> Any:
        return xp.fft.fft(x) if math.prod(x.shape) else xp.zeros_like(x)

    @kernels("ifft")
    def ifft(x: Any) -> Any:
        return xp.fft.ifft(x) if math.prod(x.shape) else xp.zeros_like(x)

    @kernels("rfft")
    def rfft(x: Any, fft_length: int) -> Any:
        if math.prod(x.shape):
            return xp.fft.rfft(x, n=fft_length)
        wanted = xp.complex64 if x.dtype == xp.float32 else xp.complex128
        return xp.zeros((*x.shape[:-1], fft_length // 2 + 1), dtype=wanted)

    @kernels("irfft")
    def irfft(x: Any, fft_length: int) -> Any:
        if math.prod(x.shape):
            return xp.fft.irfft(x, n=fft_length)
        wanted = xp.float32 if x.dtype == xp.complex64 else xp.float64
        return xp.zeros((*x.shape[:-1], fft_length), dtype=wanted)

    return kernels
