"""Ops on tensors of strings: n-grams, splitting, hashing, replacing.

Strings live on the host, whatever the active backend is; these ops run there. What needs bytes takes UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from lamina.dtypes import INTEGER, STRING
from lamina.errors import ArgumentError, ArgumentTypeError, ShapeError
from lamina.ops.farmhash import fingerprint64
from lamina.ops.patterns import MAXIMUM_LENGTH, compiled, repeats_repetitions, replacement
from lamina.runtime.op import TensorLike, host_op
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec, as_int

Array = np.ndarray[Any, Any]


class NGrams(NamedTuple):
    """N-grams of ragged rows: row i is ``ngrams[splits[i]:splits[i + 1]]``."""

    ngrams: Tensor
    splits: Tensor


class SplitStrings(NamedTuple):
    """The parts of each string as a sparse matrix: positions (parts, 2), the parts, and the matrix's shape."""

    indices: Tensor
    values: Tensor
    shape: Tensor


def ngrams(
    data: TensorLike,
    data_splits: TensorLike,
    separator: str = " ",
    n_gram_widths: int | Sequence[int] = 2,
    left_pad: str = "",
    right_pad: str = "",
    pad_width: int = -1,
    preserve_short_sequences: bool = False,
) -> NGrams:
    """Joins every run of n neighbouring strings of each row, for each width n. As ``tf.strings.ngrams``.

    ``data`` is a vector of strings and row i is ``data[data_splits[i]:data_splits[i + 1]]``. Each row first gets
    ``pad_width`` pads on either side, at most n - 1; -1 stands for n - 1. A row without any n-gram gives one of all
    that it has if ``preserve_short_sequences``. Raises ShapeError, DTypeError, ArgumentError for widths below 1 and
    for splits that do not run upwards from 0 to the size of data.

    >>> found = ngrams(["a", "b", "c", "d"], [0, 3, 4], "|", 2)
    >>> found.ngrams.tolist(), found.splits.tolist()
    (['|a', 'a|b', 'b|c', 'c|', '|d', 'd|'], [0, 4, 6])
    >>> ngrams(["a", "b", "c", "d"], [0, 3, 4], "|", 2, pad_width=0).ngrams.tolist()
    ['a|b', 'b|c']
    """
    settings = (separator, n_gram_widths, left_pad, right_pad, pad_width, preserve_short_sequences)
    return NGrams(*string_ngrams(data, data_splits, *settings))


def _ngrams_rule(data: Any, data_splits: Any, **settings: Any) -> tuple[Spec, Spec]:
    _check_vector("ngrams", "data", data)
    _check_vector("ngrams", "data_splits", data_splits)
    return Spec((0,), "string"), Spec(data_splits.shape, data_splits.dtype)


@host_op(
    result=_ngrams_rule,
    dtypes={"data": STRING, "data_splits": INTEGER},
    promote=False,
    outputs=("grams", "splits"),
    public=False,
)
def string_ngrams(
    data: TensorLike,
    data_splits: TensorLike,
    separator: str,
    n_gram_widths: Any,
    left_pad: str,
    right_pad: str,
    pad_width: int,
    preserve_short_sequences: bool,
) -> Any:
    """N-grams and their row splits: see ``lamina.strings.ngrams``.

    >>> string_ngrams(["a", "b"], [0, 2], "+", 2, "", "", 0, False)[0].tolist()
    ['a+b']
    """
    _check_splits(data_splits, len(data))
    tokens = _texts(data)
    grams: list[str] = []
    splits = np.zeros_like(data_splits)
    for i, (start, stop) in enumerate(zip(data_splits[:-1].tolist(), data_splits[1:].tolist(), strict=True)):
        row = tokens[start:stop]
        for width in n_gram_widths if tokens else ():
            pads = min(width - 1, width - 1 if pad_width < 0 else pad_width)
            padded = [left_pad] * pads + row + [right_pad] * pads
            grams.extend(separator.join(padded[k : k + width]) for k in range(len(padded) - width + 1))
        if preserve_short_sequences and row and len(grams) == splits[i]:
            grams.append(separator.join([left_pad] * max(0, pad_width) + row + [right_pad] * max(0, pad_width)))
        splits[i + 1] = len(grams)
    return _strings(grams), splits


