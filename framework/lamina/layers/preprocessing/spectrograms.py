"""Sounds as pictures: how strong each frequency is over time."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from lamina import ops
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.layers.arguments import choice, flag, number, positive
from lamina.layers.layer import Layer
from lamina.layers.probing import Output
from lamina.layers.spatial import SpatialLayer, as_format
from lamina.runtime.convert import numpy_dtype
from lamina.runtime.tensor import Tensor

Array = np.ndarray[Any, Any]

_COSINES: Final = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46), "blackman": (0.42, 0.5, 0.08)}
"""Windows a - b * cos(t) + c * cos(2 * t) by their coefficients."""
WINDOWS: Final = (*_COSINES, "bartlett")


def as_window(window: Any) -> Any:
    """A window by name, None for none, or its numbers."""
    if window is None or isinstance(window, str):
        return None if window is None else choice(window, "window", WINDOWS)
    values = window.tolist() if hasattr(window, "tolist") else window
    if not isinstance(values, (list, tuple)):
        raise ArgumentTypeError(f"window is {window!r}.", expected="a name, None, or a list of numbers.")
    return [number(value, "window") for value in values]


def window_values(window: Any, length: int, periodic: bool) -> Array:
    """The numbers of a window; a periodic one lacks its last element.

    >>> window_values("hann", 4, periodic=True).round(2).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    if window is None:
        return np.ones(length)
    if not isinstance(window, str):
        if len(window) != length:
            raise ArgumentError(f"window has {len(window)} numbers.", expected=f"{length}, one for each sample.")
        return np.asarray(window, np.float64)
    turns = np.arange(length) / max(1, length if periodic else length - 1)
    if window == "bartlett":
        return 1.0 - np.abs(2.0 * turns - 1.0)
    signs = (1.0, -1.0, 1.0)
    terms = zip(signs, _COSINES[window], strict=False)
    return np.asarray(sum(s * a * np.cos(2 * math.pi * i * turns) for i, (s, a) in enumerate(terms)))


def _check_lengths(frame: str, frame_length: int, fft_length: int) -> None:
    if frame_length > fft_length:
        raise ArgumentError(f"{frame} is {frame_length} and fft_length is {fft_length}.", expected="no longer frames.")


