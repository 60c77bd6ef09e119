"""The pages of the reference, from signatures and docstrings: one for each family of ops and layers, each room, and
the classes that are shown with their methods.

``docs/conf.py`` calls ``write`` before the site is built; the pages are no part of the repository. What is shown where
is said by ``chapters.py``.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import chapters
import make_tables as tables
from chapters import Item, Page

from lamina.runtime.op import Op


class Links(NamedTuple):
    """Which names in a docstring lead to other places: ``paths`` are all, ``room`` is where the docstring stands."""

    paths: frozenset[str] = frozenset()
    room: str = ""
    not_these: frozenset[str] = frozenset()

    def of(self, name: str) -> str:
        """The path that a name means, or '' if it is an argument or no name of lamina's."""
        path, near = name.removeprefix("lamina."), f"{self.room}.{name}".lstrip(".")
        if name in self.not_these:
            return ""
        if near in self.paths and near != "":
            return near
        return path if path in self.paths and (path != name or name[:1].isupper()) else ""


def write(folder: Path) -> None:
    """Writes the pages into a folder; those that are as they were stay untouched, so that a second build is quick."""
    folder.mkdir(exist_ok=True)
    found = chapters.pages()
    links = Links(frozenset(item.path for part in found.values() for page in part for item in page.items))
    texts = {f"{page.file}.rst": page_text(page, links) for part in found.values() for page in part}
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
    tables_of_all = "\n".join(f"   ../{name}" for name in ON_ONE_PAGE)
    parts.append(f".. toctree::\n   :caption: On one page\n   :maxdepth: 1\n\n{tables_of_all}")
    return "\n\n".join(parts) + "\n"


ON_ONE_PAGE: Final = ("rooms", "ops", "kernels")
"""The pages of Markdown that list everything in tables; they stand in the reference."""

INTRODUCTION: Final = """Written from the docstrings: what each function and class computes, the shapes, what it
raises, an example, and whose definition or paper it follows. A setting of the wrong kind is an
:py:obj:`ArgumentTypeError <lamina.errors.ArgumentTypeError>` everywhere.

Below an op: its *gradient* is *second* if the gradient and the gradient of the gradient are held against differences
in float64, *first* if only the gradient is, because the function has kinks, *none* if it has none. It is *made of* a
*kernel* if each backend has one, of *ops* if it is written in other ops, and of work on the *host*, which is the same
for every backend."""


def page_text(page: Page, links: Links) -> str:
    """A page as reStructuredText."""
    room = page.items[0].path.rpartition(".")[0] if page.items else ""
    here = links._replace(room=room)
    parts = [_heading(page.title)]
    parts += [as_markup(page.text, here)] if page.text.rstrip(".") != page.title else []
    parts += [_shown_elsewhere(room)] if page.title == f"lamina.{room}" else []
    parts += [_described(item, page.methods, links) for item in page.items]
    return "\n\n".join(part for part in parts if part) + "\n"


def _shown_elsewhere(room: str) -> str:
    """Where the classes of a room are that are shown with their methods."""
    paths = [path for found in chapters.CLASSES.values() for path in found if path.rpartition(".")[0] == room]
    names = ", ".join(_link(path.rpartition(".")[2], path) for path in paths)
    return f"With their methods, on a page of their own: {names}." if names else ""


def _heading(title: str) -> str:
    return f"{_escaped(title)}\n{'=' * (len(title) + 10)}"


def _link(text: str, path: str) -> str:
    return f":py:obj:`{text} <lamina.{path}>`"


def _described(item: Item, methods: bool, links: Links) -> str:
    path, value = f"lamina.{item.path}", item.value
    if item.path in chapters.DATA:
        return f".. py:data:: {path}\n\n   {chapters.DATA[item.path]}"
    same = _same(item)
    if same in links.paths and same != item.path:
        return f".. py:data:: {path}\n\n   The same as {_link(f'lamina.{same}', same)}."
    arguments = frozenset(inspect.signature(inspect.unwrap(value)).parameters)
    here = links._replace(room=item.path.rpartition(".")[0], not_these=arguments)
    text, _, example = (inspect.getdoc(value) or "").partition("\n\n>>>")
    body = [as_markup(text, here)]
    body += [_bases(value, here)] if isinstance(value, type) else []
    body += [f">>>{example}"] if example else []
    body += [". ".join(f"*{name.capitalize()}:* {_escaped(text)}" for name, text in item.remarks.items() if text)]
    body += [_method(name, member, here) for name, member in _methods(value)] if methods else []
    kind = "class" if isinstance(value, type) else "function"
    head = f".. py:{kind}:: {path}{_one_line(tables._arguments(value))}\n\n"
    return head + _indented("\n\n".join(part for part in body if part))


