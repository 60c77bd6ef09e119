"""Which symbolic tensors come with a mask, as far as the layers before them tell."""

from __future__ import annotations

from typing import Any

from lamina.errors import LaminaError
from lamina.layers.layer import Layer
from lamina.layers.masks import call_arguments
from lamina.layers.symbolic import Node, SymbolicTensor


def has_mask(x: SymbolicTensor) -> bool:
    """Whether a mask comes with a tensor, from a layer that makes masks through layers that hand them on.

    >>> import lamina
    >>> y = lamina.layers.Embedding(5, 2, mask_zero=True)(lamina.Input((3,), dtype="int32"))
    >>> has_mask(y), has_mask(lamina.layers.Flatten()(y))
    (True, False)
    """
    waiting, seen = [x.node], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.layer.class_name == "Masking" or getattr(node.layer, "mask_zero", False):
            return True
        if node.layer.supports_masking and _hands_on(node):
            waiting.extend(tensor.node for tensor in node.inputs)
    return False


def _hands_on(node: Node) -> bool:
    """Whether a layer's output has a mask if its inputs have; where it cannot be told, it has."""
    layer = node.layer
    if type(layer).compute_mask is Layer.compute_mask:
        return True
    given: Any = object()
    if isinstance(node.args[0], (list, tuple)):
        given = [given] * len(node.args[0])
    try:
        return layer.compute_mask(node.args[0], given) is not None
    except (LaminaError, TypeError, AttributeError, ValueError):
        return True


def heeds_masks(layer: Layer) -> bool:
    """Whether a layer's call takes the masks that come with its inputs."""
    names = call_arguments(type(layer).call)
    return any(name == "mask" or (name.endswith("_mask") and name != "attention_mask") for name in names)
