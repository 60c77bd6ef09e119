"""The shared kernels over ``jax.numpy``; a recorded step is compiled as a whole by ``jax.jit``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from lamina.program import Interpreter, Program
from lamina_arrayapi import ArrayAPIBackend, make_kernels

jax.config.update("jax_enable_x64", True)  # lamina says itself which dtype a tensor has


class Namespace:
    """``jax.numpy``, and how an array is made anew where other libraries write into it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(jnp, name)

    @staticmethod
    def updated(array: Any, key: Any, value: Any, added: bool) -> Any:
        return array.at[key].add(value) if added else array.at[key].set(value)


class Compiled:
    """A recorded step as one program of JAX's."""

    updates_in_place = False

    def __init__(self, program: Program, backend: JAXBackend) -> None:
        self._run = jax.jit(Interpreter(program, backend.kernels, backend.from_host))

    def __call__(self, inputs: Sequence[Any], state: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        return self._run(list(inputs), list(state))


class JAXBackend(ArrayAPIBackend):
    """Arrays of JAX on its default device."""

    name = "jax"
    xp = Namespace()
    kernels = make_kernels(xp)

    def to_host(self, array: Any) -> np.ndarray[Any, Any]:
        return np.asarray(array)

    def supports(self, dtype: str) -> str | None:
        return "JAX has no strings." if dtype == "string" else None

    def is_exhaustion(self, error: Exception) -> bool:
        return isinstance(error, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error)

    def load(self, program: Program) -> Compiled:
        return Compiled(program, self)

    def synchronize(self) -> None:
        jnp.zeros(()).block_until_ready()
