"""A backend for any library that speaks the Array API standard: give it the namespace."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from lamina.contract import Backend
from lamina.errors import BackendNotAvailableError
from lamina_arrayapi.writing import put

STANDARD = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128",
)  # fmt: skip


class ArrayAPIBackend(Backend):
    """Subclass it with a ``name``, a namespace ``xp`` and ``kernels = make_kernels(xp)``.

    ``devices`` are the names it may be asked for, the first the one it takes by itself; a subclass that looks for them
    gives None and checks the name.
    """

    xp: ClassVar[Any]
    devices: ClassVar[Sequence[str] | None] = ("cpu",)

    def __init__(self, device: str | None = None) -> None:
        if self.devices is not None and device not in (None, *self.devices):
            raise BackendNotAvailableError(
                f"the backend {self.name!r} has no device {device!r}.", expected=f"one of {', '.join(self.devices)}."
            )
        super().__init__(device or (self.devices[0] if self.devices else None))

    def from_host(self, array: Any) -> Any:
        return self.xp.asarray(array, copy=True)

    def to_host(self, array: Any) -> Any:
        return array.__array__()

    def shape_of(self, array: Any) -> tuple[int, ...]:
        return tuple(array.shape)

    def copy(self, array: Any) -> Any:
        return self.xp.asarray(array, copy=True)

    def overwrite(self, target: Any, source: Any) -> Any:
        return put(self.xp, target, ..., source)

    def from_dlpack(self, tensor: Any) -> Any:
        return self.xp.from_dlpack(tensor)

    def supports(self, dtype: str) -> str | None:
        if dtype in STANDARD:
            return None
        return "the Array API standard does not have it. Use float32, or another backend."
