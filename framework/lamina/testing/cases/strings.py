"""Cases of ops on strings."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from lamina.errors import ArgumentError, ArgumentTypeError, DTypeError, ShapeError
from lamina.testing.inputs import ints, normal, strings, values
from lamina.testing.table import case


def _ngrams(data: Any, data_splits: Any, separator: str, n_gram_widths: Any, **settings: Any) -> Any:
    """By a sliding window over each row."""
    pad_width, short = settings["pad_width"], settings["preserve_short_sequences"]
    found: list[str] = []
    splits = [0]
    for row in np.split(data, data_splits[1:-1]):
        for width in n_gram_widths:
            pads = min(width - 1, pad_width if pad_width >= 0 else width - 1)
            padded = np.array([settings["left_pad"]] * pads + list(row) + [settings["right_pad"]] * pads, object)
            if len(padded) >= width:
                windows = np.lib.stride_tricks.sliding_window_view(padded, width)
                found += [separator.join(window) for window in windows]
        if short and len(row) and len(found) == splits[-1]:
            found.append(separator.join(row))
        splits.append(len(found))
    return [np.array(found, object), np.array(splits, data_splits.dtype)]


_letters = strings(["a", "b", "c", "d", "é"])
_splits = values([0, 3, 3, 5], "int32")
for _widths, _pad, _short in (((2,), 0, False), ((1, 3), -1, False), ((3, 2), 1, True), ((4,), 0, True)):
    case(
        "string_ngrams",
        [_letters, _splits],
        separator="|",
        n_gram_widths=_widths,
        left_pad="L",
        right_pad="R",
        pad_width=_pad,
        preserve_short_sequences=_short,
        reference=_ngrams,
        replayed=False,
    )
case("strings.ngrams", [_letters, ints(2, 2)], raises=ShapeError)
case("strings.ngrams", [_letters, normal(2)], raises=DTypeError)
case("strings.ngrams", [ints(5), _splits], raises=DTypeError)
case("strings.ngrams", [_letters, _splits], n_gram_widths=0, raises=ArgumentError)
case("strings.ngrams", [_letters, _splits], separator=1, raises=ArgumentTypeError)


def _split(input: Any, delimiter: str, skip_empty: bool) -> Any:
    rows = [re.findall(f"[^{re.escape(delimiter)}]{'+' if skip_empty else '*'}", text) for text in input]
    if not skip_empty:  # the pattern also matches the nothing at the end of a part
        rows = [re.sub(f"[{re.escape(delimiter)}]", delimiter[0], text).split(delimiter[0]) for text in input]
    places = [[i, j] for i, row in enumerate(rows) for j in range(len(row))]
    shape = [len(rows), max((len(row) for row in rows), default=0)]
    return [
        np.array(places, np.int32).reshape(-1, 2),
        np.array([part for row in rows for part in row], object),
        np.array(shape),
    ]


_lines = strings(["a b", " c,d ", "", "é"])
for _delimiter in (" ", " ,"):
    for _skip in (True, False):
        case(
            "string_split",
            [_lines],
            delimiter=_delimiter,
            skip_empty=_skip,
            reference=_split,
            replayed=False,
        )
case("string_split", [strings([])], delimiter=" ", skip_empty=True, reference=_split, replayed=False)
case("strings.split", [strings([["a"]])], raises=ShapeError)
case("strings.split", [normal(2)], raises=DTypeError)
case("strings.split", [_lines], delimiter=None, raises=ArgumentTypeError)

_FINGERPRINTS = {"test": 8581389452482819506, "foo": 6150913649986995171, "2applefalse": 2794438866806483259}


def _buckets(input: Any, num_buckets: int) -> Any:
    return np.vectorize(lambda text: _FINGERPRINTS[text] % num_buckets, otypes=[np.int64])(input)


for _count in (1, 1000, 2**40):
    case(
        "string_to_hash_bucket_fast",
        [strings([["test", "foo"], ["2applefalse", "test"]])],
        num_buckets=_count,
        reference=_buckets,
        replayed=False,
    )
case("strings.to_hash_bucket_fast", [strings(["a"])], num_buckets=0, raises=ArgumentError)
case("strings.to_hash_bucket_fast", [normal(2)], num_buckets=2, raises=DTypeError)


def _replaced(input: Any, pattern: str, rewrite: str, replace_global: bool) -> Any:
    by = rewrite.replace("$", "\\")
    return np.array([re.sub(pattern, by, text, count=int(not replace_global)) for text in input], object)


for _every in (True, False):
    case(
        "string_regex_replace",
        [strings(["xyxy", "", "é xy"])],
        pattern="(x)(y)",
        rewrite="$2$1",
        replace_global=_every,
        reference=_replaced,
        replayed=False,
    )
case("strings.static_regex_replace", [strings(["a"])], pattern="(", rewrite="", raises=ArgumentError)
case("strings.static_regex_replace", [strings(["a"])], pattern="a" * 10_001, rewrite="", raises=ArgumentError)
case("strings.static_regex_replace", [normal(1)], pattern="a", rewrite="", raises=DTypeError)
case("strings.static_regex_replace", [strings(["a"])], pattern="a", rewrite=1, raises=ArgumentTypeError)
