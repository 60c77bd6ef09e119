"""Layers that are refused for some settings or all of them, and pictures cut to a size."""

from __future__ import annotations

from typing import Any

from lamina.models.exporting.lowering import axes
from lamina.models.exporting.lowering.activating import name_of
from lamina.models.exporting.lowering.plans import REFUSALS, Block, Plan, Refused, Source, lowers
from lamina.models.exporting.words import ACTIVATIONS, LAYERS

_CELL = "it is a cell, which TensorFlow.js takes in an RNN only"
REFUSALS.update({
    "GRUCell": _CELL, "LSTMCell": _CELL, "SimpleRNNCell": _CELL, "StackedRNNCells": _CELL, "ConvLSTM2DCell": _CELL,
    "Lambda": "a function of Python has no place in a file",
    "RandomWidth": "TensorFlow.js takes the list of its inputs for one, and raises",
    "Resizing": "TensorFlow.js takes the list of its inputs for one, and raises",
})  # fmt: skip


@lowers("CenterCrop")
def center_crop(layer: Any, shape: Any) -> Plan:
    """Cropping2D, where the input is at least as large and its size known."""
    first = layer.data_format == "channels_first"
    places = [len(shape) - 2, len(shape) - 1] if first else [len(shape) - 3, len(shape) - 2]
    axes.check_known(shape, places)
    over = [shape[place] - size for place, size in zip(places, (layer.height, layer.width), strict=True)]
    if len(shape) != 4 or min(over) < 0:
        raise Refused("it would enlarge its input, or has no batch.", "crop larger pictures only.")
    pairs = tuple((n // 2, n - n // 2) for n in over)
    return Plan(
        "Cropping2D", lambda b, x: b("Cropping2D", x, cropping=pairs, data_format=layer.data_format), single=True
    )


@lowers("CategoryEncoding")
def category_encoding(layer: Any, shape: Any) -> Plan:
    """Behind a Reshape: TensorFlow.js changes the shape of what stands before it."""
    axes.check_known(shape)
    if layer.output_mode != "int" and (len(shape) > 2 or (layer.output_mode == "one_hot" and shape[-1] != 1)):
        raise Refused("TensorFlow.js gives results of two axes only.", "encode the integers of each example by itself.")

    def build(block: Block, x: Any) -> Any:
        same = block("Reshape", x, target_shape=tuple(-1 if size is None else size for size in axes.sizes(x)))
        return block("CategoryEncoding", same, **block.chosen("num_tokens", "output_mode"))

    return Plan("Reshape, CategoryEncoding", build)


@lowers("UpSampling2D")
def upsampling(layer: Any, shape: Any) -> None:
    """Refused: other interpolations than 'nearest' and 'bilinear_corners'."""
    if layer.interpolation not in ("nearest", "bilinear_corners"):
        raise Refused(
            f"TensorFlow.js's interpolation of that name is not Keras's {layer.interpolation!r}.",
            "use interpolation='nearest' or 'bilinear_corners'.",
        )


@lowers("SimpleRNN", "LSTM", "GRU", "ConvLSTM2D", "RNN")
def recurrent(layer: Any, shape: Any) -> None:
    """Refused: reset_after, activations that it lacks, states of stacked cells or of stateful layers."""
    cells = getattr(layer.cell, "cells", [layer.cell]) if hasattr(layer, "cell") else [layer]
    for cell in cells:
        _check_cell(cell)
    if layer.return_state and layer.class_name == "RNN" and len(cells) > 1:
        raise Refused("TensorFlow.js gives the states of stacked cells in another order.", "use return_state=False.")
    if layer.return_state and layer.stateful:
        raise Refused("TensorFlow.js goes on twice from such states.", "use stateful or return_state, not both.")


def _check_cell(cell: Any) -> None:
    name = cell.class_name
    if name not in LAYERS:
        raise Refused(f"TensorFlow.js has no {name}.", "use SimpleRNN, LSTM or GRU.")
    if getattr(cell, "reset_after", False):
        raise Refused("TensorFlow.js has no GRU with reset_after.", "make it with reset_after=False, and train it.")
    for key in ("activation", "recurrent_activation"):
        if hasattr(cell, key) and name_of(getattr(cell, key)) not in ACTIVATIONS:
            raise Refused(
                f"TensorFlow.js has no activation {name_of(getattr(cell, key))!r} within recurrent layers.",
                "use 'hard_sigmoid_tfjs', 'sigmoid' or 'tanh'.",
            )


@lowers("ConvLSTM1D")
def recurrent_sequences(layer: Any, shape: Any) -> Plan:
    """ConvLSTM2D of pictures of one row."""
    if layer.return_state or layer.stateful or layer.data_format == "channels_first":
        raise Refused("its states, or channels that come first, have no place there.", "use the defaults.")
    _check_activations(layer)
    axes.check_known(shape)
    kept = (
        "filters", "activation", "recurrent_activation", "use_bias", "unit_forget_bias", "kernel_initializer",
        "recurrent_initializer", "bias_initializer", "kernel_regularizer", "recurrent_regularizer",
        "bias_regularizer", "kernel_constraint", "recurrent_constraint", "bias_constraint", "dropout",
        "recurrent_dropout", "return_sequences", "go_backwards", "padding",
    )  # fmt: skip

    def build(block: Block, x: Any) -> Any:
        steps, *inner = axes.sizes(x)
        weights = {v.name.rpartition("/")[2]: Source(v, _wide if v.ndim > 1 else None) for v in layer.weights}
        one = {key: (1, *getattr(layer, key)) for key in ("kernel_size", "strides", "dilation_rate")}
        y = block("ConvLSTM2D", axes.reshaped(block, x, (steps, 1, *inner)), weights, **block.chosen(*kept), **one)
        found = axes.sizes(y)
        return axes.reshaped(block, y, (found[0], *found[2:]) if layer.return_sequences else found[1:])

    return Plan("ConvLSTM2D of pictures of one row", build)


def _wide(array: Any) -> Any:
    return array[None]


def _check_activations(layer: Any) -> None:
    for key in ("activation", "recurrent_activation"):
        if name_of(getattr(layer, key)) not in ACTIVATIONS:
            raise Refused(f"TensorFlow.js has no activation {name_of(getattr(layer, key))!r}.")
