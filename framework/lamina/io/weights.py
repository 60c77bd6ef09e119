"""Weights to bytes and back, laid out as TensorFlow.js does: row-major, little-endian, one after the other, no padding.

TensorFlow.js knows float32, int32, bool, complex64 and string; other dtypes are written as the nearest of these.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np

from lamina.contract.io import Bytes, WeightSpec
from lamina.dtypes import BOOL, COMPLEX, FLOATING, INTEGER, canonical_dtype
from lamina.errors import DTypeError, UnsafeModelError
from lamina.io.checks import Limits, check_name, first_repeated, limits_in_force, shown

HostArray = np.ndarray[Any, Any]

_LAYOUT: Final = {"float32": "<f4", "int32": "<i4", "bool": "u1", "complex64": "<c8", "string": "u1"}
_QUANTIZED_LAYOUT: Final = {"uint8": "<u1", "uint16": "<u2", "float16": "<f2"}
_STORED_AS: Final = {
    **dict.fromkeys(FLOATING, "float32"),
    **dict.fromkeys(INTEGER, "int32"),
    **dict.fromkeys(BOOL, "bool"),
    **dict.fromkeys(COMPLEX, "complex64"),
}
_LARGEST: Final = {"float32": float(np.finfo(np.float32).max), "int32": float(2**31 - 1)}
_GROUPS: Final = (None, "model", "optimizer")
_LENGTH_BYTES: Final = 4


def encode_weights(
    weights: Iterable[tuple[str, HostArray, str | None]],
) -> tuple[tuple[WeightSpec, ...], bytes]:
    """The specs and bytes of (name, array, group); the group is None, ``"model"`` or ``"optimizer"``.

    Floats are stored as float32, integers as int32, complex numbers as complex64. Raises DTypeError for an array of
    another dtype or with a value outside the range of the stored one, UnsafeModelError for a name that is not allowed
    or given twice.

    >>> specs, data = encode_weights([("b", np.array([True, False]), None), ("n", np.array([5]), None)])
    >>> [spec.dtype for spec in specs], data.hex()
    (['bool', 'int32'], '010005000000')
    """
    specs: list[WeightSpec] = []
    parts: list[Bytes] = []
    for name, array, group in weights:
        dtype, stored = _stored(name, np.asarray(array))
        specs.append(WeightSpec(name, tuple(np.shape(array)), dtype, group))
        parts.append(stored)
    check_specs(specs, "the weights to save")
    return tuple(specs), b"".join(parts)


def _stored(name: str, array: HostArray) -> tuple[str, Bytes]:
    """The dtype an array is stored in, and its bytes."""
    if array.dtype.kind in "UOT":
        return "string", b"".join(_string_bytes(name, text) for text in array.flat)
    dtype = _STORED_AS[canonical_dtype(array.dtype)]
    with np.errstate(over="ignore"):
        stored = np.ascontiguousarray(array, dtype=_LAYOUT[dtype])
    lossless = canonical_dtype(array.dtype) in (dtype, "bool")
    if not lossless and not _same_range(array, stored):
        raise DTypeError(
            f"the weight {shown(name)} has {array.dtype} values that do not fit {dtype}.",
            expected=f"values that {dtype} can hold, for saved models know no wider dtype.",
            fix=f"convert the weight to {dtype} before saving.",
        )
    return dtype, stored.reshape(-1).view(np.uint8).data


def _same_range(array: HostArray, stored: HostArray) -> bool:
    if array.dtype.kind in "iu":
        return bool(np.array_equal(array, stored.reshape(array.shape)))
    return bool(np.array_equal(np.isfinite(array), np.isfinite(stored.reshape(array.shape))))


def _string_bytes(name: str, text: object) -> bytes:
    if not isinstance(text, str):
        raise DTypeError(f"the weight {shown(name)} holds {shown(text)}.", expected="an array of numbers or of text.")
    encoded = text.encode("utf-8")
    return len(encoded).to_bytes(_LENGTH_BYTES, "little") + encoded


def decode_weights(
    specs: Sequence[WeightSpec], data: Bytes, where: str = "the weights", *, owned: bool = False
) -> list[tuple[WeightSpec, HostArray]]:
    """The arrays of weight bytes, each with its spec; quantized ones are expanded to their dtype.

    The arrays are fresh: writable, aligned, in the machine's byte order; text comes as an array of Python strings.
    ``owned`` says that nobody else keeps the bytes: arrays may then be views of them, writable only where these are.
    Raises UnsafeModelError if specs and bytes do not agree, before anything is allocated.
    """
    view = memoryview(data).cast("B")
    return [
        (spec, _decoded(spec, view[a:b], where, owned))
        for spec, (a, b) in zip(specs, spans(specs, view, where), strict=True)
    ]


def _decoded(spec: WeightSpec, data: memoryview, where: str, owned: bool) -> HostArray:
    if spec.dtype == "string":
        return _strings(spec, data, where)
    if not len(data):
        return np.zeros(spec.shape, _native(spec.dtype))
    stored = np.frombuffer(data, _layout(spec))
    if spec.quantization is not None:
        stored = _expanded(stored, spec)
    if spec.dtype == "bool":
        stored = stored != 0
    return stored.astype(_native(spec.dtype), copy=not owned).reshape(spec.shape)


def _native(dtype: str) -> np.dtype[Any]:
    return np.dtype("bool" if dtype == "bool" else _LAYOUT[dtype]).newbyteorder("=")


def _expanded(stored: HostArray, spec: WeightSpec) -> HostArray:
    """q * scale + min, in double precision; integers round half up, as in JavaScript."""
    rules = spec.quantization or {}
    if rules["dtype"] == "float16":
        return stored
    found = stored.astype(np.float64)
    found *= rules["scale"]
    found += rules["min"]
    return np.floor(found + 0.5) if spec.dtype == "int32" else found


def _strings(spec: WeightSpec, data: memoryview, where: str) -> HostArray:
    found = np.empty(math.prod(spec.shape), dtype=object)
    offset = 0
    for index in range(found.size):
        start = offset + _LENGTH_BYTES
        offset = start + int.from_bytes(data[offset:start], "little")
        try:
            found[index] = str(data[start:offset], "utf-8")
        except UnicodeDecodeError as error:
            raise UnsafeModelError(f"{where}: the weight {shown(spec.name)} holds text that is not UTF-8.") from error
    return found.reshape(spec.shape)


def spans(specs: Sequence[WeightSpec], data: memoryview, where: str) -> list[tuple[int, int]]:
    """Where each weight's bytes start and end. Raises UnsafeModelError unless they are exactly the data."""
    check_specs(specs, where)
    check_stored_size(specs, len(data), where)
    found: list[tuple[int, int]] = []
    offset = 0
    for spec in specs:
        end = _end(spec, data, offset, where)
        found.append((offset, end))
        offset = end
    if offset != len(data):
        raise UnsafeModelError(f"{where}: the weights take {offset} bytes, but {len(data)} are stored.")
    return found


