"""From the arguments of a call to an op's tensors: converted, promoted to one dtype, and checked."""

from __future__ import annotations

import functools
import reprlib
from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any

from lamina.contract import Backend
from lamina.dtypes import BOOL, INTEGER, canonical_dtype, promote_dtypes, weak_dtype
from lamina.errors import ArgumentTypeError, DTypeError, ShapeError
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import SCALARS, scalar, to_tensor
from lamina.runtime.tensor import Tensor


class Arguments(ABC):
    """The part of an op that knows which tensors it takes. Errors name the op and the argument."""

    name: str
    inputs: tuple[str, ...]
    variadic: bool

    def _expect(
        self, dtypes: Collection[str] | dict[str, Collection[str]], promote: Sequence[str] | bool, integers: str | None
    ) -> None:
        """Says what is accepted, which inputs are brought to one dtype, and what integers become."""
        self._integers = integers
        self._dtypes = dtypes if isinstance(dtypes, dict) else dict.fromkeys(self.inputs, dtypes)
        self._promoted = self.inputs if promote is True else tuple(promote or ())
        self._fitting = self._dtypes_that_fit()
        self._scalar_dtypes: dict[tuple[type, str | None, str], str] = {}

    @abstractmethod
    def _cast(self, tensor: Tensor, dtype: str) -> Tensor:
        """The tensor in another dtype, by an op."""

    def _dtypes_that_fit(self) -> frozenset[str]:
        """The dtypes that tensors may all have for nothing to be converted."""
        accepted = [set(self._dtypes.get(name, ())) for name in self.inputs]
        common = set.intersection(*accepted) if accepted else set()
        return frozenset(common if self._integers is None else common.difference(BOOL, INTEGER))

    def _tensors(self, values: tuple[Any, ...]) -> tuple[Tensor, ...]:
        """The arguments as tensors: weak scalars beside them, promoted to one dtype where the op asks for it."""
        first = values[0] if values else None
        if type(first) is Tensor and (dtype := first.dtype) in self._fitting:
            for value in values:
                if type(value) is not Tensor or value.dtype != dtype:
                    break
            else:
                return values
        tensors = self._with_scalars(values)
        if tensors is not None:
            return tensors
        tensors = self._promote(self._from_arguments(values))
        self._check_dtypes(tensors)
        return tensors

    def _with_scalars(self, values: tuple[Any, ...]) -> tuple[Tensor, ...] | None:
        """The usual case made quick: tensors of one dtype, and Python scalars that take it on; None for any other."""
        some = next((v for v in values if type(v) is Tensor), None)
        if some is None or some.dtype not in self._fitting or self._promoted is not self.inputs:
            return None
        dtype, backend = some.dtype, some._backend
        tensors = []
        for value in values:
            kind = type(value)
            if kind is Tensor:
                if value.dtype != dtype or value._backend is not backend:
                    return None
                tensors.append(value)
            elif kind not in SCALARS or backend is None or self._scalar_dtype(kind, dtype, self.inputs[0]) != dtype:
                return None
            else:
                tensors.append(scalar(value, dtype, backend))
        return tuple(tensors)

    def _from_arguments(self, values: tuple[Any, ...]) -> tuple[Tensor, ...]:
        found = [None if type(v) in SCALARS else self._converted(i, v) for i, v in enumerate(values)]
        strong = [t for t in found if t is not None]
        if len(strong) == len(values):
            return tuple(strong)
        backend = home_of([t for t in strong if t._backend is not None])
        beside = [t.dtype for i, t in enumerate(found) if t is not None and self._name(i) in self._promoted]
        dtype = self._common(beside)
        return tuple(
            scalar(v, self._scalar_dtype(type(v), dtype, self._name(i)), backend) if t is None else t
            for i, (t, v) in enumerate(zip(found, values, strict=True))
        )

    def _converted(self, index: int, value: Any) -> Tensor | None:
        """One argument as a tensor; None for a Python scalar, whose dtype depends on the others."""
        if type(value) is Tensor:
            return value
        if isinstance(value, SCALARS) and not hasattr(value, "dtype"):
            return None
        try:
            return to_tensor(value)
        except (ArgumentTypeError, ShapeError, DTypeError) as error:
            name = f"{self._name(index)}[{index}]" if self.variadic else self._name(index)
            why = "." if isinstance(error, ArgumentTypeError) else f": {error.what}"
            raise type(error)(
                f"{self._signature}: {name} is {_shown(value)}{why}",
                expected=error.expected,
                fix=error.fix,
            ) from error

    def _scalar_dtype(self, kind: type, beside: str | None, name: str) -> str:
        key = (kind, beside, name)
        found = self._scalar_dtypes.get(key)
        if found is None:
            dtype = canonical_dtype(kind)
            if beside is not None and name in self._promoted:
                dtype = weak_dtype(kind, beside)
            accepted = self._dtypes[name]
            plain = dtype not in accepted and dtype in BOOL + INTEGER and "float32" in accepted
            found = self._scalar_dtypes[key] = "float32" if plain else dtype
        return found

    def _name(self, index: int) -> str:
        return self.inputs[0] if self.variadic else self.inputs[index]

    def _promote(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        if not self._promoted or (len(tensors) < 2 and self._integers is None):
            return tensors
        chosen = [self._name(i) in self._promoted for i in range(len(tensors))]
        dtype = self._common([t.dtype for t, c in zip(tensors, chosen, strict=True) if c])
        if self._integers is not None and dtype in BOOL + INTEGER:
            dtype = self._integers
        return tuple(
            t if not c or dtype is None or t.dtype == dtype else self._cast(t, dtype)
            for t, c in zip(tensors, chosen, strict=True)
        )

    def _common(self, dtypes: Sequence[str]) -> str | None:
        try:
            return functools.reduce(promote_dtypes, dtypes) if dtypes else None
        except DTypeError as error:
            raise DTypeError(f"{self._signature}: {error.what}", expected=error.expected, fix=error.fix) from error

    @property
    def _signature(self) -> str:
        """The op as messages begin: its name and its tensors."""
        return f"{self.name}({', '.join(self.inputs)})"

    def _check_dtypes(self, tensors: tuple[Tensor, ...]) -> None:
        for i, tensor in enumerate(tensors):
            name = self._name(i)
            accepted = self._dtypes[name]
            if tensor.dtype not in accepted:
                usual = "float32" if "float32" in accepted else next(iter(accepted))
                raise DTypeError(
                    f"{self._signature}: {name} has dtype {tensor.dtype}.",
                    expected=f"{name} to be one of {', '.join(accepted)}.",
                    fix=f"convert it first, for example {name}.cast({usual!r}).",
                )


def _shown(value: Any) -> str:
    """A value in a message: itself, shortened, if it is plain Python data, else its kind."""
    plain = value is None or isinstance(value, (str, bytes, list, tuple, dict, set, frozenset))
    return reprlib.repr(value) if plain else f"of type {type(value).__name__}"


def home_of(tensors: Sequence[Tensor]) -> Backend:
    """The backend a call will run on: the tensors' own if they agree, else the active one."""
    if tensors and all(t._backend is tensors[0]._backend for t in tensors):
        return tensors[0].backend
    return get_backend()
