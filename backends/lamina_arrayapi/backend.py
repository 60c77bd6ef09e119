"""A backend for any library that speaks the Array API standard: give it the namespace."""

from __future__ import annotations

from typing import Any, ClassVar

from lamina.contract import Backend
from lamina_arrayapi.writing import put

STANDARD = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float32", "float64", "complex64", "complex128",
)  # fmt: skip


class ArrayAPIBackend(Backend):
    """Subclass it with a ``name``, a namespace ``xp`` and ``kernels = make_kernels(xp)``."""

    xp: ClassVar[Any]

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
