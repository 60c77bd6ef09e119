"""Signals: TensorFlow.js gives the inverse of a real transform two axes at least."""

from __future__ import annotations

from typing import Any

from adapting import TensorLike, adapter

import lamina


@adapter("irfft")
def irfft(x: TensorLike) -> Any:
    found = lamina.signal.irfft(x)
    return lamina.reshape(found, (-1, found.shape[-1])) if x.ndim != 3 else found