@string_ngrams.settings
def _(data: Tensor, data_splits: Tensor, n_gram_widths: Any, pad_width: Any, **settings: Any) -> dict[str, Any]:
    for name in ("separator", "left_pad", "right_pad"):
        _check_text("ngrams", name, settings[name])
    widths = (n_gram_widths,) if hasattr(n_gram_widths, "__index__") else tuple(n_gram_widths)
    return {
        **settings,
        "n_gram_widths": tuple(as_int(width, "n_gram_widths", minimum=1) for width in widths),
        "pad_width": as_int(pad_width, "pad_width"),
    }


def _check_splits(splits: Array, size: int) -> None:
    """The splits of a ragged axis run from 0 upwards to its size."""
    if splits.size and (splits[0] != 0 or splits[-1] != size or np.any(splits[1:] < splits[:-1])):
        raise ArgumentError(
            f"ngrams: data_splits is {splits.tolist()} for {size} strings.",
            expected=f"numbers that start with 0, never fall, and end with {size}.",
        )


def split(input: TensorLike, delimiter: str = " ", skip_empty: bool = True) -> SplitStrings:
    """Splits each string of a vector at every character of ``delimiter``; into single characters if it is empty.

    Parts without characters are left out if ``skip_empty``. The parts of string i form row i of a sparse matrix. As
    ``tf.string_split``. Raises ShapeError unless the input is a vector, DTypeError unless it holds strings.

    >>> found = split(["hello big world", "a"])
    >>> found.values.tolist(), found.indices.tolist(), found.shape.tolist()
    (['hello', 'big', 'world', 'a'], [[0, 0], [0, 1], [0, 2], [1, 0]], [2, 3])
    """
    return SplitStrings(*string_split(input, delimiter, skip_empty))


def _split_rule(input: Any, **settings: Any) -> tuple[Spec, Spec, Spec]:
    _check_vector("split", "input", input)
    return Spec((0, 2), "int32"), Spec((0,), "string"), Spec((2,), "int32")


@host_op(result=_split_rule, dtypes=STRING, outputs=("indices", "values", "shape"), public=False)
def string_split(input: TensorLike, delimiter: str, skip_empty: bool) -> Any:
    """Positions, values and shape of the parts of strings: see ``lamina.strings.split``.

    >>> string_split(["a b"], " ", True)[1].tolist()
    ['a', 'b']
    """
    rows = [_parts(text, delimiter, skip_empty) for text in _texts(input)]
    indices = [(i, j) for i, row in enumerate(rows) for j in range(len(row))]
    longest = max((len(row) for row in rows), default=0)
    values = _strings([part for row in rows for part in row])
    return np.array(indices, np.int32).reshape(-1, 2), values, np.array([len(rows), longest], np.int32)


@string_split.settings
def _(input: Tensor, delimiter: Any, skip_empty: Any) -> dict[str, Any]:
    return {"delimiter": _check_text("split", "delimiter", delimiter), "skip_empty": bool(skip_empty)}


def _parts(text: str, delimiter: str, skip_empty: bool) -> list[str]:
    if not delimiter:
        return list(text)
    parts = text.split(delimiter) if len(delimiter) == 1 else re.split(f"[{re.escape(delimiter)}]", text)
    return [part for part in parts if part] if skip_empty else parts


def _buckets_rule(input: Any, num_buckets: int) -> Spec:
    return Spec(input.shape, "int32" if num_buckets <= 2**31 else "int64")


@host_op(result=_buckets_rule, dtypes=STRING, public=False)
def string_to_hash_bucket_fast(input: TensorLike, num_buckets: int) -> Any:
    """The bucket of each string: see ``lamina.strings.to_hash_bucket_fast``.

    >>> string_to_hash_bucket_fast(["a", "b"], 10).tolist()
    [9, 2]
    """
    buckets = [fingerprint64(text.encode()) % num_buckets for text in _texts(input)]
    return np.array(buckets, np.int32 if num_buckets <= 2**31 else np.int64).reshape(input.shape)


