"""What TensorFlow.js refuses of layers, losses, metrics, activations and initializers: lamina refuses it too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import layers
from adapting import NotOffered
from layer_calls import as_shapes, tensors
from spelling import snake, snake_config
from training import component

import lamina
from lamina.errors import LaminaError
from lamina.models.tfjs_layers import layer_from_tfjs

Record = dict[str, Any]
_SPELLED: Final = {f"avgPooling{n}d": f"AveragePooling{n}D" for n in (1, 2, 3)}


def check(record: Record) -> None:
    """The call raises an error of lamina's own."""
    try:
        found = CALLS.get(record["kind"], _component)(record)
    except LaminaError:
        return
    raise AssertionError(f"nothing was raised, but {found!r:.80} came; recorded: {record['error']['message']:.120}")


def _construct(record: Record) -> Any:
    """The class of a factory function of TensorFlow.js, made with the config that the function got."""
    room, _, name = record["factory"].partition(".")
    classes = {key.lower(): found for key, found in vars(getattr(lamina, room)).items() if isinstance(found, type)}
    found = classes.get(_SPELLED.get(name, name).lower())
    if found is None:
        raise NotOffered(f"lamina has no {record['factory']}")
    config = snake_config(record["args"][0]) if record["args"] else {}
    if room == "layers":
        return layer_from_tfjs({"class_name": found.__name__, "config": config})
    return found.from_config(config)  # type: ignore[attr-defined]


def _apply(record: Record) -> Any:
    layer = layers.made(record)
    inputs = record["inputs"]
    if isinstance(inputs, dict) and inputs.get("symbolic"):
        kwargs = {snake(key): layers.symbolic_states(value) for key, value in record["kwargs"].items()}
        return layer(layers.symbolic(inputs["shapes"], inputs["dtypes"]), **kwargs)
    return layer(layers.arguments(record)["inputs"], **tensors(layers.arguments(record)["kwargs"]))


def _output_shape(record: Record) -> Any:
    return layers.made(record).compute_output_shape(as_shapes(record["input_shape"]))


def _component(record: Record) -> Any:
    return component(record["kind"], record.get("name") or record["className"], record.get("config"))(
        *tensors(record["args"])
    )


CALLS: Final[dict[str, Callable[[Record], Any]]] = {
    "construct": _construct,
    "apply": _apply,
    "computeOutputShape": _output_shape,
}
