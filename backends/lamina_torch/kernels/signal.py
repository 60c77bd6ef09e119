"""Fourier transforms: torch's own, along the last axis. Its libraries refuse to transform no signals at all."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()


@kernels("fft")
def fft(x: Any) -> Any:
    return torch.fft.fft(x) if x.numel() else torch.empty_like(x)


@kernels("ifft")
def ifft(x: Any) -> Any:
    return torch.fft.ifft(x) if x.numel() else torch.empty_like(x)


@kernels("rfft")
def rfft(x: Any, fft_length: int) -> Any:
    if x.numel():
        return torch.fft.rfft(x, fft_length)
    return x.new_empty((*x.shape[:-1], fft_length // 2 + 1), dtype=x.dtype.to_complex())


@kernels("irfft")
def irfft(x: Any, fft_length: int) -> Any:
    if x.numel():
        return torch.fft.irfft(x, fft_length)
    return x.new_empty((*x.shape[:-1], fft_length), dtype=x.dtype.to_real())
