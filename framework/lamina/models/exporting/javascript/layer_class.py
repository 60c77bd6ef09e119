"""One layer as a part of a class in JavaScript."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lamina.errors import SerializationError
from lamina.layers.layer import Layer
from lamina.layers.serializing import serialize
from lamina.layers.symbolic import Node
from lamina.models.exporting.javascript.recording import record
from lamina.models.exporting.javascript.text import DTYPES, literal, quoted
from lamina.models.exporting.javascript.writing import call_text
from lamina.models.layouts import layout_of
from lamina.models.tfjs_layers import to_tfjs

_NOT_COMPARED: Final = ("trainable", "dtype", "shape", "seed", "initializer", "regularizer", "constraint")
"""The last words of settings that mean nothing for what a layer predicts, or that others write otherwise."""


@dataclass(frozen=True)
class JavaScriptClass:
    """What a layer computes, as a part of a class in JavaScript of the name that configs have for its class.

    ``source`` is an object with the layer's name, its settings, its weights and a function for each way in which it is
    called; ``weights`` are the names under which a saved model has its weights. ``classes_module`` makes a file of
    such.
    """

    class_name: str
    source: str
    weights: tuple[str, ...]
    layer_name: str


class NotWrittenError(SerializationError):
    """A layer that cannot be written in JavaScript; ``reason`` says why."""

    def __init__(self, layer: Layer, error: SerializationError) -> None:
        self.reason: str = error.what
        what = f"the layer {layer.name!r} ({layer.class_name}) cannot be written in JavaScript: {error.what}"
        super().__init__(what, expected=error.expected, fix=error.fix)


def javascript_class(layer: Layer, calls: Sequence[Node]) -> JavaScriptClass:
    """A built layer as a class in JavaScript, made of ops that TensorFlow.js has.

    ``calls`` are its symbolic calls in a model. What it computes is written down as it is in inference, for any size of
    the batch and of what else its inputs leave unknown. Raises SerializationError with the reason if it cannot be
    written: it keeps states, reads values, loops over an unknown number of steps, or needs an op that is missing there.

    >>> import lamina
    >>> y = lamina.layers.UnitNormalization(name="unit")(lamina.Input((3,)))
    >>> for line in javascript_class(y.layer, [y.node]).source.splitlines()[-10:-3]:
    ...     print(line.strip())
    const c1 = tf.scalar(1e-12, "float32");
    const t2 = tf.square(x[0]);
    const t3 = tf.sum(t2, [1], true);
    const t4 = tf.maximum(t3, c1);
    const t5 = tf.rsqrt(t4);
    const t6 = tf.mul(x[0], t5);
    return [t6];
    """
    try:
        return _class(layer, calls)
    except SerializationError as error:
        raise NotWrittenError(layer, error) from error


def _class(layer: Layer, calls: Sequence[Node]) -> JavaScriptClass:
    weights = [(v, trained) for v, trained in layer._weights_and_flags()]
    order = {id(v): number for number, v in enumerate(layer.weights)}
    weights.sort(key=lambda pair: order[id(pair[0])])
    ways, hands_on = _ways(layer, calls, [v for v, _ in weights])
    settings = _compared(to_tfjs(serialize(layer))["config"])
    del settings["name"]
    lines = [
        "{",
        f"name: {quoted(layer.name)},",
        f"settings: {literal(settings)},",
        f"supportsMasking: {literal(hands_on)},",
        f"weights: [{', '.join(_weights(layer, weights))}],",
        f"calls: [{', '.join(ways)}],",
        "}",
    ]
    return JavaScriptClass(layer.class_name, "\n".join(lines), tuple(v.name for v, _ in weights), layer.name)


def _compared(config: Any) -> Any:
    """The settings by which a layer is told from others of its class and name."""
    if isinstance(config, Mapping):
        return {key: _compared(v) for key, v in config.items() if key.rpartition("_")[2] not in _NOT_COMPARED}
    return [_compared(v) for v in config] if isinstance(config, (list, tuple)) else config


def _ways(layer: Layer, calls: Sequence[Node], weights: Sequence[Any]) -> tuple[list[str], bool]:
    """The different ways in which the layer is called, told apart by the number of tensors; whether masks go on."""
    found: dict[int, str] = {}
    hands_on = False
    for node in calls:
        layout = layout_of(node)
        recording = record(layer, node, layout)
        hands_on = hands_on or recording.hands_on
        text = call_text(recording, weights)
        if found.setdefault(len(layout.tensors), text) != text:
            raise SerializationError(
                f"it is called in different ways on {len(layout.tensors)} tensors.",
                expected="the same arguments and shapes in all of its calls.",
                fix="use a layer of its own for each.",
            )
    if not found:
        raise SerializationError("it is not called in the model.")
    return list(found.values()), hands_on


def _weights(layer: Layer, weights: Sequence[tuple[Any, bool]]) -> Iterator[str]:
    """Each weight's name there, its name in files, shape, dtype, and whether it is trained."""
    for variable, trained in weights:
        if variable.dtype not in DTYPES:
            raise SerializationError(f"its weight {variable.name!r} is {variable.dtype}.", expected="float32 or int32.")
        short = variable.name.removeprefix(f"{layer.name}/")
        trains = trained or (variable.trainable and not layer.trainable)
        yield literal([short, variable.name, variable.shape, DTYPES[variable.dtype], trains])
