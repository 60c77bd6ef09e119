"""The tensor: an immutable array of a backend, with its shape and dtype."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from lamina.contract import Backend
from lamina.errors import ArgumentTypeError, DTypeError, HostReadError, ShapeError
from lamina.runtime.listeners import listeners
from lamina.shapes import Shape, Spec

if TYPE_CHECKING:
    from lamina.runtime.methods import Methods
else:
    Methods = object  # lamina.ops.methods attaches the real ones

_uids = itertools.count(1)


class Tensor(Methods):
    """An n-dimensional array of one dtype on one backend. Its values never change.

    Make one with ``lamina.tensor``. Every op is also a method, so that ``x.matmul(w).add(b).relu()`` chains; the
    operators, indexing and ``numpy()`` work as in NumPy.

    >>> import lamina
    >>> x = lamina.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> x
    Tensor([[1., 2.],
            [3., 4.]], shape=(2, 2), dtype=float32)
    >>> (x * 2)[0].tolist()
    [2.0, 4.0]
    """

    __slots__ = ("__weakref__", "_array", "_backend", "_mask", "_uid", "dtype", "shape")
    shape: Shape
    dtype: str
    __array_priority__ = 1000  # NumPy arrays on the left leave the operator to us

    def __init__(self, array: Any, spec: Spec, backend: Backend | None) -> None:
        self._array = array
        self.shape, self.dtype = spec
        self._backend = backend
        self._uid = 0
        self._mask: Tensor | None = None

    @property
    def mask(self) -> Tensor | None:
        """Which steps count, as a layer such as ``Masking`` or ``Embedding`` said: bool, False for padding; or None.

        Layers, losses and metrics heed it; ops do not carry it on.
        """
        return self._mask

    @property
    def uid(self) -> int:
        """A number that no other tensor of this process has."""
        if not self._uid:
            self._uid = next(_uids)
        return self._uid

    @property
    def spec(self) -> Spec:
        """Shape and dtype."""
        return Spec(self.shape, self.dtype)

    @property
    def backend(self) -> Backend:
        """The backend that holds the values."""
        if self._backend is None:
            raise _no_values(self)
        return self._backend

    @property
    def device(self) -> str:
        """The device that holds the values, in the backend's own words."""
        return self.backend.device

    @property
    def array(self) -> Any:
        """The backend's native array. It is shared, and must not be written to."""
        if self._backend is None:
            raise _no_values(self)
        for listener in listeners():
            listener.on_host_read(self)
        return self._array

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.spec.size

    def numpy(self) -> np.ndarray[Any, Any]:
        """The values as a NumPy array of its own.

        Raises HostReadError inside a recorded step: the value would be frozen there.
        """
        return np.array(self.backend.to_host(self.array))

    def item(self) -> Any:
        """The value of a tensor with one element, as a Python scalar. Raises ShapeError if there are more."""
        if self.size != 1:
            raise ShapeError(f"item() of a tensor of shape {self.shape}.", expected="a tensor with one element.")
        return self.numpy().reshape(()).item()

    def tolist(self) -> Any:
        """The values as nested Python lists; a scalar for a tensor without axes."""
        return self.numpy().tolist()

    def print(self, verbose: bool = False) -> None:
        """Prints the values; ``verbose`` adds dtype, rank and shape, as in TensorFlow.js."""
        body = str(self.numpy()).replace("\n", "\n    ")
        details = [f"  dtype: {self.dtype}", f"  rank: {self.ndim}", f"  shape: {list(self.shape)}", "  values:"]
        print("\n".join(["Tensor", *(details if verbose else []), f"    {body}"]))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.numpy()
        return array if dtype is None else array.astype(dtype, copy=False)

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()

    def __bool__(self) -> bool:
        if self.size != 1:
            raise ShapeError(
                f"the truth of a tensor of shape {self.shape} is ambiguous.",
                expected="a tensor with one element.",
                fix="use .any() or .all().",
            )
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __complex__(self) -> complex:
        return complex(self.item())

    def __index__(self) -> int:
        if self.dtype == "bool" or self.ndim:
            raise ArgumentTypeError(f"a {self.dtype} tensor of shape {self.shape} is not an index.")
        return int(self.item().__index__())

    def __len__(self) -> int:
        if not self.shape:
            raise ArgumentTypeError("a scalar tensor has no length.")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        for i in range(len(self)):
            yield self[i]

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        details = f"shape={self.shape}, dtype={self.dtype}"
        if self._backend is None:
            return f"Tensor(<no values>, {details})"
        values = np.array2string(self._backend.to_host(self._array), separator=", ", prefix="Tensor(")
        where = "" if self._backend.name == "numpy" else f", backend={self._backend.name}"
        return f"Tensor({values}, {details}{where})"

    def _repr_html_(self) -> str:
        from lamina.runtime.notebook import array_html

        title = f"Tensor, shape {self.shape}, {self.dtype}"
        if self._backend is None:
            return array_html(f"{title}, without values", np.array([]))
        return array_html(f"{title}, on {self._backend.name}", self._backend.to_host(self._array))

    def __format__(self, specification: str) -> str:
        return format(self.item(), specification) if specification else str(self)

    def __copy__(self) -> Tensor:
        return self

    def __deepcopy__(self, memo: Any) -> Tensor:
        return self

    def __reduce__(self) -> Any:
        raise DTypeError("a Tensor cannot be pickled.", fix="pickle tensor.numpy(), or save the model with model.save.")


def spec_tensor(shape: Shape, dtype: str) -> Tensor:
    """A tensor without values: ops on it only find out shapes and dtypes."""
    return Tensor(None, Spec(shape, dtype), None)


def _no_values(tensor: Tensor) -> HostReadError:
    return HostReadError(
        f"a tensor of shape {tensor.shape} has no values yet: only its shape is being worked out.",
        expected="code that uses ops only.",
        fix="give the layer a compute_output_shape method if its call must read values.",
    )
