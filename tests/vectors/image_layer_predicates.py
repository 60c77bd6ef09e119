"""What disagreements.toml asks of recorded layers on images, and the proofs that lamina's gradients are slopes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import layers
import numpy as np
from comparing import at, replaced
from layer_calls import run, set_weights, tensors
from pooling_predicates import Axis, largest_twice, lost_by_height, weighed_windows
from predicates import Record, predicate, proof

from lamina.layers.preprocessing.images import box_like
from lamina.structures import flatten

STEP = 1e-6


@proof("layers")
def layer_slopes(record: Record) -> None:
    """lamina's gradient of the inputs is the slope that differences in float64 give, or lies between those of a kink.

    Each output has a slope to either side along a random direction; its cotangent says which is the lower one.
    """
    record = {**record, "config": {**record["config"], "dtype": "float64"}}
    layer, given = layers.made(record), _wide(layers.arguments(record))
    paths = [layers._path(record, entry["wrt"]) for entry in record["vjp"]["grads"] if entry["wrt"][0] == "inputs"]
    (cotangent,) = (np.asarray(entry["cotangent"], np.float64) for entry in record["vjp"]["cotangents"])

    def call(arguments: Any) -> Any:
        return layer(arguments["inputs"], **arguments["kwargs"])

    call(tensors(given))
    set_weights(layers.in_saved_order(layer), record["weights"])
    _, gradients = run(layer.weights, call, given, [cotangent], paths)
    generator = np.random.default_rng(0)
    for path, gradient in zip(paths, gradients, strict=True):
        x = np.asarray(at(given, path))
        direction = generator.normal(size=x.shape)
        y, after, before = (
            np.asarray(flatten(call(tensors(replaced(given, path, x + step * direction))))[0].numpy())
            for step in (0.0, STEP, -STEP)
        )
        sides = np.stack([(after - y) * cotangent, (y - before) * cotangent]) / STEP
        slope = float(np.sum(gradient * direction))
        room = 1e-5 * float(1 + np.abs(sides).sum())
        assert sides.min(0).sum() - room <= slope <= sides.max(0).sum() + room, f"slope {slope}, differences {sides}"


def _wide(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _wide(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_wide(item) for item in value]
    return value.astype(np.float64) if isinstance(value, np.ndarray) and value.dtype.kind == "f" else value


def _first_input(record: Record) -> Any:
    inputs = record["inputs"]
    return inputs[0] if isinstance(inputs, list) else inputs


def _channels_last(record: Record, x: Any) -> Any:
    return np.moveaxis(x, 1, -1) if record["config"].get("dataFormat") == "channelsFirst" else x


def _pool_axes(record: Record) -> list[Axis]:
    """The spatial axes of a pooling layer's call."""
    config = record["config"]
    sizes = _channels_last(record, _first_input(record)).shape[1:-1]
    padding = [config["padding"]] * len(sizes)
    ones = [1] * len(sizes)
    axes = zip(sizes, config["poolSize"], config["strides"], ones, padding, strict=True)
    return [Axis(*values) for values in axes]


def _has_gradients(record: Record) -> bool:
    return bool((record.get("vjp") or {}).get("grads"))


@predicate
def layer_averages_near_padding(record: Record) -> bool:
    """An average pooling, with its gradient, of which a window lies partly in the padding."""
    partly = any(min(axis.counts(None)) < axis.window for axis in _pool_axes(record))
    return _has_gradients(record) and partly


def _cotangent(record: Record) -> Any:
    """What the one output is weighed with, channels last; None without gradients."""
    if not _has_gradients(record):
        return None
    (entry,) = record["vjp"]["cotangents"]
    found = np.asarray(entry["cotangent"])
    return _channels_last(record, found) if found.ndim > 2 else found


def _weighed_windows(record: Record) -> Iterator[tuple[Any, Any]]:
    """``weighed_windows`` of a pooling layer's call; none without gradients."""
    axes, x, weights = _pool_axes(record), _channels_last(record, _first_input(record)), _cotangent(record)
    if weights is None:
        return
    yield from weighed_windows(axes, x, weights)


@predicate
def largest_twice_in_a_window(record: Record) -> bool:
    """A max pooling, with its gradient, of which a window that is weighed has its largest element twice."""
    return largest_twice(_weighed_windows(record))


@predicate
def largest_behind_the_first_row(record: Record) -> bool:
    """A max pooling of volumes, with its gradient: windows are not as high as wide, and a later row has the largest."""
    return lost_by_height(_pool_axes(record), _weighed_windows(record))


@predicate
def largest_twice_in_a_channel(record: Record) -> bool:
    """A global max pooling, with its gradient, of an image that has the largest element of a weighed channel twice."""
    x, weights = _channels_last(record, _first_input(record)), _cotangent(record)
    pixels = x.reshape(x.shape[0], -1, x.shape[-1])
    twice = (pixels == pixels.max(1, keepdims=True)).sum(1) > 1
    return weights is not None and bool(np.any(twice & (weights != 0)))


