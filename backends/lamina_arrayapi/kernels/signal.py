"""Fourier transforms: the standard's own, along the last axis."""

from __future__ import annotations

from typing import Any

from lamina.contract import KernelTable


def make(xp: Any) -> KernelTable:
    kernels = KernelTable()
    kernels.add("fft", lambda x: xp.fft.fft(x))
    kernels.add("ifft", lambda x: xp.fft.ifft(x))

    @kernels("rfft")
    def rfft(x: Any, fft_length: int) -> Any:
        return xp.fft.rfft(x, n=fft_length)

    @kernels("irfft")
    def irfft(x: Any, fft_length: int) -> Any:
        return xp.fft.irfft(x, n=fft_length)

    return kernels
