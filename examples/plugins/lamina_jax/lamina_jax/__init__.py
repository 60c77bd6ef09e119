"""A backend for lamina over JAX. Importing this module imports no jax."""

from __future__ import annotations

from collections.abc import Iterable

from lamina.contract import Provides, hookimpl


@hookimpl
def lamina_backends() -> Iterable[Provides]:
    return [Provides("jax", "lamina_jax.backend:JAXBackend", needs="jax", install="pip install jax")]