@predicate
def no_window_fits(record: Record) -> bool:
    """A size in the recorded output shape is 0 or negative."""
    output = record["output"][0] if isinstance(record.get("output"), list) else record.get("output")
    shape = np.shape(output) if record["kind"] == "apply" else record["output_shapes"]
    return any(size is not None and size <= 0 for size in shape[1:])


@predicate
def begins_behind_the_first_element(record: Record) -> bool:
    """A call on volumes whose padding would be negative: strides reach beyond the end, and are longer than windows."""
    config = record["config"]
    if record["kind"] != "apply" or config["padding"] != "same":
        return False
    sizes = _channels_last(record, _first_input(record)).shape[1:-1]
    window = config.get("kernelSize", config.get("poolSize"))
    if record["className"] == "Conv3DTranspose":
        return any(k < s for k, s in zip(window, config["strides"], strict=True))
    return any(-(-n // s) * s - s + k < n for n, k, s in zip(sizes, window, config["strides"], strict=True))


@predicate
def dilated_call(record: Record) -> bool:
    """A call with a window of several elements and gaps between them."""
    pairs = zip(record["config"]["kernelSize"], record["config"]["dilationRate"], strict=True)
    return record["kind"] == "apply" and any(size > 1 and rate > 1 for size, rate in pairs)


@predicate
def channels_first_with_bias(record: Record) -> bool:
    """A call with a bias and the channels first, whose result shows where the bias is added."""
    config = record["config"]
    if record["kind"] != "apply" or not config["useBias"] or config["dataFormat"] != "channelsFirst":
        return False
    bias = np.asarray(record["weights"][-1]["value"]) if record.get("weights") else np.arange(config["filters"])
    return config["filters"] > 1 and (_has_gradients(record) or bool(np.ptp(bias) > 0))


@predicate
def several_images_repeated(record: Record) -> bool:
    """Several images, with the gradient, become larger by repetition."""
    nearest = record["config"]["interpolation"] == "nearest" and max(record["config"]["size"]) > 1
    return nearest and _has_gradients(record) and _first_input(record).shape[0] > 1


@predicate
def resized_or_batch_lost(record: Record) -> bool:
    """A shape without the batch, or pixels that are taken from other places than the middles of pixels."""
    if record["kind"] != "apply" or _first_input(record).ndim == 4:
        return True
    size, config = _first_input(record).shape[:2], record["config"]
    target = (config["height"], config["width"])
    nearest, crop = config["interpolation"] == "nearest", config["cropToAspectRatio"]
    boxes = box_like(size, target) if crop else ((0, size[0]), (0, size[1]))
    axes = zip(size, target, boxes, strict=True)
    return any(_middles(*box, new, nearest) != _corners(old, new, nearest, not crop) for old, new, box in axes)


def _middles(start: int, old: int, new: int, nearest: bool) -> list[float]:
    """The places of new pixels among a part of the old ones."""
    if nearest:
        return [start + math.floor((i + 0.5) * old / new) for i in range(new)]
    return [start + min(max((i + 0.5) * old / new - 0.5, 0.0), old - 1.0) for i in range(new)]


def _corners(old: int, new: int, nearest: bool, aligned: bool) -> list[float]:
    """Where TensorFlow.js takes new pixels from: with the outermost on each other, or as many times further."""
    scale = (old - 1) / (new - 1) if aligned and new > 1 else old / new
    return [math.floor(i * scale + (0.5 if aligned else 0.0)) if nearest else i * scale for i in range(new)]


@predicate
def crops_off_centre_or_enlarges(record: Record) -> bool:
    """One column is cut off, or the image is smaller than the crop."""
    shape, config = _first_input(record).shape, record["config"]
    height, width = shape[-3:-1]
    smaller = height < config["height"] or width < config["width"]
    return record["kind"] == "apply" and (smaller or width - config["width"] == 1)


@predicate
def encodes_scalar_or_many(record: Record) -> bool:
    """A scalar, or one-hot vectors for rows of several integers, whose shape TensorFlow.js infers wrongly."""
    shape = _first_input(record).shape if record["kind"] == "apply" else record["input_shapes"]
    one_hot = record["config"]["outputMode"] == "oneHot" and len(shape) > 1 and shape[-1] != 1
    return len(shape) == 0 or one_hot


@predicate
def unknown_encoding(record: Record) -> bool:
    """A word that is no output mode."""
    return record["config"]["outputMode"] not in ("int", "oneHot", "multiHot", "count", "tfIdf")


@predicate
def silence(record: Record) -> bool:
    """All numbers of the input are 0."""
    return not np.any(_first_input(record))