def _same(item: Item) -> str:
    """The path of what a name is another name of, or ''."""
    room, _, name = item.path.rpartition(".")
    if not room:
        return chapters.home(item.value)
    own = getattr(item.value, "__name__", name)
    return f"{room}.{own}" if isinstance(item.value, type) and own != name else ""


def _bases(value: type, links: Links) -> str:
    """What a class has from others: a link to what is shown, and the settings of those bases that have no page."""
    found = [base for base in value.__mro__[1:] if base.__module__.startswith("lamina")]
    cell = getattr(value, "cell_class", object)  # a recurrent layer takes its cell's settings
    found += [base for base in cell.__mro__ if base.__module__.startswith("lamina") and base not in found]
    shown = [base for base in found if links.of(base.__name__)]
    named = [base for base in _named(value, found) if base not in shown]
    parts = [f"*Settings of* ``{base.__name__}``: {_settings(base, links)}" for base in named]
    parts += [f"Base: {_link(shown[0].__name__, links.of(shown[0].__name__))}."] if shown else []
    return "\n\n".join(parts)


def _named(value: type, bases: list[type]) -> list[type]:
    """The bases whose settings the docstring points at, and those that theirs point at."""
    text, named = inspect.getdoc(value) or "", []
    for base in bases:
        if f"``{base.__name__}``" in text:
            named.append(base)
            text += base.__doc__ or ""
    return named


def _settings(base: type, links: Links) -> str:
    """What is said of a base after its first line, which says what it is a base of."""
    first, _, rest = (inspect.getdoc(base) or "").partition(">>>")[0].partition("\n\n")
    return as_markup((rest or first).strip(), links)


def _methods(owner: type) -> Iterator[tuple[str, Any]]:
    """The public methods and properties, those of the class's bases too."""
    for name in sorted(n for n in dir(owner) if not n.startswith("_")):
        value = inspect.getattr_static(owner, name)
        if isinstance(value, (Op, property, staticmethod, classmethod)) or inspect.isfunction(value):
            yield name, value


def _method(name: str, value: Any, links: Links) -> str:
    if isinstance(value, property):
        return f".. py:property:: {name}\n\n{_indented(as_markup(inspect.getdoc(value) or '', links))}"
    function = getattr(value, "__func__", value)
    option = {staticmethod: "   :staticmethod:\n", classmethod: "   :classmethod:\n"}.get(type(value), "")
    said = as_markup(inspect.getdoc(function) or "", links)
    if isinstance(value, Op):
        path = value.name if value.name in links.paths else f"{value.__module__.split('.')[2]}.{value.name}"
        said = f"As the op {_link(f'lamina.{path}', path)}."
    return f".. py:method:: {name}{_bound(function)}\n{option}\n{_indented(said)}"


def _bound(function: Callable[..., Any]) -> str:
    signature = inspect.signature(inspect.unwrap(function))
    kept = [tables._plain(p) for n, p in signature.parameters.items() if n not in ("self", "cls")]
    return _one_line(str(inspect.Signature(kept)))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _indented(text: str) -> str:
    return "\n".join(f"   {line}" if line else "" for line in text.splitlines())


def as_markup(document: str, links: Links = Links()) -> str:  # noqa: B008 - it cannot be changed
    r"""A docstring as reStructuredText: what would be markup by accident, such as the bars of \|x\|, is text."""
    parts = re.split(r"\n\s*\n", document)
    return "\n\n".join(part if _is_literal(part) else _prose(part, links) for part in parts)


def _is_literal(part: str) -> bool:
    return part.lstrip().startswith(">>>") or part.startswith("    ")


def _prose(part: str, links: Links) -> str:
    pieces = re.split(r"(``.+?``)", part, flags=re.DOTALL)
    return "".join(_code(piece, links) if piece.startswith("``") else _words(piece, links) for piece in pieces)


def _words(piece: str, links: Links) -> str:
    """Prose, in which the names of errors lead to what is said of them."""
    parts = re.split(r"\b([A-Z]\w+(?:Error|Warning))\b", piece)
    errors = {part for part in parts[1::2] if f"errors.{part}" in links.paths}
    return "".join(_link(part, f"errors.{part}") if part in errors else _escaped(part) for part in parts)


def _code(piece: str, links: Links) -> str:
    path = links.of(piece.strip("`"))
    return _link(piece.strip("`"), path) if path else piece


def _escaped(text: str) -> str:
    return re.sub(r"([\\*|`]|_\b)", r"\\\1", text)