def _end(spec: WeightSpec, data: memoryview, offset: int, where: str) -> int:
    count = math.prod(spec.shape)
    if spec.dtype != "string":
        return offset + count * _item_bytes(spec)
    left = len(data) - offset
    if count * _LENGTH_BYTES <= left:
        for _ in range(count):
            offset += _LENGTH_BYTES + int.from_bytes(data[offset : offset + _LENGTH_BYTES], "little")
        if offset <= len(data):
            return offset
    raise UnsafeModelError(
        f"{where}: the text of the weight {shown(spec.name)} goes on past the stored bytes.",
        expected=f"{count} strings within {left} bytes.",
    )


def _item_bytes(spec: WeightSpec) -> int:
    """Bytes of one element; of text, the least."""
    return _LENGTH_BYTES if spec.dtype == "string" else np.dtype(_layout(spec)).itemsize


def _layout(spec: WeightSpec) -> str:
    return _LAYOUT[spec.dtype] if spec.quantization is None else _QUANTIZED_LAYOUT[spec.quantization["dtype"]]


def check_stored_size(specs: Sequence[WeightSpec], stored: int, where: str) -> None:
    """Raises UnsafeModelError if ``stored`` bytes cannot be those of the weights, which are not read."""
    needed, exact = stored_bytes(specs)
    if stored == needed or (not exact and stored > needed):
        return
    least = "" if exact else "at least "
    difference = f"{needed - stored} are missing" if stored < needed else f"{stored - needed} are left over"
    raise UnsafeModelError(
        f"{where}: the weights take {least}{needed} bytes, but {stored} are stored: {difference}.",
        fix="copy the model again: its files are cut short, or belong to different models.",
    )


