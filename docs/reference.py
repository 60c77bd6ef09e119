"""The pages of the reference, from signatures and docstrings: one for each family of ops, each room, each class.

``docs/conf.py`` calls ``write`` before the site is built; the pages are no part of the repository. What is public is
read off the same lists as the tables of ``make_tables.py``.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import make_tables as tables

import lamina
from lamina.runtime.op import Op

WITH_METHODS: Final = {
    "Models and training": ("models.Model", "models.Sequential", "callbacks.Callback", "callbacks.History"),
    "Layers of your own": ("layers.Layer",),
    "Tensors and variables": ("Tensor", "Variable"),
    "Data sets": ("data.Dataset",),
    "Objects of your own": (
        "optimizers.Optimizer", "losses.Loss", "metrics.Metric", "initializers.Initializer",
        "regularizers.Regularizer", "constraints.Constraint",
    ),
    "What plugins are made of": (
        "contract.Backend", "contract.KernelTable", "contract.Provides", "contract.FileFormat",
    ),
}  # fmt: skip
"""Classes that are shown with their methods, by page."""

ALSO: Final = ("models", "io", "autodiff", "replay", "serialization", "contract", "testing", "errors")
"""Rooms that the tables leave out: who extends lamina reads them."""


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
    """All pages by part."""
    return {"Ops": _ops(), "Layers": _layers(), "Rooms": _rooms(), "Classes with their methods": _classes()}


def _ops() -> list[Page]:
    gradients = tables._checked_gradients()
    families: dict[str, list[Item]] = {}
    for entry in tables.entries():
        name = entry.function.name if isinstance(entry.function, Op) else entry.path
        remarks = {
            "gradient": gradients.get(name, gradients.get(entry.path, "none")),
            "made of": tables._made_of(entry.function),
            "source": tables._source(inspect.getdoc(entry.function) or ""),
        }
        families.setdefault(entry.module, []).append(Item(entry.path, entry.function, remarks))
    return [Page(f"op-{m.rpartition('ops.')[2]}", tables._title(m), "", i) for m, i in sorted(families.items())]


def _layers() -> list[Page]:
    found: dict[str, list[Item]] = {}
    for item in _items("layers", lamina.layers):
        found.setdefault(".".join(item.value.__module__.split(".")[:3]), []).append(item)
    return [Page(f"layer-{m.rpartition('.')[2]}", tables._title(m), "", items) for m, items in sorted(found.items())]


def _rooms() -> list[Page]:
    names = [name for name in (*tables.ROOMS, *ALSO) if name != "layers"]
    rooms = {name: tables.resolve(f"lamina.{name}") for name in names if name != "contract"}
    rooms["contract"] = importlib.import_module("lamina.contract")
    return [
        Page(f"room-{name}", f"lamina.{name}", inspect.getdoc(room) or "", _items(name, room))
        for name, room in sorted(rooms.items())
    ]


def _items(path: str, room: Any) -> list[Item]:
    names = sorted(tables._listed(room), key=str.lower)
    return [Item(f"{path}.{n}", getattr(room, n), {}) for n in names if _is_code(getattr(room, n))]


def _is_code(value: Any) -> bool:
    return inspect.isfunction(value) or isinstance(value, (type, Op))


def _classes() -> list[Page]:
    return [
        Page(f"class-{title.lower().replace(' ', '-')}", title, "", [Item(p, _class(p), {}) for p in paths], True)
        for title, paths in WITH_METHODS.items()
    ]


def _class(path: str) -> Any:
    room, _, name = path.rpartition(".")
    module = "lamina.models.callbacks" if room == "callbacks" else f"lamina.{room}".rstrip(".")
    return getattr(importlib.import_module(module), name)


def write(folder: Path) -> None:
    """Writes the pages into a folder; those that are as they were stay untouched, so that a second build is quick."""
    folder.mkdir(exist_ok=True)
    found = pages()
    texts = {f"{page.file}.rst": page_text(page) for part in found.values() for page in part}
    texts["index.rst"] = index_text(found)
    for old in set(folder.glob("*.rst")) - {folder / name for name in texts}:
        old.unlink()
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def index_text(found: dict[str, list[Page]]) -> str:
    """The page that lists the others."""
    parts = [_heading("Reference"), INTRODUCTION]
    for part, listed in found.items():
        names = "\n".join(f"   {page.file}" for page in listed)
        parts.append(f".. toctree::\n   :caption: {part}\n   :maxdepth: 1\n\n{names}")
    return "\n\n".join(parts) + "\n"


INTRODUCTION: Final = """Written from the docstrings: what each function and class computes, the shapes, what it
raises, an example, and whose definition or paper it follows. A setting of the wrong kind is an ``ArgumentTypeError``
everywhere."""


def page_text(page: Page) -> str:
    """A page as reStructuredText."""
    parts = [_heading(page.title), as_markup(page.text), *(_described(item, page.methods) for item in page.items)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _heading(title: str) -> str:
    return f"{_escaped(title)}\n{'=' * (len(title) + 10)}"


def _described(item: Item, methods: bool) -> str:
    path, own = f"lamina.{item.path}", getattr(item.value, "__name__", "")
    if isinstance(item.value, type) and own != item.path.rpartition(".")[2]:
        return f".. py:data:: {path}\n\n   Another name of ``{own}``."
    body = [as_markup(inspect.getdoc(item.value) or "")]
    body += ["\n".join(f":{name}: {_escaped(text)}" for name, text in item.remarks.items() if text)]
    body += [_method(name, value) for name, value in _methods(item.value)] if methods else []
    elsewhere = not methods and any(item.path in paths for paths in WITH_METHODS.values())
    kind = "class" if isinstance(item.value, type) else "function"
    options = "   :no-index:\n" if elsewhere else ""
    head = f".. py:{kind}:: {path}{_one_line(tables._arguments(item.value))}\n{options}\n"
    return head + _indented("\n\n".join(part for part in body if part))


def _methods(owner: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties, those of the class's bases too."""
    for name in sorted(n for n in dir(owner) if not n.startswith("_")):
        value = inspect.getattr_static(owner, name)
        if isinstance(value, (Op, property, staticmethod, classmethod)) or inspect.isfunction(value):
            yield name, value


