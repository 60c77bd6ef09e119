"""Objects to configs and back, by registered name only.

A config is ``{"class_name": ..., "config": {...}}``. A name in a file is a key into the registry (built-ins, plugins,
what the user registered), never something to import. Knows plugins; knows nothing of what the objects are.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from lamina.catalogue import BUILT_IN_NAMES
from lamina.contract import Provides
from lamina.errors import ArgumentTypeError, SerializationError, UnknownNameError
from lamina.plugins import PluginRecord, plugins, resolve

T = TypeVar("T")

KINDS: Final = (
    "layers", "losses", "metrics", "optimizers", "schedules", "initializers", "regularizers", "constraints",
    "activations",
)  # fmt: skip

_REGISTERED: dict[str, Any] = {}
_SAVED_WITH: ContextVar[Mapping[str, str]] = ContextVar("lamina_saved_with", default=MappingProxyType({}))
_SCOPED: ContextVar[Mapping[str, Any]] = ContextVar("lamina_custom_objects", default=MappingProxyType({}))
_SPELLINGS: dict[str, tuple[Mapping[str, Provides], Mapping[str, list[str]]]] = {}


def register(name: str | None = None) -> Callable[[T], T]:
    """Decorator: lets saved models name a class or function of yours; ``name`` defaults to its own.

    Raises SerializationError if another object has that name, a built-in one included.

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
        if key in BUILT_IN_NAMES and not str(getattr(found, "__module__", "")).startswith("lamina."):
            raise SerializationError(
                f"the name {key!r} is that of a built-in layer or object.",
                fix="give another name, or pass yours as custom_objects where you load.",
            )
        _REGISTERED[key] = found
        return found

    return decorate


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Decorator: as ``register``, under the name ``package>name``, as in Keras. Errors are those of ``register``.

    >>> @register_keras_serializable(package="mine")
    ... class Gate:
    ...     def get_config(self):
    ...         return {}
    >>> serialize(Gate())
    {'class_name': 'mine>Gate', 'config': {}}
    """

    def decorate(found: T) -> T:
        return register(f"{package}>{name or getattr(found, '__name__', '')}")(found)

    return decorate


def get_custom_objects() -> dict[str, Any]:
    """What was registered, by name: the dict itself, so that entries may be put in and taken out. Raises nothing.

    >>> isinstance(get_custom_objects(), dict)
    True
    """
    return _REGISTERED


def get_registered_name(found: Any) -> str:
    """The name under which ``found``, a class or function, was registered, or its own. Raises nothing.

    >>> get_registered_name(dict)
    'dict'
    """
    return class_name(found)


def get_registered_object(name: str, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The class or function of a name, registered or in ``custom_objects``; None if there is none. Raises nothing.

    >>> get_registered_object("Mine", {"Mine": dict})
    <class 'dict'>
    """
    for known in (custom_objects or {}, _SCOPED.get(), _REGISTERED):
        if name in known:
            return known[name]
    return None


def plugins_offer(name: str) -> list[Provides]:
    """What plugins offer under a name, of whatever kind, where nothing that was registered comes first.

    A class of a plugin that is registered as well, by a decorator of its own, counts as the plugin's.
    """
    own = get_registered_object(name)
    package = str(getattr(own, "__module__", "")).partition(".")[0]
    offers = [found for kind in KINDS if (found := _offer(kind, name)) is not None]
    return [offer for offer in offers if own is None or offer.target.partition(":")[0].partition(".")[0] == package]


def third_party_names() -> dict[str, PluginRecord]:
    """The names, of whatever kind, that plugins other than the built-in ones give, each with its plugin."""
    found = plugins().third_party(("lamina_layers", "lamina_objects"))
    names = {name.rpartition("/")[2]: record for name, record in found.items()}
    return {name: record for name, record in names.items() if plugins_offer(name)}


@contextmanager
def saved_with(versions: Mapping[str, str]) -> Iterator[None]:
    """Inside the block, configs of these names are of other versions of their plugins, which may migrate them."""
    token = _SAVED_WITH.set(versions)
    try:
        yield
    finally:
        _SAVED_WITH.reset(token)


