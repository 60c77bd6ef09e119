"""Strings: TensorFlow.js returns objects with names of its own."""

from __future__ import annotations

from typing import Any

from adapting import Indices, TensorLike, adapter

import lamina


@adapter("string.stringNGrams")
def ngrams(
    data: TensorLike,
    data_splits: Indices,
    separator: str,
    widths: Any,
    left_pad: str,
    right_pad: str,
    pad_width: int,
    preserve_short_sequences: bool,
) -> Any:
    settings = (separator, widths, left_pad, right_pad, pad_width, preserve_short_sequences)
    found = lamina.strings.ngrams(data, data_splits, *settings)
    return {"nGrams": found.ngrams, "nGramsSplits": found.splits}


@adapter("string.stringSplit")
def split(input: TensorLike, delimiter: str, skip_empty: bool = True) -> Any:
    return lamina.strings.split(input, delimiter, skip_empty)._asdict()
