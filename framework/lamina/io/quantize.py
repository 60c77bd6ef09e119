"""Weights in fewer bytes: float32 as uint8, uint16 or float16, as TensorFlow.js's converter quantizes them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np

from lamina.contract.io import Bytes, ModelArtifacts, WeightSpec
from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.io.checks import shown
from lamina.io.weights import spans

HostArray = np.ndarray[Any, Any]

DTYPES: Final = ("uint8", "uint16", "float16")
_LARGEST_HALF: Final = float(np.finfo(np.float16).max)


class _Rules(NamedTuple):
    """Patterns of names with their dtypes, and the dtype of what no pattern matches."""

    patterns: tuple[tuple[str, str], ...]
    rest: str | None

    def dtype_of(self, name: str) -> str | None:
        found = {dtype for pattern, dtype in self.patterns if _matches(pattern, name)}
        if len(found) > 1:
            raise ArgumentError(
                f"the weight {shown(name)} is to be quantized to {' and to '.join(sorted(found))}.",
                expected="patterns that match it for one dtype only.",
            )
        return found.pop() if found else self.rest


def quantize_artifacts(artifacts: ModelArtifacts, quantization: Any) -> ModelArtifacts:
    """Artifacts whose float32 weights are stored in fewer bytes; readers expand them to float32 again.

    ``quantization`` is ``"uint8"``, ``"uint16"`` or ``"float16"`` for all weights, or a mapping from these to patterns
    of names, one or a list, in which ``*`` stands for any text; ``"*"`` or True for all that no other pattern matches.
    None changes nothing. Integers are on a linear scale from the smallest to the largest value of each weight, and zero
    stays zero. Weights of other dtypes, those that are quantized already and the optimizer's stay as they are.

    Raises ArgumentError if two dtypes are for one weight or for all, if a pattern matches none, and for weights that
    are not finite or too large for the dtype.

    >>> from lamina.io import decode_weights, encode_weights
    >>> specs, data = encode_weights([("d/kernel", np.float32([-1, 0, 3]), None), ("d/n", np.int32([7]), None)])
    >>> found = quantize_artifacts(ModelArtifacts({}, specs, data), "uint8")
    >>> len(found.weight_data), decode_weights(found.weight_specs, found.weight_data)[0][1].round(2).tolist()
    (7, [-1.0, 0.0, 3.0])
    """
    if quantization is None:
        return artifacts
    rules = _read(quantization)
    _check_used(rules, [spec.name for spec in artifacts.weight_specs if _may_be(spec)])
    data = memoryview(artifacts.weight_data).cast("B")
    specs: list[WeightSpec] = []
    parts: list[Bytes] = []
    for spec, (start, end) in zip(
        artifacts.weight_specs, spans(artifacts.weight_specs, data, "the model"), strict=True
    ):
        dtype = rules.dtype_of(spec.name) if _may_be(spec) and end > start else None
        if dtype is None:
            specs.append(spec)
            parts.append(data[start:end])
        else:
            stored, found = _quantized(np.frombuffer(data[start:end], "<f4"), dtype, spec.name)
            specs.append(spec._replace(quantization=found))
            parts.append(stored.view(np.uint8).data)
    return replace(artifacts, weight_specs=tuple(specs), weight_data=b"".join(parts))


def _may_be(spec: WeightSpec) -> bool:
    return spec.dtype == "float32" and spec.group != "optimizer" and spec.quantization is None


def _read(given: Any) -> _Rules:
    """What to do with which names. Raises ArgumentTypeError or ArgumentError if that cannot be told."""
    if isinstance(given, str):
        given = {given: True}
    if not isinstance(given, Mapping):
        raise ArgumentTypeError(f"quantization is {given!r}.", expected="a dtype, or a dict of dtypes and patterns.")
    unknown = [dtype for dtype in given if dtype not in DTYPES]
    if unknown:
        raise ArgumentError(f"quantization to {unknown[0]!r}.", expected=f"one of {', '.join(DTYPES)}.")
    patterns: list[tuple[str, str]] = []
    rest: list[str] = []
    for dtype, names in given.items():
        for pattern in _patterns(names):
            if pattern == "*":
                rest.append(dtype)
            else:
                patterns.append((pattern, dtype))
    if len(set(rest)) > 1:
        raise ArgumentError(f"all weights are to be quantized to {' and to '.join(rest)}.", expected="one dtype.")
    return _Rules(tuple(patterns), rest[0] if rest else None)


def _patterns(names: Any) -> list[str]:
    if names is True:
        return ["*"]
    listed = [names] if isinstance(names, str) else list(names) if isinstance(names, Iterable) else [names]
    if not all(isinstance(name, str) and name for name in listed):
        raise ArgumentTypeError(f"quantization of {names!r}.", expected="names of weights with *, or True for all.")
    return listed


def _matches(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None


def _check_used(rules: _Rules, names: list[str]) -> None:
    for pattern, dtype in rules.patterns:
        if not any(_matches(pattern, name) for name in names):
            raise ArgumentError(
                f"no weight is named {pattern!r}, which is to be quantized to {dtype}.",
                expected=f"float32 weights of the model, such as {', '.join(map(shown, names[:6])) or 'none'}.",
            )


def _quantized(values: HostArray, dtype: str, name: str) -> tuple[HostArray, dict[str, Any]]:
    """The stored numbers and what the manifest says of them."""
    largest = float(np.abs(values).max())
    if not np.isfinite(largest) or (dtype == "float16" and largest > _LARGEST_HALF):
        raise ArgumentError(
            f"the weight {shown(name)} cannot be quantized to {dtype}: its largest value is {largest}.",
            fix="leave it out by patterns of the others' names.",
        )
    if dtype == "float16":
        return values.astype("<f2"), {"dtype": dtype, "original_dtype": "float32"}
    stored, scale, least = _affine(values.astype(np.float64), np.dtype(dtype).newbyteorder("<"))
    return stored, {"dtype": dtype, "min": least, "scale": scale, "original_dtype": "float32"}


def _affine(values: HostArray, dtype: np.dtype[Any]) -> tuple[HostArray, float, float]:
    """Integers q, a scale and a least value: q * scale + least is near the values, and 0 is met exactly."""
    least, most = float(values.min()), float(values.max())
    if least == most:
        return np.zeros(values.shape, dtype), 1.0, least
    steps = np.iinfo(dtype).max
    scale = (most - least) / steps
    if least <= 0 <= most:
        least = -float(np.round(-least / scale)) * scale
        most = steps * scale + least
    return np.round((np.clip(values, least, most) - least) / scale).astype(dtype), scale, least
