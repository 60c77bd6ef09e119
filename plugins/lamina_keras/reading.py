"""Keras 3's configs read: checked against what they may name, and in the words that lamina's own reader takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

from lamina.errors import ModelFileError, UnknownNameError, UnsafeModelError
from lamina.io.checks import shown
from lamina.models import Model
from lamina.models.topology import model_from_config
from lamina.serialization import get_registered_object
from lamina_keras.operations import is_function, layer_of

Config = Mapping[str, Any]

_GRAPHS: Final = ("Functional", "Model", "Sequential")
_CODE: Final = frozenset({"__lambda__", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"})
"""Classes that run code, or read files, that the model names."""
_VALUES: Final = frozenset({"__typespec__", "__tensor__", "__numpy__", "__bytes__"})
"""Values of Keras that no config of lamina's layers has."""
_HOMES: Final = ("keras", "lamina", "builtins")
"""The packages whose names in a config are those of built-in classes."""


def read_model(config: Any, where: str) -> Any:
    """The model of a ``config.json``, its weights as its layers make them.

    Raises UnsafeModelError if it names what runs code, UnknownNameError for a class that no registry knows, and
    SerializationError or ModelFileError if it is malformed.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("config"), Mapping):
        raise ModelFileError(f"{where} holds no model.", expected="a class name and a config.")
    if config.get("class_name") not in _GRAPHS:
        raise ModelFileError(
            f"{where} holds a {shown(config.get('class_name'))}.",
            expected="a Sequential or a Functional model.",
            fix="build the model in code, and load its weights with load_weights.",
        )
    try:
        found = _translated(config["config"])
        check_names(found, where)
        model = model_from_config(found, 0, _shared(found))
    except (TypeError, AttributeError, KeyError, IndexError) as error:
        raise ModelFileError(f"the config in {where} is malformed: {error!r}.") from error
    _restore_lists(model, config["config"])
    return model


def check_names(value: Any, where: str) -> None:
    """Refuses configs that bring code, or name a class of a package whose classes were not registered."""
    for config in _configs(value):
        name = config["class_name"]
        if name in _CODE or name in _VALUES or (name == "Lambda" and not _is_name(config)):
            raise UnsafeModelError(
                f"{where} has a {shown(name)}, which brings code or values of its own.",
                expected="layers that are configured by names and numbers.",
                fix="build the model in code, and load its weights with load_weights.",
            )
        inner, module = config.get("config"), config.get("module")
        if isinstance(inner, Mapping) and "/" in str(inner.get("name")):
            raise UnsafeModelError(
                f"{where} names something {shown(inner['name'])}.",
                expected="a name without slashes, as Keras has them.",
            )
        if isinstance(module, str) and module.split(".")[0] not in _HOMES and not _is_registered(config):
            raise UnknownNameError(
                f"{where} has a {shown(name)} of the module {shown(module)}, which is not known.",
                expected="classes of Keras or lamina, and those that were registered.",
                fix=f"pass custom_objects={{{name!r}: ...}} with a class of lamina's, or register one under that name.",
            )


def _is_name(config: Config) -> bool:
    """Whether the function of a Lambda is given by a name, which only leads to one that is registered."""
    inner = config.get("config")
    function = inner.get("function") if isinstance(inner, Mapping) else None
    if isinstance(function, Mapping) and function.get("class_name") == "function":
        function = function.get("config")
    return isinstance(function, str)


def _is_registered(config: Config) -> bool:
    names = (config.get("registered_name"), config["class_name"], config.get("config"))
    return any(isinstance(name, str) and get_registered_object(name) is not None for name in names)


def _configs(value: Any) -> Iterator[Config]:
    """All configs in a value, however deep, without recursion."""
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, Mapping):
            if isinstance(found.get("class_name"), str):
                yield found
            waiting.extend(found.values())
        elif isinstance(found, list):
            waiting.extend(found)


def _shared(config: Any) -> dict[Any, None]:
    """The numbers of the layers that several nested models have.

    Keras numbers a layer when it writes it the second time: the entry that it wrote before gets the number here.
    """
    entries = [entry for entry in _configs(config) if isinstance(entry, dict) and _is_layer(entry)]
    numbers = {_key(e): e["shared_object_id"] for e in entries if isinstance(e.get("shared_object_id"), int)}
    alike = [entry for entry in entries if _key(entry) in numbers]
    for entry in alike:
        entry.setdefault("shared_object_id", numbers[_key(entry)])
    counts = Counter(entry["shared_object_id"] for entry in alike)
    return {number: None for number, count in counts.items() if count > 1}


def _key(entry: Config) -> tuple[Any, ...]:
    return entry["class_name"], str(entry["config"].get("name"))


def _is_layer(entry: Config) -> bool:
    config = entry.get("config")
    return isinstance(config, Mapping) and "name" in config and "trainable" in config


def _translated(config: Config) -> Config:
    """A graph, or stack, as lamina reads it: functions between layers are layers.

    Outputs count calls of nested graphs as the layers do: Keras 3 counts them from 1 there.
    """
    layers = config.get("layers")
    if not isinstance(layers, list):
        return config
    entries = [_entry(entry) for entry in layers]
    found = {**config, "layers": entries}
    if "output_layers" in config and any(_is_keras_3(entry) for entry in entries):
        nested = {e.get("name") for e in entries if isinstance(e, Mapping) and _is_graph(e)}
        found["output_layers"] = _one_less(config["output_layers"], nested)
    return found


def _entry(entry: Any) -> Any:
    if not isinstance(entry, Mapping) or not isinstance(entry.get("config"), Mapping):
        return entry
    if is_function(entry):
        return layer_of(entry)
    if entry.get("class_name") in _GRAPHS:
        return {**entry, "config": _translated(entry["config"])}
    layer = entry["config"].get("layer")
    if isinstance(layer, Mapping):
        return {**entry, "config": {**entry["config"], "layer": _entry(layer)}}
    return entry


def _is_graph(entry: Config) -> bool:
    return entry.get("class_name") in ("Functional", "Model")


def _is_keras_3(entry: Any) -> bool:
    calls = entry.get("inbound_nodes") if isinstance(entry, Mapping) else None
    return isinstance(calls, list) and any(isinstance(call, Mapping) for call in calls)


def _one_less(places: Any, nested: set[Any]) -> Any:
    if isinstance(places, Mapping):
        return {key: _one_less(value, nested) for key, value in places.items()}
    if not isinstance(places, list):
        return places
    if len(places) == 3 and isinstance(places[0], str) and isinstance(places[1], int):
        return [places[0], places[1] - 1 if places[0] in nested else places[1], places[2]]
    return [_one_less(value, nested) for value in places]


def _restore_lists(model: Model, config: Config) -> None:
    """A list of one input or output stays one; Keras 3 writes a tensor that is not in a list without one."""
    if model.graph is None or not any(_is_keras_3(entry) for entry in config["layers"]):
        return
    for part in ("input", "output"):
        given, structure = config.get(f"{part}_layers"), getattr(model.graph, f"{part}_structure")
        if isinstance(given, list) and len(given) == 1 and not isinstance(structure, (list, dict)):
            setattr(model.graph, f"{part}_structure", [structure])
