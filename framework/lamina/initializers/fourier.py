"""The initializer that makes a convolution a short-time Fourier transform."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from lamina import ops
from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentError, ShapeError
from lamina.initializers.initializer import Initializer
from lamina.runtime.tensor import Tensor
from lamina.shapes import as_bool, as_shape

WINDOWS: Final[dict[str, Callable[[int], Any]]] = {
    "bartlett": np.bartlett,
    "blackman": np.blackman,
    "boxcar": np.ones,
    "hamming": np.hamming,
    "hann": np.hanning,
}


class STFT(Initializer):
    """Kernels (frame length, 1, frequencies) of cosines, or with side="imag" of sines, weighted by a window.

    ``window`` is a name, numbers, or None for none; ``periodic`` leaves its last point out, for spectra. ``scaling``
    "density" divides by the root of the sum of its squares, "spectrum" by its sum, None by nothing.

    >>> STFT(window=None)((4, 1, 3)).round().tolist()[2]
    [[1.0, -1.0, 1.0]]
    """

    def __init__(
        self, side: str = "real", window: Any = "hann", scaling: str | None = "density", periodic: bool = False
    ) -> None:
        for name, value, allowed in (
            ("side", side, ("real", "imag")),
            ("scaling", scaling, (None, "density", "spectrum")),
            ("window", window if isinstance(window, str) else None, (None, *WINDOWS)),
        ):
            if value not in allowed:
                raise ArgumentError(f"{name} is {value!r}.", expected=f"one of {', '.join(map(repr, allowed))}.")
        self.side: str = side
        self.scaling: str | None = scaling
        self.periodic: bool = as_bool(periodic, "periodic")
        self.window: Any = (
            window if window is None or isinstance(window, str) else np.asarray(window, np.float64).tolist()
        )

    def __call__(self, shape: Any, dtype: Any = "float32") -> Tensor:
        sizes = as_shape(shape)
        if len(sizes) != 3 or sizes[2] < 2:
            raise ShapeError(f"a Fourier kernel of shape {sizes}.", expected="(frame length, 1, frequencies).")
        turns = np.outer(np.arange(sizes[0]), np.arange(sizes[2])) / (2.0 * (sizes[2] - 1))
        waves = (np.cos if self.side == "real" else np.sin)(-2.0 * np.pi * turns) * self._window(sizes[0])[:, None]
        return ops.cast(ops.tensor(np.broadcast_to(waves[:, None], sizes)), canonical_dtype(dtype))

    def _window(self, length: int) -> Any:
        """The window, divided by what ``scaling`` says."""
        if self.window is None:
            return np.ones(length)
        if isinstance(self.window, str):
            found = WINDOWS[self.window](length + self.periodic)[:length]
        else:
            found = np.asarray(self.window)
        if found.shape != (length,):
            raise ShapeError(f"a window of shape {found.shape} for frames of {length}.", expected=f"({length},).")
        if self.scaling is None:
            return found
        return found / (np.sqrt(np.sum(found**2)) if self.scaling == "density" else np.sum(np.abs(found)))

    def get_config(self) -> dict[str, Any]:
        return {"side": self.side, "window": self.window, "periodic": self.periodic, "scaling": self.scaling}
