"""What the reference shows, on which page, and in which order: every public name of lamina has one page.

What is public is read off the same lists as the tables of ``make_tables.py``; the titles and their order are here, and
``tests/pages/test_reference.py`` says if a module has none.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any, Final, NamedTuple

import make_tables as tables

import lamina
from lamina import ops
from lamina.runtime.op import Op

CLASSES: Final = {
    "Tensors and Variables": ("Tensor", "Variable"),
    "Models": ("models.Model", "models.Sequential"),
    "The base of layers": ("layers.Layer",),
    "Callbacks and histories": ("callbacks.Callback", "callbacks.History"),
    "Data sets": ("data.Dataset",),
    "Bases of objects of your own": (
        "optimizers.Optimizer", "losses.Loss", "metrics.Metric", "initializers.Initializer",
        "regularizers.Regularizer", "constraints.Constraint",
    ),
    "What plugins are made of": (
        "contract.Backend", "contract.KernelTable", "contract.Provides", "contract.FileFormat",
    ),
}  # fmt: skip
"""Classes that are shown with their methods, by title; the pages of their rooms lead there."""

LAYERS: Final = {
    "core": "Inputs",
    "dense": "Dense",
    "einsum_dense": "Dense by an einsum equation",
    "convolution": "Convolutions",
    "pooling": "Pooling",
    "recurrent": "Recurrent layers and cells",
    "wrappers": "Bidirectional and per step",
    "attention": "Attention",
    "embedding": "Embeddings",
    "normalization": "Normalization",
    "noise": "Dropout and noise",
    "activation": "Activations",
    "merge": "Merging",
    "reshaping": "Reshaping",
    "passing": "Masking and passing on",
    "preprocessing": "Preparing data",
    "function": "Functions as layers",
    "wrapper": "The base of wrappers",
    "input_spec": "What a layer demands",
    "symbolic": "Symbolic tensors",
    "serializing": "Configs of layers",
}
"""The titles of the pages of layers, by module, in the order of reading; ``Layer`` itself has a page of its own."""

OPS: Final = {
    "creation": "Making tensors",
    "elementwise.arithmetic": "Arithmetic",
    "elementwise.mathematics": "Powers, extrema, rounding",
    "elementwise.trigonometry": "Trigonometry",
    "elementwise.logic": "Comparisons and logic",
    "shaping": "Shapes, joining, splitting",
    "slicing": "Slices and masks",
    "indexing": "Indexing and gathering",
    "scattering": "Scattering",
    "grids": "Grids and diagonals",
    "blocks": "Space, batch and depth",
    "reduction": "Sums and other reductions",
    "scans": "Cumulative sums and products",
    "ordering": "Sorting and searching",
    "counting": "Counting",
    "averaging": "Moving averages",
    "matmul": "Matrix products",
    "einsum": "Einsum",
    "linalg": "Linear algebra",
    "norms": "Norms",
    "activation.rectifiers": "Rectifiers",
    "activation.sigmoids": "Sigmoids and other smooth activations",
    "activation.softmax": "Softmax and cross entropies",
    "normalization": "Normalization",
    "dropout": "Dropout",
    "conv.forward": "Convolutions",
    "conv.depthwise": "Depthwise convolutions",
    "conv.transposed": "Transposed convolutions",
    "pooling.averages": "Average pooling",
    "pooling.extremes": "Max pooling",
    "fused": "Products with bias and activation",
    "recurrent": "Recurrent cells",
    "image.resizing": "Resizing images",
    "image.resampling": "Resizing with Keras's kernels",
    "image.cropping": "Crops of images",
    "image.colors": "Colours and mirrors",
    "image.warping": "Turning and warping images",
    "image.thresholding": "Thresholds",
    "image.suppression": "Non-maximum suppression",
    "morphology": "Morphology",
    "signal": "Fourier transforms and windows",
    "random.continuous": "Random floating numbers",
    "random.discrete": "Random integers and booleans",
    "random.choices": "Random choices",
    "random.seeds": "Seeds",
    "ragged": "Ragged tensors",
    "sparse": "Sparse tensors",
    "strings": "Strings",
}
"""The titles of the pages of ops, by module below ``lamina.ops``, in the order of reading."""

FURTHER: Final = ("models", "io", "autodiff", "replay", "serialization", "contract", "testing", "errors")
"""Rooms that the tables leave out."""

HOMES: Final = {"random.SeedGenerator": "random.seeds"}
"""On which page of ops a class is shown that is written in no module of ops."""

DATA: Final = {
    "OPS": "Every op by its name, those too that only others are made of.",
    "contract.IOHandler": "For type hints: an object that saves models, loads them, or both.",
    "contract.PROJECT": "The group of entry points under which plugins are found: ``lamina``.",
    "contract.hookimpl": "Decorator of the functions with which a plugin says what it offers.",
    "contract.hookspec": "Decorator of lamina's own declarations of these functions.",
    "io.Address": "For type hints: where a model lies; an address, a path, or an object with ``save`` or ``load``.",
    "io.IOHandler": "For type hints: an object that saves models, loads them, or both.",
}
"""Public names that are neither functions nor classes, and what they are."""


class Item(NamedTuple):
    """One thing with a name: its path below ``lamina``, itself, and what is said about it beside its docstring."""

    path: str
    value: Any
    remarks: dict[str, str]


class Page(NamedTuple):
    """A page of the reference: its file, its title, what it begins with and what it shows."""

    file: str
    title: str
    text: str
    items: list[Item]
    methods: bool = False


def pages() -> dict[str, list[Page]]:
    """All pages by part, in the order of reading."""
    return {"Classes and lamina itself": [_top(), *_classes()], "Layers": _layers(), "Modules": _rooms(), "Ops": _ops()}


def _top() -> Page:
    names = [n for n in lamina.__all__ if n not in ops.__all__ and _is_code(getattr(lamina, n))]
    shown = {path for paths in CLASSES.values() for path in paths}
    items = [Item(n, getattr(lamina, n), {}) for n in sorted(names, key=str.lower) if n not in shown]
    return Page("lamina", "lamina", TOP, [*items, Item("OPS", ops.OPS, {})])


TOP: Final = """What ``lamina`` has itself, beside the ops: choosing a backend, looking at runs, and short names for
what models and gradients need most. Each op is both ``lamina.NAME`` and ``lamina.ops.NAME``."""


def _classes() -> list[Page]:
    return [
        Page(f"class-{title.lower().replace(' ', '-')}", title, "", [Item(p, found(p), {}) for p in paths], True)
        for title, paths in CLASSES.items()
    ]


def found(path: str) -> Any:
    """What a path below ``lamina`` means, the class itself where a sample would stand for it."""
    room, _, name = path.rpartition(".")
    module = "lamina.models.callbacks" if room == "callbacks" else f"lamina.{room}".rstrip(".")
    return getattr(importlib.import_module(module), name)


def _layers() -> list[Page]:
    by_module: dict[str, list[Item]] = {}
    for item in _items("layers", lamina.layers):
        by_module.setdefault(item.value.__module__.split(".")[2], []).append(item)
    titles = [(m, LAYERS[m]) for m in _sorted(by_module, LAYERS)]
    return [Page(f"layer-{m}", title, _about(f"lamina.layers.{m}"), by_module[m]) for m, title in titles]


def _ops() -> list[Page]:
    families: dict[str, list[Item]] = {}
    gradients = tables._checked_gradients()
    for entry in tables.entries():
        remarks = _remarks(entry, gradients)
        families.setdefault(entry.module.split(".ops.")[1], []).append(Item(entry.path, entry.function, remarks))
    for path, value in _classes_beside_ops().items():
        home = HOMES.get(path) or value.__module__.split(".ops.")[1]
        families[home].append(Item(path, value, {}))
    return [Page(f"op-{m}", OPS[m], _about(f"lamina.ops.{m}"), families[m]) for m in _sorted(families, OPS)]


def _remarks(entry: tables.Entry, gradients: dict[str, str]) -> dict[str, str]:
    name = entry.function.name if isinstance(entry.function, Op) else entry.path
    return {
        "gradient": gradients.get(name, gradients.get(entry.path, "none")),
        "made of": tables._made_of(entry.function),
        "source": tables._source(inspect.getdoc(entry.function) or ""),
    }


def _classes_beside_ops() -> dict[str, Any]:
    """The classes that the namespaces of ops show: results with names, and the generator of seeds."""
    spaces = {n: getattr(ops, n) for n in ops.__all__ if inspect.ismodule(getattr(ops, n)) and n != "methods"}
    return {
        f"{space}.{name}": getattr(module, name)
        for space, module in spaces.items()
        for name in tables._listed(module)
        if isinstance(getattr(module, name), type)
    }


def _sorted(names: dict[str, Any], order: dict[str, str]) -> list[str]:
    return sorted(names, key=list(order).index)


def _about(module: str) -> str:
    return (inspect.getdoc(importlib.import_module(module)) or "").partition("\n\n")[0]


def _rooms() -> list[Page]:
    names = [name for name in (*tables.ROOMS, *FURTHER) if name != "layers"]
    rooms = {name: tables.resolve(f"lamina.{name}") for name in names if name != "contract"}
    rooms["contract"] = importlib.import_module("lamina.contract")
    return [
        Page(f"room-{name}", f"lamina.{name}", inspect.getdoc(room) or "", _items(name, room))
        for name, room in rooms.items()
    ]


def _items(path: str, room: Any) -> list[Item]:
    """What a room shows, but for the classes that a page of their own shows with their methods."""
    shown = {path for paths in CLASSES.values() for path in paths}
    names = [f"{path}.{name}" for name in sorted(tables._listed(room), key=str.lower)]
    values = {name: getattr(room, name.rpartition(".")[2]) for name in names if name not in shown}
    return [Item(name, value, {}) for name, value in values.items() if _is_code(value) or name in DATA]


def _is_code(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, (type, Op))


def home(value: Any) -> str:
    """Where a thing is shown for which ``lamina`` itself has a short name: its path, or '' if that is no other."""
    for room in (lamina.layers, lamina.models, lamina.autodiff, lamina.replay, lamina.serialization, lamina.utils):
        name = getattr(value, "__name__", "")
        if name in tables._listed(room) and getattr(room, name, None) is value:
            return f"{room.__name__.removeprefix('lamina.')}.{name}"
    return ""
