"""Calls of Keras's functions between layers, from its configs to layers of lamina and back.

Sums and products become the layers that lamina and TensorFlow.js have for them; other functions a ``KerasFunction``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from lamina.dtypes import FLOATING
from lamina.errors import SerializationError
from lamina.models.calls import KERAS_TENSOR
from lamina_keras.functions import KerasFunction

Config = dict[str, Any]

_MERGING: Final = ("Add", "Subtract", "Multiply", "Maximum", "Minimum")
_DIVIDING: Final = ("Divide", "TrueDivide")
_ROOT: Final = "keras.src.ops."


def is_function(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of a model's layers is a function instead."""
    module = entry.get("module")
    return isinstance(module, str) and module.startswith("keras.") and ".ops" in module


def layer_of(entry: Mapping[str, Any]) -> Config:
    """The entry of a layer that gives what a function gives. Raises SerializationError if the entry is malformed."""
    calls, config = entry.get("inbound_nodes"), entry.get("config")
    if not isinstance(config, Mapping) or not (isinstance(calls, list) and len(calls) == 1):
        raise SerializationError(f"the function {entry.get('name')!r} is malformed.", expected="one call of it.")
    tensors: list[Any] = []
    arguments = [_template(x, tensors) for x in calls[0]["args"]]
    keywords = {key: _template(x, tensors) for key, x in calls[0]["kwargs"].items()}
    settings = {key: value for key, value in config.items() if key != "name"}
    name, room = str(entry.get("class_name")), str(entry["module"]).rpartition(".")[2]
    kind, found = "KerasFunction", {
        "function": f"{room}.{name}", "arguments": arguments, "keywords": keywords, "settings": settings,
    }  # fmt: skip
    if room == "numpy" and not keywords and not settings:
        kind, found = _simple(name, arguments, tensors) or (kind, found)
    inputs = tensors[0] if len(tensors) == 1 else tensors
    called = [{"args": [inputs], "kwargs": {}}]
    return {
        "module": "lamina.layers",
        "class_name": kind,
        "config": {"name": entry.get("name"), **found},
        "name": entry.get("name"),
        "inbound_nodes": called,
    }


def _template(value: Any, tensors: list[Any]) -> Any:
    """An argument in the form of ``KerasFunction``; the symbolic tensors in it are put aside."""
    if isinstance(value, list):
        return [_template(x, tensors) for x in value]
    if not isinstance(value, Mapping):
        return value
    kind, inner = value.get("class_name"), value.get("config")
    if kind == KERAS_TENSOR:
        tensors.append(value)
        return {"tensor": len(tensors) - 1}
    if kind == "__ellipsis__":
        return {"ellipsis": True}
    if kind == "__slice__" and isinstance(inner, Mapping):
        return {"slice": [_index(inner.get(key)) for key in ("start", "stop", "step")]}
    if kind in ("__tensor__", "__numpy__") and isinstance(inner, Mapping):
        return {"constant": inner["value"], "dtype": inner["dtype"]}
    raise SerializationError(f"a function is given {str(value)[:100]}.", expected="tensors, numbers and slices.")


def _index(value: Any) -> int | None:
    if value is not None and not (isinstance(value, int) and not isinstance(value, bool)):
        raise SerializationError(f"a slice has {value!r}.", expected="an integer, or None.")
    return value


def _simple(name: str, arguments: Sequence[Any], tensors: Sequence[Any]) -> tuple[str, Config] | None:
    """The layer, and its config, that a function of floating-point tensors is; None if there is none."""
    if any(tensor["config"].get("dtype") not in FLOATING for tensor in tensors):
        return None
    if name == "Negative" and len(arguments) == 1:
        return "Rescaling", {"scale": -1.0}
    if len(arguments) != 2:
        return None
    first, second = arguments
    ranks = {len(tensor["config"].get("shape") or ()) for tensor in tensors}
    if len(tensors) == 2 and arguments == [{"tensor": 0}, {"tensor": 1}] and len(ranks) == 1:
        return (name, {}) if name in _MERGING else None
    if first == {"tensor": 0} and _is_number(second):
        return _rescaling(name, float(second))
    if second == {"tensor": 0} and _is_number(first):
        return _rescaling(name, float(first)) if name in ("Add", "Multiply") else _turned(name, float(first))
    return None


def _rescaling(name: str, value: float) -> tuple[str, Config] | None:
    if name in _DIVIDING and value != 0:
        return "Rescaling", {"scale": 1.0 / value}
    settings = {
        "Add": {"scale": 1.0, "offset": value},
        "Subtract": {"scale": 1.0, "offset": -value},
        "Multiply": {"scale": value},
    }
    return ("Rescaling", settings[name]) if name in settings else None


def _turned(name: str, value: float) -> tuple[str, Config] | None:
    return ("Rescaling", {"scale": -1.0, "offset": value}) if name == "Subtract" else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def function_config(layer: KerasFunction) -> Config:
    """The function of a layer as Keras writes it."""
    room, _, name = layer.function.partition(".")
    config = {"name": layer.name, **layer.settings}
    return {"module": _ROOT + room, "class_name": name, "config": config, "registered_name": name}


def function_call(layer: KerasFunction, tensors: Sequence[Config]) -> Config:
    """The call of a function as Keras writes it, of symbolic tensors that are written already."""
    return {
        "args": [_written(x, tensors) for x in layer.arguments],
        "kwargs": {key: _written(x, tensors) for key, x in layer.keywords.items()},
    }


def _written(value: Any, tensors: Sequence[Config]) -> Any:
    if isinstance(value, list):
        return [_written(x, tensors) for x in value]
    if not isinstance(value, Mapping):
        return value
    if "tensor" in value:
        return tensors[value["tensor"]]
    if "slice" in value:
        start, stop, step = value["slice"]
        return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}}
    if "constant" in value:
        return {"class_name": "__numpy__", "config": {"value": value["constant"], "dtype": value["dtype"]}}
    return {"class_name": "__ellipsis__", "config": {}}
