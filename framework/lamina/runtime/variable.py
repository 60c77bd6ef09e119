"""State that changes: weights, moments, counters, seeds."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from lamina.contract import Backend
from lamina.dtypes import canonical_dtype
from lamina.errors import ArgumentTypeError, DTypeError, ShapeError
from lamina.runtime.convert import from_numpy, move, numpy_dtype, to_tensor
from lamina.runtime.listeners import listeners
from lamina.runtime.tensor import Tensor
from lamina.shapes import Shape, Spec

if TYPE_CHECKING:
    from lamina.runtime.methods import Methods
else:
    Methods = object  # lamina.ops.methods attaches the real ones

_numbers = itertools.count(1)
_changes = itertools.count(1)


class Variable(Methods):
    """A named value that can be assigned; its shape and dtype stay.

    Ops take a Variable wherever they take a tensor. Gradients and replayed steps find Variables by themselves.

    >>> import lamina
    >>> v = lamina.Variable([1.0, 2.0], name="weights")
    >>> _ = v.assign(v * 2)
    >>> v.numpy().tolist()
    [2.0, 4.0]
    """

    __array_priority__ = 1000
    last_change: ClassVar[int] = 0
    """Grows whenever any Variable is assigned, moved, or read for the first time after a replayed step."""

    def __init__(self, initial_value: Any, trainable: bool = True, name: str | None = None, dtype: Any = None) -> None:
        value = to_tensor(initial_value, None if dtype is None else canonical_dtype(dtype))
        if dtype is not None and value.dtype != canonical_dtype(dtype):
            value = from_numpy(_cast_host(value, canonical_dtype(dtype)), value.backend)
        if not isinstance(trainable, bool):
            raise ArgumentTypeError(f"trainable is {trainable!r}.", expected="True or False.")
        self.shape: Shape = value.shape
        self.dtype: str = value.dtype
        self.trainable = trainable
        self.constraint: Callable[[Any], Tensor] | None = None
        self.name: str = name if name is not None else f"variable_{next(_numbers)}"
        self._backend = value.backend
        self._value: Tensor | None = _own(value)
        self._storage: Any = None
        self._storage_is_stale = True
        self._group: VariableGroup | None = None
        for listener in listeners():
            listener.on_create(self)

    @property
    def value(self) -> Tensor:
        """The current value. The tensor keeps it, even when the Variable is assigned anew."""
        value = self._value
        if value is None:
            value = self._value = Tensor(self._backend.copy(self._storage), self.spec, self._backend)
            Variable.last_change = next(_changes)
        heard = listeners()
        for listener in heard:
            listener.on_read(self, value)
        return value if heard else _own(value)

    def __lamina_tensor__(self) -> Tensor:
        return self.value

    @property
    def spec(self) -> Spec:
        """Shape and dtype."""
        return Spec(self.shape, self.dtype)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return self.spec.size

    @property
    def backend(self) -> Backend:
        """The backend that holds the value."""
        return self._backend

    def assign(self, value: Any) -> Variable:
        """Replaces the value by one of the same shape and dtype; returns the Variable itself.

        Raises ShapeError or DTypeError, and changes nothing, if it does not fit. A tensor without
        values changes nothing either.
        """
        tensor = to_tensor(value, self.dtype, self._backend)
        if tensor.shape != self.shape:
            raise ShapeError(
                f"Variable {self.name!r} has shape {self.shape}, and the new value {tensor.shape}.",
                expected="a value of the same shape.",
            )
        if tensor.dtype != self.dtype:
            raise DTypeError(
                f"Variable {self.name!r} has dtype {self.dtype}, and the new value {tensor.dtype}.",
                fix=f"cast the value: value.cast({self.dtype!r}).",
            )
        if tensor._backend is None:  # only shapes are being worked out: nothing happens
            return self
        tensor = move(tensor, self._backend)
        heard = listeners()
        for listener in heard:
            listener.on_write(self, tensor)
        self._value = tensor if heard else _own(tensor)
        self._storage_is_stale = True
        Variable.last_change = next(_changes)
        return self

    def numpy(self) -> np.ndarray[Any, Any]:
        """The value as a NumPy array of its own."""
        return self.value.numpy()

    def to(self, backend: Backend) -> None:
        """Moves the value to another backend."""
        move_variables([self], backend)

    def storage(self) -> Any:
        """The array that replayed steps write into in place; nobody else holds it."""
        if self._storage_is_stale:
            assert self._value is not None
            if self._storage is None and self._group is not None:
                self._group.allocate(self._backend)
            if self._storage is None:
                self._storage = self._backend.copy(self._value._array)
            else:
                self._storage = self._backend.overwrite(self._storage, self._value._array)
            self._storage_is_stale = False
        return self._storage

    def holds(self, storage: Any) -> bool:
        """Whether ``storage`` is the array that replayed steps write into, and has the current value."""
        return storage is self._storage and not self._storage_is_stale

    def was_overwritten(self) -> None:
        """Tells the Variable that a replayed step wrote a new value into its storage."""
        self._value = None

    def __len__(self) -> int:
        return len(self.value)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        return self.value.__array__(dtype)

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        return f"<Variable {self.name!r} shape={self.shape} dtype={self.dtype} trainable={self.trainable}>"

    def _repr_html_(self) -> str:
        from lamina.runtime.notebook import array_html

        kept = "" if self.trainable else ", not trainable"
        return array_html(f"Variable {self.name!r}, shape {self.shape}, {self.dtype}{kept}", self.numpy())


def move_variables(variables: Iterable[Variable], backend: Backend) -> None:
    """Moves the values of Variables to another backend: all of them, or none if one cannot go there."""
    leaving = [v for v in variables if v._backend is not backend]
    values = [move(v.value, backend) for v in leaving]
    for variable, value in zip(leaving, values, strict=True):
        variable._value, variable._backend = value, backend
        variable._storage, variable._storage_is_stale = None, True
        Variable.last_change = next(_changes)


class VariableGroup:
    """Variables that are updated together: the backend may lay their storage side by side."""

    def __init__(self, variables: Sequence[Variable]) -> None:
        self._variables = list(variables)
        for variable in self._variables:
            variable._group = self
            if variable._storage is not None:  # used by a recorded step before: the value moves to the new place
                _ = variable.value
                variable._storage, variable._storage_is_stale = None, True
                Variable.last_change = next(_changes)

    def allocate(self, backend: Backend) -> None:
        """Gives the members that are on ``backend`` and have no storage theirs."""
        members = [v for v in self._variables if v._backend is backend and v._storage is None]
        for member, array in zip(members, backend.allocate([v.spec for v in members]), strict=True):
            member._storage = array


def _own(value: Tensor) -> Tensor:
    """The same values as a tensor of our own: a recording must not take a user's constant for the Variable."""
    return Tensor(value._array, value.spec, value._backend)


def _cast_host(value: Tensor, dtype: str) -> np.ndarray[Any, Any]:
    return value.numpy().astype(numpy_dtype(dtype))
