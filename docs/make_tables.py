"""Writes the tables of the docs: ``ops.md`` from the ops, ``rooms.md`` from the other rooms, ``tensorflowjs.md`` from
``tensorflowjs.csv``, that of ``export.md`` from the rules of exports; and the pictures ``house.svg`` from the rules of
imports and ``model.svg`` as ``looking.md`` says.

    python docs/make_tables.py

Needs lamina, and what ``lamina.testing`` needs: which gradients are checked is read off the kit's cases. The tables of
backends, which ``make_backend_tables.py`` writes, need their libraries too.
"""

from __future__ import annotations

import csv
import importlib.util
import inspect
import re
import runpy
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any, Final, NamedTuple

import house

import lamina
from lamina import ops
from lamina.catalogue import LAYERS
from lamina.models.exporting import lowering, words
from lamina.runtime.op import CompositeOp, HostOp, Op
from lamina.testing import Case, all_cases

HERE = Path(__file__).parent
OPS_PAGE = HERE / "ops.md"
ROOMS_PAGE = HERE / "rooms.md"
NAMES_PAGE = HERE / "tensorflowjs.md"
NAMES = HERE / "tensorflowjs.csv"
EXPORT_PAGE = HERE / "export.md"
MODEL_PICTURE = HERE / "model.svg"
MADE = "<!-- Made by docs/make_tables.py: change what it reads, and run it. -->"


class Entry(NamedTuple):
    """A public function: its path below ``lamina``, the function or op, and the module it is written in."""

    path: str
    function: Callable[..., Any]
    module: str


def entries() -> list[Entry]:
    """Every public op and function made of ops, those of namespaces too."""
    found = []
    for name in ops.__all__:
        value = getattr(ops, name)
        if value is ops.methods:
            continue
        if inspect.ismodule(value):
            found += [_entry(f"{name}.{inner}", getattr(value, inner)) for inner in _public(value)]
        elif _is_function(value):
            found.append(_entry(name, value))
    return found


def _entry(path: str, function: Callable[..., Any]) -> Entry:
    return Entry(path, function, inspect.unwrap(function).__module__)


def _public(module: Any) -> list[str]:
    """The functions that a namespace shows: those it lists, or those that are written in it."""
    listed = getattr(module, "__all__", None)
    names = listed or [n for n in vars(module) if not n.startswith("_")]
    functions = [n for n in names if _is_function(getattr(module, n))]
    return [n for n in functions if listed or inspect.unwrap(getattr(module, n)).__module__.startswith(module.__name__)]


def _is_function(value: Any) -> bool:
    if isinstance(value, Op):
        return value.public
    return inspect.isfunction(value) and value.__module__.startswith("lamina.ops")


