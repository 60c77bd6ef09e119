"""Errors of the layers that a file describes, as errors of the file: one class to catch, which names the file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from lamina.errors import (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    GraphError,
    LaminaError,
    ModelFileError,
    NotBuiltError,
    OutOfRangeError,
    SerializationError,
    ShapeError,
    UnknownClassError,
    UnknownNameError,
    UnsafeModelError,
)
from lamina.notices import note

_OF_THE_FILE: Final = (
    ArgumentError,
    ArgumentTypeError,
    DTypeError,
    GraphError,
    NotBuiltError,
    OutOfRangeError,
    SerializationError,
    ShapeError,
)


@contextmanager
def refusals(where: str, of_the_model: type[LaminaError] | tuple[()] = ()) -> Iterator[None]:
    """What making a model from a file raises, as ModelFileError; ``where`` names the file.

    Errors of the class ``of_the_model`` are not the file's, and stay as they are.

    >>> with refusals("'m.keras'"):
    ...     raise ShapeError("the kernel has 2 axes.", expected="3.")
    Traceback (most recent call last):
    lamina.errors.ModelFileError: 'm.keras': the kernel has 2 axes.
      Expected 3.
    """
    try:
        yield
    except of_the_model:
        raise
    except ModelFileError as error:
        if where in error.what:
            raise
        raise _of_file(type(error), error, where) from error
    except UnknownNameError as error:
        raise _of_file(UnknownClassError, error, where) from error
    except _OF_THE_FILE as error:
        raise _of_file(ModelFileError, error, where) from error
    except LaminaError:
        raise
    except Exception as error:  # of a class of somebody else's
        note(error, f"In loading {where}.")
        raise


@contextmanager
def within_memory(where: str) -> Iterator[None]:
    """What needs more memory than there is, as UnsafeModelError.

    >>> with within_memory("'m.keras'"):
    ...     raise MemoryError
    Traceback (most recent call last):
    lamina.errors.UnsafeModelError: 'm.keras' takes more memory than there is.
    """
    try:
        yield
    except MemoryError as error:
        raise UnsafeModelError(f"{where} takes more memory than there is.") from error


def _of_file(kind: type[LaminaError], error: LaminaError, where: str) -> LaminaError:
    what = error.what if error.what.startswith(where) else f"{where}: {error.what}"
    refused = kind(what, expected=error.expected, fix=error.fix)
    for line in getattr(error, "__notes__", ()):
        refused.add_note(line)
    return refused
