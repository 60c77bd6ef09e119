"""Where the weights of a model come from when it is read: a file's arrays by name, or a budget until they are known."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np

from lamina.data import as_array
from lamina.dtypes import COMPLEX, ITEMSIZE
from lamina.errors import ArgumentError, ModelFileError, NotBuiltError, UnsafeModelError
from lamina.io.checks import limits_in_force, shown
from lamina.runtime.backends import get_backend
from lamina.runtime.convert import from_numpy, host_view, numpy_dtype
from lamina.runtime.tensor import Tensor
from lamina.runtime.variable import Variable

SLACK: Final = 64 << 20
"""Bytes that a file may make a reader allocate beyond what its own size backs."""

_MOST_LISTED: Final = 12


class _Counted:
    """Counts the parameters of a model while it is made."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._most = limits_in_force().parameters
        self._parameters = 0

    def _count(self, name: str, shape: tuple[int, ...]) -> None:
        self._parameters += math.prod(shape)
        if self._most is not None and self._parameters > self._most:
            raise UnsafeModelError(
                f"{self._where}: with {shown(name)} the model has {self._parameters} parameters.",
                expected=f"at most {self._most}, as the limits say.",
            )


class FileWeights(_Counted):
    """Gives layers their weights out of a file, so that nothing is allocated that the file does not back.

    ``owned`` says that nobody else keeps the arrays: their memory may become the weights'.
    """

    def __init__(
        self, arrays: Mapping[str, np.ndarray[Any, Any]], where: str = "the file", *, owned: bool = False
    ) -> None:
        super().__init__(where)
        self._arrays = dict(arrays)
        self._owned = owned
        self._used: set[str] = set()

    def __call__(self, name: str, shape: tuple[int, ...], dtype: str) -> Tensor:
        self._count(name, shape)
        array = self._arrays.get(name)
        if array is None:
            raise ModelFileError(
                f"{self._where} has no weight {name!r}.", expected=f"one of shape {shape}; it has {self._listed()}."
            )
        if tuple(array.shape) != tuple(shape):
            raise ModelFileError(
                f"the weight {name!r} has shape {array.shape} in {self._where}, and {shape} in the model."
            )
        if array.dtype.kind == "c" and dtype not in COMPLEX:
            raise ModelFileError(f"the weight {name!r} is {array.dtype} in {self._where}, and {dtype} in the model.")
        self._used.add(name)
        value = array.astype(numpy_dtype(dtype), copy=False)
        return from_numpy(value, get_backend(), owned=self._owned or value is not array)

    def _listed(self) -> str:
        names = [shown(name) for name in self._arrays]
        return ", ".join(names[:_MOST_LISTED]) + (", ..." if len(names) > _MOST_LISTED else "") or "none"

    def check_all_used(self, model: Any) -> None:
        unused = sorted(set(self._arrays) - self._used)
        if unused:
            raise ModelFileError(
                f"{self._where} has the weight {unused[0]!r}, which the model {model.name!r} does not have.",
                expected="weights for the layers of the topology only.",
            )


class Budget(_Counted):
    """Gives layers zeros while a model is built, and refuses more bytes than a file can back.

    Formats that know weights by where they are in the model, not by name, fill them in when the model stands.
    """

    def __init__(self, stored_bytes: int, where: str) -> None:
        super().__init__(where)
        self._left = stored_bytes + SLACK

    def __call__(self, name: str, shape: tuple[int, ...], dtype: str) -> Tensor:
        self._count(name, shape)
        self._left -= math.prod(shape) * ITEMSIZE[dtype]
        if self._left < 0:
            raise UnsafeModelError(
                f"{self._where}: the layers have more weights than the file holds: {name!r} has the shape {shape}.",
                expected="a file with all weights of its model.",
            )
        return from_numpy(np.zeros(shape, numpy_dtype(dtype)), get_backend(), owned=True)


def values_of(variable: Variable) -> np.ndarray[Any, Any]:
    """The values of a Variable, where possible in its own memory: to be written to a file at once, and not kept."""
    return host_view(variable.value)


def assign_all(pairs: Iterable[tuple[Variable, np.ndarray[Any, Any]]], *, owned: bool = False) -> None:
    """Gives Variables the values of arrays of their shapes, in their own dtypes; ``owned`` is as for FileWeights."""
    given: set[int] = set()
    for variable, array in pairs:
        place = array.ctypes.data
        own = owned and place not in given  # a file may name the same bytes twice
        given.add(place)
        if array.dtype.name not in ITEMSIZE:  # such as uint32, of which there are no tensors
            array = array.astype(numpy_dtype(variable.dtype))
        same = array.dtype.name == variable.dtype
        value = from_numpy(array, variable.backend if same else get_backend(), owned=own and same)
        variable.assign(value if same else value.cast(variable.dtype))


def by_order(found: dict[str, np.ndarray[Any, Any]], model: Any) -> dict[str, np.ndarray[Any, Any]]:
    """The same arrays under the model's names, if these are others and everything else agrees."""
    variables = model.weights
    if found and not variables and not model.built:
        raise NotBuiltError(
            f"the model {model.name!r} has no weights yet.", fix="call it on data, or build it with an input shape."
        )
    there = [(name.rpartition("/")[2], tuple(array.shape)) for name, array in found.items()]
    here = [(v.name.rpartition("/")[2], v.shape) for v in variables]
    if there != here or all(v.name in found for v in variables):
        return found
    return dict(zip((v.name for v in variables), found.values(), strict=True))


def by_own_names(weights: Mapping[str, Any], model: Any) -> dict[str, np.ndarray[Any, Any]]:
    """Arrays by the model's names: ``a/b/kernel`` also stands for ``a/kernel``, as in TensorFlow.js."""
    known = {v.name for v in model.weights}
    found: dict[str, np.ndarray[Any, Any]] = {}
    for name, value in weights.items():
        parts = str(name).split("/")
        shorter = "/".join([*parts[:-2], parts[-1]])
        key = shorter if name not in known and shorter in known else str(name)
        if key in found:
            raise ArgumentError(f"two values for the weight {key!r}.", expected="one for each.")
        found[key] = as_array(value, f"the weight {name!r}")
    return found


def assign_by_name(model: Any, found: Mapping[str, np.ndarray[Any, Any]], where: str, strict: bool) -> None:
    """Gives a model's weights the arrays of their names; all or none.

    Without ``strict``, names that only one side has are passed over. Raises ModelFileError if something does not fit.
    """
    source = FileWeights(found, where)
    chosen = [v for v in model.weights if strict or v.name in found]
    values = [source(v.name, v.shape, v.dtype) for v in chosen]
    if strict:
        source.check_all_used(model)
    for variable, value in zip(chosen, values, strict=True):
        variable.assign(value)