@string_to_hash_bucket_fast.settings
def _(input: Tensor, num_buckets: Any) -> dict[str, Any]:
    count = as_int(num_buckets, "num_buckets", minimum=1)
    if count > 2**63:
        raise ArgumentError(f"num_buckets is {count}.", expected="at most 2**63.")
    return {"num_buckets": count}


def to_hash_bucket_fast(input: TensorLike, num_buckets: int) -> Tensor:
    """FarmHash's Fingerprint64 of each string, as UTF-8, modulo ``num_buckets``: a number from 0 to num_buckets - 1.

    Not for secrets: whoever picks the strings can pick the buckets. int32, or int64 for more than 2**31 buckets. As
    ``tf.strings.to_hash_bucket_fast``. Raises ArgumentError for less than one bucket, DTypeError for numbers.

    >>> to_hash_bucket_fast(["hello", "world"], 10).tolist()
    [6, 8]
    """
    found: Tensor = string_to_hash_bucket_fast(input, num_buckets)
    return found


def static_regex_replace(input: TensorLike, pattern: str, rewrite: str, replace_global: bool = True) -> Tensor:
    r"""Each string with what a regular expression matches replaced: every match, or only the first.

    ``pattern`` is in JavaScript's spelling, which is RE2's and Python's for all that is common. ``rewrite`` may refer
    to groups as ``$1``, ``$&`` (all), ``$<name>`` and ``$$`` (a dollar), as in JavaScript, or as ``\1`` and ``\0``,
    as in RE2. Matching backtracks and can be slow: patterns should not come from strangers. Raises ArgumentError for
    a pattern that is none or has more than 10000 characters, and for strings longer than that where a repetition
    contains another; DTypeError unless the input holds strings.

    >>> static_regex_replace(["a1b22", "c"], "[0-9]+", "<$&>").tolist()
    ['a<1>b<22>', 'c']
    """
    found: Tensor = string_regex_replace(input, pattern, rewrite, replace_global)
    return found


@host_op(result=lambda input, **_: Spec(input.shape, "string"), dtypes=STRING, public=False)
def string_regex_replace(input: TensorLike, pattern: str, rewrite: str, replace_global: bool) -> Any:
    """Strings with matches replaced: see ``lamina.strings.static_regex_replace``.

    >>> string_regex_replace(["aa"], "a", "b", False).tolist()
    ['ba']
    """
    texts = _texts(input)
    if max(map(len, texts), default=0) > MAXIMUM_LENGTH and repeats_repetitions(pattern):
        raise ArgumentError(
            f"static_regex_replace: a string has {max(map(len, texts))} characters, and pattern {pattern!r} repeats a "
            "repetition, which may take for ever.",
            expected=f"strings of at most {MAXIMUM_LENGTH} characters for such a pattern.",
            fix="write the pattern with one repetition, or split the strings.",
        )
    expression = compiled(pattern)
    by = replacement(rewrite, expression)
    return _strings([expression.sub(by, text, count=0 if replace_global else 1) for text in texts]).reshape(input.shape)


@string_regex_replace.settings
def _(input: Tensor, pattern: Any, rewrite: Any, replace_global: Any) -> dict[str, Any]:
    compiled(_check_text("static_regex_replace", "pattern", pattern))
    _check_text("static_regex_replace", "rewrite", rewrite)
    return {"pattern": pattern, "rewrite": rewrite, "replace_global": bool(replace_global)}


def _check_text(op: str, name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{op}: {name} is {value!r}.", expected=f"{name} to be a string.")
    return value


def _check_vector(op: str, name: str, x: Any) -> None:
    if x.ndim != 1:
        raise ShapeError(f"{op}: {name} is {x.shape}.", expected=f"{name} to have one axis.")


def _texts(array: Array) -> list[str]:
    return [text.decode() if isinstance(text, bytes) else str(text) for text in array.reshape(-1).tolist()]


def _strings(texts: list[str]) -> Array:
    array = np.empty(len(texts), object)
    array[:] = texts
    return array
