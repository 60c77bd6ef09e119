"""What an op's documentation says beyond its own words: which dtypes it refuses, and what its rules raise."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from lamina.dtypes import ALL, ARITHMETIC, BOOL, COMPLEX, FLOATING, INEXACT, INTEGER, NUMERIC, REAL, STRING

_KINDS: Final[dict[frozenset[str], str]] = {
    frozenset(BOOL): "bool",
    frozenset(INTEGER): "integer",
    frozenset(FLOATING): "floating",
    frozenset(COMPLEX): "complex",
    frozenset(STRING): "string",
    frozenset(BOOL + INTEGER): "bool or integer",
    frozenset(INTEGER + FLOATING): "integer or floating",
    frozenset(INEXACT): "floating or complex",
    frozenset(REAL): "bool, integer or floating",
    frozenset(NUMERIC): "integer, floating or complex",
    frozenset(ARITHMETIC): "bool, integer, floating or complex",
}

WIDTH: Final = 110


def with_errors(documentation: str | None, *sentences: str) -> str | None:
    """The documentation with sentences on errors before its example, or at its end."""
    told = " ".join(sentence for sentence in sentences if sentence)
    if documentation is None or not told:
        return documentation
    text, example, rest = inspect.cleandoc(documentation).partition("\n\n>>> ")
    return f"{text}\n\n{textwrap.fill(told, WIDTH)}{example}{rest}\n"


def refused_dtypes(dtypes: Mapping[str, Collection[str]], integers: str | None) -> str:
    """A sentence on the dtypes that inputs must have; empty if any will do.

    >>> refused_dtypes({"x": FLOATING, "indices": INTEGER}, None)
    'Raises DTypeError unless x is floating and indices is integer.'
    """
    names: dict[str, list[str]] = {}
    for name, kinds in dtypes.items():
        if set(kinds) != set(ALL):
            names.setdefault(_kind(kinds), []).append(name)
    needed = [f"{_listed(some)} {'is' if len(some) == 1 else 'are'} {kind}" for kind, some in names.items()]
    converted = f" Bool and integers become {integers}." if integers else ""
    return f"Raises DTypeError unless {' and '.join(needed)}.{converted}" if needed else ""


def raised_by(rule: Callable[..., Any]) -> str:
    """What a result rule or a check of settings says of itself, if it says what it raises."""
    said = inspect.getdoc(rule) or ""
    return " ".join(said.split()) if said.startswith("Raises ") else ""


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _kind(dtypes: Collection[str]) -> str:
    names: Sequence[str] = tuple(dtypes)
    return _KINDS.get(frozenset(names)) or ", ".join(names)
