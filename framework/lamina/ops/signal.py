"""Signals: discrete Fourier transforms, windows, frames, and the short-time Fourier transform."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from lamina.dtypes import ARITHMETIC, COMPLEX, canonical_dtype, real_dtype
from lamina.errors import ShapeError
from lamina.ops.creation import arange, full, tensor
from lamina.ops.elementwise import add, cast, divide, multiply
from lamina.ops.indexing import gather, getitem
from lamina.ops.shaping import concat, expand_dims, pad
from lamina.runtime.convert import numpy_dtype
from lamina.runtime.op import TensorLike, composite_op, op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int

_REAL: Final = ("float32", "float64")
_COMPLEX_OF: Final = {"float32": "complex64", "float64": "complex128"}

Window = Callable[..., Tensor]


def _transformed(name: str) -> Any:
    def rule(x: Any) -> Spec:
        _check_last_axis(name, x)
        return Spec(x.shape, x.dtype)

    return rule


def _check_last_axis(name: str, x: Any) -> None:
    if not x.ndim or not x.shape[-1]:
        raise ShapeError(f"{name}(x): x is {x.shape}.", expected="x to have a last axis of at least one element.")


@op(result=_transformed("fft"), dtypes=COMPLEX)
def fft(x: TensorLike) -> Tensor:
    """Discrete Fourier transform along the last axis: y[k] = sum over n of x[n] * exp(-2 pi i k n / N).

    x is complex (for real numbers see ``rfft``), of any shape whose last axis has an element; y has its shape and
    dtype. As NumPy, but complex64 stays complex64. Raises DTypeError for real numbers, ShapeError for an empty axis.

    >>> fft([1 + 0j, 0j, 0j, 0j]).tolist()
    [(1+0j), (1+0j), (1+0j), (1+0j)]
    """


@fft.gradient
def _(dy: Tensor) -> Tensor:
    return multiply(ifft(dy), dy.shape[-1])


@op(result=_transformed("ifft"), dtypes=COMPLEX)
def ifft(x: TensorLike) -> Tensor:
    """Inverse of ``fft``: y[n] = 1/N * sum over k of x[k] * exp(2 pi i k n / N).

    x is complex; y has its shape and dtype. As NumPy, but complex64 stays complex64. Raises DTypeError for real
    numbers, ShapeError for an empty last axis.

    >>> ifft([4 + 0j, 0j, 0j, 0j]).tolist()
    [(1+0j), (1+0j), (1+0j), (1+0j)]
    """


@ifft.gradient
def _(dy: Tensor) -> Tensor:
    return divide(fft(dy), dy.shape[-1])


def _spectrum(x: Any, fft_length: int) -> Spec:
    return Spec((*x.shape[:-1], fft_length // 2 + 1), _COMPLEX_OF[x.dtype])


@op(result=_spectrum, dtypes=_REAL, integers="float32")
def rfft(x: TensorLike, fft_length: int | None = None) -> Tensor:
    """Fourier transform of real numbers along the last axis: the fft_length // 2 + 1 terms that determine the others.

    The last axis is cut, or filled with zeros, to ``fft_length`` (default: its own size). y is complex64 for float32
    and integers, complex128 for float64. As NumPy. Raises DTypeError for complex numbers (see ``fft``), ShapeError
    for an empty last axis, ArgumentError for an ``fft_length`` below 1.

    >>> rfft([1.0, 1.0, 1.0, 1.0]).tolist()
    [(4+0j), 0j, 0j]
    """


@rfft.settings
def _(x: Tensor, fft_length: Any) -> dict[str, Any]:
    _check_last_axis("rfft", x)
    return {"fft_length": x.shape[-1] if fft_length is None else as_int(fft_length, "fft_length", minimum=1)}


@rfft.gradient
def _(dy: Tensor, *, x: Tensor, fft_length: int) -> Tensor:
    """Each term between the first and the middle one stands for two in ``irfft``, so it counts half."""
    spread = irfft(multiply(dy, _weights(fft_length, fft_length, fft_length / 2, dy.dtype)), fft_length)
    return _resized(spread, x.shape[-1])


def _signal(x: Any, fft_length: int) -> Spec:
    return Spec((*x.shape[:-1], fft_length), real_dtype(x.dtype))


@op(result=_signal, dtypes=COMPLEX)
def irfft(x: TensorLike, fft_length: int | None = None) -> Tensor:
    """Inverse of ``rfft``: the real numbers of which x holds the first half of the Fourier transform.

    ``fft_length`` is the number of results: 2 * (n - 1) for the n terms of x if it is not given (1 for one term);
    give it where it is odd. x is cut, or filled with zeros, to fft_length // 2 + 1 terms; the imaginary part of the
    first one, and of the middle one of an even length, is not read. As NumPy. Raises DTypeError for real numbers,
    ShapeError for an empty last axis, ArgumentError for an ``fft_length`` below 1.

    >>> irfft([4 + 0j, 0j, 0j]).tolist()
    [1.0, 1.0, 1.0, 1.0]
    """


@irfft.settings
def _(x: Tensor, fft_length: Any) -> dict[str, Any]:
    _check_last_axis("irfft", x)
    usual = max(1, 2 * (x.shape[-1] - 1))
    return {"fft_length": usual if fft_length is None else as_int(fft_length, "fft_length", minimum=1)}


@irfft.gradient
def _(dy: Tensor, *, x: Tensor, fft_length: int) -> Tensor:
    spectrum = rfft(dy, fft_length)
    spread = multiply(spectrum, _weights(fft_length, 1 / fft_length, 2 / fft_length, spectrum.dtype))
    return _resized(spread, x.shape[-1])


def _weights(length: int, ends: float, between: float, dtype: str) -> Tensor:
    """A factor for each term of half a spectrum: the first, and the middle one of an even length, are ``ends``."""
    doubled = full(((length - 1) // 2,), between, dtype)
    last = [] if length % 2 else [full((1,), ends, dtype)]
    return concat(full((1,), ends, dtype), doubled, *last, axis=0)


def _resized(x: Tensor, size: int) -> Tensor:
    """The last axis cut or filled with zeros."""
    if x.shape[-1] >= size:
        return getitem(x, (..., slice(0, size)))
    return pad(x, [(0, 0)] * (x.ndim - 1) + [(0, size - x.shape[-1])])


def enclosing_power_of_two(value: int) -> int:
    """The smallest power of two that is at least ``value``: the length at which a Fourier transform is fast.

    Raises ArgumentError for a value below 1.

    >>> enclosing_power_of_two(5), enclosing_power_of_two(8)
    (8, 8)
    """
    return 1 << (as_int(value, "value", minimum=1) - 1).bit_length()


def cosine_window(window_length: int, a: float, b: float, dtype: Any = "float32") -> Tensor:
    """A window of a cosine: w[n] = a - b * cos(2 pi n / N), with N the length if it is even, else the length less one.

    So even lengths are periodic and odd ones symmetric, as in TensorFlow.js. A window of one element is 1, as in NumPy.
    Raises ArgumentError for a negative length, or a dtype that is not floating.

    >>> cosine_window(4, 0.5, 0.5).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    length = as_int(window_length, "window_length", minimum=0)
    angles = np.arange(length) * (2 * math.pi / max(1, length - length % 2))
    window = np.ones(1) if length == 1 else a - b * np.cos(angles)
    return tensor(window.astype(numpy_dtype(canonical_dtype(dtype))))


