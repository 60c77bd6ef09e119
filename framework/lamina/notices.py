"""What is told beside a result: where an error came from, what the caller should change, what is going away.

``note`` says below an error where it was. ``warn`` shows a warning at the caller's line: the first one that is not
lamina's own, however deep inside it arose. ``going`` marks what is to go away. Imports nothing of lamina.
"""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Callable
from typing import Any, Final, TypeVar

_Marked = TypeVar("_Marked", bound=Callable[..., Any])

_OURS: Final = frozenset({
    "lamina", "lamina_arrayapi", "lamina_cudnn", "lamina_cupy", "lamina_http", "lamina_keras", "lamina_numpy",
    "lamina_pytest", "lamina_remote", "lamina_safetensors", "lamina_sklearn", "lamina_torch",
})  # fmt: skip
_BETWEEN: Final = frozenset({"contextlib", "functools"})
"""Modules of Python's that call lamina on the caller's behalf."""


def note(error: BaseException, where: str) -> None:
    """Adds a line to an error that passes by, once: where it was, from the inside out.

    >>> error = ZeroDivisionError("no")
    >>> note(error, "In the layer 'gate'."), note(error, "In the layer 'gate'.")
    (None, None)
    >>> error.__notes__
    ["  In the layer 'gate'."]
    """
    line = f"  {where}"
    if line not in getattr(error, "__notes__", ()):
        error.add_note(line)


class noted:
    """Adds where it was, in words that a function gives when they are needed, to errors of a block.

    >>> try:
    ...     with noted(lambda: "In batch 3."):
    ...         1 / 0
    ... except ZeroDivisionError as error:
    ...     print(*error.__notes__)
      In batch 3.
    """

    def __init__(self, where: Callable[..., str], *arguments: Any) -> None:
        self._where = where
        self._arguments = arguments

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        if isinstance(error, Exception):
            note(error, self._where(*self._arguments))


def name_of(function: Any) -> str:
    """What errors call a function or an object of the user's.

    >>> name_of(len), name_of(functools.partial(len)), name_of(ValueError())
    ('len', 'len', 'ValueError')
    """
    inner = getattr(function, "func", function)
    name: str = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    return name.rpartition("<locals>.")[2]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warns at the caller's line: the innermost one outside of lamina. Python shows it once for each such line."""
    warnings.warn(message, category, stacklevel=_callers_level())


def _callers_level() -> int:
    """The ``stacklevel`` that points to the caller, for a function that was called by a function of this module."""
    frame, level = sys._getframe(2), 2
    while frame.f_back is not None and _is_inside(frame.f_globals.get("__name__", "")):
        frame, level = frame.f_back, level + 1
    return level


def _is_inside(module: str) -> bool:
    root = module.partition(".")[0]
    return root in _OURS or root in _BETWEEN


def warn_going(what: str, instead: str, goes: str) -> None:
    """Warns at the caller's line that something goes away in the version ``goes``, and what to use instead.

    The category is DeprecationWarning: Python shows it to who runs the calling code itself, and in tests.
    """
    message = f"{what} will go away in lamina {goes}: use {instead} instead."
    warnings.warn(message, DeprecationWarning, stacklevel=_callers_level())


def going(*, instead: str, goes: str) -> Callable[[_Marked], _Marked]:
    """Marks a function, method or class that goes away in the version ``goes``: each call of it warns, and works.

    >>> @going(instead="lamina.new", goes="9.0")
    ... def old(x):
    ...     return x + 1
    >>> with warnings.catch_warnings(record=True) as told:
    ...     warnings.simplefilter("always")
    ...     print(old(1), told[0].message)
    2 old will go away in lamina 9.0: use lamina.new instead.
    """

    def marked(function: _Marked) -> _Marked:
        name = function.__name__
        inner: Any = vars(function).get("__init__", object.__init__) if isinstance(function, type) else function

        @functools.wraps(inner)
        def warning(*args: Any, **kwargs: Any) -> Any:
            warn_going(name, instead, goes)
            return inner(*args, **kwargs)

        if isinstance(function, type):
            function.__init__ = warning  # type: ignore[misc]
            return function
        return warning  # type: ignore[return-value]

    return marked
