"""A layer's configuration, read off the names of its constructor's arguments."""

from __future__ import annotations

import inspect
from typing import Any, Final, TypeVar

from lamina import activations, initializers, regularizers
from lamina.errors import SerializationError
from lamina.serialization import serialize

T = TypeVar("T")


def constructor_arguments(cls: type) -> tuple[str, ...]:
    """The names of a class's own constructor arguments; those of ``**common`` belong to the base class."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]  # type: ignore[misc]
    return tuple(p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL))


def all_arguments(cls: type, below: type = object) -> tuple[str, ...]:
    """The names of all settings of a layer class, those that ``**common`` passes on to classes ``below`` included."""
    names: dict[str, None] = {}
    for base in cls.__mro__:
        if base is below:
            break
        if "__init__" in vars(base):
            names.update(dict.fromkeys(constructor_arguments(base)))
            if all(p.kind is not p.VAR_KEYWORD for p in inspect.signature(vars(base)["__init__"]).parameters.values()):
                break
    return tuple(names)


def own_arguments(cls: type) -> tuple[str, ...]:
    """The settings of a class itself: of its constructor, and of the bases it was written on that lend it theirs.

    A base says so by an attribute ``lends_settings`` of its own.
    """
    definers = [base for base in cls.__mro__ if "__init__" in vars(base)]
    names = dict.fromkeys(constructor_arguments(cls))
    for base in definers[1:]:
        if not vars(base).get("lends_settings"):
            break
        names.update(dict.fromkeys(constructor_arguments(base)))
    return tuple(names)


def read_config(layer: Any, base: type) -> dict[str, Any]:
    """The settings that a layer's class has beyond those of ``base``, as plain values, from the attributes so named.

    Those of a class between the two count only if they were given: the constructor may fix the others itself. A setting
    that is in no attribute is left to the class's own ``get_config``, if it has one, which adds it to what comes back.
    """
    config: dict[str, Any] = {}
    own = own_arguments(type(layer))
    for name in all_arguments(type(layer), base):
        if name not in own and name not in layer._given:
            continue
        attribute = layer.kept_as.get(name, name)
        if not hasattr(layer, attribute):
            if _writes_its_own(type(layer), name):
                continue
            raise SerializationError(
                f"the layer class {type(layer).__name__} has no attribute {name!r}.",
                expected="each argument of __init__ to be kept under its own name.",
                fix=f"set self.{name} = {name} in __init__, or write get_config.",
            )
        config[name] = plain(getattr(layer, attribute))
    return config


def _writes_its_own(cls: type, name: str) -> bool:
    """Whether the class that takes a setting, or one derived from it, has a ``get_config`` of its own."""
    for base in cls.__mro__:
        if "get_config" in vars(base):
            return True
        if "__init__" in vars(base) and name in constructor_arguments(base):
            return False
    return False


_SPELLED: Final = {initializers.LecunNormal: "LeCunNormal", initializers.LecunUniform: "LeCunUniform"}
"""Classes that TensorFlow.js spells in another way."""


def plain(value: Any) -> Any:
    """A value as JSON has it: objects as their configs, functions by name, tuples as lists."""
    if isinstance(value, regularizers.L1L2) and type(value) in (regularizers.L1, regularizers.L2):
        return {"class_name": "L1L2", "config": {"l1": value.l1, "l2": value.l2}}  # TensorFlow.js has only this one
    if hasattr(value, "get_config"):
        config = serialize(value)
        return {**config, "class_name": _SPELLED.get(type(value), config["class_name"])}
    if callable(value):
        return activations.serialize(value)
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {key: plain(v) for key, v in value.items()}
    return value


def made_with(cls: type[T], settings: dict[str, Any]) -> T:
    """An object of a class by its settings. Raises SerializationError if one is lacking that has no default."""
    try:
        return cls(**settings)
    except TypeError as error:
        if "__init__() missing" not in str(error):
            raise
        lacking = str(error).rpartition(": ")[2]
        raise SerializationError(
            f"the config of a {cls.__name__} lacks {lacking}.", expected="every setting that has no default."
        ) from error
