"""Calls of layers as configs have them: lists of [layer, call, output], or the arguments that Keras 3 writes."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from lamina.errors import SerializationError
from lamina.layers.symbolic import SymbolicTensor
from lamina.models.layouts import PLACES, placed

MAX_LAYERS: Final = 10_000
KERAS_TENSOR: Final = "__keras_tensor__"

Place = list[Any]
"""Which output of which call of which layer: [layer, call, output]."""

Outputs = dict[tuple[str, int], list[SymbolicTensor]]
"""What calls gave, by the layer's name and the number of the call."""


class Call(NamedTuple):
    """The arguments of a call; symbolic tensors in them are dicts with the class name ``__keras_tensor__``."""

    args: list[Any]
    settings: dict[str, Any]

    @property
    def places(self) -> list[Place]:
        """Where the tensors of the call come from."""
        return places_in([self.args, self.settings])


def tensor_config(place: Place) -> dict[str, Any]:
    """A symbolic tensor as Keras 3 writes it."""
    return {"class_name": KERAS_TENSOR, "config": {"keras_history": place[:3]}}


def read_calls(entry: Mapping[str, Any]) -> list[Call]:
    """The calls of a layer. Raises SerializationError if they are malformed."""
    calls = entry.get("inbound_nodes")
    if not isinstance(calls, list) or not isinstance(entry.get("name"), str):
        raise _malformed(entry)
    module = entry.get("module")
    if isinstance(module, str) and module.startswith("keras.") and ".ops" in module:
        raise SerializationError(
            f"the model calls the function {entry.get('class_name')!r} of {module} between its layers.",
            expected="layers only.",
            fix="put the function into a Lambda or a layer of your own, and save the model again.",
        )
    return [_of_keras_3(call, entry) if isinstance(call, Mapping) else _of_places(call, entry) for call in calls]


def in_order(calls: Sequence[tuple[str, int, Call]], known: Collection[tuple[str, int]]) -> list[tuple[str, int, Call]]:
    """Calls, by layer and number, each after those whose outputs it takes: as if one went through them again and again.

    ``known`` are calls that need not be made. Raises SerializationError if one waits for what is never called.
    """
    missing = [{(place[0], place[1]) for place in call.places}.difference(known) for _, _, call in calls]
    waiting: dict[tuple[str, int], list[int]] = {}
    for i, places in enumerate(missing):
        for place in places:
            waiting.setdefault(place, []).append(i)
    rounds = [0] * len(calls)
    ready = [(0, i) for i, places in enumerate(missing) if not places]
    found: list[tuple[str, int, Call]] = []
    while ready:
        turn, i = heapq.heappop(ready)
        found.append(calls[i])
        for j in waiting.pop(calls[i][:2], ()):
            rounds[j] = max(rounds[j], turn + (j < i))
            missing[j].discard(calls[i][:2])
            if not missing[j]:
                heapq.heappush(ready, (rounds[j], j))
    if len(found) < len(calls):
        stuck = next(name for (name, _, _), places in zip(calls, missing, strict=True) if places)
        raise SerializationError(f"the layer {stuck!r} waits for a layer that is never called.")
    return found


def _of_keras_3(call: Mapping[str, Any], entry: Mapping[str, Any]) -> Call:
    """Keras hands ``training`` and masks on by itself: what it wrote of them is of the moment of the call."""
    args, settings = call.get("args"), call.get("kwargs")
    if not isinstance(args, list) or not isinstance(settings, Mapping):
        raise _malformed(entry)
    while args and args[-1] is None:
        args = args[:-1]
    kept = {str(key): value for key, value in settings.items() if value is not None}
    if kept.get("training") is False:
        del kept["training"]
    if not args and kept:
        first = next(iter(kept))
        args = [kept.pop(first)]
    if not places_in(args[:1]):
        raise _malformed(entry)
    return Call(args, kept)


def _of_places(call: Any, entry: Mapping[str, Any]) -> Call:
    if not (isinstance(call, list) and call and all(is_place(place) for place in call)):
        raise _malformed(entry)
    tensors = [tensor_config(place) for place in call]
    settings = call[0][3] if len(call[0]) == 4 and isinstance(call[0][3], Mapping) else {}
    if PLACES in settings:
        others = {key: value for key, value in settings.items() if key != PLACES}
        (_, first), *rest = placed(settings[PLACES], tensors).items()
        return Call([first], {**others, **dict(rest)})
    return Call([tensors[0] if len(tensors) == 1 else tensors], dict(settings))


def _malformed(entry: Mapping[str, Any]) -> SerializationError:
    return SerializationError(
        f"the layer {entry.get('name')!r} has malformed inbound_nodes.",
        expected="a list of calls, each a list of [layer, call, output, settings], or of args and kwargs.",
    )


def is_place(place: Any) -> bool:
    """Whether something is [layer, call, output], perhaps with settings behind."""
    return (
        isinstance(place, list)
        and len(place) in (3, 4)
        and isinstance(place[0], str)
        and all(isinstance(n, int) and not isinstance(n, bool) and 0 <= n < MAX_LAYERS for n in place[1:3])
    )


def read_structure(config: Mapping[str, Any], key: str) -> Any:
    """The inputs or outputs of a model: a tensor, or a list or dict of them; a list of one stands for the tensor."""
    found = _structured(config.get(key), key)
    return found[0] if isinstance(found, list) and len(found) == 1 else found


def _structured(given: Any, key: str) -> Any:
    if is_place(given):
        return tensor_config(given)
    if isinstance(given, list) and given:
        return [_structured(value, key) for value in given]
    if isinstance(given, Mapping) and given:
        return {str(name): _structured(value, key) for name, value in given.items()}
    raise SerializationError(f"{key} is {str(given)[:100]}.", expected="a list of [layer, call, output].")


def places_in(structure: Any) -> list[Place]:
    """The places of the tensors in a structure."""
    if isinstance(structure, Mapping):
        if structure.get("class_name") == KERAS_TENSOR:
            return [_history(structure)]
        structure = list(structure.values())
    return [place for value in structure for place in places_in(value)] if isinstance(structure, list) else []


def _history(config: Mapping[str, Any]) -> Place:
    inner = config.get("config")
    place = inner.get("keras_history") if isinstance(inner, Mapping) else None
    if not is_place(place):
        raise SerializationError(
            f"{str(config)[:100]} is no tensor.", expected="a keras_history of [layer, call, output]."
        )
    return list(place or [])


def with_tensors(structure: Any, outputs: Outputs) -> Any:
    """A structure with the symbolic tensors themselves in it."""
    if isinstance(structure, Mapping):
        if structure.get("class_name") == KERAS_TENSOR:
            return _found(outputs, _history(structure))
        return {key: with_tensors(value, outputs) for key, value in structure.items()}
    return [with_tensors(value, outputs) for value in structure] if isinstance(structure, list) else structure


def _found(outputs: Outputs, place: Place) -> SymbolicTensor:
    given = outputs.get((place[0], place[1]), [])
    if place[2] >= len(given):
        raise SerializationError(f"there is no output {place[:3]}.")
    return given[place[2]]
