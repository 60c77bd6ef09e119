"""Cases of complex parts put together, Fourier transforms, frames, windows and short-time Fourier transforms."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.testing.inputs import complex_normal, empty, ints, non_contiguous, normal, strings, values
from lamina.testing.table import case


def _complex(real: Any, imag: Any) -> Any:
    return real + 1j * imag


case("complex", [normal(2, 3), normal(2, 3)], reference=_complex)
case("complex", [non_contiguous(2, 3), normal(2, 3)], reference=_complex)
case("complex", [normal(), normal()], reference=_complex)
case("complex", [empty(0, 3), empty(0, 3)], reference=_complex)
case("complex", [ints(3), ints(3)], reference=_complex)
case("complex", [normal(2), normal(2, 1)], raises=ShapeError)
case("complex", [complex_normal(2), complex_normal(2)], raises=DTypeError)

_narrow = np.asarray([1 + 2j, 3 - 1j, 0.5j], np.complex64)
for _name in ("fft", "ifft"):
    _transform = getattr(np.fft, _name)
    for _input in (complex_normal(5), complex_normal(2, 3, 4), complex_normal(2, 1), complex_normal(0, 4)):
        case(_name, [_input], reference=_transform)
    case(_name, [values(_narrow)], reference=_transform, gradient=False)
    case(_name, [normal(4)], raises=DTypeError)
    case(_name, [complex_normal(3, 0)], raises=ShapeError)
    case(_name, [complex_normal()], raises=ShapeError)


def _rfft(x: Any, fft_length: int | None = None) -> Any:
    return np.fft.rfft(x, fft_length)


for _input in (normal(5), normal(2, 3, 4), normal(2, 1), non_contiguous(2, 6), empty(0, 4)):
    case("rfft", [_input], reference=_rfft)
for _length in (1, 3, 4, 7, 8):
    case("rfft", [normal(2, 5)], fft_length=_length, reference=_rfft)
case("rfft", [ints(2, 4)], reference=_rfft)
case("rfft", [complex_normal(4)], raises=DTypeError)
case("rfft", [strings(["a"])], raises=DTypeError)
case("rfft", [empty(3, 0)], raises=ShapeError)
case("rfft", [normal(4)], fft_length=0, raises=ArgumentError)


def _irfft(x: Any, fft_length: int | None = None) -> Any:
    return np.fft.irfft(x, max(1, 2 * (x.shape[-1] - 1)) if fft_length is None else fft_length)


for _input in (complex_normal(5), complex_normal(2, 3, 4), complex_normal(2, 1), complex_normal(0, 4)):
    case("irfft", [_input], reference=_irfft)
for _length in (1, 2, 5, 6, 9, 10):
    case("irfft", [complex_normal(2, 4)], fft_length=_length, reference=_irfft)
case("irfft", [values(_narrow)], reference=_irfft, gradient=False)
case("irfft", [normal(4)], raises=DTypeError)
case("irfft", [complex_normal(3, 0)], raises=ShapeError)
case("irfft", [complex_normal(4)], fft_length=-2, raises=ArgumentError)


def _frame(signal: Any, frame_length: int, frame_step: int, pad_end: bool = False, pad_value: float = 0) -> Any:
    size = signal.shape[-1]
    starts = [s for s in range(0, size, frame_step) if pad_end or s + frame_length <= size]
    room = np.full((*signal.shape[:-1], frame_length), pad_value, signal.dtype)
    longer = np.concatenate([signal, room], -1)
    frames = [longer[..., s : s + frame_length] for s in starts]
    return np.stack(frames, -2) if frames else np.zeros((*signal.shape[:-1], 0, frame_length), signal.dtype)


for _settings in ((3, 1), (3, 2), (2, 4), (9, 1), (100, 1)):
    case("frame", [normal(8), *_settings], reference=_frame)
for _settings in ((3, 3), (4, 1), (2, 5), (9, 4)):
    case("frame", [normal(2, 7), *_settings], pad_end=True, pad_value=2.5, reference=_frame)
case("frame", [non_contiguous(2, 6), 4, 2], reference=_frame)
case("frame", [empty(2, 0), 4, 2], reference=_frame)
case("frame", [empty(0), 4, 2], pad_end=True, reference=_frame)
case("frame", [ints(7), 4, 2], pad_end=True, pad_value=-1, reference=_frame)
case("frame", [normal(), 4, 2], raises=ShapeError)
case("frame", [normal(5), 0, 2], raises=ArgumentError)
case("frame", [normal(5), 2, 0], raises=ArgumentError)
case("frame", [normal(5), 2.5, 1], raises=ArgumentTypeError)


def _cosine(window_length: int, a: float, b: float, dtype: str = "float32") -> Any:
    if window_length == 1:
        return np.ones(1, dtype)
    steps = max(1, window_length - window_length % 2)
    return (a - b * np.cos(2 * np.pi * np.arange(window_length) / steps)).astype(dtype)


def _hann(window_length: int, dtype: str = "float32") -> Any:
    return _cosine(window_length, 0.5, 0.5, dtype)


def _hamming(window_length: int, dtype: str = "float32") -> Any:
    return _cosine(window_length, 0.54, 0.46, dtype)


for _length in (0, 1, 2, 7, 20):
    case("signal.hann_window", [_length], reference=_hann)
    case("signal.hamming_window", [_length], dtype="float64", reference=_hamming)
case("signal.cosine_window", [10, 0.4, 0.6], reference=_cosine)
case("signal.cosine_window", [-1, 0.4, 0.6], raises=ArgumentError)


def _stft(
    signal: Any, frame_length: int, frame_step: int, fft_length: int | None = None, window_fn: Any = _hann
) -> Any:
    frames = _frame(signal, frame_length, frame_step)
    window = 1 if window_fn is None else _hann(frame_length, "float64")
    return np.fft.rfft(frames * window, fft_length or 1 << (frame_length - 1).bit_length())


case("signal.stft", [normal(16), 8, 4], reference=_stft, gradient=True)
case("signal.stft", [normal(2, 9), 5, 2], reference=_stft, gradient=True)
case("signal.stft", [normal(12), 4, 3, 7], reference=_stft, gradient=True)
case("signal.stft", [normal(12), 4, 3, 2, None], reference=_stft, gradient=True)
case("signal.stft", [ints(12), 4, 3], reference=_stft)
case("signal.stft", [normal(3), 4, 3], reference=_stft)
case("signal.stft", [complex_normal(12), 4, 3], raises=DTypeError)