def stored_bytes(specs: Sequence[WeightSpec]) -> tuple[int, bool]:
    """How many bytes weights take, and whether that is all: text takes at least so many, for its length is not told.

    >>> stored_bytes([WeightSpec("w", (2, 3), "float32"), WeightSpec("s", (2,), "string")])
    (32, False)
    """
    needed = sum(math.prod(spec.shape) * _item_bytes(spec) for spec in specs)
    return needed, all(spec.dtype != "string" for spec in specs)


def check_specs(specs: Sequence[WeightSpec], where: str, limits: Limits | None = None) -> None:
    """Raises UnsafeModelError unless each spec is well formed and no name is used twice."""
    limits = limits_in_force(limits)
    if len(specs) > limits.weights:
        raise UnsafeModelError(f"{where}: {len(specs)} weights.", expected=f"at most {limits.weights}.")
    for spec in specs:
        what = f"{where}: the weight {shown(check_name(spec.name, where))}"
        for check in (_check_kind, _check_shape, _check_quantization):
            check(spec, what, limits)
    twice = first_repeated(spec.name for spec in specs)
    if twice is not None:
        raise UnsafeModelError(f"{where}: two weights are named {shown(twice)}.", expected="each name once.")


def _check_kind(spec: WeightSpec, what: str, limits: Limits) -> None:
    if not isinstance(spec.dtype, str) or spec.dtype not in _LAYOUT:
        raise UnsafeModelError(f"{what} has the dtype {shown(spec.dtype)}.", expected=f"one of {', '.join(_LAYOUT)}.")
    if spec.group not in _GROUPS:
        raise UnsafeModelError(f"{what} has the group {shown(spec.group)}.", expected="'model' or 'optimizer'.")


def _check_shape(spec: WeightSpec, what: str, limits: Limits) -> None:
    shape = spec.shape
    whole = isinstance(shape, tuple) and all(type(n) is int and n >= 0 for n in shape)
    if not whole or len(shape) > limits.rank or math.prod(n for n in shape if n) >= 2**53:
        raise UnsafeModelError(
            f"{what} has the shape {shown(shape)}.",
            expected=f"at most {limits.rank} whole numbers of 0 or more, and fewer than 2^53 elements.",
        )


def _check_quantization(spec: WeightSpec, what: str, limits: Limits) -> None:
    rules = spec.quantization
    if rules is None:
        return
    kind = rules.get("dtype")
    if not isinstance(kind, str) or kind not in _QUANTIZED_LAYOUT:
        raise UnsafeModelError(f"{what} is quantized to {shown(kind)}.", expected="uint8, uint16 or float16.")
    allowed = ("float32",) if kind == "float16" else ("float32", "int32")
    if spec.dtype not in allowed:
        raise UnsafeModelError(f"{what} is quantized from {spec.dtype} to {kind}.", expected=f"{' or '.join(allowed)}.")
    if kind != "float16":
        _check_affine(rules.get("scale"), rules.get("min"), 2.0 ** (8 if kind == "uint8" else 16), spec, what)


def _check_affine(scale: object, least: object, levels: float, spec: WeightSpec, what: str) -> None:
    numbers = [n for n in (scale, least) if type(n) in (int, float) and math.isfinite(n)]  # type: ignore[arg-type]
    if len(numbers) < 2 or abs(numbers[0]) * levels + abs(numbers[1]) > _LARGEST[spec.dtype]:  # type: ignore[arg-type]
        raise UnsafeModelError(
            f"{what} is quantized with scale {shown(scale)} and min {shown(least)}.",
            expected=f"two finite numbers that keep its values within {spec.dtype}.",
        )
