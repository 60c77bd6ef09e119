"""Objects to configs and back, by registered name only.

A config is ``{"class_name": ..., "config": {...}}``. A name in a file is a key into the registry (built-ins, plugins,
what the user registered), never something to import. Knows plugins; knows nothing of what the objects are.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any, Final, TypeVar

from lamina.errors import SerializationError, UnknownNameError
from lamina.plugins import plugins, resolve

T = TypeVar("T")

KINDS: Final = (
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "initializers",
    "regularizers",
    "constraints",
    "activations",
)

_REGISTERED: dict[str, Any] = {}
_SCOPED: ContextVar[Mapping[str, Any]] = ContextVar("lamina_custom_objects", default=MappingProxyType({}))


def register(name: str | None = None) -> Callable[[T], T]:
    """Decorator: lets saved models name a class or function of yours; ``name`` defaults to its own.

    Raises SerializationError if another object has that name.

    >>> @register()
    ... class MyLoss:
    ...     def get_config(self):
    ...         return {}
    >>> serialize(MyLoss())
    {'class_name': 'MyLoss', 'config': {}}
    """

    def decorate(found: T) -> T:
        key = name or str(getattr(found, "__name__", ""))
        present = _REGISTERED.get(key)
        if present is not None and _origin(present) != _origin(found):
            raise SerializationError(
                f"the name {key!r} is registered for {present!r} already.", fix="give another name."
            )
        _REGISTERED[key] = found
        return found

    return decorate


def _origin(found: Any) -> tuple[str | None, str | None]:
    return getattr(found, "__module__", None), getattr(found, "__qualname__", None)


@contextmanager
def custom_object_scope(objects: Mapping[str, Any]) -> Iterator[None]:
    """Makes names known inside ``with custom_object_scope({"MyLayer": MyLayer}):``."""
    token = _SCOPED.set({**_SCOPED.get(), **objects})
    try:
        yield
    finally:
        _SCOPED.reset(token)


def lookup(kind: str, name: str) -> Any:
    """The class or function that ``name`` stands for among ``kind`` (one of KINDS).

    Raises UnknownNameError that lists near names.
    """
    for known in (_SCOPED.get(), _REGISTERED):
        if name in known:
            return known[name]
    offers = _offers(kind)
    if name in offers:
        return resolve(offers[name])
    names = sorted({*offers, *_REGISTERED, *_SCOPED.get()})
    near = difflib.get_close_matches(name, names, 3, 0.5)
    raise UnknownNameError(
        f"there is no {_singular(kind)} named {name!r}.",
        expected=f"a name such as {', '.join(near or names[:6])}.",
        fix="register a class of your own with lamina.serialization.register, or install the plugin that brings it.",
    )


def _offers(kind: str) -> dict[str, Any]:
    if kind == "layers":
        return plugins().provided("lamina_layers")
    prefix = f"{kind}/"
    return {n[len(prefix) :]: p for n, p in plugins().provided("lamina_objects").items() if n.startswith(prefix)}


def _singular(kind: str) -> str:
    return {"losses": "loss"}.get(kind, kind.removesuffix("s"))


def class_name(found: Any) -> str:
    """The name under which an object's class, or a function, is known."""
    kind = found if isinstance(found, type) or not hasattr(found, "get_config") else type(found)
    for known in (_SCOPED.get(), _REGISTERED):
        for name, registered in known.items():
            if registered is kind:
                return name
    return str(kind.__name__)


def serialize(found: Any) -> dict[str, Any]:
    """The config of an object that has ``get_config``. Raises SerializationError if it has none."""
    if not hasattr(found, "get_config"):
        raise SerializationError(f"{found!r} has no get_config method.", fix="give its class one.")
    return {"class_name": class_name(found), "config": found.get_config()}


def deserialize(kind: str, config: Any, base: type[T]) -> T:
    """The object of a config, which must be a ``base``.

    Raises UnknownNameError, or SerializationError if the config is malformed or names something else.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise SerializationError(
            f"{config!r} is not the config of a {_singular(kind)}.", expected="{'class_name': ..., 'config': {...}}."
        )
    found = lookup(kind, config["class_name"])
    if not (isinstance(found, type) and issubclass(found, base)):
        raise SerializationError(f"{config['class_name']!r} is not a {base.__name__}.")
    values = config.get("config") or {}
    if not isinstance(values, Mapping):
        raise SerializationError(f"the config of {config['class_name']!r} is {values!r}.", expected="a dict.")
    maker = getattr(found, "from_config", None)
    made: T = maker(dict(values)) if maker else found(**values)
    return made