class STFTSpectrogram(SpatialLayer):
    """Short-time Fourier transform of sequences, as a convolution whose kernels may be trained.

    Input (batch, samples, channels), or with data_format='channels_first' (batch, channels, samples). Frames of
    ``frame_length`` samples, ``frame_step`` apart (half a frame if None), are weighted by a ``window`` ('hann',
    'hamming', 'blackman', 'bartlett', a list of numbers, or None) and transformed at ``fft_length`` (a power of two if
    None). ``scaling`` divides the window by the root of its sum of squares ('density') or its sum ('spectrum').
    ``mode`` says what comes out: 'log', 'magnitude', 'psd' (its square, twice that of frequencies which a whole
    transform has twice), 'real', 'imag', 'angle', or 'stft', which is 'real' and 'imag' one behind the other. Output
    (batch, frames, channels * frequencies), or with ``expand_dims`` (batch, frames, frequencies, channels); with the
    channels first (batch, channels * frequencies, frames), or (batch, channels, frames, frequencies).

    Weights: ``real_kernel`` and ``imag_kernel`` (frame_length, 1, frequencies), those that the mode needs. As Keras.
    Raises ShapeError for an input with other axes or fewer samples than a frame. A ``periodic`` window is one of a
    longer period whose last element is left out; ``padding`` is 'valid', or 'same' for frames that reach over both
    ends.

    >>> STFTSpectrogram("magnitude", frame_length=8).compute_output_shape((1, 32, 2))
    (1, 7, 10)
    """

    rank = 1

    def __init__(
        self,
        mode: str = "log",
        frame_length: int = 256,
        frame_step: int | None = None,
        fft_length: int | None = None,
        window: Any = "hann",
        periodic: bool = False,
        scaling: str | None = "density",
        padding: str = "valid",
        expand_dims: bool = False,
        data_format: str | None = None,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.mode: str = choice(mode, "mode", ("log", "magnitude", "psd", "real", "imag", "angle", "stft"))
        self.frame_length: int = positive(frame_length, "frame_length")
        self.frame_step: int | None = None if frame_step is None else positive(frame_step, "frame_step")
        self.fft_length: int | None = None if fft_length is None else positive(fft_length, "fft_length")
        self.transformed: int = self.fft_length or 1 << (self.frame_length - 1).bit_length()
        _check_lengths("frame_length", self.frame_length, self.transformed)
        self.window: Any = as_window(window)
        self.periodic: bool = flag(periodic, "periodic")
        self.scaling: str | None = None if scaling is None else choice(scaling, "scaling", ("density", "spectrum"))
        self.padding: str = choice(padding, "padding", ("valid", "same"))
        self.expand_dims: bool = flag(expand_dims, "expand_dims")
        self.data_format: str = as_format(data_format)
        self._weighted = self._scaled(window_values(self.window, self.frame_length, self.periodic))

    def _scaled(self, window: Array) -> Array:
        if self.window is None or self.scaling is None:
            return window
        total = np.sqrt(np.sum(window**2)) if self.scaling == "density" else np.sum(window)
        return np.asarray(window / total)

    def check_input(self, input_shape: Any) -> None:
        super().check_input(input_shape)
        samples = input_shape[self.spatial_axes[0]]
        if samples is not None and samples < self.frame_length and self.padding == "valid":
            raise ShapeError(
                f"STFTSpectrogram got an input of shape {input_shape}.",
                expected=f"at least the {self.frame_length} samples of a frame.",
            )

    def build(self, input_shape: Any) -> None:
        if self.mode != "imag":
            self.real_kernel: Any = self._kernel("real_kernel", np.cos)
        if self.mode != "real":
            self.imag_kernel: Any = self._kernel("imag_kernel", lambda angles: -np.sin(angles))

    def _kernel(self, name: str, wave: Any) -> Any:
        angles = np.outer(np.arange(self.frame_length), np.arange(self.transformed // 2 + 1))
        values = self._weighted[:, None] * wave(angles * (2 * math.pi / self.transformed))

        def initial(shape: Any, dtype: str = "float32") -> Tensor:
            return ops.tensor(values.reshape(shape).astype(numpy_dtype(dtype)))

        return self.add_weight((self.frame_length, 1, values.shape[1]), initial, name=name)

    def call(self, x: Tensor) -> Tensor:
        x = ops.transpose(x, (0, 2, 1)) if self.data_format == "channels_last" else x
        batch, channels, samples = x.shape
        found = self._by_mode(ops.reshape(x, (batch * channels, samples, 1)))
        frames, frequencies = found.shape[1:]
        found = ops.reshape(found, (batch, channels, frames, frequencies))
        if self.expand_dims:
            return found if self.data_format == "channels_first" else ops.transpose(found, (0, 2, 3, 1))
        if self.data_format == "channels_first":
            return ops.reshape(ops.transpose(found, (0, 1, 3, 2)), (batch, channels * frequencies, frames))
        return ops.reshape(ops.transpose(found, (0, 2, 1, 3)), (batch, frames, channels * frequencies))

    def _by_mode(self, x: Tensor) -> Tensor:
        step = self.frame_step or max(1, self.frame_length // 2)
        if self.mode in ("real", "imag"):
            kernel = self.real_kernel if self.mode == "real" else self.imag_kernel
            return ops.conv1d(x, kernel, step, self.padding)
        real, imag = (ops.conv1d(x, kernel, step, self.padding) for kernel in (self.real_kernel, self.imag_kernel))
        if self.mode == "stft":
            return ops.concatenate([real, imag], -1)
        if self.mode == "angle":
            return ops.arctan2(imag, real)
        power = ops.add(ops.square(real), ops.square(imag))
        if self.mode == "log":
            return ops.multiply(ops.log(ops.maximum(power, 1e-7)), 0.5)
        return ops.sqrt(power) if self.mode == "magnitude" else ops.multiply(power, self._times_of_frequencies())

    def _times_of_frequencies(self) -> Tensor:
        """How often each frequency is in a whole transform, of which this one keeps a half."""
        times = np.full(self.transformed // 2 + 1, 2.0)
        times[[0, -1]] = 1.0
        return ops.tensor(times.astype(numpy_dtype(self.dtype)))


class MelSpectrogram(Layer):
    """How strong each of ``num_mel_bins`` ranges of frequencies, equally wide to the ear, is over time.

    Input (samples,) or (batch, samples), output (num_mel_bins, frames) or (batch, num_mel_bins, frames). Frames of
    ``sequence_length`` samples (``fft_length`` if None), ``sequence_stride`` apart, lie around their middle, with the
    ends of the sound reflected. Their Fourier transform at ``fft_length``, weighted by a periodic ``window`` ('hann',
    'hamming', 'blackman', 'bartlett', a list of numbers, or None), is taken to the power ``mag_exp`` and summed over
    triangles between ``min_freq`` and ``max_freq`` (half the ``sampling_rate`` if None) on the mel scale 1127 * ln(1 +
    f / 700). With ``power_to_db`` it is in decibels relative to ``ref_power``, at least ``min_power`` and not more
    than ``top_db`` below the loudest. As Keras. Raises ShapeError for other axes or too few samples to reflect.

    >>> MelSpectrogram(fft_length=32, sequence_stride=16, num_mel_bins=6).compute_output_shape((None, 128))
    (None, 6, 9)
    """

    def __init__(
        self,
        fft_length: int = 2048,
        sequence_stride: int = 512,
        sequence_length: int | None = None,
        window: Any = "hann",
        sampling_rate: int = 16000,
        num_mel_bins: int = 128,
        min_freq: float = 20.0,
        max_freq: float | None = None,
        power_to_db: bool = True,
        top_db: float = 80.0,
        mag_exp: float = 2.0,
        min_power: float = 1e-10,
        ref_power: float = 1.0,
        **common: Any,
    ) -> None:
        super().__init__(**common)
        self.fft_length: int = positive(fft_length, "fft_length")
        self.sequence_stride: int = positive(sequence_stride, "sequence_stride")
        self.sequence_length: int = self.fft_length if sequence_length is None else positive(
            sequence_length, "sequence_length"
        )  # fmt: skip
        _check_lengths("sequence_length", self.sequence_length, self.fft_length)
        self.window: Any = as_window(window)
        self.sampling_rate: int = positive(sampling_rate, "sampling_rate")
        self.num_mel_bins: int = positive(num_mel_bins, "num_mel_bins")
        self.min_freq: float = number(min_freq, "min_freq", minimum=0.0)
        self.max_freq: float = self.sampling_rate / 2 if max_freq is None else number(max_freq, "max_freq", minimum=0.0)
        if not self.min_freq < self.max_freq <= self.sampling_rate / 2:
            raise ArgumentError(
                f"min_freq is {self.min_freq} and max_freq is {self.max_freq}.",
                expected=f"min_freq below max_freq, and that at most {self.sampling_rate / 2}, half the sampling rate.",
            )
        self.power_to_db: bool = flag(power_to_db, "power_to_db")
        self.top_db: float = number(top_db, "top_db", minimum=0.0)
        self.mag_exp: float = number(mag_exp, "mag_exp")
        self.min_power: float = number(min_power, "min_power", minimum=0.0)
        self.ref_power: float = number(ref_power, "ref_power")
        self._frame_window = self._centred(window_values(self.window, self.sequence_length, periodic=True))

    def _centred(self, window: Array) -> Array:
        before = (self.fft_length - self.sequence_length) // 2
        return np.pad(window, (before, self.fft_length - self.sequence_length - before))

    def check_input(self, input_shape: Any) -> None:
        samples = input_shape[-1] if len(input_shape) in (1, 2) else 0
        if samples is not None and samples <= self.fft_length // 2:
            raise ShapeError(
                f"MelSpectrogram got an input of shape {input_shape}.",
                expected=f"(batch, samples) or (samples,) with more than {self.fft_length // 2} samples.",
            )

    def compute_output_spec(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Also for an unknown number of samples, where the trial with some numbers would find too few."""
        samples = x.shape[-1]
        reach = 2 * (self.fft_length // 2) - self.fft_length
        frames = None if samples is None else (samples + reach) // self.sequence_stride + 1
        return Output((*x.shape[:-1], self.num_mel_bins, frames), self.dtype)

    def call(self, x: Tensor) -> Tensor:
        x = ops.cast(x, self.dtype)
        half = self.fft_length // 2
        around = [(0, 0)] * (x.ndim - 1) + [(half, half)]
        frames = ops.signal.frame(ops.mirror_pad(x, around, "reflect"), self.fft_length, self.sequence_stride)
        spectrum = ops.signal.rfft(ops.multiply(frames, self._constant(self._frame_window)), self.fft_length)
        mel = ops.matmul(self._powers(spectrum), self._constant(self._triangles()))
        axes = (*range(x.ndim - 1), x.ndim, x.ndim - 1)
        return self._decibels(ops.transpose(mel, axes)) if self.power_to_db else ops.transpose(mel, axes)

    def _constant(self, values: Array) -> Tensor:
        return ops.tensor(values.astype(numpy_dtype(self.dtype)))

    def _powers(self, spectrum: Tensor) -> Tensor:
        power = ops.add(ops.square(ops.real(spectrum)), ops.square(ops.imag(spectrum)))
        return power if self.mag_exp == 2 else ops.power(power, self.mag_exp / 2)

    def _triangles(self) -> Array:
        """What each frequency weighs in each range: (frequencies, ranges)."""
        frequencies = np.linspace(0.0, self.sampling_rate / 2, self.fft_length // 2 + 1)
        edges = np.linspace(_mel(self.min_freq), _mel(self.max_freq), self.num_mel_bins + 2)
        places = np.asarray(_mel(frequencies))[:, None]
        rising = (places - edges[:-2]) / (edges[1:-1] - edges[:-2])
        falling = (edges[2:] - places) / (edges[2:] - edges[1:-1])
        weights = np.maximum(0.0, np.minimum(rising, falling))
        weights[0] = 0.0  # what does not change over time is not heard
        return np.asarray(weights)

    def _decibels(self, power: Tensor) -> Tensor:
        loudness = ops.multiply(ops.log(ops.maximum(power, self.min_power)), 10.0 / math.log(10.0))
        loudness = ops.subtract(loudness, 10.0 * math.log10(max(self.ref_power, self.min_power)))
        return ops.maximum(loudness, ops.subtract(ops.max(loudness), self.top_db))


def _mel(frequency: Any) -> Any:
    """A frequency on a scale on which equal distances sound equal (O'Shaughnessy 1987)."""
    return 1127.0 * np.log1p(np.asarray(frequency) / 700.0)
