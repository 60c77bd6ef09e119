"""Every layer refuses sizes and rates that cannot be, by name, when it is made."""

from __future__ import annotations

import inspect
import math

import pytest

from lamina import layers
from lamina.errors import LaminaError

SIZES = {
    "units", "filters", "kernel_size", "pool_size", "strides", "dilation_rate", "input_dim", "output_dim", "n",
    "num_heads", "key_dim", "value_dim", "groups", "head_dim", "num_query_heads", "num_key_value_heads",
    "depth_multiplier", "height", "width", "num_tokens", "size", "output_size", "power_iterations", "num_bins",
    "fft_length", "frame_length", "frame_step", "num_mel_bins", "sampling_rate", "sequence_length", "sequence_stride",
}  # fmt: skip
RATES = {"rate", "dropout", "recurrent_dropout", "momentum", "stddev", "epsilon"}

BAD_SIZES = (0, -1, 2**40, math.nan, True, "3", 1.5)
BAD_RATES = (-0.5, math.nan, math.inf, True, "0.5")

GOOD = {
    "units": 2, "filters": 2, "kernel_size": 2, "pool_size": 2, "input_dim": 3, "output_dim": 2, "n": 2, "num_heads": 2,
    "key_dim": 2, "head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2, "height": 2, "width": 2,
    "num_tokens": 4, "output_size": 2, "rate": 0.5, "stddev": 0.5, "activation": "relu", "axes": 1, "dims": (2, 1),
    "target_shape": (2, -1), "scale": 2.0, "factor": 0.5, "sequence_length": 4,
    "equation": "ab,bc->ac", "output_shape": 3,
}  # fmt: skip
"""Values for arguments that must be given."""


def _cell():
    return layers.LSTMCell(2)


MEANT = {(layers.GroupNormalization, "groups"): -1}  # a group for each channel
"""What means something, though it is no size."""

WRAPPED = {
    "cell": _cell,
    "cells": lambda: [_cell()],
    "layer": lambda: layers.LSTM(2, return_sequences=True),
    "function": lambda: "relu",
}


CHOSEN = {"CategoryEncoding": {"num_tokens": 4}, "Discretization": {"num_bins": 3}}
"""What a layer needs of several arguments that may be given."""


def _classes():
    found = [getattr(layers, name) for name in layers.__all__]
    abstract = (layers.Layer, layers.Wrapper, layers.InputLayer, layers.InputSpec, layers.SymbolicTensor)
    classes = {c.__name__: c for c in found if isinstance(c, type) and c not in abstract}
    return [classes[name] for name in sorted(classes)]


def _arguments(cls):
    result = {}
    for base in cls.__mro__:
        if "__init__" in vars(base) and base is not object:
            for p in inspect.signature(vars(base)["__init__"]).parameters.values():
                if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL):
                    result.setdefault(p.name, p.default)
            if base is layers.Layer:
                break
    return result


def _needed(cls):
    missing = [name for name, default in _arguments(cls).items() if default is inspect.Parameter.empty]
    if hasattr(cls, "cell_class"):  # it makes the cell itself
        missing.remove("cell")
    needed = {name: WRAPPED[name]() if name in WRAPPED else GOOD[name] for name in missing}
    return {**needed, **CHOSEN.get(cls.__name__, {})}


def _cases():
    own = {"input_dim"} & set(_arguments(layers.Layer))  # of every layer, where it is the size of an input
    for cls in _classes():
        for name in _arguments(cls):
            if name in own and cls is not layers.Embedding:
                continue
            sizes = [size for size in BAD_SIZES if size != MEANT.get((cls, name))]
            bad = sizes if name in SIZES else BAD_RATES if name in RATES else ()
            yield from (pytest.param(cls, name, value, id=f"{cls.__name__}-{name}-{value}") for value in bad)


@pytest.mark.parametrize("cls", _classes(), ids=lambda cls: cls.__name__)
def test_a_layer_can_be_made(cls):
    assert cls(**_needed(cls)).get_config()


@pytest.mark.parametrize(("cls", "name", "value"), list(_cases()))
def test_a_setting_that_cannot_be(cls, name, value):
    with pytest.raises(LaminaError, match=name):
        cls(**{**_needed(cls), name: value})
