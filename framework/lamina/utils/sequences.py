"""Sequences made ready: brought to one length, or cut out of a series of measurements."""

from __future__ import annotations

from typing import Any

import numpy as np

from lamina.data import Dataset, as_array, from_arrays
from lamina.errors import ArgumentError, ArgumentTypeError, DataError, DTypeError, ShapeError
from lamina.layers.arguments import choice
from lamina.shapes import as_int


def pad_sequences(
    sequences: Any,
    maxlen: int | None = None,
    dtype: Any = "int32",
    padding: str = "pre",
    truncating: str = "pre",
    value: Any = 0.0,
) -> np.ndarray[Any, Any]:
    """Sequences of different lengths as one array: filled up to ``maxlen`` with ``value``, or cut down to it.

    Returns (sequences, maxlen, ...); ``maxlen`` defaults to the longest. ``padding`` and ``truncating`` say on which
    side: ``"pre"`` or ``"post"``. ``dtype`` is NumPy's; use ``object`` for strings. Raises ShapeError for steps of
    different shapes, DTypeError if the value does not go with the dtype.

    >>> pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2).tolist()
    [[0, 1], [2, 3], [5, 6]]
    """
    choice(padding, "padding", ("pre", "post"))
    choice(truncating, "truncating", ("pre", "post"))
    parts = [_part(part, i) for i, part in enumerate(_listed(sequences))]
    if not parts:
        raise DataError("sequences is empty.", expected="at least one sequence.")
    length = max(map(len, parts)) if maxlen is None else as_int(maxlen, "maxlen", minimum=1)
    steps = [part.shape[1:] for part in parts if len(part)]
    for i, part in enumerate(parts):
        if len(part) and part.shape[1:] != steps[0]:
            raise ShapeError(
                f"the steps of the sequence {i} have shape {part.shape[1:]}, those of others {steps[0]}.",
                expected="one shape in all sequences.",
            )
    padded = _filled((len(parts), length, *(steps[0] if steps else ())), value, dtype)
    for row, part in zip(padded, parts, strict=True):
        kept = part[-length:] if truncating == "pre" else part[:length]
        if len(kept):
            row[-len(kept) if padding == "pre" else 0 : None if padding == "pre" else len(kept)] = kept
    return padded


def _listed(sequences: Any) -> list[Any]:
    if isinstance(sequences, (str, bytes)) or not hasattr(sequences, "__iter__"):
        raise ArgumentTypeError(f"sequences is {sequences!r}.", expected="a list of sequences.")
    return list(sequences)


def _part(part: Any, number: int) -> np.ndarray[Any, Any]:
    if isinstance(part, (str, bytes)) or not hasattr(part, "__len__") or getattr(part, "shape", None) == ():
        raise ArgumentTypeError(f"the sequence {number} is {part!r}.", expected="a list or an array of steps.")
    try:
        found = np.asarray(part)
    except ValueError as error:
        raise ShapeError(
            f"the steps of the sequence {number} have different shapes.", expected="one shape in all sequences."
        ) from error
    return found


def _filled(shape: tuple[int, ...], value: Any, dtype: Any) -> np.ndarray[Any, Any]:
    kind = np.dtype(dtype)
    if isinstance(value, str) and kind.kind not in "OUS":
        raise DTypeError(
            f"the value {value!r} does not go with the dtype {kind}.", fix="give dtype=object for strings."
        )
    return np.full(shape, value, kind)


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Dataset:
    """Windows of a series, as a dataset of batches: (windows, targets), or the windows alone if ``targets`` is None.

    Window i has ``sequence_length`` steps of ``data``, ``sampling_rate`` apart, beginning at step i *
    ``sequence_stride``; its target is that entry of ``targets`` at which it begins. Only
    ``data[start_index:end_index]`` are used. ``batch_size`` None gives windows one by one.
    ``shuffle`` brings them in a new order in each pass, ``seed`` makes the orders reproducible. Windows are cut when
    they are asked for. ``format`` is there for scripts of Keras and changes nothing.

    Raises ArgumentError for settings beyond the data, DataError if there is no whole window.

    >>> data = timeseries_dataset_from_array(list(range(10)), list(range(100, 110)), 3, sequence_stride=2, batch_size=2)
    >>> windows, targets = next(iter(data))
    >>> windows.tolist(), targets.tolist()
    ([[0, 1, 2], [2, 3, 4]], [100, 102])
    """
    series = as_array(data, "data")
    labels = None if targets is None else as_array(targets, "targets")
    start, end = _bounds(len(series), start_index, end_index)
    length = as_int(sequence_length, "sequence_length", minimum=1)
    stride = _below(sequence_stride, "sequence_stride", len(series))
    rate = _below(sampling_rate, "sampling_rate", len(series))
    count = end - start - (length - 1) * rate
    if labels is not None:
        count = min(count, len(labels) - start)
    if count <= 0:
        raise DataError(
            f"no window of {length} steps, {rate} apart, fits into {end - start} steps.",
            expected="longer data, or shorter windows.",
        )
    offsets = np.arange(length) * rate

    def cut(places: Any) -> Any:
        windows = series[start + np.add.outer(places, offsets)]
        return windows if labels is None else (windows, labels[start + places])

    windows = from_arrays(np.arange(0, count, stride))
    if shuffle:
        windows = windows.shuffle(len(windows), seed=seed)
    return (windows if batch_size is None else windows.batch(batch_size)).map(cut)


def _bounds(length: int, start: int | None, end: int | None) -> tuple[int, int]:
    first = 0 if start is None else as_int(start, "start_index", minimum=0)
    last = length if end is None else as_int(end, "end_index", minimum=1)
    if not first < last <= length:
        raise ArgumentError(
            f"start_index is {first} and end_index is {last}, for data of {length} steps.",
            expected="start_index below end_index, and both within the data.",
        )
    return first, last


def _below(value: Any, name: str, length: int) -> int:
    number = as_int(value, name, minimum=1)
    if number >= length:
        raise ArgumentError(f"{name} is {number}, for data of {length} steps.", expected=f"{name} to be below that.")
    return number