def ops_page() -> str:
    """The text of the page of ops."""
    gradients = _checked_gradients()
    families: dict[str, list[Entry]] = {}
    for entry in entries():
        families.setdefault(entry.module, []).append(entry)
    parts = [OPS_HEAD]
    for module in sorted(families):
        rows = [_row(entry, gradients) for entry in sorted(families[module])]
        parts.append(f"## {_title(module)}\n\n{HEAD}\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


OPS_HEAD = f"""# Ops

{MADE}

Every function of `lamina` that takes or makes tensors, by family. Most are methods of tensors too. `help` of a function
says which errors it raises; a setting of the wrong kind is an `ArgumentTypeError` everywhere.

- **gradient**: *second* if the gradient and the gradient of the gradient are held against differences in float64,
  *first* if only the gradient is, because the function has kinks; a dash if there is none: the result is no floating or
  complex number, or does not depend on one.
- **made of**: *kernel* if each backend has one, *ops* if it is written in other ops (a backend may still bring a faster
  kernel), *host* if it runs on the host for every backend.
- **source**: what it does as, or the paper."""

HEAD = "| function | what it is | gradient | made of | source |\n| --- | --- | --- | --- | --- |"


def _title(module: str) -> str:
    document = inspect.getdoc(sys.modules[module]) or module
    return document.partition("\n")[0].rstrip(".")


def _row(entry: Entry, gradients: dict[str, str]) -> str:
    document = inspect.getdoc(entry.function) or ""
    name = entry.function.name if isinstance(entry.function, Op) else entry.path
    gradient = gradients.get(name, gradients.get(entry.path, "-"))
    cells = [f"`{entry.path}{_signature(entry.function)}`", document.partition("\n")[0], gradient]
    return _line([*cells, _made_of(entry.function), _source(document)])


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _signature(function: Callable[..., Any]) -> str:
    found = inspect.signature(inspect.unwrap(function))
    plain = [_plain(parameter) for parameter in found.parameters.values()]
    return str(inspect.Signature(plain))


def _plain(parameter: inspect.Parameter) -> inspect.Parameter:
    default = parameter.default.value if isinstance(parameter.default, Enum) else parameter.default
    named = default is not inspect.Parameter.empty and callable(default)
    return parameter.replace(annotation=inspect.Parameter.empty, default=_ByName(default) if named else default)


class _ByName(NamedTuple):
    """A default that is a function, shown by its name."""

    function: Callable[..., Any]

    def __repr__(self) -> str:
        return str(getattr(self.function, "name", None) or self.function.__name__)


def _made_of(function: Callable[..., Any]) -> str:
    if isinstance(function, HostOp):
        return "host"
    return "kernel" if isinstance(function, Op) and not isinstance(function, CompositeOp) else "ops"


def _source(document: str) -> str:
    """What the documentation says it follows: 'As NumPy', or a paper in parentheses."""
    text = " ".join(document.partition(">>>")[0].split())
    paper = re.search(r"\(([^()]*\b(?:1[6-9]|20)\d\d\b[^()]*)\)", text)
    followed = FOLLOWED.search(text)
    return ", ".join(found.group(1) for found in (followed, paper) if found)


FOLLOWED = re.compile(r"\b[Aa]s ((?:NumPy|SciPy|Keras|TensorFlow|``(?:np|numpy|scipy|tf)\.)[^;:,()]*?)[.;:,(]( |$)")
"""How documentation says whose function it is: 'As NumPy.', 'as ``tf.image.transform``,'."""


def _checked_gradients() -> dict[str, str]:
    """How far the kit checks the gradient of each op or function that has a case of one."""
    found: dict[str, str] = {}
    for row in all_cases():
        if row.differentiable and _moves_something(row):
            found[row.op] = "second" if row.smooth or found.get(row.op) == "second" else "first"
    return found


def _moves_something(row: Case) -> bool:
    op = ops.OPS.get(row.op)
    return op is None or op.without_gradient is None


ROOMS: Final = (
    "layers", "activations", "initializers", "regularizers", "constraints", "losses", "metrics", "optimizers",
    "optimizers.schedules", "callbacks", "data", "utils",
)  # fmt: skip
"""The rooms that people make models from."""


def rooms_page() -> str:
    """The text of the page of layers and what belongs to them."""
    parts = [ROOMS_HEAD]
    for room in ROOMS:
        module = resolve(f"lamina.{room}")
        found = {name: getattr(module, name) for name in sorted(_listed(module), key=str.lower)}
        rows = [_line([_called(name, value), _first_line(value)]) for name, value in found.items() if callable(value)]
        parts.append(f"## lamina.{room}\n\n| name | what it is |\n| --- | --- |\n" + "\n".join(rows))
    return "\n\n".join(parts) + "\n"


ROOMS_HEAD = f"""# Layers, losses, metrics, optimizers and the rest

{MADE}

What models are made of and trained with. Names, arguments and defaults are Keras's; `help` of each says what it
computes, the shapes, what it refuses, and shows an example. Layers also take `name`, `trainable`, `dtype`,
`input_shape` and `activity_regularizer`; a name in brackets is another name of the same."""


def _listed(module: Any) -> list[str]:
    """The names that a room shows: those it lists, or the classes and functions that are written in it."""
    own = [n for n, v in vars(module).items() if getattr(v, "__module__", "") == module.__name__ and n[:1] != "_"]
    return list(getattr(module, "__all__", own))


def _called(name: str, value: Any) -> str:
    own = getattr(value, "__name__", name)
    if own != name and not isinstance(value, Op):
        return f"`{name}` (`{own}`)"
    return f"`{name}{_arguments(value)}`"


def _arguments(value: Any) -> str:
    """The signature, with what a class's bases take in place of ``**settings``."""
    if not isinstance(value, type):
        return _signature(value)
    inherited = [_plain(p).replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in _ordered(value, _of(value))]
    return str(inspect.Signature(inherited)).replace("(*, ", "(").replace("(*)", "()")


def _of(value: type) -> dict[str, inspect.Parameter]:
    parameters: dict[str, inspect.Parameter] = {}
    for base in value.__mro__:
        if base in (lamina.layers.Layer, object):
            break
        if "cell_class" in vars(base):  # its settings are the layer's too
            parameters.update({n: p for n, p in _of(base.cell_class).items() if n not in parameters})
        if "__init__" in vars(base):
            own = list(inspect.signature(vars(base)["__init__"]).parameters.values())[1:]
            parameters = {**{p.name: p for p in own if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}, **parameters}
            if not any(p.kind is p.VAR_KEYWORD for p in own):
                break
    return {n: p for n, p in parameters.items() if n != "cell" or not hasattr(value, "cell_class")}


def _ordered(value: type, parameters: dict[str, inspect.Parameter]) -> list[inspect.Parameter]:
    own = [name for name in inspect.signature(value).parameters if name in parameters]
    return [parameters[name] for name in [*own, *(name for name in parameters if name not in own)]]


def _first_line(value: Any) -> str:
    return (inspect.getdoc(value) or "").partition("\n")[0]


class Name(NamedTuple):
    """A name of TensorFlow.js, ours, and what differs."""

    tfjs: str
    lamina: str
    note: str


def names() -> list[Name]:
    """The rows of ``tensorflowjs.csv``."""
    with NAMES.open(encoding="utf-8", newline="") as file:
        return [Name(row["tfjs"], row["lamina"], row["note"] or "") for row in csv.DictReader(file)]


def names_page() -> str:
    """The text of the page of names."""
    groups: dict[str, list[Name]] = {}
    for name in names():
        groups.setdefault(name.tfjs.rpartition(".")[0], []).append(name)
    parts = [NAMES_HEAD]
    for group, rows in groups.items():
        lines = [_line([f"`{row.tfjs}`", f"`{row.lamina}`" if row.lamina else "-", row.note]) for row in rows]
        parts.append(
            f"## `{group}`\n\n| TensorFlow.js | lamina | what differs |\n| --- | --- | --- |\n" + "\n".join(lines)
        )
    return "\n\n".join(parts) + "\n"


NAMES_HEAD = f"""# From TensorFlow.js to lamina

{MADE}

Which name of lamina does what a name of TensorFlow.js does. For array ops NumPy's names win, for layers, models and
optimizers Keras's. Settings go by keyword and in Python's spelling: `keepDims` is `keepdims`. [Ops](ops.md) says what
each one takes."""


EXPORT_MARKS = ("<!-- layers: made by docs/make_tables.py -->", "<!-- end -->")


def export_page() -> str:
    """The page of exports with its table of layers anew."""
    begin, end = EXPORT_MARKS
    before, _, rest = EXPORT_PAGE.read_text(encoding="utf-8").partition(begin)
    rows = [_line([f"`{name}`", *_way(name)]) for name in sorted(LAYERS, key=str.lower)]
    table = "\n".join(["| layer | becomes | when |", "| --- | --- | --- |", *rows])
    return f"{before}{begin}\n\n{table}\n\n{end}{rest.partition(end)[2]}"


def _way(name: str) -> tuple[str, str]:
    """What becomes of a class of layers in an export, and in which cases."""
    if name in lowering.REFUSALS:
        return "class in JavaScript", lowering.REFUSALS[name]
    rule = lowering.RULES.get(name)
    said = (inspect.getdoc(rule) or "").partition("\n")[0].rstrip(".") if rule else ""
    if name not in words.LAYERS:
        return ("other layers" if rule else "class in JavaScript"), said
    if said.startswith("Refused"):
        return "itself, or class in JavaScript", said.partition(" ")[2]
    return ("itself, or other layers" if rule else "itself"), said


def resolve(path: str) -> Any:
    """The object of a name such as ``lamina.Tensor.relu``. Raises AttributeError if there is none."""
    found: Any = lamina
    for part in path.split(".")[1:]:
        found = getattr(_sample(found), part)
    return found


def _sample(value: Any) -> Any:
    """An instance of a class whose attributes are made with it, else the value itself."""
    made = {
        "Variable": lambda: lamina.Variable(0.0),
        "Layer": lambda: lamina.Sequential([lamina.Input((1,)), lamina.layers.Dense(1)]).layers[0],
        "RNN": lambda: lamina.layers.RNN(lamina.layers.LSTMCell(1)),
        "History": lambda: lamina.callbacks.History(),
    }
    return made[value.__name__]() if isinstance(value, type) and value.__name__ in made else value


def model_picture() -> str:
    """The picture of the model of ``looking.md``, as that page draws it."""
    layers = lamina.layers
    x = lamina.Input((28, 28, 1), name="image")
    edges = layers.Conv2D(8, 3, activation="relu", name="edges")(x)
    output = layers.Dense(10, activation="softmax", name="digit")(layers.Flatten(name="flat")(edges))
    model = lamina.Model(x, output, name="digits")
    return lamina.utils.plot_model(model, None, show_shapes=True, show_layer_names=True, dpi=110).svg() + "\n"


def pages() -> Iterator[tuple[Path, str]]:
    """Each page with its text."""
    yield OPS_PAGE, ops_page()
    yield ROOMS_PAGE, rooms_page()
    yield NAMES_PAGE, names_page()
    yield EXPORT_PAGE, export_page()
    yield house.PICTURE, house.picture()
    yield MODEL_PICTURE, model_picture()


def main() -> None:
    """Writes the pages, and those of backends where their libraries are."""
    for path, text in pages():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {text.count(chr(10))} lines")
    missing = [name for name in ("torch", "array_api_strict") if importlib.util.find_spec(name) is None]
    if missing:
        print(f"The tables of backends are as they were: {' and '.join(missing)} not installed.")
    else:
        runpy.run_path(str(HERE / "make_backend_tables.py"), run_name="__main__")


if __name__ == "__main__":
    main()
