"""What of a model Keras 3 cannot load, found before it is saved."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lamina import layers
from lamina.layers import Layer
from lamina.models import Model, Sequential
from lamina.serialization import get_registered_object
from lamina_keras.objects import UNKNOWN_THERE


def keras_findings(model: Any) -> list[str]:
    """What Keras 3 does not know of a model, or does not take, in words; empty if it takes all of it.

    What is found is no reason not to save: lamina reads the file back all the same.

    >>> import lamina
    >>> model = lamina.Sequential([lamina.Input((2,)), lamina.layers.ThresholdedReLU(name="t")])
    >>> keras_findings(model)
    ["the layer 't': Keras 3 has no ThresholdedReLU."]
    """
    if isinstance(model, Model) and model.graph is None and not isinstance(model, Sequential):
        return [f"the model {model.name!r} is a subclass with a call of its own: only its weights can be saved."]
    found = [f"the layer {layer.name!r}: {what}" for layer in _all_layers(model) for what in _of_layer(layer)]
    optimizer = type(model.optimizer).__name__ if model.optimizer is not None else None
    if optimizer in UNKNOWN_THERE["optimizers"]:
        found.append(f"the optimizer: Keras 3 has no {optimizer}.")
    return found


def _all_layers(model: Any) -> list[Layer]:
    """The layers of a model, those in wrappers and nested models included, each once."""
    found: dict[int, Layer] = {}
    waiting = list(model.layers)
    while waiting:
        layer = waiting.pop(0)
        if id(layer) not in found:
            found[id(layer)] = layer
            own_cell = isinstance(layer, layers.RNN) and type(layer) is not layers.RNN
            waiting += [] if own_cell else [part for part in layer.sublayers() if isinstance(part, Layer)]
    return list(found.values())


def _of_layer(layer: Any) -> Iterator[str]:
    name = layer.class_name
    if get_registered_object(name) is not None:
        yield f"Keras 3 needs a class of its own that is registered as {name!r}."
        return
    if name in UNKNOWN_THERE["layers"]:
        yield f"Keras 3 has no {name}."
    for key in ("activation", "recurrent_activation"):
        function = getattr(getattr(layer, key, None), "__name__", None)
        if function in UNKNOWN_THERE["activations"]:
            yield f"Keras 3 has no activation {function!r}."
    yield from _of_settings(layer)


def _of_settings(layer: Any) -> Iterator[str]:
    """Settings that Keras's class refuses, and lamina's does not."""
    strides, dilation, padding = (getattr(layer, key, None) for key in ("strides", "dilation_rate", "output_padding"))
    if isinstance(layer, layers.SeparableConv1D) and layer.padding == "causal":
        yield "Keras 3 has no causal padding for separable convolutions."
    if not (isinstance(strides, tuple) and isinstance(dilation, tuple)):
        return
    if max(strides) > 1 and max(dilation) > 1:
        yield "Keras 3 takes no strides over 1 together with a dilation rate over 1."
    if isinstance(padding, tuple) and any(p is not None and p >= s for p, s in zip(padding, strides, strict=True)):
        yield "Keras 3 takes no output padding that is not less than the strides."