def _migrated(kind: str, name: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """A config as the plugin that gives the name has it today, if it names a function that knows older ones."""
    version = _SAVED_WITH.get().get(name)
    offer = None if version is None else _offer(kind, name)
    if offer is None or offer.migrate is None or offer not in plugins_offer(name):
        return values
    migrate = resolve(replace(offer, target=offer.migrate))
    try:
        found = migrate(dict(values), version)
    except Exception as error:  # a plugin's own code on a stranger's config
        raise SerializationError(
            f"the config of {name!r}, saved with version {version} of its plugin, cannot be migrated: {error!r}."
        ) from error
    if not isinstance(found, Mapping):
        raise SerializationError(f"the migration of {name!r} gives {found!r}.", expected="a config, a dict.")
    return found


def _origin(found: Any) -> tuple[str | None, str | None]:
    return getattr(found, "__module__", None), getattr(found, "__qualname__", None)


@contextmanager
def custom_object_scope(custom_objects: Mapping[str, Any]) -> Iterator[None]:
    """Makes names known inside a ``with`` block, before those that are registered. Blocks may be nested.

    Raises TypeError for what is no dict.

    >>> class Mine:
    ...     pass
    >>> with custom_object_scope({"Mine": Mine}):
    ...     lookup("layers", "Mine") is Mine
    True
    """
    token = _SCOPED.set({**_SCOPED.get(), **custom_objects})
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
    offer = _offer(kind, name)
    if offer is not None:
        return resolve(offer)
    names = sorted({*_offers(kind), *_REGISTERED, *_SCOPED.get()})
    near = difflib.get_close_matches(name, names, 3, 0.5) or names
    shown = (
        f"a name such as {', '.join(near)}."
        if len(near) <= 6
        else "the name of one that is built in, registered, or brought by a plugin."
    )
    raise UnknownNameError(
        f"there is no {_singular(kind)} named {name!r}.",
        expected=shown,
        fix="register a class of your own with lamina.serialization.register, or install the plugin that brings it"
        f"{plugins().failures()}.",
    )


def _offer(kind: str, name: str) -> Provides | None:
    """What plugins offer of a kind under a name."""
    return plugins().provided(_hook(kind)).get(name if kind == "layers" else f"{kind}/{name}")


def _hook(kind: str) -> str:
    return "lamina_layers" if kind == "layers" else "lamina_objects"


def _offers(kind: str) -> Mapping[str, Provides]:
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


def serialize_as(kind: str, found: Any, aliases: Mapping[str, str] | None = None) -> Any:
    """What stands for an object in a config: its own config, for a function the name that leads to it, None for None.

    Raises SerializationError for what has no ``get_config`` and no name among ``kind``.

    >>> from lamina.ops import sigmoid
    >>> serialize_as("activations", sigmoid)
    'sigmoid'
    """
    if found is None or hasattr(found, "get_config"):
        return None if found is None else serialize(found)
    name = class_name(found) if hasattr(found, "__name__") else repr(found)
    try:
        lookup_spelled(kind, name, aliases)
    except UnknownNameError as error:
        raise SerializationError(
            f"the {_singular(kind)} {name!r} cannot be saved: no name leads to it.",
            fix="define it as a function and decorate it with lamina.serialization.register().",
        ) from error
    return name


def lookup_function(kind: str, config: Any) -> Callable[..., Any]:
    """The function that ``serialize_as`` named, also in Keras's form of a config.

    Raises UnknownNameError, or SerializationError if the name leads to something that is no function.
    """
    name = config.get("config") if isinstance(config, Mapping) else config
    found: Any = lookup(kind, name) if isinstance(name, str) else name
    if isinstance(found, type) or not callable(found):
        raise SerializationError(f"{config!r} is not the name of a function.")
    function: Callable[..., Any] = found
    return function


def deserialize(kind: str, config: Any, base: type[T], aliases: Mapping[str, str] | None = None) -> T:
    """The object of a config, which must be a ``base``. Class names may be spelled as for ``lookup_spelled``.

    Raises UnknownNameError, or SerializationError if the config is malformed or names something else.
    """
    if not isinstance(config, Mapping) or not isinstance(config.get("class_name"), str):
        raise SerializationError(
            f"{config!r} is not the config of a {_singular(kind)}.", expected="{'class_name': ..., 'config': {...}}."
        )
    found = lookup_spelled(kind, _name_in(config), aliases)
    if not (isinstance(found, type) and issubclass(found, base)):
        raise SerializationError(f"{config['class_name']!r} is not a {base.__name__}.")
    values = config.get("config") or {}
    if not isinstance(values, Mapping):
        raise SerializationError(f"the config of {config['class_name']!r} is {values!r}.", expected="a dict.")
    values = _migrated(kind, _name_in(config), values)
    maker = getattr(found, "from_config", None)
    made: T = maker(dict(values)) if maker else found(**values)
    return made


def _name_in(config: Mapping[str, Any]) -> str:
    """The class name of a config; Keras gives those that were registered with a package in a key of their own."""
    name, registered = config["class_name"], config.get("registered_name")
    if isinstance(registered, str) and registered != name and get_registered_object(registered) is not None:
        return registered
    return str(name)


def lookup_spelled(kind: str, name: str, aliases: Mapping[str, str] | None = None) -> Any:
    """Like ``lookup``, but other spellings of a built-in or plugin's name find it too; a class comes before a function.

    ``meanSquaredError``, ``mean_squared_error`` and ``MeanSquaredError`` are one; ``aliases`` adds short forms.

    >>> lookup_spelled("losses", "meanSquaredError") is lookup_spelled("losses", "mse", {"mse": "MeanSquaredError"})
    True
    """
    if name in _SCOPED.get() or name in _REGISTERED:
        return lookup(kind, name)
    wanted = _plain((aliases or {}).get(_plain(name), name))
    matching = _spellings(kind).get(wanted)
    return lookup(kind, min(matching, key=lambda known: known[:1].islower()) if matching else name)


def _spellings(kind: str) -> Mapping[str, list[str]]:
    """The names that plugins offer of a kind, by what they are without underscores and capitals."""
    offered = plugins().provided(_hook(kind))
    known = _SPELLINGS.get(kind)
    if known is None or known[0] is not offered:
        found: dict[str, list[str]] = {}
        for name in _offers(kind):
            found.setdefault(_plain(name), []).append(name)
        known = _SPELLINGS[kind] = offered, found
    return known[1]


def _plain(name: str) -> str:
    return name.replace("_", "").lower()


def get_object(kind: str, identifier: Any, base: type, aliases: Mapping[str, str] | None = None) -> Any:
    """What an argument such as ``loss="mse"`` stands for: a ``base``, a function, or None for None.

    ``identifier`` is an instance, a class, a function, a name, or a config dict. Raises UnknownNameError,
    SerializationError, or ArgumentTypeError for anything else.
    """
    if isinstance(identifier, Mapping) and identifier.get("class_name") == "function":
        identifier = identifier.get("config")
    if isinstance(identifier, str):
        identifier = lookup_spelled(kind, identifier, aliases)
    elif isinstance(identifier, Mapping):
        return deserialize(kind, identifier, base, aliases)
    if isinstance(identifier, type):
        identifier = identifier()
    if identifier is None or isinstance(identifier, base) or callable(identifier):
        return identifier
    raise ArgumentTypeError(
        f"{identifier!r} is not a {_singular(kind)}.",
        expected=f"a {base.__name__}, its class, its name, its config, or a function.",
    )


def construct(cls: type[T], config: Mapping[str, Any]) -> T:
    """An object of a class from its config: what ``from_config`` of most classes is.

    Keys may be spelled as in TensorFlow.js (``learningRate``, ``beta1``). Raises SerializationError for a key that is
    no parameter of the class.

    >>> class Scaled:
    ...     def __init__(self, max_value=1.0):
    ...         self.max_value = max_value
    >>> construct(Scaled, {"maxValue": 3.0}).max_value
    3.0
    """
    if not isinstance(config, Mapping):
        raise SerializationError(f"the config of a {cls.__name__} is {config!r}.", expected="a dict of its settings.")
    parameters = {_plain(name): name for name in _parameters(cls)}
    unknown = [key for key in config if _plain(key) not in parameters]
    if unknown:
        raise SerializationError(
            f"the config of a {cls.__name__} has the key {unknown[0]!r}.",
            expected=f"only {', '.join(parameters.values())}.",
        )
    return cls(**{parameters[_plain(key)]: value for key, value in config.items()})


def _parameters(cls: type) -> list[str]:
    """The arguments of a class, and of its bases as far as it passes ``**settings`` on to them."""
    names: list[str] = []
    for base in cls.__mro__:
        if "__init__" in vars(base) and base is not object:
            found = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
            names += [p.name for p in found if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
            if not any(p.kind is p.VAR_KEYWORD for p in found):
                break
    return names
