"""``lamina plugin new``: the distribution of a plugin, small and whole, with tests that pass as they are.

The files are templates beside this module: those of a kind, and those that all kinds have.
"""

from __future__ import annotations

import argparse
import importlib.util
import keyword
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template
from typing import Any, Final, NamedTuple

import lamina
from lamina.errors import ArgumentError
from lamina.plugins import plugins

_TEMPLATES: Final = Path(__file__).parent / "templates"
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*([-_.][A-Za-z0-9]+)*")
_LONGEST: Final = 60


class Kind(NamedTuple):
    """What a plugin offers: through which hook, under what name, and what its description says."""

    hook: str
    name_of: Callable[[list[str]], str]
    description: str


def _class_name(words: list[str]) -> str:
    return "".join(word[:1].upper() + word[1:] for word in words)


KINDS: Final = {
    "layer": Kind("lamina_layers", _class_name, "The layer {} for lamina"),
    "io": Kind("lamina_io_handlers", "-".join, "Models of lamina at {}://"),
    "backend": Kind("lamina_backends", "_".join, "The backend {} for lamina"),
}
"""The kinds of ``lamina plugin new``."""


def add(commands: Any) -> None:
    """Describes the command."""
    parser = commands.add_parser("plugin", help="start a plugin of your own")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    new = actions.add_parser(
        "new",
        help="write a small distribution with a plugin, its tests and how to build it",
        description="Writes a folder with the distribution NAME: pyproject.toml, code, tests that run the part of "
        "lamina.testing that is due, README and tox.ini. Its tests pass as they are.",
    )
    new.add_argument("name", metavar="NAME", help="the name of the distribution, such as lamina-shelf")
    new.add_argument("--kind", required=True, choices=tuple(KINDS), help="what the plugin offers")
    new.add_argument("--into", default=".", metavar="FOLDER", help="where its folder is made, by default here")
    new.set_defaults(run=new_plugin)


def new_plugin(given: argparse.Namespace) -> int:
    """Writes the files, and prints what to do next."""
    values = names_of(given.name, given.kind)
    folder = Path(given.into) / values["module"]
    if folder.exists():
        raise ArgumentError(
            f"{str(folder)!r} is there already.", fix="choose another name, or another folder by --into."
        )
    for path, text in files_of(given.kind, values):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    print(f"{folder} has the plugin {values['distribution']}. Next:", f"  cd {folder}", sep="\n")
    print("  pip install -e '.[testing]'", "  pytest", "  lamina plugins", sep="\n")
    return 0


def names_of(distribution: str, kind: str) -> dict[str, str]:
    """What the templates put in: the names of a plugin, from that of its distribution.

    Raises ArgumentError for a name that no module can have, or that is taken.

    >>> names = names_of("lamina-squeeze-excite", "layer")
    >>> names["module"], names["class_name"], names["entry"]
    ('lamina_squeeze_excite', 'SqueezeExcite', 'squeeze_excite')
    """
    words = re.split(r"[-_.]", re.sub(r"^lamina[-_.]", "", distribution))
    fits = _NAME.fullmatch(distribution) and len(distribution) <= _LONGEST and words[0][:1].isalpha()
    if not fits:
        raise ArgumentError(
            f"{distribution!r} is no name of a distribution.",
            expected=f"letters, digits, and '-' between them, such as lamina-shelf; at most {_LONGEST} characters.",
        )
    module = re.sub(r"[-.]", "_", distribution).lower()
    name = KINDS[kind].name_of(words if kind == "layer" else [word.lower() for word in words])
    _check_module(module, distribution)
    _check_offer(name, kind)
    return {
        "distribution": distribution,
        "module": module,
        "entry": "_".join(words).lower(),
        "name": name,
        "class_name": _class_name(words),
        "variable": f"{'_'.join(words).upper()}_FOLDER",
        "description": KINDS[kind].description.format(name),
        "lamina": ".".join(lamina.__version__.split(".")[:2]),
    }


def _check_module(module: str, distribution: str) -> None:
    taken = keyword.iskeyword(module) or module in sys.stdlib_module_names or importlib.util.find_spec(module)
    if taken:
        raise ArgumentError(
            f"the module of {distribution!r} would be {module!r}, which is taken.",
            expected="a name that no module here has.",
            fix=f"try lamina-{distribution}." if not module.startswith("lamina") else "choose another one.",
        )


def _check_offer(name: str, kind: str) -> None:
    hook = KINDS[kind].hook
    if name in plugins().provided(hook) or name in ("auto", "Layer"):
        raise ArgumentError(
            f"there is something of the kind {kind} named {name!r} already.",
            fix="choose another name: a name that two offer is an error.",
        )


def files_of(kind: str, values: dict[str, str]) -> Iterator[tuple[Path, str]]:
    """The files of a plugin, by their paths in its folder."""
    for part in ("common", kind):
        for path in sorted((_TEMPLATES / part).rglob("*.txt")):
            place = path.relative_to(_TEMPLATES / part).with_suffix("")
            if place.parts[0] == "package":
                place = Path(values["module"], *place.parts[1:])
            elif place.parts[0] == "tests":
                place = place.with_name(f"test_{place.name}")
            yield place, Template(path.read_text(encoding="utf-8")).substitute(values)
