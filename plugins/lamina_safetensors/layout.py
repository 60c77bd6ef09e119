"""The layout of safetensors: a length of 8 bytes, a header of JSON, then the tensors' bytes without a gap.

Arrays and texts only; nothing is known of models. What is read is believed once all of the header has been checked:
arrays are views of the bytes that are there. What is written has the order that the safetensors library writes, with
the widest dtypes first, so that every tensor is aligned.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import numpy as np

from lamina.contract.io import Bytes
from lamina.errors import DTypeError, UnsafeModelError
from lamina.io.checks import DEFAULT_LIMITS, Limits, check_name, first_repeated, limits_in_force, shown
from lamina.io.kinds import SAFETENSORS, UNKNOWN, kind_of
from lamina.io.strict_json import read_json, write_json

HostArray = np.ndarray[Any, Any]

METADATA: Final = "__metadata__"
_DEFAULT: Final = Limits(json_bytes=100_000_000)
"""As those of a ``model.json``, but for the header's length, which the format itself bounds."""

_LENGTH_BYTES: Final = 8
_ALIGNMENT: Final = 8
_NUMPY: Final = {
    "BOOL": "|b1", "U8": "|u1", "I8": "|i1", "I16": "<i2", "U16": "<u2", "F16": "<f2", "BF16": "<u2", "I32": "<i4",
    "U32": "<u4", "F32": "<f4", "C64": "<c8", "F64": "<f8", "I64": "<i8", "U64": "<u8",
}  # fmt: skip
"""How a dtype's values lie in the file; those of BF16, for which NumPy has no name, as their bits.

Files have tensors in the reverse of this order."""

_RANK: Final = {dtype: rank for rank, dtype in enumerate(_NUMPY)}
_DTYPE: Final = {np.dtype(kind).newbyteorder("="): name for name, kind in _NUMPY.items() if name != "BF16"}
_KEYS: Final = {"dtype", "shape", "data_offsets"}


class Entry(NamedTuple):
    """What the header says of one tensor; the offsets count from the first tensor's first byte."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def encode(tensors: Iterable[tuple[str, HostArray]], metadata: Mapping[str, str], where: str) -> list[Bytes]:
    """The parts of a file, one after the other: the header, and the bytes of each array, which are not copied.

    Raises UnsafeModelError for names that a reader would refuse, DTypeError for an array of a dtype that the format
    does not have.

    >>> parts = encode([("b", np.float32([1.0]))], {"format": "np"}, "an example")
    >>> bytes(parts[0][8:])
    b'{"__metadata__":{"format":"np"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}   '
    """
    given = [(check_name(name, where), array) for name, array in tensors]
    typed = [(name, _dtype(name, array), array) for name, array in given]
    typed.sort(key=lambda found: (-_RANK[found[1]], found[0]))
    _check_count(len(typed), where)
    twice = first_repeated(name for name, _ in given)
    if twice is not None or METADATA in dict(given):
        raise UnsafeModelError(
            f"{where}: two tensors are named {shown(twice)}." if twice else f"{where}: a tensor is named {METADATA!r}."
        )
    header: dict[str, Any] = {METADATA: dict(metadata)} if metadata else {}
    offsets = itertools.accumulate((array.nbytes for _, _, array in typed), initial=0)
    for (name, dtype, array), (start, end) in zip(typed, itertools.pairwise(offsets), strict=True):
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [start, end]}
    text = write_json(header, where, _DEFAULT)
    text += b" " * (-len(text) % _ALIGNMENT)
    return [len(text).to_bytes(_LENGTH_BYTES, "little") + text, *(_bytes(array, dtype) for _, dtype, array in typed)]


def _dtype(name: str, array: HostArray) -> str:
    if array.dtype.name == "bfloat16":
        return "BF16"
    found = _DTYPE.get(array.dtype.newbyteorder("="))
    if found is None:
        raise DTypeError(
            f"the weight {shown(name)} has the dtype {array.dtype}.",
            expected=f"one that files of safetensors have: {', '.join(_NUMPY)}.",
            fix="convert it before saving, complex128 for example to complex64.",
        )
    return found


def _bytes(array: HostArray, dtype: str) -> Bytes:
    kept = array if dtype == "BF16" else array.astype(_NUMPY[dtype], copy=False)
    return np.ascontiguousarray(kept).reshape(-1).view(np.uint8).data


def decode(data: Bytes, where: str) -> tuple[dict[str, HostArray], dict[str, str]]:
    """The arrays of a file by name, in the header's order, and its metadata.

    Arrays are views of ``data``, writable if it is; one that is not aligned there, or not in the machine's byte order,
    is copied. Raises UnsafeModelError unless the whole file is as the format says; nothing is allocated before that.

    >>> parts = encode([("b", np.float32([1.0, 2.0]))], {}, "an example")
    >>> decode(b"".join(parts), "an example")
    ({'b': array([1., 2.], dtype=float32)}, {})
    """
    view = memoryview(data).cast("B")
    start, header = _header(view, where)
    metadata = _metadata(header.pop(METADATA, None), where)
    _check_count(len(header), where)
    entries = [_entry(name, record, where) for name, record in header.items()]
    _check_offsets(entries, len(view) - start, where)
    return {
        entry.name: _array(view[start + entry.start : start + entry.end], entry, where) for entry in entries
    }, metadata


def _header(view: memoryview, where: str) -> tuple[int, dict[str, Any]]:
    """Where the tensors start, and what stands before them."""
    length = int.from_bytes(view[:_LENGTH_BYTES], "little")
    start = _LENGTH_BYTES + length
    limits = _limits()
    if not 0 < length <= min(limits.json_bytes, len(view) - _LENGTH_BYTES) or bytes(view[8:9]) != b"{":
        kind = kind_of(view)
        raise UnsafeModelError(
            f"{where} is {kind if kind not in (UNKNOWN, SAFETENSORS) else 'no file of safetensors, or cut short'}.",
            expected=f"the length of a header, at most {limits.json_bytes}, and a header that starts with '{{'.",
            fix="give the file the ending of what it is, or copy it again if it was cut short.",
        )
    header = read_json(bytes(view[_LENGTH_BYTES:start]), f"the header of {where}", limits)
    assert isinstance(header, dict)  # it starts with a brace
    return start, header


def _metadata(found: Any, where: str) -> dict[str, str]:
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise UnsafeModelError(f"{where}: {METADATA} is {shown(found)}.", expected="a JSON object of texts.")
    return found


def _check_count(count: int, where: str) -> None:
    most = _limits().weights
    if count > most:
        raise UnsafeModelError(f"{where}: {count} tensors.", expected=f"at most {most}.")


def _limits() -> Limits:
    """Those of the load that goes on; if it has none of its own, the format's."""
    found = limits_in_force()
    return _DEFAULT if found is DEFAULT_LIMITS else found


