"""What a layer demands of its inputs, told in data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentError, DTypeError, ShapeError
from lamina.layers.symbolic import SymbolicShape
from lamina.shapes import as_int


class InputSpec:
    """Demands on one input: set ``layer.input_spec`` to one, or to a list with one for each input.

    ``dtype``; ``shape`` with the batch, None for any size; ``ndim``, ``min_ndim`` and ``max_ndim``, the number of axes;
    ``axes``, a size for each of some axes. What is None is free. With ``allow_last_axis_squeeze`` a last axis of size 1
    may be there or not. As in Keras. ``optional`` says that there may be no input. Raises ArgumentError for numbers of
    axes or places that cannot be.

    >>> import lamina
    >>> layer = lamina.layers.Activation("relu", name="relu")
    >>> layer.input_spec = InputSpec(ndim=2, axes={-1: 3})
    >>> layer(lamina.zeros((2, 4)))
    Traceback (most recent call last):
        ...
    lamina.errors.ShapeError: the layer 'relu' got an input of shape (2, 4).
      Expected a size of 3 on axis -1.
      In layer 'relu' (Activation).
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: Mapping[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype: str | None = None if dtype is None else canonical_dtype(dtype)
        self.shape: tuple[int | None, ...] | None = (
            None if shape is None else tuple(None if s is None else as_int(s, "shape", minimum=0) for s in shape)
        )
        self.ndim: int | None = len(self.shape) if self.shape is not None else _count(ndim, "ndim")
        self.max_ndim: int | None = _count(max_ndim, "max_ndim")
        self.min_ndim: int | None = _count(min_ndim, "min_ndim")
        self.axes: dict[int, int | None] = {
            as_int(axis, "axes"): _count(size, "axes") for axis, size in (axes or {}).items()
        }
        self.allow_last_axis_squeeze: bool = bool(allow_last_axis_squeeze)
        self.name = name
        self.optional: bool = bool(optional)
        self._check_axes()

    def _check_axes(self) -> None:
        limit = self.ndim if self.ndim is not None else self.max_ndim
        if limit is not None and any(not -limit <= axis < limit for axis in self.axes):
            raise ArgumentError(f"axes names the axes {sorted(self.axes)}.", expected=f"axes of an input with {limit}.")

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal one."""
        return {
            "dtype": self.dtype,
            "shape": self.shape,
            "ndim": self.ndim,
            "max_ndim": self.max_ndim,
            "min_ndim": self.min_ndim,
            "axes": dict(self.axes),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> InputSpec:
        """The InputSpec of a config."""
        return cls(**config)

    def __repr__(self) -> str:
        given = {key: value for key, value in self.get_config().items() if value not in (None, {})}
        return f"InputSpec({', '.join(f'{key}={value!r}' for key, value in given.items())})"

    def check(self, shape: SymbolicShape, dtype: str | None, layer: Any) -> None:
        """Raises ShapeError or DTypeError if an input of that shape and dtype does not do for the layer."""
        if dtype is not None and self.dtype not in (None, dtype):
            raise DTypeError(
                f"the layer {layer.name!r} got an input of dtype {dtype}.", expected=f"the dtype {self.dtype}."
            )
        wrong = self._wrong(shape)
        if wrong is not None and self.allow_last_axis_squeeze:
            squeezed = shape[:-1] if shape[-1:] == (1,) else (*shape, 1)
            wrong = self._wrong(squeezed) and wrong
        if wrong is not None:
            raise ShapeError(f"the layer {layer.name!r} got an input of shape {shape}.", expected=wrong)

    def _wrong(self, shape: SymbolicShape) -> str | None:
        """What was expected instead of a shape; None if it fits."""
        ndim = len(shape)
        if self.ndim is not None and ndim != self.ndim:
            return f"{self.ndim} axes."
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"at most {self.max_ndim} axes."
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"at least {self.min_ndim} axes."
        for axis, size in self.axes.items():
            if not -ndim <= axis < ndim or (size is not None and shape[axis] not in (None, size)):
                return f"a size of {size} on axis {axis}."
        if any(None not in pair and pair[0] != pair[1] for pair in zip(self.shape or (), shape, strict=False)):
            return f"the shape {self.shape}."
        return None


def _count(value: Any, name: str) -> int | None:
    return None if value is None else as_int(value, name, minimum=0)