def hamming_window(window_length: int, dtype: Any = "float32") -> Tensor:
    """Hamming's window: w[n] = 0.54 - 0.46 * cos(2 pi n / N), with N as in ``cosine_window``.

    >>> hamming_window(4).tolist()
    [0.07999999821186066, 0.5400000214576721, 1.0, 0.5400000214576721]
    """
    return cosine_window(window_length, 0.54, 0.46, dtype)


def hann_window(window_length: int, dtype: Any = "float32") -> Tensor:
    """Hann's window: w[n] = 0.5 - 0.5 * cos(2 pi n / N), with N as in ``cosine_window``.

    >>> hann_window(4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    return cosine_window(window_length, 0.5, 0.5, dtype)


def _framed(x: Any, frame_length: int, frame_step: int, pad_end: bool, pad_value: float) -> Spec:
    return Spec((*x.shape[:-1], _frame_count(x.shape[-1], frame_length, frame_step, pad_end), frame_length), x.dtype)


def _frame_count(size: int, frame_length: int, frame_step: int, pad_end: bool) -> int:
    return -(-size // frame_step) if pad_end else max(0, (size - frame_length) // frame_step + 1)


@composite_op(result=_framed, dtypes=ARITHMETIC)
def frame(
    signal: TensorLike, frame_length: int, frame_step: int, pad_end: bool = False, pad_value: float = 0
) -> Tensor:
    """The last axis cut into overlapping frames: y[..., i, j] = signal[..., i * frame_step + j].

    signal is (..., n), y is (..., frames, frame_length). What is left at the end is dropped, or with ``pad_end``
    filled up with ``pad_value`` so that every element begins or lies in a frame. As TensorFlow. Raises ShapeError for
    a signal without axes, ArgumentError for a length or a step below 1.

    >>> frame([1, 2, 3, 4, 5], 3, 2).tolist()
    [[1, 2, 3], [3, 4, 5]]
    """
    count = _frame_count(signal.shape[-1], frame_length, frame_step, pad_end)
    reach = (count - 1) * frame_step + frame_length
    if count and reach > signal.shape[-1]:
        room = [(0, 0)] * (signal.ndim - 1) + [(0, reach - signal.shape[-1])]
        signal = pad(signal, room, pad_value)
    starts = expand_dims(arange(0, count * frame_step, frame_step), -1)
    return gather(signal, add(starts, arange(frame_length)), axis=-1)


@frame.settings
def _(signal: Tensor, frame_length: Any, frame_step: Any, pad_end: Any, pad_value: Any) -> dict[str, Any]:
    if not signal.ndim:
        raise ShapeError("frame(signal): signal is a scalar.", expected="signal to have an axis to cut.")
    return {
        "frame_length": as_int(frame_length, "frame_length", minimum=1),
        "frame_step": as_int(frame_step, "frame_step", minimum=1),
        "pad_end": bool(pad_end),
        "pad_value": pad_value,
    }


def stft(
    signal: TensorLike,
    frame_length: int,
    frame_step: int,
    fft_length: int | None = None,
    window_fn: Window | None = hann_window,
) -> Tensor:
    """Short-time Fourier transform: ``rfft`` of each frame of the last axis times a window.

    signal is real, (..., n); y is complex, (..., frames, fft_length // 2 + 1). ``fft_length`` is the
    ``enclosing_power_of_two`` of ``frame_length`` if it is not given. The window is
    ``window_fn(frame_length, dtype=...)``; None is no window. As TensorFlow. Raises as ``frame`` and ``rfft``.

    >>> stft([1.0, 1.0, 1.0, 1.0], 2, 2, window_fn=None).tolist()
    [[(2+0j), 0j], [(2+0j), 0j]]
    """
    frames = frame(signal, frame_length, frame_step)
    if frames.dtype not in (*_REAL, *COMPLEX):
        frames = cast(frames, "float32")
    if window_fn is not None:
        frames = multiply(frames, window_fn(frames.shape[-1], dtype=real_dtype(frames.dtype)))
    return rfft(frames, enclosing_power_of_two(frames.shape[-1]) if fft_length is None else fft_length)
