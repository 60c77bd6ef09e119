"""Names for layers and models that were given none: ``dense``, ``dense_1``, ... per thread or task."""

from __future__ import annotations

import re
from collections import Counter
from contextvars import ContextVar

from lamina.errors import ArgumentError, ArgumentTypeError
from lamina.io.checks import FORBIDDEN_NAMES

_COUNTS: ContextVar[Counter[str] | None] = ContextVar("lamina_layer_names", default=None)
_ALLOWED = re.compile(r"[A-Za-z0-9][-A-Za-z0-9._]*")


def snake_case(name: str) -> str:
    """A class name as a variable's: ``BatchNormalization`` gives ``batch_normalization``.

    >>> snake_case("Conv2D"), snake_case("LSTM"), snake_case("MaxPooling2D")
    ('conv2d', 'lstm', 'max_pooling2d')
    """
    apart = re.sub(r"(.)([A-Z][a-z0-9]+)", r"\1_\2", re.sub(r"(\d)D\b", r"\1d", name))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", apart).lower()


def unique_name(class_name: str) -> str:
    """The next free automatic name of a class."""
    counts = _COUNTS.get()
    if counts is None:
        counts = Counter()
        _COUNTS.set(counts)
    base = snake_case(class_name)
    counts[base] += 1
    return base if counts[base] == 1 else f"{base}_{counts[base] - 1}"


def clear_names() -> None:
    """Starts the automatic names of this thread or task anew."""
    _COUNTS.set(None)


def checked_name(name: object) -> str:
    """A name as given by the user; letters, digits, dots, dashes and underscores, as in saved models.

    Raises ArgumentTypeError or ArgumentError if it cannot be one.
    """
    if not isinstance(name, str):
        raise ArgumentTypeError(f"name is {name!r}.", expected="a string.")
    if not _ALLOWED.fullmatch(name) or len(name) > 255 or name in FORBIDDEN_NAMES:
        raise ArgumentError(
            f"the name {name[:80]!r} cannot be saved in a model file.",
            expected="up to 255 letters, digits, '.', '-' and '_', starting with a letter or digit.",
        )
    return name
