"""Fourier transforms: torch's own, along the last axis."""

from __future__ import annotations

from typing import Any

import torch

from lamina.contract import KernelTable

kernels = KernelTable()
kernels.add("fft", torch.fft.fft, out=True)
kernels.add("ifft", torch.fft.ifft, out=True)


@kernels("rfft")
def rfft(x: Any, fft_length: int) -> Any:
    return torch.fft.rfft(x, fft_length)


@kernels("irfft")
def irfft(x: Any, fft_length: int) -> Any:
    return torch.fft.irfft(x, fft_length)