def _entry(name: str, record: Any, where: str) -> Entry:
    what = f"{where}: the tensor {shown(check_name(name, where))}"
    if not isinstance(record, dict) or record.keys() != _KEYS:
        raise UnsafeModelError(f"{what} is described as {shown(record)}.", expected="dtype, shape and data_offsets.")
    dtype, shape, offsets = record["dtype"], record["shape"], record["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _NUMPY:
        raise UnsafeModelError(f"{what} has the dtype {shown(dtype)}.", expected=f"one of {', '.join(_NUMPY)}.")
    rank = _limits().rank
    if not _are_sizes(shape) or len(shape) > rank:
        raise UnsafeModelError(
            f"{what} has the shape {shown(shape)}.", expected=f"at most {rank} whole numbers of 0 or more."
        )
    if not _are_sizes(offsets) or len(offsets) != 2:
        raise UnsafeModelError(f"{what} has the offsets {shown(offsets)}.", expected="where it starts and ends.")
    size = math.prod(shape) * np.dtype(_NUMPY[dtype]).itemsize
    if offsets[1] - offsets[0] != size:
        raise UnsafeModelError(
            f"{what} lies between {offsets[0]} and {offsets[1]}.", expected=f"{size} bytes, as its shape and dtype say."
        )
    return Entry(name, dtype, tuple(shape), *offsets)


def _are_sizes(found: Any) -> bool:
    return isinstance(found, list) and all(type(number) is int and number >= 0 for number in found)


def _check_offsets(entries: Iterable[Entry], stored: int, where: str) -> None:
    """The tensors follow each other from the first byte to the last, without a gap, none over another."""
    end = 0
    for entry in sorted(entries, key=lambda entry: entry[-2:]):
        if entry.start != end:
            raise UnsafeModelError(
                f"{where}: the tensor {shown(entry.name)} starts at {entry.start}, not at {end}.",
                expected="tensors without a gap, none over another.",
            )
        end = entry.end
    if end != stored:
        raise UnsafeModelError(
            f"{where}: the tensors take {end} bytes, but {stored} are stored.",
            fix="copy the file again: it was cut short, or something was added to it.",
        )


def _array(data: memoryview, entry: Entry, where: str) -> HostArray:
    kind = np.dtype(_NUMPY[entry.dtype])
    if entry.dtype == "BOOL" and len(data) and np.frombuffer(data, np.uint8).max() > 1:
        raise UnsafeModelError(f"{where}: the tensor {shown(entry.name)} has truth values other than 0 and 1.")
    flat = np.frombuffer(data, kind) if len(data) else np.empty(0, kind)
    if not (flat.flags.aligned and kind.isnative):
        flat = flat.astype(kind.newbyteorder("="))
    if entry.dtype == "BF16":
        flat = flat.view(_bfloat16())
    return flat.reshape(entry.shape)


def _bfloat16() -> np.dtype[Any]:
    try:
        import ml_dtypes
    except ImportError as error:
        raise DTypeError(
            "NumPy has no bfloat16 of its own.",
            expected="the package ml_dtypes to be installed.",
            fix="pip install 'lamina[bfloat16]'.",
        ) from error
    found: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
    return found
