"""The stand-in's array: memory of the host that behaves as if it were a device's."""

from __future__ import annotations

import operator
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from cupy_standin import ledger

DTYPES = frozenset(
    [
        "bool",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ]
)


class OutOfMemoryError(MemoryError):
    """As CuPy's: what was asked for, what is in use, and the limit."""

    def __init__(self, size: int, total: int, limit: int = 0) -> None:
        super().__init__(
            f"Out of memory allocating {size:,} bytes (allocated so far: {total:,} bytes, limit {limit:,})."
        )


class Pool:
    """The memory in use: all NumPy arrays that own some and that a stand-in array has held."""

    def __init__(self) -> None:
        self.limit = 0
        self._owners: weakref.WeakValueDictionary[int, np.ndarray] = weakref.WeakValueDictionary()

    def add(self, host: np.ndarray) -> None:
        owner = owner_of(host)
        if self.limit and id(owner) not in self._owners and self.used_bytes() + owner.nbytes > self.limit:
            raise OutOfMemoryError(owner.nbytes, self.used_bytes(), self.limit)
        self._owners[id(owner)] = owner

    def used_bytes(self) -> int:
        return sum(owner.nbytes for owner in list(self._owners.values()))

    def total_bytes(self) -> int:
        return self.used_bytes()

    def free_all_blocks(self) -> None:
        """Nothing is kept that nobody uses."""

    def set_limit(self, size: int | None = None) -> None:
        self.limit = size or 0


def owner_of(host: np.ndarray) -> np.ndarray:
    while isinstance(host.base, np.ndarray):
        host = host.base
    return host


POOL = Pool()


class Memory:
    """``array.data.mem``."""

    def __init__(self, host: np.ndarray) -> None:
        owner = owner_of(host)
        self.ptr, self.size = owner.ctypes.data, owner.nbytes


class Pointer:
    """``array.data``."""

    def __init__(self, host: np.ndarray) -> None:
        self.mem, self.ptr = Memory(host), host.ctypes.data


def unwrap(value: Any) -> Any:
    """NumPy's side of arguments. An array of NumPy is refused, as CuPy refuses it."""
    if isinstance(value, ndarray):
        return value.host
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, (tuple, list)):
        return type(value)(map(unwrap, value))
    return value


def wrap(value: Any) -> Any:
    """The stand-in's side of results; numbers become arrays without axes."""
    if isinstance(value, (np.ndarray, np.generic)):
        return ndarray(np.asarray(value))
    if isinstance(value, (tuple, list)):
        return tuple(map(wrap, value))
    return value