def _method(name: str, value: Any) -> str:
    if isinstance(value, property):
        return f".. py:property:: {name}\n\n{_indented(as_markup(inspect.getdoc(value) or ''))}"
    function = getattr(value, "__func__", value)
    option = {staticmethod: "   :staticmethod:\n", classmethod: "   :classmethod:\n"}.get(type(value), "")
    said = f"As the op ``lamina.{value.name}``." if isinstance(value, Op) else as_markup(inspect.getdoc(function) or "")
    return f".. py:method:: {name}{_bound(function)}\n{option}\n{_indented(said)}"


def _bound(function: Callable[..., Any]) -> str:
    signature = inspect.signature(inspect.unwrap(function))
    kept = [tables._plain(p) for n, p in signature.parameters.items() if n not in ("self", "cls")]
    return _one_line(str(inspect.Signature(kept)))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" if line else "" for line in text.splitlines())


def as_markup(document: str) -> str:
    r"""A docstring as reStructuredText: what would be markup by accident, such as the bars of \|x\|, is text."""
    parts = re.split(r"\n\s*\n", document)
    return "\n\n".join(part if _is_literal(part) else _prose(part) for part in parts)


def _is_literal(part: str) -> bool:
    return part.lstrip().startswith(">>>") or part.startswith("    ")


def _prose(part: str) -> str:
    pieces = re.split(r"(``.+?``)", part, flags=re.DOTALL)
    return "".join(piece if piece.startswith("``") else _escaped(piece) for piece in pieces)


def _escaped(text: str) -> str:
    return re.sub(r"([\\*|`]|_\b)", r"\\\1", text)
