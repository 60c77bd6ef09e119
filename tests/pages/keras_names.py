"""What Keras offers and takes, read off its list of names, and what lamina has for it."""

from __future__ import annotations

import ast
import csv
import inspect
from pathlib import Path
from typing import Any, NamedTuple

import lamina

REQUIRED = inspect.Parameter.empty


class KerasName(NamedTuple):
    """A public name of Keras: its module, what it is, and its signature as text."""

    module: str
    name: str
    kind: str
    signature: str

    @property
    def path(self) -> str:
        """Where lamina has it."""
        return f"lamina.{self.module}.{self.name}"


def required_names(path: Path) -> list[KerasName]:
    """The names of the list that lamina is to have."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["need"] == "required"]
    return [KerasName(row["module"], row["name"], row["kind"], row["signature"]) for row in rows]


def found(name: KerasName) -> Any:
    """lamina's object of that name. Raises AttributeError if there is none."""
    value: Any = lamina
    for part in name.path.split(".")[1:]:
        value = getattr(value, part)
    return value


def arguments(signature: str) -> dict[str, Any]:
    """Keras's arguments and their defaults, as far as these are literals; ``...`` for others."""
    whole = signature if signature.endswith(")") else f"{signature.rpartition(', ')[0]})"  # the list cuts long ones
    inner = ast.parse(f"def f{whole}: pass").body[0].args
    named = [*inner.posonlyargs, *inner.args]
    defaults = [REQUIRED] * (len(named) - len(inner.defaults)) + [_literal(node) for node in inner.defaults]
    result = dict(zip((a.arg for a in named), defaults, strict=True))
    for argument, node in zip(inner.kwonlyargs, inner.kw_defaults, strict=True):
        result[argument.arg] = REQUIRED if node is None else _literal(node)
    return {key: value for key, value in result.items() if key != "self"}


def _literal(node: ast.expr) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return ...


def own_arguments(value: Any) -> dict[str, Any]:
    """The same of lamina's class or function; ``**settings`` of a class are those of its bases."""
    if not isinstance(value, type):
        return _defaults(inspect.signature(value))
    cell = getattr(value, "cell_class", None)  # its settings are the layer's too
    result: dict[str, Any] = {} if cell is None else own_arguments(cell)
    for base in value.__mro__:
        if "__init__" in vars(base) and base is not object:
            signature = inspect.signature(vars(base)["__init__"])
            result = {**_defaults(signature), **result}
            if all(p.kind is not p.VAR_KEYWORD for p in signature.parameters.values()):
                break
    result.pop("self", None)
    return result


def _defaults(signature: inspect.Signature) -> dict[str, Any]:
    kinds = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    return {p.name: p.default for p in signature.parameters.values() if p.kind not in kinds}


def same_default(ours: Any, theirs: Any) -> bool:
    """Whether a default means the same: tuples are lists, equal sizes along all axes are one number."""
    if theirs is ...:
        return True
    if isinstance(theirs, (tuple, list)) or isinstance(ours, (tuple, list)):
        a, b = (tuple(v) if isinstance(v, (tuple, list)) else (v,) for v in (ours, theirs))
        longest = max(len(a), len(b))
        return (a * longest)[:longest] == (b * longest)[:longest]
    if isinstance(theirs, str) and isinstance(ours, str):
        return ours.lower() == theirs.lower()  # names are found in any spelling
    return bool(ours == theirs)
