"""How an op is called so that torch writes its result into a given tensor.

For each op a function of the specs and settings that gives a call ``function(*arrays, *settings, out=buffer)``, or
None where only the plain kernel will do.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch

from lamina.shapes import Spec
from lamina_torch.calls import (
    ADAM,
    ADDCMUL,
    ADDMM,
    CLAMP_MIN,
    DENSE,
    LOG_SOFTMAX_BACKWARD,
    LSTM,
    LSTM_BACKWARD,
    MM,
    MV,
    SUBCMUL,
    THRESHOLD,
    TURN,
)
from lamina_torch.dtypes import TORCH_DTYPES
from lamina_torch.kernels.activation import log_softmax_gradient, relu_gradient
from lamina_torch.kernels.elementwise import ROWS
from lamina_torch.kernels.recurrent import lstm_forward
from lamina_torch.kernels.training import IN_PLACE, adam_step_of_rate, adam_update_of_rate, bias_correction


class Direct(NamedTuple):
    """``function(*arrays, *settings, out=buffer)``; the keyword has another name in some of torch's functions.

    ``in_place`` is a method, with its settings, that does the same where the buffer is the first argument itself: torch
    calls methods sooner than functions. ``buffer_first`` says that the function takes the buffer as its first argument.
    """

    function: Callable[..., Any]
    settings: tuple[Any, ...] = ()
    keyword: str = "out"
    in_place: tuple[str, tuple[Any, ...]] | None = None
    buffer_first: bool = False


Rule = Callable[[Sequence[Spec], Mapping[str, Any]], Direct | None]
_METHODS = {"add": "add_", "subtract": "sub_", "multiply": "mul_"}
SWAPPED = ("add", "multiply")
"""Ops whose two arguments may change places."""

INEXACT = ("float16", "bfloat16", "float32", "float64", "complex64", "complex128")


def _reduction(function: Callable[..., Any], dtypes: Sequence[str] = INEXACT) -> Rule:
    def rule(inputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Direct | None:
        if not attrs["axis"] or inputs[0].dtype not in dtypes:
            return None
        return Direct(function, (attrs["axis"], attrs["keepdims"]))

    return rule


def _along(function: Callable[..., Any]) -> Rule:
    return lambda inputs, attrs: Direct(function, (attrs["axis"], False))


def _always(function: Callable[..., Any], *settings: Any, keyword: str = "out") -> Rule:
    return lambda inputs, attrs: Direct(function, settings, keyword)


def _row(name: str, function: Callable[..., Any]) -> Rule:
    in_place = (_METHODS[name], ()) if name in _METHODS else None
    return lambda inputs, attrs: Direct(function, in_place=in_place)


def _clamp_min(inputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Direct | None:
    return Direct(torch.clamp_min, (attrs["lowest"],), in_place=("clamp_min_", (attrs["lowest"],)))


def _product(inputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Direct | None:
    if attrs["transpose_a"] or attrs["transpose_b"] or inputs[0].dtype not in INEXACT:
        return None
    return Direct(torch.matmul)


_OVERLOAD = torch.ops.aten.threshold_backward.grad_input
_BACKWARD = getattr(_OVERLOAD, "_op", _OVERLOAD)  # what the overload calls in the end

_subcmul = functools.partial(torch.addcmul, value=-1)

LOWERED: dict[str, Callable[..., Any]] = {
    MM: torch.mm,
    ADDMM: torch.addmm,
    MV: torch.mv,
    TURN: torch.t,
    DENSE: lambda x: x.clone(memory_format=torch.contiguous_format),
    THRESHOLD: relu_gradient,
    LOG_SOFTMAX_BACKWARD: log_softmax_gradient,
    ADDCMUL: torch.addcmul,
    SUBCMUL: _subcmul,
    CLAMP_MIN: lambda x, lowest: torch.clamp_min(x, lowest),
    ADAM: adam_update_of_rate,
    LSTM: lstm_forward,
    LSTM_BACKWARD: lambda backward, d_outputs, d_last_c, *given: backward(d_outputs, d_last_c),
}
"""The plain functions of the calls that only lowered programs have."""

UPDATES = {**IN_PLACE, ADAM: (adam_step_of_rate, (0, 2, 3))}
"""What makes the call of an update in place, and which groups of arguments it writes over."""


def _copied(inputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Direct | None:
    return Direct(torch.Tensor.copy_, buffer_first=True)


def _cast(inputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Direct | None:
    """A copy converts as ``cast`` does, but for NaN to integers and for complex to real numbers."""
    before, after = inputs[0].dtype, attrs["dtype"]
    if before.startswith("complex") and not after.startswith("complex"):
        return None
    if before in INEXACT and after not in (*INEXACT, "bool"):
        return None
    return _copied(inputs, attrs)


def _corrected(inputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Direct | None:
    return Direct(bias_correction, (attrs["beta_1"], attrs["beta_2"], attrs["dtype"]))


def _log_softmax_backward(inputs: Sequence[Spec], attrs: Mapping[str, Any]) -> Direct | None:
    return Direct(torch._log_softmax_backward_data, (attrs["axis"], TORCH_DTYPES[inputs[0].dtype]))


DIRECT: dict[str, Rule] = {name: _row(name, function) for name, function in ROWS.items()} | {
    "clip": _always(torch.clamp),
    "tanh": _always(torch.tanh),
    "sigmoid": _always(torch.sigmoid),
    DENSE: _copied,
    "cast": _cast,
    "relu": lambda inputs, attrs: Direct(torch.clamp_min, (0,), in_place=("relu_", ())),
    CLAMP_MIN: _clamp_min,
    "softmax": _along(torch._softmax),
    "log_softmax": _along(torch._log_softmax),
    LOG_SOFTMAX_BACKWARD: _log_softmax_backward,
    "sum": _reduction(torch.sum),
    "mean": _reduction(torch.mean),
    "max": _reduction(torch.amax, INEXACT[:4]),
    "min": _reduction(torch.amin, INEXACT[:4]),
    "matmul": _product,
    ADDCMUL: _always(torch.addcmul),
    SUBCMUL: _always(_subcmul),
    MM: _always(torch.mm),
    ADDMM: _always(torch.addmm),
    MV: _always(torch.mv),
    "bias_correction": _corrected,
    THRESHOLD: _always(_BACKWARD, 0, keyword="grad_input"),
}
