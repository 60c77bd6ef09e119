"""Layers, losses, metrics, optimizers and the rest say what each setting is and which errors they raise, with examples.

What a class says includes what the bases say whose names stand in its docstring, and the public ones: the reference
shows or links them beside it.
"""

from __future__ import annotations

import importlib
import inspect
import re

import pytest

import lamina

ROOMS = (
    "layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks", "initializers", "regularizers",
    "constraints", "activations", "autodiff", "data", "utils",
)  # fmt: skip
SPEAK_FOR_THEMSELVES = {
    "name", "dtype", "seed", "inputs", "x", "y_true", "y_pred", "labels", "predictions", "identifier", "config",
    "custom_objects", "step", "weights", "args", "kwargs", "settings", "verbose",
}  # fmt: skip
"""Arguments that mean the same everywhere."""


ON_A_PAGE = {"plot_confusion_matrix", "plot_weights"}
"""What needs matplotlib, and is shown in docs/looking.md instead."""


def room_of(name):
    module = lamina.callbacks if name == "callbacks" else importlib.import_module(f"lamina.{name}")
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__ and n[:1] != "_"]
    names = getattr(module, "__all__", own)
    return {n: getattr(module, n) for n in names if isinstance(getattr(module, n), type) or _is_function(module, n)}


def _is_function(module, name):
    return inspect.isfunction(getattr(module, name))


def said(value, room):
    """All that is said of a thing: its own docstring, and those that it points at."""
    bases = {base.__name__: base for base in _bases(value)} if isinstance(value, type) else {}
    text, waiting, heard = "", [value], set()
    while waiting:
        thing = waiting.pop()
        if id(thing) in heard:
            continue
        heard.add(id(thing))
        document = inspect.getdoc(thing) if not isinstance(thing, type) else inspect.cleandoc(thing.__doc__ or "")
        text += f"\n{document or ''}"
        named = set(re.findall(r"``([A-Za-z_]\w*)``", document or ""))
        waiting += [{**room, **bases}[name] for name in named if name in {**room, **bases}]
        waiting += [base for name, base in bases.items() if thing is value and room.get(name) is base]
    return text


def _bases(value):
    found = [base for base in value.__mro__[1:] if base.__module__.startswith("lamina")]
    cell = getattr(value, "cell_class", None)
    return [*found, *([cell, *_bases(cell)] if isinstance(cell, type) else [])]


def arguments(value):
    """What may be given, to a class also what its bases take in place of ``**common``, but for ``Layer``."""
    if not isinstance(value, type):
        return list(inspect.signature(value).parameters)
    names: list[str] = []
    for base in [value, *_bases(value)]:
        if base is lamina.layers.Layer:
            continue
        if "__init__" in vars(base):
            parameters = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
            names += [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                break
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_every_argument_is_described(room):
    found = room_of(room)
    missing = {}
    for name, value in found.items():
        text = said(value, found)
        unnamed = [a for a in arguments(value) if a not in SPEAK_FOR_THEMSELVES and not re.search(rf"\b{a}\b", text)]
        if unnamed:
            missing[name] = unnamed
    assert missing == {}


@pytest.mark.parametrize("room", ROOMS)
def test_errors_are_told(room):
    found = room_of(room)
    assert [n for n, v in found.items() if not re.search(r"[Rr]aises|[Ee]rrors (as|are)", said(v, found))] == []


@pytest.mark.parametrize("room", ROOMS)
def test_there_is_an_example(room):
    found = room_of(room)
    without = [n for n, v in found.items() if ">>> " not in (inspect.getdoc(v) or "")]
    assert [name for name in without if name not in ON_A_PAGE] == []


def test_layers_tell_their_shapes():
    found = {n: v for n, v in room_of("layers").items() if isinstance(v, type)}
    spoken = r"\((?:batch|\.\.\.)|[Ss]hape|[Ii]nputs? and output|axes"
    assert [n for n, v in found.items() if not re.search(spoken, said(v, found))] == []
