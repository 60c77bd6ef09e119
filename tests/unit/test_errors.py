"""The exception tree and the form of messages."""

from __future__ import annotations

import inspect
import pickle

import pytest

from lamina import errors
from lamina.errors import LaminaError, ShapeError

BUILTINS = {
    "ShapeError": ValueError, "DTypeError": TypeError, "ArgumentError": ValueError, "ArgumentTypeError": TypeError,
    "OutOfRangeError": IndexError, "GradientError": ValueError, "GraphError": ValueError, "NotBuiltError": ValueError,
    "DataError": ValueError, "UnknownNameError": ValueError, "BackendError": RuntimeError,
    "BackendNotAvailableError": ImportError, "KernelMissingError": NotImplementedError, "OutOfMemoryError": MemoryError,
    "PluginError": RuntimeError,
    "ReplayError": RuntimeError, "HostReadError": RuntimeError, "SerializationError": ValueError,
    "MissingLibraryError": ImportError, "ModelFileError": ValueError, "ModelNotFoundError": FileNotFoundError,
    "UnknownClassError": ValueError, "UnsafeModelError": ValueError,
}  # fmt: skip
ALL = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind) and kind is not LaminaError}


@pytest.mark.parametrize("name", sorted(ALL))
def test_each_error_is_ours_and_a_builtin(name: str) -> None:
    assert issubclass(ALL[name], LaminaError)
    assert issubclass(ALL[name], BUILTINS[name])


@pytest.mark.parametrize("name", sorted(ALL))
def test_the_docstring_draws_every_error(name: str) -> None:
    assert errors.__doc__ is not None
    assert f"─ {name}" in errors.__doc__


def test_a_message_says_what_expected_and_fix() -> None:
    error = ShapeError("x is (2,).", expected="(3,).", fix="reshape it.")
    assert str(error) == "x is (2,).\n  Expected (3,).\n  Fix: reshape it."
    assert (error.what, error.expected, error.fix) == ("x is (2,).", "(3,).", "reshape it.")


def test_parts_may_be_left_out() -> None:
    assert str(ShapeError("x is (2,).")) == "x is (2,)."
    assert str(ShapeError("x is (2,).", fix="reshape it.")) == "x is (2,).\n  Fix: reshape it."


def test_an_error_crosses_processes() -> None:
    error = pickle.loads(pickle.dumps(ShapeError("x is (2,).")))
    assert type(error) is ShapeError
    assert str(error) == "x is (2,)."
