"""What a model gives for a small fixed input, kept with it, so that a reader who gets something else finds out.

The input follows from the shapes of the model's inputs alone. Both sides compute within bounds: a model that oversteps
them is saved without a fingerprint, so a file cannot make its reader compute more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import add
from typing import Any, Final

import numpy as np

from lamina.contract import Backend
from lamina.dtypes import FLOATING, ITEMSIZE
from lamina.errors import LaminaError, ModelFileError
from lamina.layers.symbolic import SymbolicTensor
from lamina.models.costs import multiply_adds_of
from lamina.models.rehearsal import rehearsing
from lamina.models.saving.sources import SLACK
from lamina.ops.gated import gru
from lamina.ops.masked import masked_gru, masked_lstm
from lamina.ops.recurrent import lstm, lstm_sequence
from lamina.runtime.backends import get_backend, on_backend
from lamina.runtime.convert import from_numpy
from lamina.runtime.listeners import KernelCall, Listener, StartingCall, listening
from lamina.runtime.tensor import Tensor
from lamina.shapes import Spec
from lamina.structures import flatten, map_structure

TOLERANCE: Final = {"float16": 3e-2, "bfloat16": 1e-1}
"""How far an output may be off, as a share of the largest one, where it is not the usual 1e-3."""

_USUAL_TOLERANCE: Final = 1e-3
_SMALLEST: Final = 1e-5
_VALUES: Final = 64
_UNKNOWN_SIZE: Final = {"image": 32, "other": 8}
_MOST_MULTIPLY_ADDS: Final = 2**34
_OVER_TIME: Final = (gru, lstm, lstm_sequence, masked_gru, masked_lstm)
_MOST_CALLS: Final = 50_000
_BYTES_PER_STORED: Final = 16


class _TooMuchError(LaminaError):
    """The fixed input would cost more than a reader may be made to spend."""


class _Bounds(Listener):
    """Stops a computation that is too large, before the kernel that would overstep."""

    def __init__(self, stored_bytes: int) -> None:
        self._most = SLACK + _BYTES_PER_STORED * stored_bytes
        self._calls = self._products = 0

    def before_call(self, backend: Backend, starting: StartingCall | None) -> None:
        assert starting is not None, "nothing is replayed for a listener that hears no replays"
        specs = (starting.result,) if isinstance(starting.result, Spec) else starting.result
        pads = starting.attrs.get("pads", ())
        size = sum(_bytes(spec, pads) for spec in specs) + sum(_bytes(x.spec, pads) for x in starting.inputs if pads)
        self._calls += specs[0].shape[1] if starting.op in _OVER_TIME else len(specs)
        if size > self._most or self._calls > _MOST_CALLS:
            raise _TooMuchError("the fixed input costs too much memory or too many calls.")

    def on_call(self, call: KernelCall) -> None:
        self._products += multiply_adds_of(call)
        if self._products > _MOST_MULTIPLY_ADDS:
            raise _TooMuchError("the fixed input costs too many multiply-adds.")

    def wants_parts(self, inputs: tuple[Tensor, ...]) -> bool:
        return True


def _bytes(spec: Spec, pads: Sequence[tuple[int, int]]) -> int:
    """The bytes of an array, with the border that a kernel puts around the spatial axes of images."""
    around = (0, *map(sum, pads), 0) if pads and len(spec.shape) == len(pads) + 2 else (0,) * len(spec.shape)
    count: int = math.prod(map(add, spec.shape, around))
    return count * ITEMSIZE.get(spec.dtype, 1)


def fingerprint(model: Any) -> list[Any] | None:
    """The shapes, and the first values, of a model's floating-point outputs for the fixed input.

    None for a model that does not take the fixed input, or costs too much.
    """
    try:
        outputs = _outputs(model)
    except (LaminaError, TypeError, ValueError):  # what the input does not suit says so in whatever way
        return None
    return [_record(output) for output in outputs]


def check_fingerprint(model: Any, found: Any, where: str) -> None:
    """Raises ModelFileError if a model gives something else than its fingerprint says, with the difference."""
    if found is None:
        return
    try:
        outputs = _outputs(model)
        for index, (output, record) in enumerate(zip(outputs, found, strict=True)):
            _compare(output, record, index, where)
    except ModelFileError:
        raise
    except (LaminaError, TypeError, ValueError, KeyError) as error:
        raise ModelFileError(
            f"the model at {where} cannot be checked against its fingerprint: {error}",
            expected="a model that gives what it gave when it was saved.",
            fix="save it again where it was made; or load it with fingerprint=False, and compare its predictions.",
        ) from error


@contextmanager
def fixed_inputs(model: Any) -> Iterator[Any]:
    """The fixed input, for the model or its layers to be called on within bounds, without traces in the model."""
    weights = model.weights
    stored = sum(v.size * ITEMSIZE.get(v.dtype, 1) for v in weights)
    losses = model._call_losses
    with on_backend(weights[0].backend if weights else get_backend()):
        inputs = map_structure(_fixed, model.graph.input_structure)
        try:
            with rehearsing(), listening(_Bounds(stored)):
                yield inputs
        finally:
            model._call_losses = losses


def _outputs(model: Any) -> list[Tensor]:
    with fixed_inputs(model) as inputs:
        found = model(inputs, training=False)
    return [x for x in flatten(found) if isinstance(x, Tensor) and x.dtype in FLOATING]


def _fixed(tensor: SymbolicTensor) -> Tensor:
    """Values between 0 and 1, in a pattern; as integers they are zeros."""
    rank = len(tensor.shape)
    unknown = _UNKNOWN_SIZE["image" if rank > 3 else "other"]
    sizes = [1 if size is None and not axis else size or unknown for axis, size in enumerate(tensor.shape)]
    if math.prod(sizes) * 8 > SLACK:
        raise _TooMuchError("the input is too large.")
    values = (np.arange(math.prod(sizes), dtype=np.int64) * 37 % 63 + 1) / 64.0
    return from_numpy(values.reshape(sizes).astype(tensor.dtype), get_backend())


def _record(output: Tensor) -> dict[str, Any]:
    values, largest = _values(output)
    numbers = [float(v) if math.isfinite(v) else str(float(v)) for v in values]
    return {"shape": list(output.shape), "dtype": output.dtype, "largest": largest, "values": numbers}


def _values(output: Tensor) -> tuple[np.ndarray[Any, Any], float]:
    """Some values, spread over the output, and the largest one of all."""
    flat = output.numpy().astype(np.float64).ravel()
    finite = np.abs(flat[np.isfinite(flat)])
    step = max(1, flat.size // _VALUES)
    return flat[::step][:_VALUES], float(finite.max()) if finite.size else 0.0


def _compare(output: Tensor, record: Mapping[str, Any], index: int, where: str) -> None:
    values, _ = _values(output)
    said = np.array([float(v) for v in record["values"]])
    what = f"the model at {where} does not give what it gave when it was saved: output {index}"
    if list(output.shape) != record["shape"] or said.shape != values.shape:
        raise ModelFileError(f"{what} has the shape {output.shape}.", expected=f"{record['shape']}.")
    scale = max(float(record["largest"]), _SMALLEST)
    tolerance = TOLERANCE.get(output.dtype, _USUAL_TOLERANCE)
    same = (values == said) | (np.isnan(values) & np.isnan(said))
    with np.errstate(invalid="ignore"):
        difference = float(np.max(np.where(same, 0.0, np.abs(values - said)), initial=0.0))
    if not difference <= tolerance * scale + _SMALLEST:
        raise ModelFileError(
            f"{what} differs by {difference:.3g}, where the largest value is {scale:.3g}.",
            expected=f"at most {tolerance * scale + _SMALLEST:.3g}.",
            fix="see that the classes of custom layers are those of then; load with fingerprint=False to look at it.",
        )
