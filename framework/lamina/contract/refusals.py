"""What kernels raise where a library refuses values, which nobody can know before it computes."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from lamina.errors import ArgumentError


def refuses_singular(kernel: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a kernel that solves equations: what its library raises for a singular matrix is an ArgumentError.

    Libraries call their own error LinAlgError, or ``_LinAlgError``. One that gives infinities instead is left to it.

    >>> import numpy
    >>> refuses_singular(numpy.linalg.solve)(numpy.zeros((2, 2)), numpy.ones((2, 1)))
    Traceback (most recent call last):
    lamina.errors.ArgumentError: solve(a, b): a matrix in a is singular, so that no x is the only one (Singular matrix).
      Expected matrices of full rank.
      Fix: add a small multiple of the identity: a + 1e-6 * lamina.eye(n).
    """

    @wraps(kernel)
    def refusing(*arrays: Any, **settings: Any) -> Any:
        try:
            return kernel(*arrays, **settings)
        except Exception as error:
            if type(error).__name__.lstrip("_") != "LinAlgError":
                raise
            raise ArgumentError(
                f"solve(a, b): a matrix in a is singular, so that no x is the only one ({error}).",
                expected="matrices of full rank.",
                fix="add a small multiple of the identity: a + 1e-6 * lamina.eye(n).",
            ) from error

    return refusing
