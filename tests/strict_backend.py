"""A backend of a few lines: the shared kernels over the namespace ``array_api_strict``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np

from lamina.contract import KernelTable
from lamina_arrayapi import ArrayAPIBackend, make_kernels


def _quiet(function: Callable[..., Any]) -> Callable[..., Any]:
    """array_api_strict computes with NumPy, which warns where other libraries give NaN and infinities silently."""

    @functools.wraps(function)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        with np.errstate(all="ignore"):
            return function(*args, **kwargs)

    return wrapped


def _kernels() -> KernelTable:
    kernels = KernelTable()
    for name, function in make_kernels(array_api_strict).items():
        kernels.add(name, _quiet(function))
    return kernels


class StrictBackend(ArrayAPIBackend):
    name = "array_api_strict"
    xp = array_api_strict
    kernels = _kernels()