def compute(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Work for the device: the function of NumPy on what the arrays hold."""
    given, named = [unwrap(a) for a in args], {key: unwrap(a) for key, a in kwargs.items()}
    ledger.launch(getattr(function, "__name__", str(function)))

    with np.errstate(all="ignore"):
        return wrap(function(*given, **named))


class ndarray:
    """An array on the device that is not there."""

    __slots__ = ("__weakref__", "host")
    __hash__ = None
    __array_priority__ = 100

    def __init__(self, host: np.ndarray) -> None:
        if host.dtype.name not in DTYPES or not host.dtype.isnative:
            raise ValueError(f"Unsupported dtype {host.dtype}")
        POOL.add(host)
        self.host = host

    shape = property(lambda self: self.host.shape)
    dtype = property(lambda self: self.host.dtype)
    ndim = property(lambda self: self.host.ndim)
    size = property(lambda self: self.host.size)
    strides = property(lambda self: self.host.strides)
    nbytes = property(lambda self: self.host.nbytes)
    itemsize = property(lambda self: self.host.itemsize)
    flags = property(lambda self: self.host.flags)
    data = property(lambda self: Pointer(self.host))
    base = property(lambda self: None if self.host.base is None else ndarray(owner_of(self.host)))
    T = property(lambda self: ndarray(self.host.T))
    mT = property(lambda self: ndarray(self.host.swapaxes(-1, -2)))

    @property
    def real(self) -> Any:
        return ndarray(self.host.real) if self.dtype.kind == "c" else self

    @real.setter
    def real(self, value: Any) -> None:
        ndarray(self.host.real)[...] = value

    @property
    def imag(self) -> Any:
        return ndarray(self.host.imag) if self.dtype.kind == "c" else compute(np.zeros_like, self)

    @imag.setter
    def imag(self, value: Any) -> None:
        ndarray(self.host.imag)[...] = value

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. "
            "Please use `.get()` to construct a NumPy array explicitly."
        )

    def __array_ufunc__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("a ufunc of NumPy was handed an array of the stand-in for CuPy")

    def __dlpack__(self, **kwargs: Any) -> Any:
        raise BufferError("the stand-in for CuPy exports nothing, as NumPy takes no memory of a device")

    def __dlpack_device__(self) -> tuple[int, int]:
        return (2, 0)

    def get(self) -> np.ndarray:
        ledger.wait("get")
        return self.host.copy()

    def item(self) -> Any:
        ledger.wait("item")
        return self.host.item()

    def tolist(self) -> Any:
        ledger.wait("tolist")
        return self.host.tolist()

    def __bool__(self) -> bool:
        ledger.wait("bool")
        return bool(self.host)

    def __int__(self) -> int:
        ledger.wait("int")
        return int(self.host)

    def __float__(self) -> float:
        ledger.wait("float")
        return float(self.host)

    def __complex__(self) -> complex:
        ledger.wait("complex")
        return complex(self.host)

    def __index__(self) -> int:
        ledger.wait("index")
        return operator.index(self.host)

    def __len__(self) -> int:
        return len(self.host)

    def __repr__(self) -> str:
        return f"standin({self.host!r})"

    def __getitem__(self, key: Any) -> Any:
        found = unwrap(key)
        if any(
            isinstance(k, np.ndarray) and k.dtype.kind == "b" for k in (found if isinstance(found, tuple) else (found,))
        ):
            ledger.wait("a mask as an index")
        return compute(lambda host: np.asarray(host[found]), self)

    def __setitem__(self, key: Any, value: Any) -> None:
        compute(_set, self, key, value)

    def astype(self, dtype: Any, order: str = "K", casting: Any = None, subok: Any = None, copy: bool = True) -> Any:
        if not copy and self.dtype == np.dtype(dtype):
            return self
        return compute(lambda host: host.astype(dtype, order=order), self)

    def reshape(self, *shape: Any) -> Any:
        return compute(lambda host: host.reshape(*shape), self)

    def transpose(self, *axes: Any) -> Any:
        return compute(lambda host: host.transpose(*axes), self)

    def view(self, dtype: Any = None) -> Any:
        return ndarray(self.host.view() if dtype is None else self.host.view(dtype))

    def copy(self, order: str = "C") -> Any:
        return compute(lambda host: host.copy(order), self)

    def ravel(self) -> Any:
        return compute(lambda host: host.ravel(), self)

    def fill(self, value: Any) -> None:
        compute(_set, self, ..., value)


def _set(host: np.ndarray, key: Any, value: Any) -> None:
    host[key] = value


def _operator(name: str, function: Callable[..., Any]) -> None:
    def forward(self: ndarray, other: Any) -> Any:
        return compute(function, self, other)

    def backward(self: ndarray, other: Any) -> Any:
        return compute(function, other, self)

    def in_place(self: ndarray, other: Any) -> Any:
        compute(function, self, other, out=self)
        return self

    setattr(ndarray, f"__{name}__", forward)
    setattr(ndarray, f"__r{name}__", backward)
    setattr(ndarray, f"__i{name}__", in_place)


for _name, _function in {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "pow": np.power, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or,
    "xor": np.bitwise_xor, "lshift": np.left_shift, "rshift": np.right_shift,
}.items():  # fmt: skip
    _operator(_name, _function)
for _name, _function in {
    "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal,
}.items():  # fmt: skip
    setattr(ndarray, f"__{_name}__", lambda self, other, function=_function: compute(function, self, other))
for _name, _function in {"neg": np.negative, "abs": np.abs, "invert": np.invert}.items():
    setattr(ndarray, f"__{_name}__", lambda self, function=_function: compute(function, self))
